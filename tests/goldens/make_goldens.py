"""Makes the whole-step goldens small: inputs kept, large computed arrays as fingerprints.

    python tests/goldens/make_goldens.py FIXTURES/f64 tests/goldens step_mnist_fm_thin_off ...

FIXTURES holds what the original Theano code computed (see step.md). Inputs are
float32-representable and stored so; initial parameters follow from a recipe and are dropped; a
computed array of more than 2,000 numbers becomes its norm, its sum and about 400 of its
elements in Theano's order. `step_fingerprint` is that reduction, used by the tests too. The
later iterations go to a file of their own where one file would be large.
"""

import pathlib
import sys

import numpy as np

LARGE = 2000  # numbers in an array
LARGE_FILE = 3_000_000  # bytes before compression


def step_fingerprint(array):
    """`{suffix: value}` of an array: itself if small, else norm, sum and a strided sample."""
    array = np.asarray(array)
    if array.size <= LARGE:
        return {"": array}
    flat = array.ravel()
    return {
        "__l2": np.sqrt(np.sum(flat.astype(float) ** 2)),
        "__sum": np.sum(flat),
        "__s": flat[:: max(1, flat.size // 400)],
    }


def _is_input(key):
    name = key.split("/")[-1]
    return name.startswith(("x_", "z_", "noise_", "init_", "test_x")) and "__nhwc" not in key


def make(source, target):
    """Writes the small golden of one fixture."""
    small = {}
    fixture = np.load(source, allow_pickle=False)
    for key in fixture:
        array = fixture[key]
        if key.startswith("p0/") or "__" in key.split("/")[-1]:
            continue  # initial parameters: from the recipe; other layouts: the tests convert
        if _is_input(key):
            small[key] = array.astype(np.float32) if array.dtype == np.float64 else array
            assert (small[key] == array).all(), key
        elif "/" in key or key.startswith("test_logits"):
            small.update({key + s: v for s, v in step_fingerprint(array).items()})
        else:
            small[key] = array
    later = {key: array for key, array in small.items() if key.startswith(("it2/", "it3/"))}
    if sum(array.nbytes for array in small.values()) > LARGE_FILE:
        np.savez_compressed(target.with_name(f"{target.stem}_later.npz"), **later)
        small = {key: array for key, array in small.items() if key not in later}
    np.savez_compressed(target, **small)


if __name__ == "__main__":
    source_folder, target_folder = map(pathlib.Path, sys.argv[1:3])
    for name in sys.argv[3:]:
        make(source_folder / f"{name}.npz", target_folder / f"{name}.npz")
