"""Small folders of images by class, for tests."""

import numpy as np
from PIL import Image


def write_image_folder(root, classes=("dark", "light"), per_class=6, size=(40, 32), seed=0):
    """Writes `root`/CLASS/NUMBER.png, the first class dark, the last one light, with noise.

    Args:
        root: folder, created.
        classes: names.
        per_class: int.
        size: (width, height) of the images.
        seed: int.

    Returns:
        `root`.
    """
    random = np.random.RandomState(seed)
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        level = 255 * (label + 0.5) / len(classes)
        for number in range(per_class):
            pixels = level + random.normal(0.0, 20.0, (size[1], size[0], 3))
            # As photographs have: with both, stretching the contrast changes nothing.
            pixels[0, size[0] // 2], pixels[-1, size[0] // 2] = 0.0, 255.0
            image = Image.fromarray(np.clip(pixels, 0, 255).astype("uint8"))
            image.save(root / name / f"{number:03d}.png")
    return root
