"""What the kernels of a training step cost on this machine, in every way of running them."""

import statistics
import time

WAYS = ("float32", "bfloat16", "XLA")
KERNELS = ("matrix product", "convolution", "noise")
_SECONDS = 0.4  # of timing for each


def milliseconds(kernel, way):
    """The median time of a kernel.

    Args:
        kernel: "matrix product" of 1024 x 1024, "convolution" of 3 x 3 on 32 x 32 x 96 with 32
            images, or "noise", 300 x 1000 normal numbers added to activations.
        way: "float32", "bfloat16", or "XLA" for compiled float32.
    """
    import tensorflow as tf

    dtype = "bfloat16" if way == "bfloat16" else "float32"
    run = tf.function(_function(kernel, dtype), jit_compile=way == "XLA", autograph=False)
    float(run())  # traces, compiles and warms up
    times = []
    while len(times) < 3 or sum(times) < _SECONDS:
        begin = time.perf_counter()
        float(run())  # one number comes back: then it is done
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


def _function(kernel, dtype):
    import tensorflow as tf

    def variable(*shape):
        return tf.Variable(tf.cast(tf.random.stateless_normal(shape, [1, 2]), dtype))

    if kernel == "matrix product":
        a, b = variable(1024, 1024), variable(1024, 1024)
        return lambda: _sum(tf.matmul(a, b))
    if kernel == "convolution":
        images, filters = variable(32, 32, 32, 96), variable(3, 3, 96, 96)
        return lambda: _sum(tf.nn.conv2d(images, filters, 1, "SAME"))
    x = variable(300, 1000)
    seed = tf.Variable([3, 4])  # of a constant, numbers would be drawn once for all calls

    def noise():
        drawn = tf.random.stateless_uniform((2, 150_000), seed)
        radius = tf.sqrt(-2.0 * tf.math.log(1.0 - drawn[0]))
        angle = 6.283185 * drawn[1]
        normal = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], 0)
        return _sum(tf.nn.relu(x + tf.cast(tf.reshape(normal, (300, 1000)), dtype)))

    return noise


def _sum(x):
    import tensorflow as tf

    return tf.cast(tf.reduce_sum(x), "float32")
