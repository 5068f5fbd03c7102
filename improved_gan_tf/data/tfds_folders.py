"""Prepared TFDS data in a folder: finds, downloads and reads it.

Errors for missing or damaged data say in one sentence what to do.
"""

import contextlib
import os
import pathlib
import re
import socket
import threading
import urllib.parse
import urllib.request
from typing import NamedTuple

import numpy as np

from improved_gan_tf.errors import UserError, first_line

# Where TFDS looks for its data sets first; checked before, because TFDS itself waits for minutes.
_DOWNLOAD_HOST = ("storage.googleapis.com", 443)
_NETWORK_TIMEOUT = 3.0  # seconds


def tfds_directory(data_dir):
    """The folder of prepared TFDS data: `data_dir`, or TFDS's default for None (a Path).

    Raises:
        UserError: `data_dir` is not a folder.
    """
    import tensorflow_datasets as tfds

    directory = pathlib.Path(os.path.expanduser(data_dir or tfds.core.constants.DATA_DIR))
    if data_dir is not None and not os.path.isdir(directory):  # also False for impossible names
        raise UserError(
            f"`data_dir` must be a folder that exists. Received: {data_dir} (no such folder)."
        )
    return directory


def prepared_folder(tfds_name, data_dir):
    """The folder of the latest prepared version of a TFDS data set (a Path), or None.

    As in TFDS, the name may be "NAME/CONFIG", end in ":VERSION", and leave out the default config.
    """
    name, _, version = tfds_name.partition(":")
    directory = tfds_directory(data_dir)
    prepared = _prepared_versions(directory / name, version)
    if not prepared and "/" not in name and (directory / name).is_dir():
        prepared = _prepared_versions(directory / name / (_default_config(name) or ""), version)
    # Compared as numbers: 3.0.10 comes after 3.0.2.
    return max(prepared, key=lambda folder: [*map(int, folder.name.split("."))], default=None)


def _prepared_versions(folder, version):
    return [
        info.parent
        for info in folder.glob(f"{version or '*'}/dataset_info.json")
        # TFDS leaves folders with other names, such as incomplete.7QX2ZK_3.0.1.
        if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)
    ]


def _default_config(name):
    """The config that TFDS takes where none is named (str), or None."""
    import tensorflow_datasets as tfds

    try:
        config = tfds.builder_cls(name).default_builder_config
    except Exception:  # a set that TFDS does not know, or whose module needs another package
        return None
    return config and config.name


class PreparedData(NamedTuple):
    """The content of one prepared folder."""

    splits: dict  # {"train" or "test": (uint8 images (N, H, W, C), int32 labels (N,))}
    version: str


def read(tfds_name, data_dir, download=True):
    """Reads the latest prepared version of a TFDS data set into memory; returns `PreparedData`.

    Args:
        tfds_name: str, such as "svhn_cropped".
        data_dir: folder of prepared TFDS data, or None for TFDS's default.
        download: bool, whether missing data is downloaded and prepared.

    Raises:
        UserError: the data is missing and cannot or must not be downloaded, or is damaged.
    """
    import tensorflow_datasets as tfds

    folder = prepared(tfds_name, data_dir, download)
    with explained_tfds_errors(tfds_name, folder):
        # Read from the folder itself, without network look-ups.
        # D1: TFDS shuffles the images when it prepares them, so a seed picks other images here
        # than in the original's file order.
        builder = tfds.builder_from_directory(str(folder))
        splits = {}
        for split in ("train", "test"):
            part = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1))
            splits[split] = (part["image"], part["label"].astype(np.int32))
    return PreparedData(splits, folder.name)


def prepared(tfds_name, data_dir, download=True):
    """The folder of the latest prepared version of a TFDS data set, made if need be (a Path).

    Args, Raises: as for `read`, but for damaged data.
    """
    import tensorflow_datasets as tfds

    folder = prepared_folder(tfds_name, data_dir)
    if folder is None:
        directory = tfds_directory(data_dir)
        if not download:
            raise UserError(
                f"No prepared '{tfds_name}' data in {directory}, and this command downloads "
                f"none; training does. {_copy_here(tfds_name)}."
            )
        _require_network(tfds_name, directory)
        with _explained_download_errors(tfds_name, directory):
            builder = tfds.builder(tfds_name, data_dir=str(directory))
            builder.download_and_prepare()
            folder = pathlib.Path(str(builder.data_dir))
    return folder


@contextlib.contextmanager
def _explained_download_errors(tfds_name, directory):
    try:
        yield
    except Exception as error:  # from TFDS, the network or the disk
        raise UserError(
            f"The '{tfds_name}' data could not be downloaded and prepared in {directory}: "
            f"{first_line(error)}. Run the command again, or: {_copy_here(tfds_name)}."
        ) from error


def _require_network(tfds_name, directory):
    error = network_error()
    if error is not None:
        embedded = ""
        if tfds_name == "mnist":
            embedded = "; or try the embedded digits: `data_source=sample`"
        raise UserError(
            f"No prepared '{tfds_name}' data in {directory}, and no network to download it "
            f"({error}). {_copy_here(tfds_name)}; or run once where there is a network{embedded}."
        )


def _copy_here(tfds_name):
    return (
        "Copy a prepared TFDS folder here and name its parent: `data_dir=PARENT`, with "
        f"PARENT/{tfds_name}/VERSION/dataset_info.json in it"
    )


def network_error():
    """Why the download host, or the proxy on the way, is out of reach; None if it answers."""
    proxy = urllib.parse.urlsplit(urllib.request.getproxies().get("https", ""))
    host = (proxy.hostname, proxy.port or 80) if proxy.hostname else _DOWNLOAD_HOST
    found = [f"{host[0]}: no answer within {_NETWORK_TIMEOUT:.0f} seconds"]

    def connect():
        try:
            with socket.create_connection(host, timeout=_NETWORK_TIMEOUT):
                found.append(None)
        except OSError as error:
            found.append(f"{host[0]}: {error}")

    # In a thread, because name look-up has no timeout of its own.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_NETWORK_TIMEOUT)
    return found[-1]


@contextlib.contextmanager
def explained_tfds_errors(tfds_name, folder):
    """Turns any error of TFDS, protobuf or TensorFlow on damaged data into one paragraph."""
    try:
        yield
    except Exception as error:  # each library has its own errors for a damaged file
        raise UserError(
            f"The '{tfds_name}' data in {folder} cannot be read; a file is missing or "
            f"damaged, or was prepared by something else. Delete that folder and prepare it "
            f"again, or name another with `data_dir`. TFDS said: {first_line(error)}"
        ) from error
