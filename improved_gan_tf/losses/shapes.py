"""Whether tensors are of one shape, as far as a graph knows."""


def require_reconstructions(examples, reconstructions):
    """Raises `ValueError` unless the two may have one shape: others would be broadcast."""
    shapes = tuple(examples.shape), tuple(reconstructions.shape)
    if not may_be_equal(*shapes):
        raise ValueError(
            "`reconstructions` must have the shape of `examples`. Received: "
            f"examples.shape={shapes[0]}, reconstructions.shape={shapes[1]}"
        )


def may_be_equal(*shapes):
    """Whether shapes can be equal: None, a length that a graph does not know yet, is like any."""
    if len({len(shape) for shape in shapes}) > 1:
        return False
    return all(len({*lengths} - {None}) <= 1 for lengths in zip(*shapes, strict=True))
