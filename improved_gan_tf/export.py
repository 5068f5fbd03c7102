"""Writes the classifier of a run for other programs: bytes in, class probabilities out.

    python -m improved_gan_tf.export RUN_DIR --output=FOLDER [--format=saved_model|onnx|both]

FOLDER gets `classifier/` (TensorFlow SavedModel), `classifier.onnx` and `classes.txt` (the names of
the columns). Both models take uint8 pixels (N, H, W, C) and need nothing of this package. ONNX
needs two more packages: `pip install 'improved_gan_tf[onnx]'`.
"""

import argparse
import pathlib

from improved_gan_tf.machine import environment, exits
from improved_gan_tf.runs import pretrained


def main(argv=None, prog="python -m improved_gan_tf.export"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        _run(_parse(argv, prog))


def _parse(argv, prog):
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("run_dir", help="folder that a run script wrote, or pretrained:mnist")
    add("--output", required=True, help="folder to write; absent or empty")
    add("--format", choices=("saved_model", "onnx", "both"), default="both", help="(both)")
    add("--parameters", choices=("averaged", "raw"), default="averaged", help="(averaged)")
    return parser.parse_args(argv)


def _run(arguments):
    run_dir = pretrained.folder_of(arguments.run_dir)  # before TensorFlow starts
    environment.start_tensorflow()
    from improved_gan_tf.runs import exporting
    from improved_gan_tf.runs.loaded_run import load_run

    formats = exporting.FORMATS if arguments.format == "both" else (arguments.format,)
    output = pathlib.Path(arguments.output).expanduser()
    exporting.check_output(output, formats)
    exporting.export(load_run(run_dir, arguments.parameters), output, formats)
    print(f"The classifier is in {output}: {', '.join(sorted(p.name for p in output.iterdir()))}")


if __name__ == "__main__":
    main()
