"""Draws BigGAN's players at 128 pixels from the models themselves: `docs/biggan.png`.

    python -m tools.draw_biggan

Every box is a layer or block of the functional model, with the shape of its output.
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from improved_gan_tf.networks import biggan_discriminator, biggan_generator
from tools import arguments
from tools.run_files import ROOT

PICTURE = ROOT / "docs" / "biggan.png"
SIZE = 128
CHANNELS = 8  # boxes name widths in multiples of it
GENERATOR_ROW, DISCRIMINATOR_ROW = 2.95, -0.4
BLOCK, ATTENTION, OTHER = "#dbeafe", "#ffe4e6", "#ede9fe"


def stages(model, first, last):
    """`(name, resolution, width in multiples of CHANNELS, colour)` of each box of a player."""
    boxes = [first]
    for layer in model.layers:
        name, _, part = layer.name.partition("_")
        if part in ("add", "attention"):
            _, height, _, channels = layer.output.shape
            text, colour = (name, BLOCK) if part == "add" else ("attention", ATTENTION)
            boxes.append((text, height, f"{channels / CHANNELS:g} ch", colour))
    return [*boxes, last]


def _height(size):
    """Height of a box: a step for each doubling of its maps."""
    return 0.55 + 0.17 * (size.bit_length() - 1)


def _arrow(axes, tip, start, text=""):
    arrow = {"arrowstyle": "->", "color": "#475569"}
    axes.annotate(text, tip, start, ha="center", fontsize=7.5, arrowprops=arrow)


def draw_row(axes, y, boxes, inputs, output):
    """One player from left to right; boxes are as high as their maps are wide."""
    axes.text(0.1, y, inputs, ha="left", va="center", fontsize=8)
    for i, (name, size, width, colour) in enumerate(boxes):
        x, height = 1.15 + 1.05 * i, _height(size)
        axes.add_patch(
            plt.Rectangle((x, y - height / 2), 0.85, height, facecolor=colour, edgecolor="#475569")
        )
        shape = f"{size} x {size}" if size else ""
        text = "\n".join(line for line in (name, shape, width) if line)
        axes.text(x + 0.425, y, text, ha="center", va="center", fontsize=7.5)
        if i or inputs:
            _arrow(axes, (x, y), (x - 0.2, y))
    axes.text(1.1 + 1.05 * len(boxes), y, output, ha="left", va="center", fontsize=8)


def main():
    """Builds both players and draws them."""
    options = {
        "image_size": SIZE,
        "channels": CHANNELS,
        "attention": (64,),
    }
    generator = biggan_generator(1, z_dim=120, shared_dim=128, hierarchical=True, **options)
    discriminator = biggan_discriminator(1, **options)
    figure, axes = plt.subplots(figsize=(10.6, 5.6))
    first = ("dense", 4, f"{generator.get_layer('maps').output.shape[-1] / CHANNELS:g} ch", OTHER)
    last = ("norm,\nconv, tanh", SIZE, "3", OTHER)
    boxes = stages(generator, first, last)
    draw_row(axes, GENERATOR_ROW, boxes, "z chunk 1", "image")
    axes.text(1.15, 4.0, "Generator", fontsize=11, weight="bold")
    for i, (name, *_) in enumerate(boxes):
        if name.startswith("block"):
            number = int(name.removeprefix("block"))
            x = 1.575 + 1.05 * i
            tip = (x, GENERATOR_ROW - _height(boxes[i][1]) / 2)
            _arrow(axes, tip, (x, 1.45), f"class and\nz chunk {number + 2}")
    boxes = stages(discriminator, ("image", SIZE, "3", OTHER), ("projection\nhead", 0, "", OTHER))
    draw_row(axes, DISCRIMINATOR_ROW, boxes, "", "logit")
    axes.text(1.15, 0.75, "Discriminator", fontsize=11, weight="bold")
    x = 1.575 + 1.05 * (len(boxes) - 1)
    _arrow(axes, (x, DISCRIMINATOR_ROW - 0.3), (x, DISCRIMINATOR_ROW - 0.85), "label")
    axes.set_xlim(0, 10.9)
    axes.set_ylim(-1.5, 4.3)
    axes.axis("off")
    figure.savefig(PICTURE, dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    arguments.folders(__doc__)
    main()
