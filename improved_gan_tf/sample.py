"""Draws images from the generator of a run: PNG files, an array file, or one grid.

    python -m improved_gan_tf.sample RUN_DIR --num_images=1000 --output=FOLDER
    python -m improved_gan_tf.sample RUN_DIR --num_images=1000 --output=samples.npz
    python -m improved_gan_tf.sample RUN_DIR --grid --output=grid.png

The batch statistics of the generator are those that the run froze from 10 batches of noise, so an
image depends on --seed and its number alone. With --statistics=batch it is drawn in batches of the
training size, as the paper's scores take it.

A DCGAN draws its images in batches of the training size, BigGAN one of each class in turn.
"""

import argparse
import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits
from improved_gan_tf.runs import pretrained


def main(argv=None, prog="python -m improved_gan_tf.sample"):
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
    add("--output", required=True, help="folder for PNG files, or a file: .npz, with --grid .png")
    add("--num_images", type=int, default=100, help="how many (100)")
    add("--seed", type=int, default=1, help="decides the noise (1)")
    add(
        "--truncation",
        type=float,
        default=1.0,
        help="part of the noise's range, around its middle, that is drawn from (1); less gives "
        "more typical and less varied images",
    )
    add("--statistics", choices=("frozen", "batch"), help="(frozen, where the run has them)")
    add("--grid", action="store_true", help="one picture of all images")
    return parser.parse_args(argv)


def _run(arguments):
    if arguments.num_images < 1:
        raise UserError(f"--num_images must be 1 or more. Received: {arguments.num_images}.")
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"--seed must be from 0 to 4294967295. Received: {arguments.seed}.")
    run_dir = pretrained.folder_of(arguments.run_dir)  # before TensorFlow starts
    environment.start_tensorflow()
    from improved_gan_tf.runs import loaded_run, sample_files

    output = pathlib.Path(arguments.output).expanduser()
    sample_files.check_output(output, arguments.grid)
    other = loaded_run.other_game(loaded_run.read_config(run_dir))
    if other is not None:
        images = _images_of_another_game(run_dir, other, arguments)
    else:
        images = loaded_run.load_run(run_dir).sample(
            arguments.num_images,
            arguments.seed,
            arguments.truncation,
            arguments.statistics or "frozen",
        )
    sample_files.write(output, images, arguments.grid)
    print(f"{len(images):,} images of {' x '.join(map(str, images.shape[1:]))} bytes in {output}")


def _images_of_another_game(run_dir, name, arguments):
    """Images (N, H, W, C) as `improved-gan score` takes them."""
    import numpy as np

    from improved_gan_tf.scoring import image_sources

    if arguments.truncation != 1.0 or arguments.statistics is not None:
        hint = " (`improved-gan truncation` knows BigGAN's)" if name == "BigGAN" else ""
        raise UserError(
            f"--truncation{hint} and --statistics go with the semi-supervised and the ImageNet "
            f"game. Received: {run_dir}, a run of {name}."
        )
    source = image_sources.open_source(run_dir, arguments.seed)
    batch_size = source.config["batch_size"]
    return np.concatenate(list(source.batches(arguments.num_images, batch_size)))


if __name__ == "__main__":
    main()
