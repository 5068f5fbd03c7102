"""Replay: the discriminator also sees examples generated earlier.

Source: Shrivastava et al. (2017), Learning from Simulated and Unsupervised Images through
        Adversarial Training, Sec. 2.3: half of each batch comes from a buffer.
        tensorflow/gan@bc369b7, `tensor_pool`: shown examples leave the buffer.
"""

import keras
import tensorflow as tf
from keras import ops

from improved_gan_tf import distribution


def exchange(entries, generated, places, rows):
    """Exchanges entries of a buffer with rows of a batch.

    Args:
        entries: (B, ...), the buffer.
        generated: (N, ...), the batch.
        places: (K,), integers in [0, B), all different.
        rows: (K,), integers in [0, N), all different.

    Returns:
        `(entries, shown)`: the buffer and the batch afterwards. `shown[rows]` are the old entries
        at `places`, which now hold the batch's `rows`.
    """
    leaving, entering = ops.take(entries, places, axis=0), ops.take(generated, rows, axis=0)
    places, rows = ops.expand_dims(places, 1), ops.expand_dims(rows, 1)
    return (
        ops.scatter_update(entries, places, entering),
        ops.scatter_update(generated, rows, leaving),
    )


class ReplayBuffer:
    """Keeps generated examples and shows them to the discriminator at a later step.

    Half of each batch (less if the buffer is smaller), at evenly spaced rows, is exchanged with
    random entries. Every generated example is shown once. The generator's own loss uses the fresh
    examples. Class labels are not kept, so a conditional discriminator cannot use replay.

    All replicas hold the same buffer, and the batch is the global one.

    Args:
        examples: (B, ...), the first entries, made by the untrained generator.
        seed: int.

    Raises:
        ValueError: there are no examples.

    Attributes:
        entries: `tf.Variable`, (B, ...), the buffer.
    """

    def __init__(self, examples, seed):
        if not len(examples):
            raise ValueError("`ReplayBuffer` needs at least one example. Received: 0 examples")
        self.entries = tf.Variable(examples, trainable=False, name="replay_entries")
        self._seed = keras.random.SeedGenerator(seed)

    def replay(self, generated):
        """Returns the batch to show, and keeps the fresh examples left out of it.

        Args:
            generated: (n, ...), fresh examples, this replica's share; n is known.

        Returns:
            (n, ...); no gradient flows to `generated`.

        Raises:
            ValueError: the examples' shape differs from the buffer's.
        """
        if tuple(generated.shape[1:]) != tuple(self.entries.shape[1:]):
            raise ValueError(
                "`generated` must be examples of the buffer's shape, "
                f"{tuple(self.entries.shape[1:])}. Received: generated.shape={generated.shape}"
            )
        generated = ops.stop_gradient(generated)
        batch, first = distribution.gather_rows(generated)
        size, capacity = batch.shape[0], self.entries.shape[0]
        count = min(size // 2, capacity)
        if not count:
            return generated
        places = keras.random.shuffle(ops.arange(capacity), seed=self._seed)[:count]
        rows = (ops.arange(count) * size) // count
        entries, shown = exchange(self.entries, batch, places, rows)
        self.entries.assign(entries)
        return shown[first : first + generated.shape[0]]

    @property
    def state(self):
        """`{name: variable}` of all that a checkpoint must hold."""
        return {"entries": self.entries, "seed": self._seed.state}
