"""Pictures out of run folders, for the report: samples next to real images, curves."""

import re

from improved_gan_tf.data.mixed_order import mixed_order
from improved_gan_tf.pages import figures

NUM_SAMPLE_GRIDS = 3


def sample_grids(runs):
    """The last sample grids of the first few runs that have any."""
    grids = []
    for run in runs:
        newest = _newest_samples(run.path)
        if newest is not None and len(grids) < NUM_SAMPLE_GRIDS:
            picture, epoch = newest
            caption = f"seed {run.config.seed}, after epoch {epoch}"
            uri = figures.png_uri(picture.read_bytes())
            grids.append({"uri": uri, "caption": caption, "kind": "generated"})
    return grids


def real_grid(config, test_images):
    """A list of one grid, 100 test images of a run laid out as its samples; or none.

    They are of mixed classes, where these lie in one piece each. `test_images` is a `ScoredImages`.
    """
    loaded = test_images.load(config)
    if isinstance(loaded, str) or len(loaded.test_images) < 100:
        return []
    from improved_gan_tf.runs.run_folder import image_grid  # starts TensorFlow

    rows = mixed_order(loaded.test_labels)[:100]
    uri = figures.image_uri(image_grid(loaded.test_images[rows]))
    return [{"uri": uri, "caption": "real test images", "kind": "real"}]


def pictures_in(path):
    """Curves and newest samples in a folder (a Path), as dicts with "uri" and "caption"."""
    found = []
    if (path / "curves.png").is_file():
        found.append((path / "curves.png", "curves"))
    for kind in ("samples", "interpolations"):
        newest = _newest_samples(path, kind)
        if newest is not None:
            found.append((newest[0], f"{kind} after epoch {newest[1]}"))
    return [
        {"uri": figures.png_uri(picture.read_bytes()), "caption": caption}
        for picture, caption in found
    ]


def _newest_samples(path, kind="samples"):
    """The newest grid of a kind in a run folder and its epoch, or None."""
    pictures = [
        (int(re.search(r"\d+", picture.stem)[0]), picture)
        for picture in (path / kind).glob("epoch_[0-9]*.png")
    ]
    if not pictures:
        return None
    epoch, newest = max(pictures)  # by number: epoch 10000 comes after 9999
    return newest, epoch
