"""Which devices a command gets, and what it is told where it cannot have them."""

import json

import pytest
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.distribution import devices, workers
from improved_gan_tf.errors import UserError, WorkerLostError, reason
from improved_gan_tf.settings import semi_supervised
from tests.support.commands import run_python


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)


def cluster(workers, index=0, kind="worker"):
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": kind, "index": index}})


def test_the_words_for_the_batch_are_those_of_the_flag():
    assert distribution.CROSS_REPLICA == semi_supervised.CROSS_REPLICA


def test_one_device_is_tensorflows_default_strategy():
    for kind in ("auto", "one_device"):  # no GPU here
        strategy = distribution.strategy_from(kind, None, None, 100)
        assert strategy is tf.distribute.get_strategy()
        assert strategy.num_replicas_in_sync == 1


def test_mirrored_divides_the_processor_where_there_is_no_gpu():
    for kind in ("mirrored", "auto"):
        strategy = distribution.strategy_from(kind, 4, None, 100)
        assert strategy.num_replicas_in_sync == 4


def test_a_strategy_of_two_leaves_the_processor_divided_into_four(tmp_path):
    # In a process of its own: TensorFlow must not have started.
    code = """
import tensorflow as tf
from improved_gan_tf import distribution
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 4)
for count in (2, 4):
    strategy = distribution.strategy_from("mirrored", count, None, 100)
    print(strategy.num_replicas_in_sync)
"""
    done = run_python("-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, ["2", "4"]), done.stderr


@pytest.mark.parametrize(
    ("num_gpus", "batch_size", "expected"),
    [
        (0, 100, ("one_device", None)),
        (1, 100, ("one_device", None)),
        (2, 100, ("mirrored", 2)),
        (8, 100, ("mirrored", 5)),
        (8, 64, ("mirrored", 8)),
        (4, 7, ("one_device", None)),
    ],
)
def test_auto_takes_as_many_gpus_as_share_the_batch_equally(num_gpus, batch_size, expected):
    assert devices._what_is_there(num_gpus, None, None, batch_size) == expected


def test_auto_takes_workers_before_a_tpu_before_gpus(monkeypatch):
    assert devices._what_is_there(8, None, "local", 100) == ("tpu", None)
    monkeypatch.setenv("TF_CONFIG", cluster(["one:1"]))
    assert devices._what_is_there(0, None, None, 100) == ("one_device", None)
    monkeypatch.setenv("TF_CONFIG", cluster(["one:1", "two:2"]))
    assert devices._what_is_there(8, None, "local", 100) == ("multi_worker", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mirrored", 3, None, 100), "a multiple of 3: 99 or 102, for instance. Received: 100"),
        (("mirrored", 4, None, 3), "a multiple of 4: 4, for instance. Received: 3"),
        (("mirrored", None, None, 100), "found no GPU.*`num_devices=2`"),
        (("mirrored", 5, None, 100), "divided into 4 already. Received: num_devices=5"),
        (("one_device", 2, None, 100), "goes with `strategy=mirrored`.*strategy=one_device"),
        (("one_device", None, "local", 100), "`tpu` goes with `strategy=tpu`.*strategy=one_device"),
        (("mirrored", 4, "local", 100), "Received: tpu=local, strategy=mirrored"),
        (("multi_worker", None, None, 100), "needs the environment variable TF_CONFIG"),
        (("tpu", None, None, 100), "found no TPU.*tpu=None"),
    ],
)
def test_devices_that_are_not_there_are_one_paragraph(arguments, message):
    with pytest.raises(UserError, match=message) as raised:
        distribution.strategy_from(*arguments)
    assert "\n" not in str(raised.value)


def test_a_dry_run_refuses_what_no_machine_could_do():
    distribution.check_request("auto", 5, 100)  # this machine could not: it has 4 parts
    distribution.check_request("multi_worker", None, 99)
    with pytest.raises(UserError, match="a multiple of 3: 99 or 102"):
        distribution.check_request("mirrored", 3, 100)
    with pytest.raises(UserError, match=r"goes with `strategy=mirrored`.*strategy=tpu"):
        distribution.check_request("tpu", 2, 100)
    distribution.check_request("auto", None, 100, tpu="local")
    with pytest.raises(UserError, match=r"tpu=local, strategy=one_device"):
        distribution.check_request("one_device", None, 100, tpu="local")


