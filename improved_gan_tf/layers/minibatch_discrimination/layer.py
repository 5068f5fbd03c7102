"""Minibatch discrimination: how close each example is to the others of its batch."""

import math

import keras
from keras import ops

from improved_gan_tf import distribution, precision
from improved_gan_tf.layers import data_dependent
from improved_gan_tf.layers.argument_checks import (
    positive_integer,
    require_floating,
    require_rows,
)
from improved_gan_tf.layers.minibatch_discrimination import (
    direct_kernel_sums,
    kernel_sums,
    kernel_sums_across_replicas,
)

REDUCTIONS = ("sum", "mean", "mean_over_pairs")
SMALLEST_MEAN_SQUARE = 1e-12  # a row of zeros stays one


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each example's features how close it is to the other examples of the batch.

    Feed the real and the generated batch *separately*, in two calls, as the paper does.

        T = theta * exp(log_weight_scale) / sqrt(sum_A theta^2)            # (A, B, C)
        M_i = f(x_i) T                                                     # (B, C)
        o(x_i)_b = sum_{j != i} exp(-||M_ib - M_jb||_1)                    # (B,)
        output_i = [f(x_i), o(x_i) + bias]                                 # (A + B,)

    Batch meaning: the rows of this call; with `cross_replica="global"` those of all replicas. A
    row's output depends on every other row, at test time too.

    Training: the same in training and inference. `improved_gan_tf.initialize_from_data` divides the
    distances by `s_b = 0.5 * mean_i min_{j != i} ||M_ib - M_jb||_1` (`log_weight_scale -= log s_b`,
    only with weight normalisation) and sets `bias` to minus the mean of `o`. In small networks `o`
    may then fall to 0 for good; a `log_weight_scale` smaller by log 100 kept it above 0
    (docs/silent_layer.md).

    Args:
        num_kernels: int > 0, B; 100 in the original, 300 for ImageNet.
        kernel_dim: int > 0, C; 5 in the original, 50 for ImageNet.
        weight_normalization: bool, default True as in the original; False for plain `T = theta`.
        concatenate_input: bool, default True, whether the flattened input precedes `o`.
        reduction: "sum" over the neighbours (default, D23); "mean", divided by the row's
            number of neighbours; "mean_over_pairs", by the number of all pairs (row, neighbour) of
            the batch, as the ImageNet code does. A count of 0 is taken as 1.
        normalize_input: bool, default False as in the original; True computes M from
            f(x) / rms(f(x)), the root mean square over a row's A features. Distances then cannot
            grow with the features, as when the layer falls silent. The output has f(x) as it is.
        num_parts: int > 0, P, default 1: equal consecutive parts of the batch. Each row gets a set
            of features against each part, those of part 0 first; ImageNet's joint batch has 2.
        use_bias: bool, default True.
        theta_initializer: default N(0, 0.05), the original's.
        bias_initializer: default -1, the original's.
        theta_regularizer: a regularizer of the unnormalised `theta`.
        cross_replica: "global" (default), or "local" for this replica's rows alone.

    Call arguments:
        inputs: (N, ..., A), floating point; rank above 2 is flattened to (N, A).
        row_mask: (N,), bool or 0/1, optional. A row where it is 0 is nobody's neighbour and has
            none: its `o` is 0 and its values, NaN included, reach no other row.

    Returns:
        (N, A + P * B), or (N, P * B) without the input; the layer's compute dtype. `o` lies in
        [0, N - 1] for "sum" and in [0, 1] for "mean"; 0 for a batch of one.

    Raises:
        ValueError: an argument, the input's rank, dtype or dimensions, or `row_mask` is not as
            above; the batch cannot be divided into `num_parts`; or an initialisation batch gives a
            kernel no scale.

    Weights:
        theta: (A, B, C).
        log_weight_scale: (B, C), starts at 0; only with weight normalisation.
        bias: (P * B,).

    Example:

    >>> import numpy as np
    >>> layer = MinibatchDiscrimination(num_kernels=3, kernel_dim=2)
    >>> outputs = layer(np.ones((4, 5), "float32"))  # four equal rows: o = 3, bias = -1
    >>> np.array(outputs)[0].tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]

    References:
        Paper:    Salimans et al. (2016), Sec. 3.2.
        Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `MinibatchLayer`;
                  imagenet/discriminator.py for `num_parts` and "mean_over_pairs".
    """

    def __init__(
        self,
        num_kernels,
        kernel_dim,
        weight_normalization=True,
        concatenate_input=True,
        reduction="sum",
        normalize_input=False,
        num_parts=1,
        use_bias=True,
        theta_initializer=None,
        bias_initializer=None,
        theta_regularizer=None,
        cross_replica="global",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"`reduction` must be one of {REDUCTIONS}. Received: reduction={reduction!r}"
            )
        if theta_initializer is None:
            theta_initializer = keras.initializers.RandomNormal(stddev=0.05)
        if bias_initializer is None:
            bias_initializer = keras.initializers.Constant(-1.0)
        self.num_kernels = positive_integer(num_kernels, "num_kernels")
        self.kernel_dim = positive_integer(kernel_dim, "kernel_dim")
        self.weight_normalization = bool(weight_normalization)
        self.concatenate_input = bool(concatenate_input)
        self.reduction = reduction
        self.normalize_input = bool(normalize_input)
        self.num_parts = positive_integer(num_parts, "num_parts")
        self.use_bias = bool(use_bias)
        self.theta_initializer = keras.initializers.get(theta_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.theta_regularizer = keras.regularizers.get(theta_regularizer)
        self.cross_replica = distribution.check_cross_replica(cross_replica)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        self._input_dim = self._flat_dim(input_shape)
        # As in the weight-normalised layers, the norm is taken in float32 at least.
        self.theta = self.add_weight(
            name="theta",
            shape=(self._input_dim, self.num_kernels, self.kernel_dim),
            initializer=self.theta_initializer,
            regularizer=self.theta_regularizer,
            autocast=False,
        )
        self.log_weight_scale = None
        if self.weight_normalization:
            self.log_weight_scale = self.add_weight(
                name="log_weight_scale",
                shape=(self.num_kernels, self.kernel_dim),
                initializer="zeros",
                autocast=False,
            )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.num_parts * self.num_kernels,),
                initializer=self.bias_initializer,
                autocast=False,
            )
        self.input_spec = keras.layers.InputSpec(shape=(None, *input_shape[1:]))

    def closeness(self, inputs):
        """Returns `o` alone, without input and bias: how close each row is to the others.

        To watch in training: a layer whose `o` is 0 everywhere has no influence and no gradient.

        Args:
            inputs: (N, ..., A) as for the layer, which must be built.

        Returns:
            (N, P * B), float32 or float64.

        Raises:
            ValueError: the layer is not built, or the inputs are not as for it.
        """
        if not self.built:
            raise ValueError(
                f"Layer '{self.name}' has no weights yet: call it, or its model, on data first."
            )
        inputs = self._checked(ops.convert_to_tensor(inputs), None)
        x = ops.cast(self._flat(inputs), self.compute_dtype)  # as Keras does before `call`
        return self._features(self._project(x), self._present(x, None))

    def call(self, inputs, row_mask=None):
        if row_mask is not None:
            row_mask = ops.convert_to_tensor(row_mask)
        x = self._flat(self._checked(inputs, row_mask))
        present = self._present(x, row_mask)  # (N,)
        m = self._project(x if row_mask is None else _zero_absent_rows(x, present))
        if data_dependent.is_initializing() and self.trainable:
            features = self._initialize_from(m, present)
        else:
            features = self._features(m, present)
            if self.use_bias:
                features = features + ops.cast(self.bias, features.dtype)
        features = ops.cast(features, self.compute_dtype)
        return ops.concatenate([x, features], axis=-1) if self.concatenate_input else features

    def _flat(self, inputs):
        """Returns the input as (N, A)."""
        return ops.reshape(inputs, (-1, self._input_dim)) if len(inputs.shape) > 2 else inputs

    @property
    def _sum_dtype(self):
        """The dtype of distances and sums: half precision is for the projection only."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    def _present(self, x, row_mask):
        """Returns 1 for each row that takes part and 0 for each that does not, (N,)."""
        if row_mask is None:
            return ops.ones((ops.shape(x)[0],), dtype=self._sum_dtype)
        return ops.cast(ops.not_equal(row_mask, 0), self._sum_dtype)

    def _project(self, x):
        """Returns `M = x T`, (N, B, C), float32 or float64."""
        theta = self.theta
        if self.weight_normalization:
            squares = ops.sum(ops.square(precision.in_float32(theta)), axis=0)
            factor = ops.exp(precision.in_float32(self.log_weight_scale))  # (B, C)
            if self.compute_dtype == "float16":  # whose range x theta may leave
                theta = precision.in_float32(theta) * ops.rsqrt(squares)
            else:
                # (x theta) * factor equals x (theta * factor) and touches N B C numbers, not A B C.
                factor = factor * ops.rsqrt(squares)
        theta = ops.reshape(theta, (self._input_dim, -1))
        if self.normalize_input:  # D19: not in the paper; off unless asked for
            x = _divided_by_rms(x, self._sum_dtype)
        m = x @ ops.cast(theta, self.compute_dtype)  # ops.matmul is float32 on PyTorch
        m = ops.reshape(m, (-1, self.num_kernels, self.kernel_dim))
        m = ops.cast(m, self._sum_dtype)
        if self.weight_normalization:
            m = m * ops.cast(factor, m.dtype)
        return m

    def _features(self, m, present):
        """Returns `o` without its bias, (N, P * B)."""
        own_weights = self._part_membership(m) * present  # (P, N)
        if self.cross_replica == "global" and distribution.replica_count() > 1:
            # N rows are here, their neighbours on every replica.
            weights, _ = distribution.gather_rows(ops.transpose(own_weights))
            weights = ops.transpose(weights)
            o = kernel_sums_across_replicas.kernel_sums(m, weights, distribution.gather_rows)
        else:
            weights = own_weights
            is_small = direct_kernel_sums.is_faster(m.shape)
            o = (direct_kernel_sums if is_small else kernel_sums).kernel_sums(m, weights)
        o = o * present[:, None]  # (P, N, B)
        if self.reduction != "sum":
            o = o / ops.cast(self._neighbour_counts(weights, own_weights, present), o.dtype)
        return ops.reshape(ops.transpose(o, (1, 0, 2)), (-1, self.num_parts * self.num_kernels))

    def _neighbour_counts(self, weights, own_weights, present):
        """Returns what each sum is divided by, (P, N, 1) or (P, 1, 1), at least 1."""
        in_part = ops.sum(weights, axis=1, keepdims=True)  # (P, 1)
        if self.reduction == "mean":
            counts = (in_part - own_weights) * present
        else:
            everywhere = ops.sum(weights, axis=0)  # each row present is in one part
            counts = ops.sum((in_part - weights) * everywhere, axis=1, keepdims=True)
        return ops.maximum(counts, 1.0)[..., None]

    def _part_membership(self, m):
        """Returns 1 where row j belongs to part p, (P, N)."""
        if self.num_parts == 1:
            return ops.ones((1, ops.shape(m)[0]), dtype=m.dtype)
        part_size = ops.shape(m)[0] // self.num_parts
        return ops.repeat(ops.eye(self.num_parts, dtype=m.dtype), part_size, axis=1)

    def _initialize_from(self, m, present):
        """Sets scale and bias so that `o` leaves this batch with a useful spread and mean 0."""
        data_dependent.require_first_call(self, m)
        mean_weights = (present / ops.sum(present))[:, None]  # (N, 1)
        if self.weight_normalization:
            nearest = kernel_sums.nearest_distances(m, present)  # (N, B)
            nearest = _zero_absent_rows(nearest, present)
            scale = 0.5 * ops.sum(nearest * mean_weights, axis=0)  # s_b, (B,)
            log_scale = ops.log(scale)
            size = ops.max(_zero_absent_rows(ops.max(ops.abs(m), axis=2), present), axis=0)
            differ = data_dependent.is_more_than_rounding(scale, size)
            if not bool(ops.all(ops.isfinite(log_scale) & differ)):
                raise ValueError(
                    f"Data-dependent initialisation of layer '{self.name}' needs a batch of at "
                    "least two rows that are finite and do not all have a twin. Received: a batch "
                    "in which a kernel's mean distance to the nearest row is 0 or not finite."
                )
            self.log_weight_scale.assign(
                self.log_weight_scale - ops.cast(log_scale[:, None], self.log_weight_scale.dtype)
            )
            m = m / scale[:, None]
        features = self._features(m, present)
        if not self.use_bias:
            return features
        shift = -ops.sum(features * mean_weights, axis=0)
        self.bias.assign(ops.cast(shift, self.bias.dtype))
        return features + shift

    def _checked(self, inputs, row_mask):
        """Returns the inputs, if they and the mask can be taken."""
        require_floating(self, inputs.dtype)
        batch_size = inputs.shape[0]
        if self.num_parts > 1:
            inputs = require_rows(
                inputs,
                lambda rows: rows % self.num_parts == 0,
                f"The batch of layer '{self.name}' must be divisible into {self.num_parts} parts "
                "of equal size.",
            )
        if row_mask is None:
            return inputs
        is_other_length = (
            len(row_mask.shape) == 1
            and None not in (row_mask.shape[0], batch_size)
            and row_mask.shape[0] != batch_size
        )
        if len(row_mask.shape) != 1 or is_other_length:
            raise ValueError(
                f"`row_mask` of layer '{self.name}' must have one entry per row of the batch. "
                f"Received: row_mask.shape={tuple(row_mask.shape)}"
            )
        return inputs

    def _flat_dim(self, input_shape):
        if len(input_shape) < 2:
            raise ValueError(
                "The input of `MinibatchDiscrimination` must have a batch dimension and at least "
                f"one feature dimension. Received: input_shape={input_shape}"
            )
        if None in input_shape[1:]:
            raise ValueError(
                "Every dimension but the first of the input of `MinibatchDiscrimination` must be "
                f"known. Received: input_shape={input_shape}"
            )
        return math.prod(input_shape[1:])

    def compute_output_shape(self, input_shape):
        width = self.num_parts * self.num_kernels
        if self.concatenate_input:
            width += self._flat_dim(input_shape)
        return (input_shape[0], width)

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "num_kernels": self.num_kernels,
                "kernel_dim": self.kernel_dim,
                "weight_normalization": self.weight_normalization,
                "concatenate_input": self.concatenate_input,
                "reduction": self.reduction,
                "normalize_input": self.normalize_input,
                "num_parts": self.num_parts,
                "use_bias": self.use_bias,
                "theta_initializer": keras.initializers.serialize(self.theta_initializer),
                "bias_initializer": keras.initializers.serialize(self.bias_initializer),
                "theta_regularizer": keras.regularizers.serialize(self.theta_regularizer),
                "cross_replica": self.cross_replica,
            }
        )
        return config


def _divided_by_rms(x, dtype):
    """Returns each row over the root mean square of its features, computed in `dtype`, as `x`'s."""
    wide = ops.cast(x, dtype)
    mean_square = precision.mean(ops.square(wide), (1,), keepdims=True)
    return ops.cast(wide * ops.rsqrt(mean_square + SMALLEST_MEAN_SQUARE), x.dtype)


def _zero_absent_rows(x, present):
    """Returns `x` with zeros in the absent rows: a product with 0 would keep their NaN."""
    return ops.where(present[:, None] > 0, x, ops.zeros_like(x))
