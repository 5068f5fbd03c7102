"""How a `SemiSupervisedGAN` becomes a file, and goes on from it as if it had not stopped."""

import keras
import numpy as np
from keras import ops

# Parts of `GameTrainer.state` that are Keras objects and attributes of the model.
SAVED_BY_KERAS = (
    "generator_optimizer",
    "discriminator_optimizer",
    "average",
    "generator_history",
    "discriminator_history",
)
RATIO = "ratio_of_rates"  # of the generator's learning rate to the discriminator's


class Saving:
    """Methods of `SemiSupervisedGAN`, which holds the state that they write and read."""

    def __dir__(self):
        # Keras saves everything that `dir` names: not a second copy of the discriminator.
        return [name for name in super().__dir__() if name != "classifier"]

    def get_config(self):
        """The constructor's arguments."""
        return {
            "name": self.name,
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "feature_layer": self.feature_layer,
            "couples_examples": self.couples_examples,
            "initialize_discriminator": self.initialize_discriminator,
            "initialize_generator": self.initialize_generator,
            **self._settings,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new model of the same arguments."""
        config = dict(config)
        for player in ("discriminator", "generator"):
            config[player] = keras.saving.deserialize_keras_object(
                config[player], custom_objects=custom_objects
            )
        return cls(**config)

    def save(self, filepath, *args, **kwargs):
        """Keras's `save`.

        Raises:
            ValueError: the name is of HDF5 from before Keras 3, which could not be loaded.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                "`filepath` must end in .keras; `export` writes a SavedModel, `save_weights` "
                f"a .weights.h5. Received: filepath={filepath}"
            )
        super().save(filepath, *args, **kwargs)

    def export(self, filepath, *args, input_signature=None, **kwargs):
        """Keras's `export`, of images to logits (N, K), by default with any number of images."""
        if input_signature is None:
            inputs = self.discriminator.inputs[0]
            input_signature = [keras.InputSpec(shape=tuple(inputs.shape), dtype=inputs.dtype)]
        super().export(filepath, *args, input_signature=input_signature, **kwargs)

    def get_compile_config(self):
        """The arguments of `compile`, the optimizers with their present learning rates."""
        if not self.compiled:
            return None
        optimizers = {f"{k}_optimizer": v for k, v in self._optimizers.both._asdict().items()}
        arguments = {**vars(self._compile_arguments), **optimizers}
        # Present rates may both be 0, at the end of a schedule: they do not tell the factor.
        return {**keras.saving.serialize_keras_object(arguments), RATIO: self._optimizers.ratio}

    def compile_from_config(self, config):
        """Compiles a loaded model as it was."""
        arguments = keras.saving.deserialize_keras_object({**config})
        has_ratio = RATIO in arguments  # earlier files have none
        ratio = arguments.pop(RATIO, None)
        self.compile(**arguments)
        if has_ratio:
            self._optimizers.ratio = ratio

    def save_own_variables(self, store):
        """Writes the numbers of steps and the states of all random generators."""
        for name, variable in self._own_state().items():
            store[name] = ops.convert_to_numpy(variable)
        _, keys, position, *_ = self._shown_noise.get_state()
        store["shown_noise"] = np.append(keys, np.uint32(position))

    def load_own_variables(self, store):
        """Reads them."""
        for name, variable in self._own_state().items():
            # Earlier files counted all steps alike.
            name = "steps" if name == "averaged_steps" and name not in store else name
            if name == "passes" and name not in store:  # their passes began with the first step
                continue
            variable.assign(store[name][()])
        if "shown_noise" in store:  # later than in the first files
            *keys, position = store["shown_noise"][()]
            self._shown_noise.set_state(("MT19937", keys, int(position)))

    def _own_state(self):
        """`{name: variable}` of what Keras does not save with players, optimizers and averages."""
        saved = {id(v) for player in (self.discriminator, self.generator) for v in player.weights}
        state = {}
        for name, variable in self._game.state().items():
            part, index, *_ = name.split(".")  # the rest is Keras's name, another once loaded
            if part not in SAVED_BY_KERAS and id(variable) not in saved:
                state[f"{part}.{index}"] = variable
        counts = ("steps", "averaged_steps", "batch_size", "passes")
        return {**{name: getattr(self, name) for name in counts}, **state}
