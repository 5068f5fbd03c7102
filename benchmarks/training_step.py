"""The cost of one training iteration, against its own matrix products, all in one run.

    python -m benchmarks.training_step --experiment=mnist-feature_matching
    python -m benchmarks.training_step --experiment=cifar10-feature_matching --iterations=5
    python -m benchmarks.training_step --precision=mixed_bfloat16
    TF_ENABLE_ONEDNN_OPTS=0 python -m benchmarks.training_step --width_multiplier=0.125

The last uses TensorFlow's own kernels instead of oneDNN's, in a thin network.

Prints milliseconds per iteration (medians over interleaved rounds, so a machine that slows down
affects every row) and each row's ratio to the floor:

    floor             the iteration's matrix products and convolutions alone, at their shapes
    step              the iteration as the run scripts run it, many in one call
    step, call each   the same iteration, one Python call for each
    step, tf.data     one Python call each, batches fed by a tf.data pipeline

With --profile: where the time of `step` goes, by kind of operation. With --json the last line on
stdout is JSON, for `benchmarks.against_pytorch`.
"""

import argparse
import collections
import glob
import json
import statistics
import tempfile
import time

from benchmarks.arguments import whole_number
from improved_gan_tf.machine import environment

environment.set_defaults()  # before TensorFlow is imported, as the commands do

import numpy as np
import tensorflow as tf

from improved_gan_tf import networks, precision
from improved_gan_tf.data.device_images import Batch, DeviceImages
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.machine import half_precision
from improved_gan_tf.machine.determinism import make_operations_deterministic
from improved_gan_tf.settings.every_run import PRECISIONS
from improved_gan_tf.training import semi_supervised

BATCH = 100
IMAGES = 2000
PIXELS = (127.5, 127.5)

EXPERIMENTS = {"-".join(key): key for key in networks.EXPERIMENTS}
# Name on the command line -> name in the table.
ROWS = {
    "floor": "floor",
    "step": "step",
    "call_each": "step, call each",
    "tf_data": "step, tf.data",
}


def random(shape):
    return tf.Variable(tf.random.stateless_normal(shape, [1, 2]))


class Product:
    """One layer's product: forward, gradient by the input, gradient by the kernel.

    `sources` are stand-ins for activations and gradients of the right shapes. Every call reads
    them again, so no result is reused.
    """

    def __init__(self, layer, rows):
        kernel = getattr(layer, "kernel", None)
        shape_in, shape_out = layer.input.shape[1:], layer.output.shape[1:]
        if kernel is None:  # minibatch discrimination: the projection to M
            kernel = tf.reshape(layer.theta, (layer.theta.shape[0], -1))
            shape_out = (kernel.shape[-1],)
        self.kernel = random(kernel.shape)
        self.kind = type(layer).__name__
        self.strides = getattr(layer, "strides", (1, 1))[0]
        size = self.kernel.shape[0]
        if "Transpose" in self.kind:  # the full output, which the layers cut afterwards
            full = (shape_in[0] - 1) * self.strides + size
            shape_out = (full, full, shape_out[-1])
        elif self.kernel.shape.rank == 4:  # padded in advance, so all products are unpadded
            padded = (shape_out[0] - 1) * self.strides + size
            shape_in = (padded, padded, shape_in[-1])
        self.x, self.dy = random((rows, *shape_in)), random((rows, *shape_out))

    def _conv(self, x, kernel):
        return tf.nn.conv2d(x, kernel, self.strides, "VALID")

    def _conv_input(self, dy, kernel, like):
        return tf.nn.conv2d_transpose(dy, kernel, like.shape, self.strides, "VALID")

    def _conv_kernel(self, x, dy):
        return tf.raw_ops.Conv2DBackpropFilter(
            input=x,
            filter_sizes=self.kernel.shape,
            out_backprop=dy,
            strides=[1, self.strides, self.strides, 1],
            padding="VALID",
        )

    def forward(self):
        if self.kernel.shape.rank == 2:
            return tf.matmul(self.x, self.kernel)
        if "Transpose" in self.kind:
            return self._conv_input(self.x, self.kernel, self.dy)
        return self._conv(self.x, self.kernel)

    def by_input(self):
        if self.kernel.shape.rank == 2:
            return tf.matmul(self.dy, self.kernel, transpose_b=True)
        if "Transpose" in self.kind:
            return self._conv(self.dy, self.kernel)
        return self._conv_input(self.dy, self.kernel, self.x)

    def by_kernel(self):
        if self.kernel.shape.rank == 2:
            return tf.matmul(self.x, self.dy, transpose_a=True)
        if "Transpose" in self.kind:
            return self._conv_kernel(self.dy, self.x)
        return self._conv_kernel(self.x, self.dy)


