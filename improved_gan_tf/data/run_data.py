"""The data set of a run, by the run's settings: one of the paper's, or images of one's own."""

from improved_gan_tf.data import datasets, own_arrays, own_folders, own_images, own_tfds
from improved_gan_tf.errors import UserError
from improved_gan_tf.settings.images import IMAGE_SIZES, IMAGES


def load(settings, data_dir=None, download=True):
    """Loads the training and test images of a semi-supervised run; returns `datasets.Dataset`.

    Args:
        settings: maps names to values: a run's config.json, or `vars` of its record.
        data_dir: folder of prepared TFDS data; the run's own if None.
        download: bool, whether missing data is downloaded and prepared.

    Raises:
        UserError: `data_dir` is given and the run's images do not come from TFDS; or as
            `datasets.load` and `load_own`.
    """
    if data_dir is not None:
        if not reads_tfds(settings):
            raise UserError(
                "`data_dir` is where prepared TFDS data lies, and the run's images come from "
                f"elsewhere. Received: `data_dir={data_dir}`."
            )
        settings = {**settings, "data_dir": data_dir}
    if settings["dataset"] == IMAGES:
        return load_own(settings, download).dataset
    where = (settings["dataset"], settings["data_source"], settings["data_dir"])
    return datasets.load(*where, download=download)


def reads_tfds(settings):
    """Whether a run's images come from TFDS (bool); `settings` as for `load`."""
    if settings["dataset"] == IMAGES:
        return settings["tfds"] is not None
    return settings["data_source"] == "tfds"


def place(settings, data_source=None, data_dir=None):
    """Where a data set is read: what is given, or else the run's own.

    Args:
        settings: as for `load`; may lack both.
        data_source: "tfds", "sample" or None.
        data_dir: folder of prepared TFDS data, or None.

    Returns:
        `(data_source, data_dir)`, as `datasets.load` takes them.
    """
    own = settings.get("data_source", "tfds")
    data_source = data_source or own
    if data_dir is None and data_source == own:
        data_dir = settings.get("data_dir")
    return data_source, data_dir


def load_own(settings, download=True):
    """Finds and reads images of one's own; returns `own_images.Loaded`.

    Args:
        settings: values of `settings.images.ImagesConfig` by name, exactly one of its `SOURCES`
            given.
        download: bool, see `load`.

    Raises:
        UserError: they cannot be found or read; see `own_folders`, `own_arrays`, `own_tfds` and
            `own_images.load`.
    """
    if settings["image_folder"] is not None:
        found = own_folders.find(settings["image_folder"])
    elif settings["arrays"] is not None:
        found = own_arrays.find(settings["arrays"])
    else:
        found = own_tfds.find(settings["tfds"], settings["data_dir"], download)
    return own_images.load(
        found,
        settings["image_size"],
        IMAGE_SIZES,
        settings["cache_dir"],
        settings["test_fraction"],
    )
