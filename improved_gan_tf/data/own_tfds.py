"""Finds the images of any classification set that TFDS has prepared, or can prepare."""

import hashlib
import io
import re

import numpy as np

from improved_gan_tf.data import pictures, tfds_folders
from improved_gan_tf.data.own_images import NO_LABEL, Found
from improved_gan_tf.errors import UserError

# The first of these that has a label is the test split: those of a competition have none.
TEST_SPLITS = ("test", "validation")
UNLABELED_SPLITS = ("unlabelled", "unlabeled", "unsupervised")


def find(name, data_dir, download=True):
    """Reads the encoded images of a set's splits into memory; returns `own_images.Found`.

    Args:
        name: str, the set's name in TFDS, with "/CONFIG" and ":VERSION" where they are needed.
        data_dir: folder of prepared TFDS data, or None for TFDS's default.
        download: bool, whether missing data is downloaded and prepared.

    Raises:
        UserError: the data is missing and cannot or must not be downloaded, is damaged, has no
            training split, or no images with a class label.
    """
    import tensorflow_datasets as tfds

    folder = tfds_folders.prepared(name, data_dir, download)
    with tfds_folders.explained_tfds_errors(name, folder):
        builder = tfds.builder_from_directory(str(folder))
        info, splits = builder.info, builder.info.splits
        is_dict = isinstance(info.features, tfds.features.FeaturesDict)
        features = dict(info.features.items()) if is_dict else {}
        is_classified = isinstance(features.get("image"), tfds.features.Image) and isinstance(
            features.get("label"), tfds.features.ClassLabel
        )
    if not is_classified or "train" not in splits:
        raise UserError(
            f"`tfds={name}` must have a split 'train' of examples with an 'image' and a class "
            f"'label'. Received: splits {', '.join(splits)}; features {', '.join(features)}."
        )
    dtype = np.dtype(features["image"].np_dtype)
    if dtype not in (np.uint8, np.uint16):  # TFDS keeps the bits of floats as pixels of a PNG
        raise UserError(
            f"The images of `tfds={name}` must be bytes, or whole numbers of 16 bits. Received: "
            f"{dtype}. Give them as `arrays`, scaled to 0..255."
        )
    taken = [s for s in ("train", *TEST_SPLITS, *UNLABELED_SPLITS) if s in splits]
    encoded, labels, is_test, names = [], [], [], []
    with tfds_folders.explained_tfds_errors(name, folder):
        for split in taken:
            is_tested = any(t and k != NO_LABEL for t, k in zip(is_test, labels, strict=True))
            if split in TEST_SPLITS and is_tested:
                continue
            part = builder.as_dataset(
                split=split, decoders={"image": tfds.decode.SkipDecoding()}, shuffle_files=False
            )
            for number, example in enumerate(tfds.as_numpy(part)):
                encoded.append(example["image"])
                without = split in UNLABELED_SPLITS
                labels.append(NO_LABEL if without else max(NO_LABEL, int(example["label"])))
                is_test.append(split in TEST_SPLITS)
                names.append(f"{split} {number}")
    digest = hashlib.sha256((folder / "dataset_info.json").read_bytes())
    return Found(
        title=f"{name} (TFDS {folder.name})",
        names=tuple(names),
        header=lambda n: pictures.read_header(names[n], io.BytesIO(encoded[n])),
        square=lambda n, *size: pictures.read_square(names[n], io.BytesIO(encoded[n]), *size),
        labels=np.array(labels, np.int32),
        is_test=np.array(is_test, bool),
        class_names=tuple(features["label"].names),
        key=f"{re.sub('[/:]', '-', name)}-{folder.name}-{digest.hexdigest()[:12]}",
        notes=(),
    )
