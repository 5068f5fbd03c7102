"""The test images on which runs were scored, for the report."""

import numpy as np

from improved_gan_tf.data import run_data
from improved_gan_tf.errors import UserError, in_flags
from improved_gan_tf.settings.images import SOURCES


class ScoredImages:
    """Test images of data sets, each loaded once; nothing is downloaded.

    Args:
        data_dir: folder of prepared TFDS data, for the runs that read it; None for each run's own.
    """

    def __init__(self, data_dir=None):
        self._data_dir = data_dir
        self._loaded = {}

    def load(self, config):
        """The `datasets.Dataset` of a run, or the reason why it could not be loaded."""
        own = (*SOURCES, "image_size", "test_fraction")  # of images of one's own
        names = ("dataset", "data_source", "data_dir", *own)
        where = tuple(getattr(config, name, None) for name in names)
        if where not in self._loaded:
            data_dir = self._data_dir if run_data.reads_tfds(vars(config)) else None
            try:
                self._loaded[where] = run_data.load(vars(config), data_dir, download=False)
            except UserError as error:
                self._loaded[where] = in_flags(error)
        return self._loaded[where]

    def of(self, config, labels):
        """The test images on which a run was scored.

        Args:
            config: `ExperimentConfig` of the run.
            labels: (N,) test labels as the run saved them.

        Returns:
            `(images, None)`, uint8 (N, H, W, C), or `(None, reason)`.
        """
        loaded = self.load(config)
        if isinstance(loaded, str):
            return None, f"the test images could not be loaded: {loaded}"
        if not np.array_equal(loaded.test_labels, labels):
            return None, "the data set found here is not the one that the runs were tested on"
        return loaded.test_images, None
