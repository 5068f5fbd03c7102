# %% [markdown]
# # From your own images and a few labels to a classifier
#
# You have many images and labels for some of them. This notebook trains the paper's semi-supervised
# classifier on both, asks whether the images without labels helped, and uses what was trained. The
# images are scikit-learn's 1,797 digits of 8 x 8 pixels; put your own in their place.

# %%
import csv
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageOps
from sklearn.datasets import load_digits

import improved_gan_tf

# %% tags=["parameters"]
place = pathlib.Path(tempfile.mkdtemp())  # where everything is written
labels_per_class, num_test = 5, 360
settings = ["--epochs=120", "--batch_size=50"]

# %% [markdown]
# ## The images, in folders
#
# `train/CLASS/` has the images with a label, `unlabeled/` those without, `test/CLASS/` those that
# measure the error. Sizes and colour modes may be mixed.

# %%
digits = load_digits()
images = np.round(digits.images * 255 / 16).astype("uint8")
order = np.random.RandomState(0).permutation(len(images))
photos = place / "photos"
for number, row in enumerate(order):
    label = str(digits.target[row])
    folder = photos / "test" / label
    if number >= num_test:
        folder = photos / "train" / label
        folder.mkdir(parents=True, exist_ok=True)
        if len(list(folder.iterdir())) >= labels_per_class:
            folder = photos / "unlabeled"
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(images[row]).save(folder / f"{number:04d}.png")
{p.name: len(list(p.rglob("*.png"))) for p in sorted(photos.iterdir())}

# %% [markdown]
# ## Training
#
# One command trains the classifier twice: with all images, and with the labeled ones alone. On a
# terminal this is `improved-gan run images --image_folder=photos`. The settings here make it short;
# leave them out to have them chosen by a stated rule.

# %%
command = ["run", "images", f"--image_folder={photos}", f"--run_dir={place / 'run'}", *settings]
command += [f"--cache_dir={place / 'cache'}", "--evaluate_every=10"]
done = subprocess.run(
    [sys.executable, "-m", "improved_gan_tf", *command], capture_output=True, text=True
)
if done.returncode:
    raise SystemExit(done.stderr)
print(done.stdout)

# %% [markdown]
# The last line answers the question. The interval says how sure that is on these test images.

# %%
answer = done.stdout.splitlines()[-1]
answer

# %% [markdown]
# ## The classifier

# %%
run = improved_gan_tf.load_run(place / "run")
print(run)
height, width, channels = run.image_shape


def as_in_training(file):
    """A picture's middle square, in the run's size and colours."""
    picture = Image.open(file).convert("L" if channels == 1 else "RGB")
    return np.asarray(ImageOps.fit(picture, (width, height))).reshape(run.image_shape)


files = sorted((photos / "test").rglob("*.png"))
probabilities = run.classify(np.stack([as_in_training(file) for file in files]))
predicted = [run.class_names[k] for k in probabilities.argmax(axis=1)]
np.mean([one == file.parent.name for one, file in zip(predicted, files, strict=True)])

# %% [markdown]
# For files there is a command:

# %%
table = place / "predictions.csv"
command = ["classify", str(place / "run"), str(photos / "test" / "7"), f"--output={table}"]
subprocess.run([sys.executable, "-m", "improved_gan_tf", *command], check=True)
with open(table, encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
[(pathlib.Path(row["image"]).name, row["class"], row["probability"]) for row in rows[:5]]

# %% [markdown]
# ## Samples
#
# `run.sample` gives bytes; an image depends on the seed and its number, not on the batch.

# %%
samples = run.sample(60, seed=1)
grid = samples[..., 0].reshape(5, 12, *samples.shape[1:3]).transpose(0, 2, 1, 3)
picture = Image.fromarray(grid.reshape(5 * samples.shape[1], 12 * samples.shape[2]))
picture.save(place / "samples.png")
picture

# %% [markdown]
# ## For other programs
#
# A SavedModel from bytes to probabilities, without this package. `--format=both` writes ONNX too.

# %%
command = ["export", str(place / "run"), f"--output={place / 'exported'}", "--format=saved_model"]
subprocess.run([sys.executable, "-m", "improved_gan_tf", *command], check=True)
sorted(path.name for path in (place / "exported").iterdir())