def products(model, rows):
    return [
        Product(layer, rows)
        for layer in model.layers
        if hasattr(layer, "kernel") or hasattr(layer, "theta")
    ]


def floor_function(players, feature_matching, generator_steps):
    """All products of one iteration and nothing else, as a `tf.function`."""
    joint, single = (
        products(players.discriminator, 3 * BATCH),
        products(players.discriminator, BATCH),
    )
    generator = products(players.generator, BATCH)
    hidden = single[:-1] if feature_matching else single  # features are below the output layer

    @tf.function
    def floor(iterations):
        def once(i, total):
            done = [p.forward() for p in generator + joint]
            done += [p.by_kernel() for p in joint] + [p.by_input() for p in joint[1:]]
            for _ in range(generator_steps):
                if feature_matching:
                    done += [p.forward() for p in hidden]
                done += [p.forward() for p in generator + hidden]
                done += [p.by_input() for p in hidden + generator[1:]]
                done += [p.by_kernel() for p in generator]
            # Reads one element of each: an unread product would not be computed.
            read = tf.add_n([tf.reshape(d, [-1])[0] for d in done])
            return i + 1, total + read

        loop = (0, tf.zeros(()))
        return tf.while_loop(lambda i, _: i < iterations, once, loop, parallel_iterations=1)

    return floor


class Bench:
    """The experiment's trainer, and the ways to drive it."""

    def __init__(self, key, width_multiplier):
        self.spec = networks.EXPERIMENTS[key]
        self.feature_matching = key[1] == "feature_matching"
        players = self.spec.build(1, width_multiplier)
        shape = players.discriminator.input_shape[1:]
        rng = np.random.RandomState(0)
        self.rng = rng
        pixels = rng.randint(0, 256, (IMAGES, *shape)).astype(np.uint8)
        labels = rng.randint(0, 10, IMAGES)
        self.images = DeviceImages(pixels, labels, PIXELS)
        initialize_from_data(players.discriminator, self.images.images(np.arange(500)))
        self.generator_steps = 1 if self.feature_matching else 3
        objective = "feature_matching_l2" if key[0] == "mnist" else "feature_matching_l1"
        self.trainer = semi_supervised.Trainer(
            players,
            self.images,
            seed=1,
            generator_objective=objective if self.feature_matching else "saturating",
            generator_steps=self.generator_steps,
        )
        self.trainer.train(self.rows(1), 1e-4)
        self.floor = floor_function(players, self.feature_matching, self.generator_steps)
        self.one_step = tf.function(self.trainer.step)
        self.pixels, self.labels = pixels, labels

    def rows(self, n):
        return [self.rng.randint(0, IMAGES, (n, BATCH)) for _ in range(3)]

    def run_floor(self, n):
        self.floor(tf.constant(n))

    def run_step(self, n):
        self.trainer.train(self.rows(n), 1e-4)

    def run_call_each(self, n):
        rows = self.rows(n)
        for i in range(n):
            self.one_step(self.images.batch(*(tf.constant(r[i]) for r in rows)))

    def run_tf_data(self, n):
        def scaled(x):
            return (tf.cast(x, tf.float32) - PIXELS[1]) / PIXELS[0]

        data = tf.data.Dataset.from_tensor_slices((self.pixels, self.labels.astype(np.int32)))
        data = data.shuffle(IMAGES).repeat().map(lambda x, y: (scaled(x), y))
        streams = tf.data.Dataset.zip(tuple(data.batch(BATCH, drop_remainder=True) for _ in "123"))
        for (x, y), (unlabeled, _), (real, _) in streams.take(n).prefetch(2):
            self.one_step(Batch(x, y, unlabeled, real))


