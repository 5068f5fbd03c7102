"""The paper's SVHN experiments: feature matching with few labels, minibatch discrimination.

Paper:    Salimans et al. (2016), Sec. 6.3.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_svhn_feature_matching.py and
          train_svhn_minibatch_discrimination.py.

    python run_svhn.py --data_dir=~/tensorflow_datasets
    python run_svhn.py --model=minibatch_discrimination --width_multiplier=0.125 --epochs=20
"""

from improved_gan_tf import command_line
from improved_gan_tf.settings.semi_supervised import ExperimentConfig

EXPERIMENT = ExperimentConfig(
    dataset="svhn",
    pixels=(127.5, 127.5),
    generator_objective="feature_matching_l1",
    generator_steps=1,
    initialization_images="labeled_stream",
    model="feature_matching",
    recipe="released",
    labels_per_class=100,
    seed_data=1,
    epochs=900,
    batch_size=100,
    learning_rate=0.0003,
    decay_start_epoch=600,
    decay_end_epoch=900,
    unlabeled_weight=1.0,
    averaging_rate=0.0001,
)

# What each model and recipe changes in the literal above; a model's first recipe is its default.
VARIANTS = {
    "feature_matching": {
        "released": {},
        # D5: the script of commit 30d4beb, without parameter averaging.
        "first_release": {"averaging_rate": 0.0},
    },
    "minibatch_discrimination": {
        "released": {
            "generator_objective": "saturating",
            "generator_steps": 3,
        }
    },
}

if __name__ == "__main__":
    command_line.main(EXPERIMENT, VARIANTS)
