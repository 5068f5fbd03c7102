"""Package metadata; tool settings are in pyproject.toml."""

import pathlib
import re

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (ROOT / "improved_gan_tf/__init__.py").read_text("utf-8"), re.M
)[1]


class BuildWithLedger(build_py):
    """Puts the ledger of deviations, a page in docs/, next to the report that lists them."""

    def run(self):
        """Builds, then copies."""
        super().run()
        if not self.editable_mode:  # a clone has docs/ itself
            pages = pathlib.Path(self.build_lib, "improved_gan_tf", "pages")
            self.copy_file(str(ROOT / "docs" / "deviations.md"), str(pages / "deviations.md"))


setup(
    name="improved_gan_tf",
    version=VERSION,
    description="Improved Techniques for Training GANs (Salimans et al., 2016) in TensorFlow/Keras",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    keywords="GAN, semi-supervised learning, minibatch discrimination, feature matching, Keras",
    cmdclass={"build_py": BuildWithLedger},
    package_data={
        "improved_gan_tf.pages": ["*.jinja"],
        "improved_gan_tf.training": ["original_steps/*.npz"],
        "improved_gan_tf.runs": ["pretrained_models/*/*"],
    },
    # The experiments are run as scripts in a clone, and as `improved-gan run` once installed.
    py_modules=[
        "run_mnist",
        "run_cifar10",
        "run_svhn",
        "run_imagenet",
        "run_images",
        "run_dcgan",
        "run_biggan",
    ],
    entry_points={"console_scripts": ["improved-gan = improved_gan_tf.__main__:main"]},
    packages=find_packages(include=["improved_gan_tf", "improved_gan_tf.*"]),
    python_requires=">=3.10",
    install_requires=[
        "absl-py>=2.0",
        "filelock>=3.25",
        # Before 3.10 `evaluate` under MirroredStrategy gives a wrong loss where the last batch is
        # smaller; before 3.11 no transposed convolution has an output_padding of 0.
        "keras>=3.11",
        "jinja2>=3.1",
        "matplotlib>=3.7",
        "numpy>=1.26",
        "pillow>=10.0",
        "protobuf",
        "scipy>=1.11",
        "tabulate>=0.9",
        "tensorboard>=2.18",
        "tensorflow>=2.18",
        "tensorflow-datasets>=4.9.7",
        # Imported by tensorflow-datasets. 1.21 does not say that it needs protobuf 6, which
        # TensorFlow 2.18 and 2.19 do not take.
        "tensorflow-metadata>=1.17,<1.18",
        # Imported by tensorflow-datasets when it resolves a builder, and not declared by it.
        "importlib_resources>=6.0",
        "tqdm>=4.66",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.18"],
        # What `improved-gan export` writes ONNX with, in addition to Keras.
        "onnx": ["onnx>=1.16", "tf2onnx>=1.16"],
        "sample": ["mlxtend>=0.23", "scikit-learn>=1.3"],
        "test": [
            "import-linter>=2.1",
            "mlxtend>=0.23",
            "pytest>=8.2",
            "pytest-xdist>=3.5",
            "ruff>=0.6",
            "scikit-learn>=1.3",
            "selenium>=4.20",
        ],
    },
)
