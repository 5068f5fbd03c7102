"""The optimizers of DCGAN's games, with the numbers of their authors' frameworks."""

import keras


def player_optimizer(name, beta_1, beta_2):
    """A new optimizer whose learning rate the trainer sets.

    Args:
        name: "adam", "rmsprop" (decay 0.99 and, as in PyTorch, nothing to speak of under the root)
            or "sgd" (without momentum).
        beta_1: float, Adam's.
        beta_2: float, Adam's.
    """
    if name == "adam":
        return keras.optimizers.Adam(0.0, beta_1, beta_2, epsilon=1e-8)
    if name == "rmsprop":
        return keras.optimizers.RMSprop(0.0, rho=0.99, epsilon=1e-16)  # here inside the root
    return keras.optimizers.SGD(0.0)
