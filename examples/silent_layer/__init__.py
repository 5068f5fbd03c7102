"""When minibatch discrimination falls silent: a thin MNIST game, one change at a time."""
