"""The context in which layers initialise their scale and bias from the data they see.

Data-dependent initialisation (Salimans and Kingma, 2016, Sec. 3) is one forward pass over
real data in which every weight-normalised layer sets its own scale and bias and hands its
*normalised* output to the next layer. Layers ask `is_initializing()` in `call`; the pass
itself is started in one visible place, `improved_gan_tf.initialization.initialize_from_data`.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, the argument `init=True` of
`get_output` in all three training scripts.
"""

import contextlib
import contextvars

# The layers that have been initialised in the pass that is under way; None without one.
_initialized = contextvars.ContextVar("improved_gan_tf_initialized", default=None)


def is_initializing():
    """Whether the current forward pass is a data-dependent initialisation (bool)."""
    return _initialized.get() is not None


def require_first_call(layer):
    """Raises `ValueError` if the pass under way has initialised this layer before.

    The second call would undo the first, whose output has gone on already.
    """
    initialized = _initialized.get()
    if any(layer is other for other in initialized):
        raise ValueError(
            "Data-dependent initialisation needs a model that calls each layer with a scale of "
            f"its own once. Received: a model that calls layer '{layer.name}' more than once."
        )
    initialized.append(layer)


@contextlib.contextmanager
def initializing():
    """Marks the forward passes inside the `with` block as initialisation passes."""
    token = _initialized.set([])
    try:
        yield
    finally:
        _initialized.reset(token)
