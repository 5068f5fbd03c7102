"""Improved Techniques for Training GANs (Salimans et al., 2016) in TensorFlow and Keras."""

__version__ = "0.1.0"
