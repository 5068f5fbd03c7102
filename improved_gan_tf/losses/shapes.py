"""Whether tensors are of one shape, as far as a graph knows."""


def may_be_equal(*shapes):
    """Whether shapes can be equal: None, a length that a graph does not know yet, is like any."""
    if len({len(shape) for shape in shapes}) > 1:
        return False
    return all(len({*lengths} - {None}) <= 1 for lengths in zip(*shapes, strict=True))
