"""What every test gets: four logical CPUs, fixed seeds, quiet TensorFlow, Ctrl-C."""

import signal

from improved_gan_tf.machine import environment

environment.set_defaults()  # before TensorFlow is imported, as the commands do

# A shell starts what runs in the background with SIGINT ignored; commands would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import keras
import pytest

from tests.support import numerics

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    # Before anything starts the runtime: tests of several replicas need several devices.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 4
    )


@pytest.fixture(autouse=True)
def _fresh_keras():
    # A dtype policy once set outlives a later `set_floatx`: each test starts without one.
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(1)


@pytest.fixture
def float64():
    """New layers and Keras inputs are float64 while the test runs."""
    with numerics.float64():
        yield


@pytest.fixture
def without_tracing():
    """TensorFlow's functions run eagerly: in small games tracing takes longer than the steps."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
