"""A run on two replicas that is stopped and continued equals the one that was not, bit for bit."""

import pytest

from benchmarks.kill_campaign import remains
from improved_gan_tf import distribution
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import training_run as run_module
from tests.support.noise_runs import run, settings

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cross_replica", ["global", "local"])
def test_two_replicas_continue_with_the_same_bits(tmp_path, monkeypatch, cross_replica):
    monkeypatch.setattr(run_module, "ITERATIONS_PER_CALL", 3)
    monkeypatch.setattr(run_module, "SECONDS_PER_CALL", 1e6)  # however slow the machine is
    config = settings(
        strategy="mirrored", num_devices=2, cross_replica=cross_replica, epochs=2, evaluate_every=1
    )
    with distribution.training_on("mirrored", 2, None, config.batch_size):
        assert run(config, tmp_path / "straight")["status"] == "finished"
        # Calls end at iterations 1, 2, 5, 7 of the first epoch.
        stopped = run(config, tmp_path / "run", stop_after_calls=2)
        assert stopped["status"] == "interrupted"
        assert run(config, tmp_path / "run")["status"] == "finished"
    assert remains(tmp_path / "run") == remains(tmp_path / "straight")


def test_a_run_with_local_batches_is_not_continued_on_other_devices(tmp_path):
    config = settings(cross_replica="local", num_devices=2, epochs=2)
    with distribution.training_on("mirrored", 2, None, config.batch_size):
        run(config, tmp_path / "run", stop_after_calls=1)
    with pytest.raises(UserError, match=r"local batches: 1 \(the run's: 2\)"):
        run(config, tmp_path / "run")
