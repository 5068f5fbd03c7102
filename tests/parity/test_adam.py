"""Adam and the parameter average against the original code (tests/goldens/units.md)."""

import keras
import numpy as np
import pytest

from improved_gan_tf.training.adam import Adam
from improved_gan_tf.training.parameter_average import ParameterAverage
from tests.support.numerics import assert_close, to_numpy
from tests.support.places import GOLDENS

pytestmark = pytest.mark.usefixtures("float64")

STEPS = 5
PARAMETERS = 3


@pytest.mark.parametrize("name", ["adam_mom05", "adam_mom09"])
def test_five_steps_of_adam_and_the_average_equal_the_original(name):
    golden = np.load(GOLDENS / f"{name}.npz", allow_pickle=False)
    variables = [keras.Variable(golden[f"p{i}_0"]) for i in range(PARAMETERS)]
    optimizer = Adam(learning_rate=float(golden["lr"]), beta_1=float(golden["mom1"]))
    optimizer.build(variables)
    average = ParameterAverage(variables)
    for t in range(1, STEPS + 1):
        average.update()  # before the step, as the original's simultaneous updates
        optimizer.apply(
            [keras.ops.convert_to_tensor(golden[f"p{i}_grad_{t}"]) for i in range(PARAMETERS)],
            variables,
        )
        for i in range(PARAMETERS):
            assert_close(variables[i], golden[f"p{i}_{t}"])
            assert_close(average.averages[i], golden[f"p{i}_avg_{t}"])
            assert_close(optimizer._momentums[i], golden[f"p{i}_v_{t}"])
            # The slot holds the second moment shifted by epsilon (1 - beta_2^t).
            shifted = to_numpy(optimizer._velocities[i])
            assert_close(shifted - 1e-8 * (1.0 - 0.999**t), golden[f"p{i}_mg_{t}"])
