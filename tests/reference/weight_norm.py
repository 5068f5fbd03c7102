"""Weight-normalised layers as plain NumPy loops; imports nothing of the package.

Definitions: Salimans and Kingma (2016), Sec. 2 and 3.
"""

import itertools
import math

import numpy as np


def normalized_kernel(kernel, scale, epsilon, output_axis):
    """Each output unit's weights, divided by their length and multiplied by its scale."""
    result = np.zeros_like(kernel)
    for unit in range(kernel.shape[output_axis]):
        index = [slice(None)] * kernel.ndim
        index[output_axis] = unit
        squares = sum(float(v) ** 2 for v in kernel[tuple(index)].ravel())
        result[tuple(index)] = kernel[tuple(index)] * scale[unit] / math.sqrt(epsilon + squares)
    return result


def conv2d(x, kernel, strides, paddings, dilation=(1, 1), groups=1):
    """Cross-correlation. `paddings` is ((top, bottom), (left, right)); kernel (kh, kw, A/g, K)."""
    n, height, width, _ = x.shape
    kh, kw, depth, units = kernel.shape
    (top, bottom), (left, right) = paddings
    out_height = (height + top + bottom - dilation[0] * (kh - 1) - 1) // strides[0] + 1
    out_width = (width + left + right - dilation[1] * (kw - 1) - 1) // strides[1] + 1
    result = np.zeros((n, out_height, out_width, units))
    for row, col, unit in itertools.product(range(out_height), range(out_width), range(units)):
        first = unit // (units // groups) * depth
        for i, j in itertools.product(range(kh), range(kw)):
            y = row * strides[0] + i * dilation[0] - top
            z = col * strides[1] + j * dilation[1] - left
            if 0 <= y < height and 0 <= z < width:
                for a in range(depth):
                    result[:, row, col, unit] += x[:, y, z, first + a] * kernel[i, j, a, unit]
    return result


def same_paddings(lengths, kernel_size, strides, dilation=(1, 1)):
    """TensorFlow's SAME: what does not divide by two goes to the bottom and to the right."""
    paddings = []
    for length, size, stride, rate in zip(lengths, kernel_size, strides, dilation, strict=True):
        needed = (math.ceil(length / stride) - 1) * stride + rate * (size - 1) + 1 - length
        needed = max(needed, 0)
        paddings.append((needed // 2, needed - needed // 2))
    return tuple(paddings)


def conv2d_transpose(x, kernel, strides, padding, output_padding=(0, 0), dilation=(1, 1)):
    """Each input pixel adds a multiple of the kernel, (kh, kw, K, A); `padding` is cut off."""
    n, height, width, depth = x.shape
    kh, kw, units, _ = kernel.shape
    full_height = (height - 1) * strides[0] + dilation[0] * (kh - 1) + 1 + output_padding[0]
    full_width = (width - 1) * strides[1] + dilation[1] * (kw - 1) + 1 + output_padding[1]
    full = np.zeros((n, full_height, full_width, units))
    for row, col, i, j in itertools.product(range(height), range(width), range(kh), range(kw)):
        for unit, a in itertools.product(range(units), range(depth)):
            y = row * strides[0] + i * dilation[0]
            z = col * strides[1] + j * dilation[1]
            full[:, y, z, unit] += x[:, row, col, a] * kernel[i, j, unit, a]
    return full[:, padding[0] : full_height - padding[0], padding[1] : full_width - padding[1], :]


def initialized(pre_activation, scale, init_stddev):
    """Output, scale and bias after data-dependent initialisation, unit by unit."""
    outputs = np.zeros_like(pre_activation)
    new_scale, new_bias = np.zeros(len(scale)), np.zeros(len(scale))
    for unit in range(len(scale)):
        values = [float(v) for v in pre_activation[..., unit].ravel()]
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
        factor = init_stddev / deviation
        new_scale[unit] = scale[unit] * factor
        new_bias[unit] = -mean * factor
        outputs[..., unit] = (pre_activation[..., unit] - mean) * factor
    return outputs, new_scale, new_bias
