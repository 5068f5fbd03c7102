"""The paper's ImageNet experiment, 128 x 128: joint minibatches, 1000 classes, virtual batch norm.

Paper:    Salimans et al. (2016), Sec. 6.4, Fig. 6.
Original: openai/improved-gan@4f5d1ec, imagenet/train_imagenet.py and train_imagenet.sh.

    python run_imagenet.py --data_dir=~/tensorflow_datasets
    python run_imagenet.py --image_folder=PHOTOS --image_size=64 --width_multiplier=0.125
"""

from improved_gan_tf import command_line
from improved_gan_tf.settings.imagenet import ImagenetConfig

EXPERIMENT = ImagenetConfig(
    dataset="imagenet",
    pixels=(127.5, 127.5),
    model="joint_minibatches",
    recipe="released",
    image_size=128,
    epochs=25,  # D16: the original runs until it is stopped
    batch_size=64,
    num_towers=4,
    learning_rate=0.0004,
    decay_start_epoch=None,
    decay_end_epoch=None,
)

# There is one recipe.
VARIANTS = {"joint_minibatches": {"released": {}}}

if __name__ == "__main__":
    command_line.main(EXPERIMENT, VARIANTS)
