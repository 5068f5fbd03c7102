"""Reads whole-step goldens of the original code and compares with them."""

import numpy as np

from tests.goldens.make_goldens import step_fingerprint
from tests.support.places import GOLDENS


class OriginalStep:
    """One whole-step golden.

    Args:
        name: file name without ending.
    """

    def __init__(self, name):
        self.arrays = {}
        for part in (GOLDENS / f"{name}.npz", GOLDENS / f"{name}_later.npz"):
            if part.exists():
                self.arrays.update(np.load(part, allow_pickle=False))

    def __getitem__(self, key):
        array = self.arrays[key]
        return array.astype(np.float64) if array.dtype == np.float32 else array

    def initial_parameters(self):
        """`{name: array}` of every parameter before the initialisation pass."""
        random = np.random.RandomState(int(self["seed_params"]))
        constants = {"g": 1.0, "weight_scale": 1.0, "W_scale": 1.0, "avg_batch_var": 1.0}
        parameters = {}
        names, shapes = self["param_names_all"], self["param_shapes"]
        for name, shape, std in zip(names, shapes, self["param_init_std"], strict=True):
            shape = tuple(int(n) for n in str(shape).strip("()").split(",") if n.strip())
            last = str(name).split("_", 2)[-1]
            if last in ("W", "theta"):
                drawn = random.normal(0, std, shape).astype(np.float32)
                parameters[str(name)] = drawn.astype(np.float64)
            else:
                value = constants.get(last, 0.0)
                parameters[str(name)] = np.full(shape, value)
        return parameters

    def assert_equal(self, key, ours, tolerance):
        """Compares an array (in Theano's layout) with the golden's, relative to its largest."""
        for suffix, value in step_fingerprint(np.asarray(ours)).items():
            theirs = self.arrays[key + suffix]
            scale = max(np.max(np.abs(theirs)), 1e-30)
            difference = np.max(np.abs(np.asarray(value, float) - theirs)) / scale
            assert difference <= tolerance, f"{key}{suffix}: relative difference {difference:.2e}"

    def noise(self, prefix):
        """The draws of one pass, bottom to top; empty if noise is off.

        Gaussian noise is an array, a dropout mask a 1-D array of packed bits.
        """
        drawn = []
        while f"{prefix}_n{len(drawn)}" in self.arrays:
            drawn.append(self[f"{prefix}_n{len(drawn)}"])
        return drawn