@pytest.mark.parametrize(
    "value",
    [
        "not json",
        "[1]",
        '{"cluster": {"worker": ["one:1"]}}',
        cluster("one:1"),
        cluster(["one:1", "two:2"], index=2),
        cluster(["one:1", "two:2"], index="first"),
        cluster(["one:1", "two:2"], index=float("inf")),
        cluster(["one:1"], kind="chief"),
        cluster(["one", "two:2"]),
        cluster(["one:1", ":2"]),
        cluster(["one:1", "two:second"]),
        cluster(["one:1", 2]),
        cluster(["one:1", "one:1"]),
        '{"cluster": {"chief": ["one:1"], "worker": ["two:2", "three:3"]}, '
        '"task": {"type": "worker", "index": 0}}',
    ],
)
def test_a_tf_config_that_names_no_worker_is_refused(value, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", value)
    for kind in ("multi_worker", "auto"):
        with pytest.raises(UserError, match="TF_CONFIG must name every worker"):
            distribution.strategy_from(kind, None, None, 100)


def test_a_worker_whose_port_is_taken_says_where(monkeypatch):
    def taken(**options):
        raise tf.errors.UnknownError(None, None, "Could not start gRPC server")

    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", taken)
    monkeypatch.setenv("TF_CONFIG", cluster(["one:1", "two:2"], index=1))
    with pytest.raises(UserError, match=r"at two:2, .*port free\? .*Could not start gRPC server"):
        distribution.strategy_from("multi_worker", None, None, 100)


def test_workers_refuse_a_batch_that_does_not_divide_before_they_wait(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", cluster(["one:1", "two:2", "three:3"]))
    with pytest.raises(UserError, match="multiple of 3: 99 or 102"):
        distribution.strategy_from("multi_worker", None, None, 100)


def test_one_process_answers_for_itself():
    assert distribution.is_chief()
    assert distribution.num_replicas() == 1
    assert distribution.own_folder("runs/one") == "runs/one"
    assert distribution.of_chief(7) == 7
    assert [distribution.on_any_worker(asked) for asked in (True, False)] == [True, False]
    distribution.require_same(3, "the number must be the same")
    distribution.require_one_process("auto", "anything")


def test_several_workers_are_refused_where_one_process_is_needed(monkeypatch):
    with pytest.raises(UserError, match=r"trains one run\. Received: a sweep;"):
        distribution.require_one_process("multi_worker", "a sweep")
    monkeypatch.setenv("TF_CONFIG", cluster(["one:1", "two:2"]))
    with pytest.raises(UserError, match="trains one run"):
        distribution.require_one_process("auto", "a sweep")
    distribution.require_one_process("one_device", "a sweep")


def test_a_process_that_leaves_the_gpus_to_others_sees_none(monkeypatch):
    hidden = []
    monkeypatch.setattr(
        tf.config, "set_visible_devices", lambda devices, kind: hidden.append((devices, kind))
    )
    distribution.use_no_gpu()
    assert hidden == [([], "GPU")]


def test_the_reason_is_the_telling_line_of_tensorflows_error():
    text = (
        "Graph execution error:\n\n{{function_node f_1}} Collective ops is aborted by: gone:\nmore"
    )
    error = tf.errors.UnavailableError(None, None, text)
    assert reason(error) == "Collective ops is aborted by: gone."
    assert reason(ValueError()) == "ValueError."


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (tf.errors.UnavailableError, WorkerLostError),
        (tf.errors.ResourceExhaustedError, tf.errors.ResourceExhaustedError),
        (tf.errors.InvalidArgumentError, tf.errors.InvalidArgumentError),
    ],
)
@pytest.mark.parametrize("text", ["this one", "Collective ops is aborted by: the other one"])
def test_only_errors_that_another_worker_can_cause_are_put_down_to_it(
    monkeypatch, error, told, text
):
    if text.startswith("Collective"):
        told = WorkerLostError
    monkeypatch.setattr(workers, "spans_workers", lambda strategy: True)
    with pytest.raises(told), distribution.lost_workers():
        raise error(None, None, text)


def test_errors_of_a_process_without_others_stay_what_they_are():
    with pytest.raises(tf.errors.UnavailableError), distribution.lost_workers():
        raise tf.errors.UnavailableError(None, None, "something else")
