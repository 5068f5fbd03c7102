"""The cost of exactness across replicas: global and local batches on 2 replicas, and one device.

The three train alternately in one process on noise images; the table holds the median over the
rounds of the ratio to one device. Two parts of one processor share its cores: the added work is
measured, not a speed-up.

Bytes are counted while the step is traced: those that one replica gives to `all_reduce` and
`all_gather` in an iteration. In a ring of R replicas each sends and receives (R - 1) / R of the
gathered batch's bytes for a gather and twice (R - 1) / R of the tensor's for a sum.

    python -m benchmarks.cross_replica
    python -m benchmarks.cross_replica --rounds=10 --iterations=5
"""

import argparse
import collections
import contextlib
import time

from benchmarks.arguments import whole_number
from improved_gan_tf.machine import environment

BATCH, IMAGES = 100, 500
# name: (experiment, width multiplier, image shape, objective, generator steps)
CASES = {
    "MNIST feature matching": (
        ("mnist", "feature_matching"),
        1.0,
        (28, 28, 1),
        "feature_matching_l2",
        1,
    ),
    "CIFAR-10 minibatch discrimination, width / 8": (
        ("cifar10", "minibatch_discrimination"),
        0.125,
        (32, 32, 3),
        "saturating",
        3,
    ),
}


@contextlib.contextmanager
def counted_bytes():
    """Counts replica 0's bytes in collectives traced inside the block."""
    import tensorflow as tf

    counts = collections.Counter()
    context_class = tf.distribute.ReplicaContext
    originals = {name: getattr(context_class, name) for name in ("all_reduce", "all_gather")}

    def counting(name):
        def collective(self, *args, **kwargs):
            value = args[0] if name == "all_gather" else args[1]
            if tf.get_static_value(self.replica_id_in_sync_group) == 0:
                for tensor in tf.nest.flatten(value):
                    counts[name] += tensor.shape.num_elements() * tensor.dtype.size
            return originals[name](self, *args, **kwargs)

        return collective

    for name in originals:
        setattr(context_class, name, counting(name))
    try:
        yield counts
    finally:
        for name, original in originals.items():
            setattr(context_class, name, original)


def make_trainer(case, strategy, cross_replica):
    """A trainer of the case on noise images, under a strategy."""
    import numpy as np

    from improved_gan_tf import networks
    from improved_gan_tf.data.device_images import DeviceImages
    from improved_gan_tf.training import semi_supervised

    experiment, width, shape, objective, generator_steps = case
    pixels = np.random.RandomState(0).randint(0, 256, (IMAGES, *shape)).astype("uint8")
    with strategy.scope():
        return semi_supervised.Trainer(
            networks.EXPERIMENTS[experiment].build(1, width, cross_replica=cross_replica),
            DeviceImages(pixels, np.arange(IMAGES) % 10, (127.5, 127.5)),
            seed=1,
            generator_objective=objective,
            generator_steps=generator_steps,
            cross_replica=cross_replica,
        )


def measure(case, two, rounds, iterations):
    """Returns `{name: (median ratio to one device, bytes)}` and one device's ms per iteration."""
    import numpy as np
    import tensorflow as tf

    one = tf.distribute.get_strategy()
    setups = {"one device": (one, "global"), "global": (two, "global"), "local": (two, "local")}
    random = np.random.RandomState(1)
    rows = [random.randint(0, IMAGES, (iterations, BATCH)) for _ in range(3)]
    trainers, traffic, times = {}, {}, collections.defaultdict(list)
    for name, (strategy, cross_replica) in setups.items():
        trainers[name] = make_trainer(case, strategy, cross_replica)
        with counted_bytes() as traffic[name]:
            trainers[name].train(rows, 0.0003)
    for _ in range(rounds):
        for name, trainer in trainers.items():
            begin = time.perf_counter()
            trainer.train(rows, 0.0003)
            times[name].append(time.perf_counter() - begin)
    alone = np.array(times["one device"])
    ratios = {name: float(np.median(np.array(t) / alone)) for name, t in times.items()}
    return ratios, traffic, 1e3 * float(np.median(alone)) / iterations


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=whole_number, default=5, help="timed calls of each setup")
    parser.add_argument(
        "--iterations", type=whole_number, default=5, help="training iterations in a call"
    )
    arguments = parser.parse_args()
    environment.set_defaults()

    from improved_gan_tf import distribution

    two = distribution.strategy_from("mirrored", 2, None, BATCH)
    print(
        "| an iteration, batch 100 | one device | 2 replicas, local | 2 replicas, global | ", end=""
    )
    print("bytes summed, local / global | bytes gathered, global |")
    print("|---|---|---|---|---|---|")
    for name, case in CASES.items():
        ratios, traffic, alone = measure(case, two, arguments.rounds, arguments.iterations)
        print(
            f"| {name} | {alone:.0f} ms | {ratios['local']:.2f} x | {ratios['global']:.2f} x "
            f"| {traffic['local']['all_reduce']:,} / {traffic['global']['all_reduce']:,} "
            f"| {traffic['global']['all_gather']:,} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
