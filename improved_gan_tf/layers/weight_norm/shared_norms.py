"""The context in which several passes over unchanged kernels share one computation of the norms.

The norm of a large dense kernel is a pass over all of its memory, at every call. The two passes of
a feature-matching generator step (real images, then generated ones) see the same discriminator, so
the second can take the factors that the first has computed.
"""

import contextlib
import contextvars

# {layer: factors} of the `with` block under way.
# Not an argument of `call`: a Keras model passes its layers no arguments but its own few.
_shared = contextvars.ContextVar("improved_gan_tf_shared_norms", default=None)


@contextlib.contextmanager
def shared_norms():
    """Computes `g / ||V||` of each layer once for all passes inside the `with` block.

    The kernels must not change between the passes, and nobody may take gradients with respect to
    kernels or scales: the first pass may lie outside the tape that watches the second.
    """
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def computed_once(layer, compute):
    """Returns `compute()`, or inside `shared_norms` what it returned for `layer` before."""
    shared = _shared.get()
    if shared is None:
        return compute()
    if layer not in shared:
        shared[layer] = compute()
    return shared[layer]
