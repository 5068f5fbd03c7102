"""The package without TensorFlow: layers, losses, networks, training's parts, scores."""

import subprocess
import sys
import textwrap

import keras
import pytest

from tests.support.places import ROOT

PROGRAM = """
    import sys

    sys.modules["tensorflow"] = None  # any import of it fails
    import keras
    import numpy as np

    import improved_gan_tf
    from improved_gan_tf import layers, losses, networks

    for name in improved_gan_tf.__all__:
        getattr(improved_gan_tf, name)

    random = np.random.RandomState(0)
    spec = networks.EXPERIMENTS["mnist", "feature_matching"]
    generator, discriminator, _ = spec.build(1, 0.02)
    generated = generator(random.uniform(size=(4, networks.NOISE_DIM)), training=True)
    outputs = discriminator(generated, training=True)
    losses.unsupervised_loss(outputs["logits"], outputs["logits"])
    losses.feature_matching_l2(outputs["features"], outputs["features"])

    reference = layers.PrependReference(4)
    reference.set_reference(random.normal(size=(4, 5)).astype("float32"))
    model = keras.Sequential(
        [
            keras.Input((5,)),
            reference,
            layers.WeightNormDense(6),
            layers.VirtualBatchNorm(4),
            layers.DropReference(4),
            layers.BatchStatisticsNorm(),
            layers.GaussianNoise(0.1),
            layers.Dropout(0.5),
            layers.MinibatchDiscrimination(3, 2),
            layers.LeakyReLU(0.2),
            keras.layers.Dense(1),
        ]
    )
    improved_gan_tf.initialize_from_data(model, random.normal(size=(8, 5)).astype("float32"))
    model.average = improved_gan_tf.ParameterAverage(model.trainable_variables)
    model.past = improved_gan_tf.HistoricalAverage(model.trainable_variables)
    model.past.update()
    model.average.update()
    model.compile(improved_gan_tf.Adam(0.01), "mse")
    model.fit(np.ones((8, 5)), np.ones((8, 1)), batch_size=4, verbose=0)
    model.save(sys.argv[1])
    improved_gan_tf.load_model(sys.argv[1])
    layers.freeze_reference(model)
    layers.remove_weight_norm(model)
    layers.freeze_batch_statistics(generator, [random.uniform(size=(4, networks.NOISE_DIM))])

    try:
        improved_gan_tf.SemiSupervisedGAN(discriminator, generator)
        refused = "nothing"
    except RuntimeError as error:
        refused = str(error)
    assert refused.endswith(f"=tensorflow. Received: backend {keras.backend.backend()}"), refused

    features = random.normal(size=(8, 3))
    improved_gan_tf.frechet_distance(features, features + 0.1)
    improved_gan_tf.mean_pairwise_distance(features)
    assert sys.modules["tensorflow"] is None
    print("done on", keras.backend.backend())
"""


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="Keras itself needs TensorFlow on this backend"
)
def test_everything_but_the_experiments_works_without_tensorflow(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "model.keras")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout == f"done on {keras.backend.backend()}\n", done.stderr
