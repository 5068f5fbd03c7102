"""ImageNet as TFDS prepares it, or any folder of images by class: found here, read later."""

import hashlib
import io
import os
import pathlib
from collections.abc import Callable
from typing import NamedTuple

from improved_gan_tf.data import tfds_folders
from improved_gan_tf.data.earlier_runs import outside, run_folders_below
from improved_gan_tf.data.known_sets import IMAGENET
from improved_gan_tf.data.picture_files import (
    EXTENSIONS,
    pictures_below,
    require_text_names,
    state_of,
)
from improved_gan_tf.errors import UserError

# Names of folders that are parts of a data set: those of one's own, and what others call them.
OTHER_PARTS = ("training", "testing", "val", "valid", "validation")
PARTS = ("train", "test", "unlabeled", "unlabelled", *OTHER_PARTS)


class Source(NamedTuple):
    """Encoded images, read one after the other."""

    count: int
    class_names: tuple[str, ...]
    items: Callable  # () -> iterator of (name, path or open file, label)
    key: str  # changes when the images do
    description: str  # how a result on it is described
    is_papers: bool  # whether it is the paper's whole data set
    note: str | None = None  # about what else was there


def find(image_folder, data_dir):
    """Finds the training images without reading them; returns `Source`.

    Args:
        image_folder: folder with one folder of images per class, or None for ImageNet as TFDS
            prepares it.
        data_dir: folder of prepared TFDS data, or None for TFDS's default.

    Raises:
        UserError: there is no such folder, fewer than two classes, a name is not UTF-8, or there is
            no prepared ImageNet.
    """
    return _find_tfds(data_dir) if image_folder is None else _find_folder(image_folder)


def find_any(image_folder):
    """Finds the images of a folder, with or without classes, without reading them; a `Source`.

    Each folder in it that holds images is a class; images next to such folders are left out. With
    fewer than two such folders all images are of one class.

    Raises:
        UserError: there is no such folder, no image in it, or a name is not UTF-8.
    """
    require_folder(image_folder)
    root = pathlib.Path(image_folder).expanduser()
    by_class = _images_by_class(root)
    every = outside(pictures_below(root), run_folders_below(root))
    if not every:
        raise UserError(f"`image_folder={image_folder}` holds no image ({', '.join(EXTENSIONS)}).")
    if len(by_class) < 2:
        by_class = {"images": every}
    source = _source(root, by_class)
    if source.count == len(every):
        return source
    note = (
        f"{len(every) - source.count:,} pictures of {source.description} lie beside its folders of "
        "classes and are left out."
    )
    return source._replace(note=note)


def require_folder(image_folder):
    """Raises `UserError` if `image_folder` is neither None nor a folder."""
    # Not `Path.is_dir`, which raises an error for a name that is too long.
    if image_folder is not None and not os.path.isdir(os.path.expanduser(image_folder)):
        raise UserError(
            f"`image_folder` must be a folder that exists. Received: {image_folder} (no such "
            "folder)."
        )


def _find_folder(image_folder):
    require_folder(image_folder)
    root = pathlib.Path(image_folder).expanduser()
    by_class = _images_by_class(root)
    if len(by_class) < 2:
        raise UserError(
            f"`image_folder={image_folder}` must hold one folder of images for each of two or "
            f"more classes ({', '.join(EXTENSIONS)}). Received: {len(by_class)} such folders."
        )
    require_no_parts(root, by_class)
    return _source(root, by_class)


def require_no_parts(root, class_names):
    """Raises `UserError` if the folders in `root` are parts of a data set and no classes."""
    if not all(name.casefold() in PARTS for name in class_names):
        return
    part = next((name for name in class_names if name.casefold().startswith("train")), None)
    advice = f": give `image_folder={pathlib.Path(root) / part}`" if part else ""
    raise UserError(
        f"`image_folder={root}` must hold a folder for each class. Received: "
        f"{', '.join(class_names)}, which are parts of a data set{advice}."
    )


def _images_by_class(root):
    """`{name: paths}` of the folders in `root` that hold images, other than those of runs."""
    runs = run_folders_below(root)
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    found = {folder.name: outside(pictures_below(folder), runs) for folder in folders}
    return {name: paths for name, paths in found.items() if paths}


def _source(root, by_class):
    """The `Source` of the images of some classes below a folder."""
    title = root.resolve().name
    require_text_names(title, *by_class)
    labeled = [(p, label) for label, paths in enumerate(by_class.values()) for p in paths]
    digest = hashlib.sha256()
    for path, _ in labeled:
        # A name may not be UTF-8.
        digest.update(state_of(root, path).encode("utf-8", "surrogateescape"))
    classes = f" of {len(by_class)} classes" if len(by_class) > 1 else ""
    return Source(
        count=len(labeled),
        class_names=tuple(by_class),
        items=lambda: ((str(path), path, label) for path, label in labeled),
        key=f"{title}-{digest.hexdigest()[:12]}",
        description=f"{title} ({len(labeled):,} images{classes})",
        is_papers=False,
    )


def _find_tfds(data_dir):
    import tensorflow_datasets as tfds

    tfds_name = IMAGENET.tfds_name
    folder = tfds_folders.prepared_folder(tfds_name, data_dir)
    if folder is None:
        directory = tfds_folders.tfds_directory(data_dir)
        raise UserError(
            f"No prepared '{tfds_name}' data in {directory}. ImageNet has to be "
            "requested and downloaded by hand (tensorflow.org/datasets/catalog/imagenet2012); name "
            f"the folder that holds {tfds_name}/VERSION/dataset_info.json with `data_dir=PARENT`, "
            "or train on your own images: `image_folder=FOLDER`, with one folder per class."
        )
    with tfds_folders.explained_tfds_errors(tfds_name, folder):
        builder = tfds.builder_from_directory(str(folder))
        count = builder.info.splits["train"].num_examples
        names = tuple(builder.info.features["label"].names)

    def items():
        with tfds_folders.explained_tfds_errors(tfds_name, folder):
            encoded = builder.as_dataset(
                split="train",
                decoders={"image": tfds.decode.SkipDecoding()},
                read_config=tfds.ReadConfig(add_tfds_id=True),
            )
            for example in tfds.as_numpy(encoded):
                name = example["tfds_id"].decode()
                yield name, io.BytesIO(example["image"]), int(example["label"])

    whole = (count, len(names)) == (IMAGENET.num_train, IMAGENET.num_classes)
    description = f"{tfds_name} (TFDS {folder.name})"
    if not whole:
        description = f"PARTIAL {description}: {count:,} of {IMAGENET.num_train:,} images"
    digest = hashlib.sha256((folder / "dataset_info.json").read_bytes())
    return Source(
        count=count,
        class_names=names,
        items=items,
        key=f"{tfds_name}-{digest.hexdigest()[:12]}",
        description=description,
        is_papers=whole,
    )
