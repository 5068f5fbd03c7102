"""The semi-supervised game's iteration in plain PyTorch, for `benchmarks.pytorch_peer`."""

import contextlib

import torch
import torch.nn.functional as F

from benchmarks.pytorch_models import NOISE_DIM, NUM_CLASSES, make_players

BATCH, IMAGES = 100, 2000


class Training:
    """The players, their optimizers, the parameter average and random images in bytes."""

    def __init__(self, experiment, precision, width):
        self.feature_matching = experiment.endswith("feature_matching")
        self.norm = torch.abs if experiment.startswith("cifar10") else torch.square
        self.autocast = contextlib.nullcontext
        if precision == "mixed_bfloat16":
            self.autocast = lambda: torch.autocast("cpu", dtype=torch.bfloat16)
        self.generator, self.discriminator = make_players(experiment, width)
        self.trained = [p for p in self.discriminator.parameters() if p.requires_grad]
        self.average = [torch.zeros_like(p) for p in self.trained]
        adam = {"lr": 1e-4, "betas": (0.5, 0.999), "foreach": True}
        self.discriminator_optimizer = torch.optim.Adam(self.trained, **adam)
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **adam)
        shape = (1, 28, 28) if experiment.startswith("mnist") else (3, 32, 32)
        self.images = torch.randint(0, 256, (IMAGES, *shape), dtype=torch.uint8)
        self.images = self.images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(0, NUM_CLASSES, (IMAGES,))

    def minibatch(self):
        rows = torch.randint(0, IMAGES, (BATCH,))
        return (self.images[rows].float() - 127.5) / 127.5, self.labels[rows]

    def generated(self):
        return self.generator(torch.rand(BATCH, NOISE_DIM)).float()

    def log_sum(self, images):
        return torch.logsumexp(self.discriminator(images)[0].float(), 1)

    def iterate(self):
        """One iteration: a step of the discriminator, then one or three of the generator."""
        labeled, labels = self.minibatch()
        unlabeled, _ = self.minibatch()
        with self.autocast():
            loss = self.discriminator_loss(labeled, labels, unlabeled)
        self.discriminator_optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():
            for average, parameter in zip(self.average, self.trained, strict=True):
                average.lerp_(parameter, 1e-4)
        self.discriminator_optimizer.step()
        real, _ = self.minibatch()
        for p in self.trained:
            p.requires_grad_(False)
        for _ in range(1 if self.feature_matching else 3):
            with self.autocast():
                loss = self.generator_loss(real)
            self.generator_optimizer.zero_grad()
            loss.backward()
            self.generator_optimizer.step()
        for p in self.trained:
            p.requires_grad_(True)

    def discriminator_loss(self, labeled, labels, unlabeled):
        with torch.no_grad():
            generated = self.generated()
        supervised = F.cross_entropy(self.discriminator(labeled)[0].float(), labels)
        real, fake = self.log_sum(unlabeled), self.log_sum(generated)
        unsupervised = F.softplus(real).mean() - real.mean() + F.softplus(fake).mean()
        return supervised + 0.5 * unsupervised

    def generator_loss(self, real):
        if not self.feature_matching:
            return -F.softplus(self.log_sum(self.generated())).mean()
        with torch.no_grad():
            target = self.discriminator(real)[1].float().mean(0)
        features = self.discriminator(self.generated())[1].float().mean(0)
        return self.norm(features - target).mean()
