"""The cost of minibatch discrimination: time and memory against the obvious broadcast.

Each case runs in a separate process: forward and backward pass of the sum over pairs, float32, as a
tf.function without XLA unless --jit_compile. Extra memory is the process's peak resident set minus
its size before the first call, and so includes tracing. The shapes are (rows, kernels, kernel
dimensions): those of the CIFAR-10 script, the same on a large batch, and the ImageNet layer on 256
rows.

    python -m benchmarks.minibatch_discrimination
    python -m benchmarks.minibatch_discrimination --shapes=100,100,5 --repeats=20

With --ways the two of the package are compared, the loop over pairs and all pairs at once, on small
shapes, in one process and by the processor's time, so that other work on the machine counts little:

    taskset -c 0 env TF_NUM_INTRAOP_THREADS=1 python -m benchmarks.minibatch_discrimination --ways
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

from benchmarks.arguments import whole_number, whole_numbers

SHAPES = ("100,100,5", "1024,100,5", "256,300,50")
SMALL_SHAPES = (
    *("8,4,2", "32,16,3", "64,8,2", "64,16,3", "100,13,5", "100,20,3", "200,8,3", "512,2,2"),
    *("25,100,5", "50,100,5", "100,60,3", "100,100,5"),
)
IMPLEMENTATIONS = ("broadcast", "package")
# The kernel counts the peak resident set in bytes on macOS, in kB elsewhere.
MAXRSS_IN_A_MB = 2**20 if sys.platform == "darwin" else 2**10
PASSES_PER_CALL = 10  # with --ways: what a call costs apart from them hardly counts


def shape_of(text):
    """For `type=` of argparse: "N,B,C" as three ints."""
    shape = tuple(whole_numbers(text))
    if len(shape) != 3:
        raise argparse.ArgumentTypeError(f"must be N,B,C. Received: {text}")
    return shape


def text_of(shape):
    return ",".join(map(str, shape))


def broadcast(m):
    """The obvious implementation: N x N x B x C differences, the self pair masked."""
    import tensorflow as tf

    distances = tf.reduce_sum(tf.abs(m[:, None] - m[None]), axis=-1)  # (N, N, B)
    others = 1.0 - tf.eye(m.shape[0])[..., None]
    return tf.reduce_sum(tf.exp(-distances) * others, axis=1)


def package(m):
    """The implementation in `MinibatchDiscrimination`."""
    import tensorflow as tf

    from improved_gan_tf.layers.minibatch_discrimination import direct_kernel_sums, kernel_sums

    way = direct_kernel_sums if direct_kernel_sums.is_faster(m.shape) else kernel_sums
    return way.kernel_sums(m, tf.ones((1, m.shape[0])))[0]


def measure(implementation, shape, repeats, jit_compile):
    """Returns the best time (ms) of a forward and backward pass and the extra peak memory (MB)."""
    import numpy as np
    import tensorflow as tf

    function = {"broadcast": broadcast, "package": package}[implementation]
    random = np.random.RandomState(0)
    # Scaled so that a row's distances are of order one for any C.
    m = tf.constant(random.normal(size=shape, scale=1.0 / shape[2]).astype("float32"))
    upstream = tf.constant(random.normal(size=shape[:2]).astype("float32"))

    @tf.function(jit_compile=jit_compile)
    def forward_and_backward(m, upstream):
        with tf.GradientTape() as tape:
            tape.watch(m)
            o = function(m)
        return o, tape.gradient(o, m, upstream)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    o, gradient = forward_and_backward(m, upstream)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        o, gradient = forward_and_backward(m, upstream)
        o.numpy(), gradient.numpy()
        times.append(time.perf_counter() - start)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "ms": 1e3 * min(times),
        "mb": (after - before) / MAXRSS_IN_A_MB,
        "sums": [float(tf.reduce_sum(o)), float(tf.reduce_sum(tf.abs(gradient)))],
    }


def measure_in_a_process(implementation, shape, repeats, jit_compile):
    """Runs `measure` in a new process, which has its own peak memory."""
    command = [sys.executable, "-m", "benchmarks.minibatch_discrimination"]
    command += ["--only", implementation, "--shapes", text_of(shape), "--repeats", str(repeats)]
    command += ["--jit_compile"] * jit_compile
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if output.returncode != 0:
        sys.exit(f"{implementation} of {text_of(shape)} ended with code {output.returncode}.")
    return json.loads(output.stdout.splitlines()[-1])


def compare_ways(shape, repeats, jit_compile):
    """Returns the median processor time (ms) of a forward and backward pass, of loop and direct."""
    import numpy as np
    import tensorflow as tf

    from improved_gan_tf.layers.minibatch_discrimination import direct_kernel_sums, kernel_sums

    random = np.random.RandomState(0)
    m = tf.constant(random.normal(size=shape, scale=1.0 / shape[2]).astype("float32"))
    upstream = tf.constant(random.normal(size=(1, *shape[:2])).astype("float32"))

    def several_passes(way):
        @tf.function(jit_compile=jit_compile)
        def run(m, upstream):
            def once(i, moved):
                at = m + 1e-9 * moved  # of the pass before: none can be left out
                with tf.GradientTape() as tape:
                    tape.watch(at)
                    o = way.kernel_sums(at, tf.ones((1, shape[0])))
                return i + 1, tape.gradient(o, at, upstream)

            return tf.while_loop(lambda i, moved: i < PASSES_PER_CALL, once, (0, tf.zeros_like(m)))[
                1
            ]

        return run

    calls = [several_passes(way) for way in (kernel_sums, direct_kernel_sums)]
    times = [[], []]
    for repeat in range(1 + repeats):  # in turns; the first calls trace
        for call, of_call in zip(calls, times, strict=True):
            start = time.process_time()
            call(m, upstream).numpy()
            if repeat:
                of_call.append(1e3 * (time.process_time() - start) / PASSES_PER_CALL)
    return [float(np.median(of_call)) for of_call in times]


def print_ways(shapes, repeats):
    """Prints a row for each shape: the loop's and the direct way's time without and with XLA."""
    from improved_gan_tf.layers.minibatch_discrimination import direct_kernel_sums

    print("| N, B, C | loop | direct | ratio | loop, XLA | direct, XLA | ratio, XLA | taken |")
    print("|---|---|---|---|---|---|---|---|")
    for shape in shapes:
        cells = []
        for jit_compile in (False, True):
            loop, direct = compare_ways(shape, repeats, jit_compile)
            cells += [f"{loop:.3f} ms", f"{direct:.3f} ms", f"{loop / direct:.2f}"]
        taken = "direct" if direct_kernel_sums.is_faster(shape) else "loop"
        print(f"| {text_of(shape)} | {' | '.join(cells)} | {taken} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shapes", nargs="+", type=shape_of, help="N,B,C of each case")
    parser.add_argument("--repeats", type=whole_number, help="timed calls (4; with --ways 11)")
    parser.add_argument("--ways", action="store_true", help="loop against all pairs at once")
    parser.add_argument("--jit_compile", action="store_true", help="compile with XLA")
    parser.add_argument(
        "--only", choices=IMPLEMENTATIONS, help="measure this in this process, print JSON"
    )
    arguments = parser.parse_args()
    if arguments.ways and (arguments.only or arguments.jit_compile):
        parser.error("--ways measures both ways without and with XLA: leave the other flags out")
    arguments.shapes = arguments.shapes or [
        shape_of(text) for text in (SMALL_SHAPES if arguments.ways else SHAPES)
    ]
    arguments.repeats = arguments.repeats or (11 if arguments.ways else 4)
    if arguments.ways:
        print_ways(arguments.shapes, arguments.repeats)
        return
    if arguments.only:
        for shape in arguments.shapes:
            result = measure(arguments.only, shape, arguments.repeats, arguments.jit_compile)
            print(json.dumps(result))
        return
    print("| N, B, C | broadcast | package | faster | memory |")
    print("|---|---|---|---|---|")
    for shape in arguments.shapes:
        obvious, ours = (
            measure_in_a_process(name, shape, arguments.repeats, arguments.jit_compile)
            for name in IMPLEMENTATIONS
        )
        for expected, result in zip(obvious["sums"], ours["sums"], strict=True):
            if abs(result - expected) > 1e-4 * abs(expected):
                sys.exit(
                    f"The two implementations disagree at {text_of(shape)}: {expected} {result}"
                )
        print(
            f"| {text_of(shape)} | {obvious['ms']:.1f} ms, {obvious['mb']:.0f} MB "
            f"| {ours['ms']:.1f} ms, {ours['mb']:.0f} MB "
            f"| {obvious['ms'] / ours['ms']:.1f} x | {ours['mb'] / obvious['mb']:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
