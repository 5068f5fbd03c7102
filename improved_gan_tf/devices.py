"""Shows what TensorFlow computes on here, and whether it computes what it should.

    python -m improved_gan_tf.devices

prints the devices, what `--strategy=auto` makes of them, whether half precision and XLA pay, and
compares one iteration of each model with the original code's numbers. Without a GPU it takes some
ten seconds.
"""

import argparse
import sys
import time

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits, half_precision

WORTHWHILE = 1.1  # times as fast as float32, or as not compiled


def main(argv=None, prog="python -m improved_gan_tf.devices"):
    """Runs the command on `argv`, the command line if None; exits with 1 if a number is wrong.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        arguments = _parse(argv, prog)
        if arguments.batch_size < 2:
            raise UserError(f"--batch_size must be 2 or more. Received: {arguments.batch_size}")
        environment.start_tensorflow()
        _print_devices()
        _print_strategy(arguments.batch_size)
        _print_speed()
        if not _self_test():
            sys.exit(1)


def _parse(argv, prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--batch_size", type=int, default=100, help="of the run that is planned, over all devices"
    )
    return parser.parse_args(argv)


def _print_devices():
    import keras
    import tensorflow as tf

    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}")
    threads = environment.num_threads()
    print(f"processor: {threads} thread{'s' * (threads != 1)}, {_instructions()}")
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        built = "with" if tf.test.is_built_with_cuda() else "without"
        print(f"GPUs: none that this TensorFlow (built {built} CUDA) can use")
    for gpu, capability in zip(gpus, half_precision.compute_capabilities(), strict=True):
        details = tf.config.experimental.get_device_details(gpu)
        version = "" if capability is None else ", compute capability {}.{}".format(*capability)
        print(
            f"{gpu.name.removeprefix('/physical_device:')}: {details.get('device_name')}{version}"
        )


def _instructions():
    names = {True: "", False: "no ", None: "unknown whether with "}
    kinds = [
        f"{names[half_precision.processor_has(dtype)]}{dtype}" for dtype in ("bfloat16", "float16")
    ]
    return f"instructions for half precision: {', '.join(kinds)}"


def _print_strategy(batch_size):
    from improved_gan_tf import distribution

    kind, devices = distribution.automatic_strategy(batch_size)
    several = "" if devices is None else f" --num_devices={devices}"
    print(f"--strategy=auto with {batch_size} images in a batch: --strategy={kind}{several}\n")


def _print_speed():
    """Times what most of a step is made of, in float32, in half precision and compiled."""
    from improved_gan_tf.machine import kernel_times

    print("milliseconds of   " + "".join(f"{name:>16s}" for name in kernel_times.WAYS))
    ratios = {name: [] for name in kernel_times.WAYS}
    for kernel in kernel_times.KERNELS:
        times = {name: kernel_times.milliseconds(kernel, name) for name in kernel_times.WAYS}
        print(f"  {kernel:16s}" + "".join(f"{t:16.2f}" for t in times.values()))
        for name, spent in times.items():
            ratios[name].append(times["float32"] / spent)
    for name, flag in (("bfloat16", "--precision=mixed_bfloat16"), ("XLA", "--jit_compile=true")):
        least, most = min(ratios[name]), max(ratios[name])
        verdict = "may pay" if most >= WORTHWHILE else "does not pay"
        print(f"{flag} {verdict} here: {least:.2g} to {most:.2g} times as fast")


def _self_test():
    """Prints one iteration of each model next to the original's; returns whether all agree."""
    from improved_gan_tf.training import self_test

    print("\nan iteration of each model, widths / 8, against the original code's numbers")
    all_right = True
    for model in self_test.models():
        begin = time.monotonic()
        found = self_test.compare(model)
        all_right = all_right and found.is_right
        print(
            f"  {model:34s}{'right' if found.is_right else 'WRONG':8s}"
            f"largest difference of a loss {found.loss_difference:.1e}, of a parameter's norm "
            f"{found.norm_difference:.1e} ({time.monotonic() - begin:.1f} s)"
        )
    if not all_right:
        print(
            "The numbers of this machine are not the original's: do not trust a run on it. Please "
            "report this table with the lines above it."
        )
    return all_right


if __name__ == "__main__":
    main()
