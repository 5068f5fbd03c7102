"""Which dtype sums and squares are taken in under half-precision policies."""


def at_least_float32(dtype):
    """Returns "float32" for a half-precision dtype and any other dtype as it is.

    Sums over a batch lose digits in half precision, and squares do not fit float16.

    Args:
        dtype: str, a floating point dtype.
    """
    return "float32" if dtype in ("float16", "bfloat16") else dtype