def measure(rows, iterations, rounds):
    """Median milliseconds per iteration of each row, rounds interleaved."""
    times = {name: [] for name in rows}
    for run in rows.values():
        run(2)  # trace and warm up
    for _ in range(rounds):
        for name, run in rows.items():
            begin = time.perf_counter()
            run(iterations)
            times[name].append(1e3 * (time.perf_counter() - begin) / iterations)
    return {name: statistics.median(values) for name, values in times.items()}


def profile(bench, iterations):
    """Prints milliseconds per iteration of each kind of operation of `step`."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        bench.run_step(iterations)
        tf.profiler.experimental.stop()
        (path,) = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
        with open(path, "rb") as file:
            space = xplane_pb2.XSpace.FromString(file.read())
    spent = collections.Counter()
    for plane in space.planes:
        for line in plane.lines if "CPU" in plane.name else []:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if "/" in name and ":" in name:  # operations are "scope/node name:kind"
                    spent[name.rsplit(":", 1)[-1]] += event.duration_ps / 1e9 / iterations
    print("\nkind of operation, ms per iteration (summed over threads)")
    for name, milliseconds in spent.most_common(15):
        print(f"{name:30s} {milliseconds:8.2f}")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--experiment", default="mnist-feature_matching", choices=EXPERIMENTS)
    add("--precision", default="float32", choices=PRECISIONS, help="of all rows but the floor")
    add("--width_multiplier", type=float, default=1.0, help="factor of every hidden width (1)")
    add(
        "--iterations", type=whole_number, default=20, help="iterations of each row in a round (20)"
    )
    add(
        "--rounds", type=whole_number, default=5, help="rounds; the median over them is printed (5)"
    )
    add("--rows", nargs="+", default=list(ROWS), choices=ROWS, help="rows to measure (all)")
    add("--json", action="store_true", help="print the medians as a line of JSON too")
    add("--profile", action="store_true", help="print where the time of a step goes")
    return parser.parse_args()


def main():
    settings = parse()
    make_operations_deterministic()  # as runs do
    warning = half_precision.warning(settings.precision)
    if warning is not None:
        print(f"warning: {warning}")
    with precision.computing_in(settings.precision):
        measure_rows(settings)


def measure_rows(settings):
    bench = Bench(EXPERIMENTS[settings.experiment], settings.width_multiplier)
    rows = {row: getattr(bench, f"run_{row}") for row in settings.rows}
    medians = measure(rows, settings.iterations, settings.rounds)
    print(
        f"\n{settings.experiment}, batch {BATCH}, width x {settings.width_multiplier:g}, "
        f"{settings.precision}, TensorFlow {tf.__version__}, oneDNN: {environment.onednn()}, "
        f"bfloat16 instructions: {half_precision.processor_has('bfloat16')}"
    )
    print(f"{'':18s}{'ms/iteration':>14s}{'ratio to floor':>16s}")
    for row, value in medians.items():
        ratio = f"{value / medians['floor']:.2f}" if "floor" in medians else "-"
        print(f"{ROWS[row]:18s}{value:14.1f}{ratio:>16s}")
    if settings.profile:
        profile(bench, settings.iterations)
    if settings.json:
        print(json.dumps({**medians, "version": tf.__version__}))


if __name__ == "__main__":
    main()
