"""The strategy that a command asks for, on the devices that are there."""

import json
import os

from improved_gan_tf.errors import UserError, reason

# How long a worker waits for the others in one exchange. They may take long to come: the chief
# writes models while they wait. A worker that is gone is noticed earlier, see `lost_workers`.
EXCHANGE_TIMEOUT = 600.0  # seconds


def strategy_from(kind, num_devices, tpu, batch_size):
    """Makes the strategy that a command asks for. Call it before TensorFlow does anything.

    Args:
        kind: one of `settings.semi_supervised.STRATEGIES`.
        num_devices: int or None, devices of this machine that "mirrored" uses: GPUs, or where there
            are none logical CPUs.
        tpu: address of the TPU, "local", or None.
        batch_size: int, the global batch, which the replicas share in equal parts.

    Returns:
        `tf.distribute.Strategy`; TensorFlow's default for one device.

    Raises:
        UserError: the machine does not have what is asked for, or the batch does not divide.
    """
    import tensorflow as tf

    check_request(kind, num_devices, batch_size, tpu)
    gpus = tf.config.list_physical_devices("GPU")
    if kind == "auto":
        kind, num_devices = _what_is_there(len(gpus), num_devices, tpu, batch_size)
    check_request(kind, num_devices, batch_size)
    if kind == "one_device":
        strategy = tf.distribute.get_strategy()
    elif kind == "mirrored":
        strategy = _mirrored_strategy(_local_devices(gpus, num_devices))
    elif kind == "multi_worker":
        strategy = _multi_worker_strategy(batch_size, max(1, len(gpus)))
    else:
        strategy = _tpu_strategy(tpu)
    _require_equal_shares(batch_size, strategy.num_replicas_in_sync)
    return strategy


def check_request(kind, num_devices, batch_size, tpu=None):
    """Raises `UserError` for flags that no machine could satisfy; looks at no device.

    Args: as for `strategy_from`.
    """
    if tpu is not None and kind not in ("auto", "tpu"):
        raise UserError(
            f"`tpu` goes with `strategy=tpu` or auto. Received: tpu={tpu}, strategy={kind}."
        )
    if num_devices is None:
        return
    if kind not in ("auto", "mirrored"):
        raise UserError(
            "`num_devices` goes with `strategy=mirrored`; the other strategies use what there is. "
            f"Received: num_devices={num_devices}, strategy={kind}."
        )
    _require_equal_shares(batch_size, num_devices)


def require_one_process(kind, what):
    """Raises `UserError` if a command asks for several workers; `what` works on one only.

    Args:
        kind: as for `strategy_from`.
        what: str, what the command does.
    """
    cluster = _tf_config() if kind == "auto" else None
    if kind == "multi_worker" or (cluster is not None and len(cluster[0]) > 1):
        raise UserError(
            f"`strategy=multi_worker` trains one run. Received: {what}; start the runs one by one."
        )


def use_no_gpu():
    """Keeps this process off the GPUs, whose memory TensorFlow takes nearly whole.

    Call it before TensorFlow does anything.
    """
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")


def compiles_step(jit_compile, replicas):
    """Whether XLA compiles the training step (bool).

    Args:
        jit_compile: "auto", "true" or "false". "auto" is "false": see docs/devices.md. A TPU
            compiles without being asked.
        replicas: int, number of replicas.

    Raises:
        UserError: "true" with more than one replica.
    """
    if jit_compile == "true" and replicas > 1:
        raise UserError(
            "`jit_compile=true` compiles the step of one device; what replicas exchange has no "
            f"compiled form. Received: jit_compile=true, {replicas} replicas."
        )
    return jit_compile == "true"


def automatic_strategy(batch_size, tpu=None):
    """What `strategy=auto` stands for on this machine: `(strategy, num_devices or None)`."""
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU"))
    return _what_is_there(gpus, None, tpu, batch_size)


def _what_is_there(num_gpus, num_devices, tpu, batch_size):
    """What "auto" stands for on this machine: `(kind, num_devices)`."""
    cluster = _tf_config()
    if cluster is not None and len(cluster[0]) > 1:
        return "multi_worker", num_devices
    if tpu is not None:
        return "tpu", num_devices
    if num_devices is not None:
        return "mirrored", num_devices
    # The most GPUs that share the batch equally: 100 images on 8 GPUs use 5.
    used = max((n for n in range(1, num_gpus + 1) if batch_size % n == 0), default=1)
    return ("mirrored", used) if used > 1 else ("one_device", None)


