"""MNIST's and CIFAR-10's players written plainly in PyTorch, for `benchmarks.pytorch_peer`.

The same layers, widths, noise and numbers of parameters as those of `improved_gan_tf.networks`.
Images are (N, C, H, W).
"""

import itertools

import torch
import torch.nn.functional as F
from torch import nn

NUM_CLASSES, NOISE_DIM = 10, 100


class WeightNorm(nn.Module):
    """`W = kernel * scale / sqrt(epsilon + sum kernel^2)`, and a bias."""

    def __init__(
        self, kernel_shape, linear, epsilon=1e-6, train_scale=False, unit_axis=0, std=0.05
    ):
        super().__init__()
        units = kernel_shape[unit_axis]
        self.kernel = nn.Parameter(std * torch.randn(kernel_shape))
        self.scale = nn.Parameter(torch.ones(units), requires_grad=train_scale)
        self.bias = nn.Parameter(torch.zeros(units))
        self.linear, self.epsilon = linear, epsilon
        self.sum_axes = [axis for axis in range(len(kernel_shape)) if axis != unit_axis]
        self.unit_shape = [-1 if axis == unit_axis else 1 for axis in range(len(kernel_shape))]

    def forward(self, x):
        square_norm = self.kernel.square().sum(self.sum_axes)
        factor = self.scale * torch.rsqrt(self.epsilon + square_norm)
        return self.linear(x, self.kernel * factor.view(self.unit_shape), self.bias)


def weight_norm_conv(inputs, outputs, size, stride=1, padding=0):
    def linear(x, kernel, bias):
        return F.conv2d(x, kernel, bias, stride, padding)

    return WeightNorm((outputs, inputs, size, size), linear)


def doubled(x, kernel, bias=None):
    """A transposed convolution of size 5 to twice the height and width."""
    return F.conv_transpose2d(x, kernel, bias, stride=2, padding=2, output_padding=1)


class BatchNorm(nn.Module):
    """Normalises by the batch at hand and shifts."""

    def __init__(self, channels):
        super().__init__()
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return F.batch_norm(x, None, None, None, self.beta, training=True, eps=1e-6)


class MinibatchDiscrimination(nn.Module):
    """The paper's layer, all pairs of rows at once."""

    def __init__(self, inputs, num_kernels=100, kernel_dim=5):
        super().__init__()
        self.theta = nn.Parameter(0.05 * torch.randn(inputs, num_kernels, kernel_dim))
        self.log_weight_scale = nn.Parameter(torch.zeros(num_kernels, kernel_dim))
        self.bias = nn.Parameter(-torch.ones(num_kernels))

    def forward(self, x):
        factor = self.log_weight_scale.exp() * torch.rsqrt(self.theta.square().sum(0))
        m = (x @ (self.theta * factor).flatten(1)).float().view(len(x), *factor.shape)
        distances = (m[:, None] - m[None]).abs().sum(-1)  # (N, N, B)
        distances = (
            distances + 1e6 * torch.eye(len(x))[..., None]
        )  # a row is no neighbour of its own
        return torch.cat([x, torch.exp(-distances).sum(1) + self.bias], dim=1)


class MnistDiscriminator(nn.Module):
    """Dense layers, each after noise; returns logits and features."""

    def __init__(self, width):
        super().__init__()
        sizes = [784, *(int(width * units) for units in (1000, 500, 250, 250, 250)), NUM_CLASSES]
        last = len(sizes) - 2
        self.layers = nn.ModuleList(
            WeightNorm((b, a), F.linear, 0.0, train_scale=i == last, std=0.1)
            for i, (a, b) in enumerate(itertools.pairwise(sizes))
        )

    def forward(self, images):
        x = images.flatten(1)
        x = x + 0.3 * torch.randn_like(x)
        for layer in self.layers[:-1]:
            features = F.relu(layer(x))
            x = features + 0.5 * torch.randn_like(features)
        return self.layers[-1](x), features


class MnistGenerator(nn.Module):
    """Dense layers with batch norm and softplus."""

    def __init__(self, width):
        super().__init__()
        units = int(width * 500)
        self.layers = nn.Sequential(
            *(nn.Linear(NOISE_DIM, units, bias=False), BatchNorm(units), nn.Softplus()),
            *(nn.Linear(units, units, bias=False), BatchNorm(units), nn.Softplus()),
            *(WeightNorm((784, units), F.linear, train_scale=True), nn.Sigmoid()),
        )

    def forward(self, z):
        return self.layers(z).view(-1, 1, 28, 28)


class CifarDiscriminator(nn.Module):
    """Nine convolutions, average pooling and a dense layer; returns logits and features."""

    def __init__(self, width, minibatch_discrimination):
        super().__init__()
        a, b = int(width * 96), int(width * 192)
        self.convolutions = nn.ModuleList(
            [
                *(weight_norm_conv(3, a, 3, 1, 1), weight_norm_conv(a, a, 3, 1, 1)),
                *(weight_norm_conv(a, a, 3, 2, 1), weight_norm_conv(a, b, 3, 1, 1)),
                *(weight_norm_conv(b, b, 3, 1, 1), weight_norm_conv(b, b, 3, 2, 1)),
                *(weight_norm_conv(b, b, 3), weight_norm_conv(b, b, 1), weight_norm_conv(b, b, 1)),
            ]
        )
        self.minibatch_discrimination = None
        inputs = b
        if minibatch_discrimination:
            self.minibatch_discrimination = MinibatchDiscrimination(b)
            inputs += 100
        self.output = WeightNorm((NUM_CLASSES, inputs), F.linear, train_scale=True)

    def forward(self, images):
        if self.minibatch_discrimination is None:
            x = F.dropout(images, 0.2)
        else:
            x = images + 0.2 * torch.randn_like(images)
        for i, convolution in enumerate(self.convolutions):
            x = F.leaky_relu(convolution(x), 0.2)
            if i in (2, 5):
                x = F.dropout(x, 0.5)
        features = x.mean((2, 3))
        if self.minibatch_discrimination is None:
            return self.output(features), features
        return self.output(self.minibatch_discrimination(features)), features


class CifarGenerator(nn.Module):
    """A dense layer and three transposed convolutions."""

    def __init__(self, width):
        super().__init__()
        a, b, c = (int(width * channels) for channels in (512, 256, 128))
        self.first = nn.Linear(NOISE_DIM, 16 * a, bias=False)
        self.kernels = nn.ParameterList(
            0.05 * torch.randn(shape) for shape in ((a, b, 5, 5), (b, c, 5, 5))
        )
        self.norms = nn.ModuleList([BatchNorm(16 * a), BatchNorm(b), BatchNorm(c)])
        self.output = WeightNorm((c, 3, 5, 5), doubled, train_scale=True, unit_axis=1)

    def forward(self, z):
        x = F.relu(self.norms[0](self.first(z))).view(len(z), -1, 4, 4)
        x = x.contiguous(memory_format=torch.channels_last)
        for kernel, norm in zip(self.kernels, self.norms[1:], strict=True):
            x = F.relu(norm(doubled(x, kernel)))
        return torch.tanh(self.output(x))


def make_players(experiment, width):
    """`(generator, discriminator)`; images are (N, C, H, W), channels last in memory."""
    dataset, model = experiment.split("-")
    if dataset == "mnist":
        return MnistGenerator(width), MnistDiscriminator(width)
    players = CifarGenerator(width), CifarDiscriminator(width, model == "minibatch_discrimination")
    return tuple(player.to(memory_format=torch.channels_last) for player in players)
