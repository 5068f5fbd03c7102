"""Layers inside a layer that Keras's `quantize` has changed, and are to be built so again.

Keras saves how the layers of a model are quantized, not those that a layer makes in its `build`: a
saved model could not be loaded.
"""


def quantized_policies(*parts):
    """Returns `{name: name of the dtype policy}` of those layers that are quantized."""
    return {
        part.name: part.dtype_policy.name
        for part in parts
        if getattr(part, "quantization_mode", None) is not None
    }


class QuantizedParts:
    """Stands before `keras.layers.Layer` among the bases of a layer that makes layers in `build`.

    The subclass sets `_quantizable`, the names of the attributes that hold them, and makes them
    with `self._policy_of(name)`; their names are those of the attributes.
    """

    _quantizable = ()
    _saved_policies = None

    def _policy_of(self, name):
        """The dtype policy for an inner layer: that of a saved one, or the variables' dtype."""
        return (self._saved_policies or {}).get(name, self.variable_dtype)

    def get_build_config(self):
        config = super().get_build_config()
        if not self.built:
            return config
        policies = quantized_policies(*(getattr(self, name) for name in self._quantizable))
        return {**config, "quantized": policies} if policies else config

    def build_from_config(self, config):
        self._saved_policies = config.get("quantized")
        super().build_from_config(config)