def _require_equal_shares(batch_size, replicas):
    if batch_size % replicas:
        below = batch_size // replicas * replicas
        sizes = f"{below} or {below + replicas}" if below else f"{replicas}"
        raise UserError(
            f"`batch_size` is shared in equal parts by {replicas} replicas and has to be a "
            f"multiple of {replicas}: {sizes}, for instance. Received: {batch_size}."
        )


def _mirrored_strategy(devices):
    import tensorflow as tf

    if devices[0].startswith("GPU"):
        return tf.distribute.MirroredStrategy(devices)
    # Parts of one processor share its memory: sums in place of messages. The collectives that
    # TensorFlow would take also confuse two strategies of one process with each other.
    return tf.distribute.MirroredStrategy(devices, tf.distribute.ReductionToOneDevice())


def _local_devices(gpus, num_devices):
    """Names of `num_devices` GPUs, or of logical CPUs on a machine without."""
    if gpus:
        if num_devices is not None and num_devices > len(gpus):
            raise UserError(
                f"`num_devices` must not exceed the {len(gpus)} GPUs of this machine. "
                f"Received: {num_devices}."
            )
        return [f"GPU:{i}" for i in range(num_devices or len(gpus))]
    if num_devices is None:
        raise UserError(
            "`strategy=mirrored` found no GPU. To try it out without one, say how many parts the "
            "processor shall be taken as: `num_devices=2`."
        )
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or ()) >= num_devices:
        return [f"CPU:{i}" for i in range(num_devices)]  # divided before TensorFlow started
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * num_devices
        )
    except RuntimeError as error:  # TensorFlow has started; it may have started with enough
        there = len(tf.config.list_logical_devices("CPU"))
        if there < num_devices:
            raise UserError(
                f"The processor has been divided into {there} already. "
                f"Received: num_devices={num_devices}."
            ) from error
    return [f"CPU:{i}" for i in range(num_devices)]


def _tpu_strategy(tpu):
    import tensorflow as tf

    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu or "local")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise UserError(
            "`strategy=tpu` found no TPU. Give its address with `tpu=NAME`, or run on the machine "
            "that holds it (`tpu=local`), with a TensorFlow that knows TPUs. Received: "
            f"tpu={tpu}; TensorFlow says: {reason(error)}"
        ) from error


def _multi_worker_strategy(batch_size, devices):
    import tensorflow as tf

    cluster = _tf_config()
    if cluster is None:
        raise UserError(
            "`strategy=multi_worker` needs the environment variable TF_CONFIG on every worker: "
            '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", '
            '"index": 0}}, with another index on each. Received: no TF_CONFIG.'
        )
    workers, index = cluster
    _require_equal_shares(batch_size, len(workers) * devices)  # before waiting for the others
    print(f"worker {index} of {len(workers)}: waiting until all are there", flush=True)
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=EXCHANGE_TIMEOUT)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except (tf.errors.InvalidArgumentError, tf.errors.UnknownError) as error:
        raise UserError(
            f"This worker cannot answer at {workers[index]}, its place in TF_CONFIG. Is the port "
            f"free? TensorFlow says: {reason(error)}"
        ) from error


def _tf_config():
    """The cluster of the environment variable TF_CONFIG as `(workers, index)`; or None."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        values = json.loads(text)
        others = set(values["cluster"]) - {"worker"}
        workers = values["cluster"]["worker"]
        kind, index = values["task"]["type"], int(values["task"]["index"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:  # an infinite index
        raise _wrong_tf_config(text) from error
    named = isinstance(workers, list) and all(map(_is_address, workers))
    if others or not named or kind != "worker" or not 0 <= index < len(workers):
        raise _wrong_tf_config(text)
    if len(set(workers)) < len(workers):
        raise UserError(
            f"The environment variable TF_CONFIG must name every worker once. Received: {text}"
        )
    return workers, index


def _is_address(worker):
    host, _, port = worker.rpartition(":") if isinstance(worker, str) else ("", "", "")
    return bool(host) and port.isdecimal()


def _wrong_tf_config(text):
    return UserError(
        "The environment variable TF_CONFIG must name every worker, and nothing but workers (the "
        "first is the chief), and say which one this is: "
        '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", '
        f'"index": 0}}}}. Received: {text}'
    )
