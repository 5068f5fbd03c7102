"""Kernel sizes, strides and paddings of convolutions of one, two or three dimensions."""

from improved_gan_tf.layers.argument_checks import is_integer

_COUNT = {1: "one", 2: "two", 3: "three"}
_AXES = {1: "(length,)", 2: "(height, width)", 3: "(depth, height, width)"}


def conv_output_length(length, kernel_size, stride, dilation, padding):
    """Returns the output length of a convolution along one axis, or None if `length` is None.

    Args:
        length: int or None, the input's length.
        kernel_size: int > 0.
        stride: int > 0.
        dilation: int > 0.
        padding: "valid", "same" or the number of zeros added at *each* end.
    """
    if length is None:
        return None
    if padding == "same":
        return -(-length // stride)
    zeros = 0 if padding == "valid" else padding
    return (length + 2 * zeros - extent(kernel_size, dilation)) // stride + 1


def conv_transpose_output_length(length, kernel_size, stride, dilation, padding, output_padding):
    """Returns the output length of a transposed convolution along one axis.

    Args:
        length: int or None, the input's length; None is returned for None.
        kernel_size: int > 0.
        stride: int > 0.
        dilation: int > 0.
        padding: "valid", "same" or the padding of the convolution that this one transposes.
        output_padding: int or None, positions added at the end; None leaves them to `padding`
            (none for an integer).
    """
    if length is None:
        return None
    full_extent = extent(kernel_size, dilation)
    if output_padding is None and padding == "same":
        return length * stride
    if output_padding is None and padding == "valid":
        return length * stride + max(full_extent - stride, 0)
    cropped = {"same": full_extent // 2, "valid": 0}.get(padding, padding)  # at each end
    return (length - 1) * stride + full_extent - 2 * cropped + (output_padding or 0)


def extent(kernel_size, dilation):
    """Returns how many input positions a dilated kernel spans."""
    return dilation * (kernel_size - 1) + 1


def one_for_each_axis(value, name, rank, minimum=1):
    """Returns `value`, an integer or `rank` of them, as a tuple of `rank` integers."""
    values = (value,) * rank if is_integer(value) else value
    if (
        not isinstance(values, (tuple, list))
        or len(values) != rank
        or not all(is_integer(v) and v >= minimum for v in values)
    ):
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}, or {_COUNT[rank]} of them "
            f"{_AXES[rank]}. "
            f"Received: {name}={value!r}"
        )
    return tuple(map(int, values))


def standardize_padding(padding, rank):
    """Returns "valid", "same" or a tuple of explicit zeros at each end of each axis."""
    if isinstance(padding, str):
        if padding.lower() not in ("valid", "same"):
            raise ValueError(
                f"`padding` must be 'valid', 'same', an integer or {_COUNT[rank]} "
                f"integer{'s' if rank > 1 else ''} {_AXES[rank]}. Received: padding={padding}"
            )
        return padding.lower()
    return one_for_each_axis(padding, "padding", rank, minimum=0)
