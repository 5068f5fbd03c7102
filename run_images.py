"""Semi-supervised learning on images of your own: few labels, many images. Not the paper's data.

A classifier is trained with the labeled and the unlabeled images together, and once more with the
labeled ones alone. The last line says whether the unlabeled images helped.

Paper:    Salimans et al. (2016), Sec. 5, 6.1 and 6.2: the game, and the networks of MNIST and
          CIFAR-10, these at other sizes too.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_mnist_feature_matching.py,
          train_cifar_feature_matching.py.

    python run_images.py --image_folder=PHOTOS    # PHOTOS/train/CLASS/*.jpg, PHOTOS/unlabeled/*
    python run_images.py --arrays=data.npz        # x_train, y_train (-1: no label), x_test, y_test
    python run_images.py --tfds=NAME --labels_per_class=25
"""

from improved_gan_tf import command_line
from improved_gan_tf.settings.images import ImagesConfig

# With the convolutional network; `settings.images.resolved` has what the dense one changes.
EXPERIMENT = ImagesConfig(
    dataset="images",
    pixels=(127.5, 127.5),
    generator_objective="feature_matching_l1",
    generator_steps=1,
    initialization_images="labeled_stream",
    model="feature_matching",
    seed_data=1,
    decay_start_epoch=None,
    decay_end_epoch=None,
    unlabeled_weight=1.0,
)

# What each model changes in the literal above.
VARIANTS = {
    "feature_matching": {"ours": {}},
    "minibatch_discrimination": {
        "ours": {"generator_objective": "saturating", "generator_steps": 3}
    },
}

if __name__ == "__main__":
    command_line.main(EXPERIMENT, VARIANTS)
