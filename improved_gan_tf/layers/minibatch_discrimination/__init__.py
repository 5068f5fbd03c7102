"""Minibatch discrimination (Sec. 3.2): the layer, and its kernel sums over pairs of images."""
