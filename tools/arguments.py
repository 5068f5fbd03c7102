"""The command lines of the tools: `--help`, and the folders that a tool takes."""

import argparse
import pathlib


def parser(description):
    """A parser whose help is a tool's docstring."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def folders(description, name=None, number="*"):
    """The folders on the command line, a list of `Path`; `--help` prints `description`.

    `name` is what the help calls them, and `number` is argparse's `nargs`. Without a name the tool
    takes none.
    """
    parsing = parser(description)
    if name is not None:
        parsing.add_argument("folders", nargs=number, metavar=name, type=pathlib.Path)
    found = getattr(parsing.parse_args(), "folders", None)
    return [found] if isinstance(found, pathlib.Path) else found or []  # one of `number` "?"
