"""`SemiSupervisedGAN`: the semi-supervised game as a Keras model with `compile` and `fit`."""
