"""The paper's semi-supervised MNIST experiment: feature matching with few labels.

Paper:    Salimans et al. (2016), Sec. 6.1, Table 1.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_mnist_feature_matching.py.

    python run_mnist.py --data_dir=~/tensorflow_datasets
    python run_mnist.py --data_source=sample --epochs=60 --evaluate_every=10 --with_baseline
"""

from improved_gan_tf import command_line
from improved_gan_tf.config import ExperimentConfig

EXPERIMENT = ExperimentConfig(
    dataset="mnist",
    pixels=(255.0, 0.0),
    model="feature_matching",
    recipe="released",
    data_source="tfds",
    data_dir=None,
    run_dir=None,
    overwrite=False,
    labels_per_class=10,
    supervised_only=False,
    with_baseline=False,
    seed=1,
    seed_data=1,
    epochs=300,
    batch_size=100,
    learning_rate=0.003,
    decay_start_epoch=None,
    decay_end_epoch=None,
    unlabeled_weight=1.0,
    averaging_rate=0.0001,
    evaluate_every=1,
    dry_run=False,
)

RECIPES = {
    # The code as it can be downloaded (since 14 June 2016).
    "released": {},
    # The code as first published, before parameter averaging came in: min(3 - epoch/100, 1).
    "first_release": {
        "learning_rate": 0.001,
        "decay_start_epoch": 200,
        "decay_end_epoch": 300,
        "averaging_rate": 0.0,
    },
}

if __name__ == "__main__":
    command_line.main(EXPERIMENT, RECIPES)
