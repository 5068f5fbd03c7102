"""Measures how far a generator with frozen statistics is from the one that uses its batch.

    python -m tools.measure_frozen RUN_DIR NAME

adds the run to results/frozen_statistics.json under NAME. All numbers are of the 100 images that
the run shows, in bytes: the mean absolute difference from the images of one batch of 100, and the
standard deviation of a pixel over the images.
"""

import json

import numpy as np

from tools import arguments
from tools.run_files import RESULTS, markdown_table, read

FILE = RESULTS / "frozen_statistics.json"
# Way of calling -> size of the batches; "frozen" does not depend on it.
WAYS = {"batch of 100": 100, "batches of 50": 50, "batches of 10": 10, "one at a time": 1}


def measured(run):
    """`{way: (difference, spread)}` of a `runs.loaded_run.LoadedRun`."""
    from improved_gan_tf.data.pixels import to_bytes
    from improved_gan_tf.runs.semi_supervised import sample_noise

    z = sample_noise(run.config["seed"])

    def images(model, size):
        parts = [model.predict_on_batch(z[i : i + size]) for i in range(0, len(z), size)]
        return to_bytes(np.concatenate(parts), run.pixels).astype(float)

    found = {way: images(run.batch_generator, size) for way, size in WAYS.items()}
    found["frozen"] = images(run.generator, len(z))
    whole = found["batch of 100"]
    return {
        way: [float(np.abs(x - whole).mean()), float(x.std(axis=0).mean())]
        for way, x in found.items()
    }


def table():
    """The table of docs/how_do_i.md, from the file."""
    content = read(FILE)
    ways = list(next(iter(content.values())))
    several = len(content) > 1
    headers = (
        "the generator gets",
        *(f"{name}: {what}" if several else what for name in content for what in PARTS),
    )
    lines = [
        [way, *(f"{number:.1f}" for numbers in content.values() for number in numbers[way])]
        for way in ways
    ]
    return markdown_table(headers, lines)


PARTS = ("difference from a batch of 100", "spread over images")


def main():
    """Runs the command line."""
    parsing = arguments.parser(__doc__)
    parsing.add_argument("run", help="run folder with a generator")
    parsing.add_argument("name", help="what the table calls it")
    given = parsing.parse_args()
    from improved_gan_tf import load_run

    content = read(FILE) if FILE.exists() else {}
    content[given.name] = measured(load_run(given.run))
    FILE.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    print(table())


if __name__ == "__main__":
    main()
