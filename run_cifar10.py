"""The paper's CIFAR-10 experiments: feature matching, minibatch discrimination, Table 3.

Paper:    Salimans et al. (2016), Sec. 6.2, Tables 2 and 3.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_cifar_feature_matching.py and
          train_cifar_minibatch_discrimination.py.

    python run_cifar10.py --data_dir=~/tensorflow_datasets
    python run_cifar10.py --model=minibatch_discrimination --width_multiplier=0.125 --epochs=20
    python run_cifar10.py --ablation=our_methods
"""

from improved_gan_tf import command_line
from improved_gan_tf.settings.semi_supervised import ExperimentConfig

EXPERIMENT = ExperimentConfig(
    dataset="cifar10",
    pixels=(128.0, 127.5),
    generator_objective="feature_matching_l1",
    generator_steps=1,
    initialization_images="labeled_stream",
    model="feature_matching",
    recipe="released",
    labels_per_class=400,
    seed_data=1,
    epochs=1200,
    batch_size=100,
    learning_rate=0.0003,
    decay_start_epoch=800,
    decay_end_epoch=1200,
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
            "seed_data": None,  # the run's own generator chooses the labels
        }
    },
    # The minibatch-discrimination script without its layer; Table 3 needs it.
    "plain": {
        "released": {
            "generator_objective": "saturating",
            "generator_steps": 3,
            "seed_data": None,
        }
    },
}

# Table 3: "our methods", and what each other row changes in them.
# D13: the paper leaves alpha, the weight of historical averaging and the rest open.
ABLATIONS = {
    "our_methods": {
        "model": "minibatch_discrimination",
        "generator_normalization": "virtual_batch",
        "real_target": 0.9,
        "supervised_weight": 1.0,
        "historical_averaging_weight": 0.0,
    },
    "vbn_to_bn": {"generator_normalization": "batch"},
    "labels_to_historical_averaging": {
        "supervised_weight": 0.0,
        "historical_averaging_weight": 0.1,
    },
    "no_label_smoothing": {"real_target": 1.0},
    "no_labels": {"supervised_weight": 0.0},
    "no_minibatch_features": {"model": "plain"},
}

if __name__ == "__main__":
    command_line.main(EXPERIMENT, VARIANTS, ABLATIONS)
