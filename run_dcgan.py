"""Other GANs on the same floor: DCGAN's networks with any objective, trick or technique.

The games around the paper: does minibatch discrimination, feature matching, ... help them? Not an
experiment of the paper. Each objective comes with its published recipe; sources and what of them
is not here: docs/dcgan.md.

Paper:    Radford et al. (2016), Unsupervised Representation Learning with Deep Convolutional
          Generative Adversarial Networks.
Original: Newmu/dcgan_code@ee12b2d.

    python run_dcgan.py --objective=wasserstein_gp
    python run_dcgan.py --dataset=cifar10 --minibatch_discrimination=100
    python run_dcgan.py --dataset=folder --image_folder=PHOTOS --image_size=64
"""

from improved_gan_tf import command_line
from improved_gan_tf.settings.dcgan import DcganConfig

EXPERIMENT = DcganConfig(
    dataset="mnist",
    pixels=(127.5, 127.5),
    objective="non_saturating",
    recipe="published",
    epochs=25,
    batch_size=128,
    learning_rate=0.0002,
    decay_start_epoch=None,
    decay_end_epoch=None,
    discriminator_learning_rate=None,
    generator_optimizer="adam",
    discriminator_optimizer="adam",
    beta_1=0.5,
    beta_2=0.999,
    discriminator_steps=1,
    discriminator_normalization="batch",
    generator_normalization="batch",
    latent_dim=100,
    l2_weight=1e-5,
    weight_clip=None,
    penalty_weight=None,
    least_squares_targets=None,
    margin=None,
    pull_away_weight=None,
    diversity_ratio=None,
)

# Each objective's published recipe, as changes to DCGAN's own above. "infogan" has the rates and
# the noise of that paper's MNIST experiment, for --conditional=infogan.
VARIANTS = {
    "non_saturating": {
        "published": {},
        "infogan": {
            "conditional": "infogan",
            "learning_rate": 0.001,
            "discriminator_learning_rate": 0.0002,
            "latent_dim": 62,
            "l2_weight": 0.0,
        },
    },
    "minimax": {"published": {}},
    "blended": {"published": {}},
    "least_squares": {
        "published": {
            "least_squares_targets": "zero_one",
            "learning_rate": 0.001,
            "batch_size": 64,
            "l2_weight": 0.0,
        }
    },
    "hinge": {"published": {"l2_weight": 0.0}},
    "wasserstein": {
        "published": {
            "generator_optimizer": "rmsprop",
            "discriminator_optimizer": "rmsprop",
            "learning_rate": 5e-5,
            "weight_clip": 0.01,
            "discriminator_steps": 5,
            "batch_size": 64,
            "latent": "normal",
            "l2_weight": 0.0,
        }
    },
    "wasserstein_gp": {
        "published": {
            "learning_rate": 1e-4,
            "beta_1": 0.0,
            "beta_2": 0.9,
            "penalty_weight": 10.0,
            "discriminator_normalization": "none",
            "discriminator_steps": 5,
            "batch_size": 64,
            "latent": "normal",
            "l2_weight": 0.0,
        }
    },
    "dragan": {
        "published": {
            "learning_rate": 1e-4,
            "beta_2": 0.9,
            "penalty_weight": 10.0,
            "discriminator_normalization": "none",
            "batch_size": 64,
            "l2_weight": 0.0,
        }
    },
    "ebgan": {
        "published": {
            "learning_rate": 0.001,
            "margin": 10.0,
            "pull_away_weight": 0.1,
            "batch_size": 64,
            "l2_weight": 0.0,
        }
    },
    "began": {
        "published": {
            "learning_rate": 1e-4,
            "diversity_ratio": 0.5,
            "discriminator_normalization": "none",
            "generator_normalization": "none",
            "batch_size": 16,
            "latent_dim": 64,
            "l2_weight": 0.0,
        }
    },
}

if __name__ == "__main__":
    command_line.main(EXPERIMENT, VARIANTS)
