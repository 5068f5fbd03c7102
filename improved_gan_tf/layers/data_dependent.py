"""The context in which layers initialise their scale and bias from the data they see.

Data-dependent initialisation (Salimans and Kingma, 2016, Sec. 3) is one forward pass over
real data in which every weight-normalised layer sets its own scale and bias and hands its
*normalised* output to the next layer. Layers ask `is_initializing()` in `call`; the pass
itself is started in one visible place, `improved_gan_tf.initialization.initialize_from_data`.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, the argument `init=True` of
`get_output` in all three training scripts.
"""

import contextlib
import contextvars

_initializing = contextvars.ContextVar("improved_gan_tf_initializing", default=False)


def is_initializing():
    """Whether the current forward pass is a data-dependent initialisation (bool)."""
    return _initializing.get()


@contextlib.contextmanager
def initializing():
    """Marks the forward passes inside the `with` block as initialisation passes."""
    token = _initializing.set(True)
    try:
        yield
    finally:
        _initializing.reset(token)
