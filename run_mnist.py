"""The paper's MNIST experiments: feature matching with few labels, and minibatch discrimination.

Paper:    Salimans et al. (2016), Sec. 6.1, Table 1, Fig. 3.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_mnist_feature_matching.py; for
          minibatch discrimination a script that the authors later removed (commit 8be79d0).

    python run_mnist.py --data_dir=~/tensorflow_datasets
    python run_mnist.py --data_source=sample --epochs=60 --evaluate_every=10 --with_baseline
    python run_mnist.py --num_runs=10 --labels_per_class=2,5,10,20 --with_baseline
"""

from improved_gan_tf import command_line
from improved_gan_tf.settings.semi_supervised import ExperimentConfig

EXPERIMENT = ExperimentConfig(
    dataset="mnist",
    pixels=(255.0, 0.0),  # D2: the authors' file is lost; it may have held byte / 256
    generator_objective="feature_matching_l2",
    generator_steps=1,
    initialization_images="permuted_training_set",
    model="feature_matching",
    recipe="released",
    labels_per_class=10,
    seed_data=1,
    epochs=300,
    batch_size=100,
    learning_rate=0.003,
    decay_start_epoch=None,
    decay_end_epoch=None,
    unlabeled_weight=1.0,
    averaging_rate=0.0001,
)

# What each model and recipe changes in the literal above; a model's first recipe is its default.
VARIANTS = {
    "feature_matching": {
        # D5: the code as it can be downloaded (since 14 June 2016) ...
        "released": {},
        # ... and as first published, before parameter averaging came in: min(3 - epoch/100, 1).
        "first_release": {
            "learning_rate": 0.001,
            "decay_start_epoch": 200,
            "decay_end_epoch": 300,
            "averaging_rate": 0.0,
        },
    },
    "minibatch_discrimination": {
        # min(2.5 - epoch/200, 1), no parameter averaging.
        "removed_script": {
            "pixels": (127.5, 127.5),  # D10: the removed script leaves them in [0, 1]
            "generator_objective": "saturating",
            "generator_steps": 3,
            "initialization_images": "labeled_stream",
            "seed_data": None,  # the run's own generator chooses the labels
            "labels_per_class": 400,
            "epochs": 500,
            "learning_rate": 0.0003,
            "decay_start_epoch": 300,
            "decay_end_epoch": 500,
            "averaging_rate": 0.0,
        }
    },
}

if __name__ == "__main__":
    command_line.main(EXPERIMENT, VARIANTS)
