"""BigGAN on CIFAR-10, SVHN or MNIST at 32 x 32, with the settings of its public code or its paper.

Paper:    Brock et al. (2019), Large Scale GAN Training for High Fidelity Natural Image Synthesis.
Original: ajbrock/BigGAN-PyTorch@9845943, scripts/launch_cifar_ema.sh.

    python run_biggan.py --data_dir=~/tensorflow_datasets
    python run_biggan.py --recipe=paper --batch_size=256
    python run_biggan.py --dataset=mnist --data_source=sample --width_multiplier=0.0625 --epochs=20
"""

from improved_gan_tf import command_line
from improved_gan_tf.settings.biggan import BigganConfig

EXPERIMENT = BigganConfig(
    dataset="cifar10",
    pixels=(127.5, 127.5),
    model="biggan",
    recipe="public_code",
    channels=64,
    z_dim=128,
    shared_dim=None,
    hierarchical=False,
    initializer="normal",
    spectral_norm=True,
    epochs=500,
    batch_size=50,
    discriminator_steps=4,
    learning_rate=2e-4,
    generator_learning_rate=2e-4,
    decay_start_epoch=None,
    decay_end_epoch=None,
    orthogonal_weight=0.0,
    averaging_decay=0.9999,
    averaging_start=1000,
    stop_on_collapse=True,
)

VARIANTS = {
    "biggan": {
        "public_code": {},
        # The numbers for ImageNet at 128 pixels, where they fit networks of 32.
        "paper": {
            "channels": 96,
            "z_dim": 120,
            "shared_dim": 128,
            "hierarchical": True,
            "initializer": "orthogonal",
            "batch_size": 2048,
            "discriminator_steps": 2,
            "generator_learning_rate": 5e-5,
            "orthogonal_weight": 1e-4,
            "averaging_start": 20_000,
        },
    }
}

if __name__ == "__main__":
    command_line.main(EXPERIMENT, VARIANTS)
