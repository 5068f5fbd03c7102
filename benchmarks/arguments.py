"""Numbers on the benchmarks' command lines."""

import argparse


def whole_number(text):
    """For `type=` of argparse: an int of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more. Received: {text}")
    return int(text)


def whole_numbers(text):
    """For `type=` of argparse: a list of such ints, commas between them."""
    return [whole_number(part) for part in text.split(",")]
