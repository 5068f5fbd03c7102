"""Tables between markers in Markdown pages: `<!-- table: NAME -->`, the table, `<!-- end -->`."""

import re

MARKED = re.compile(r"<!-- table: (\S+) -->\n.*?<!-- end -->", re.S)


def names(text):
    """The names of the tables that a page has a place for."""
    return MARKED.findall(text)


def filled(text, tables):
    """A page with its tables as they are today.

    Args:
        text: str, the page.
        tables: `{name: function without arguments that returns Markdown}`.

    Raises:
        KeyError: the page names a table that does not exist.
    """

    def block(match):
        name = match[1]
        return f"<!-- table: {name} -->\n{tables[name]()}\n<!-- end -->"

    return MARKED.sub(block, text)


def outside(text):
    """A page without what stands between markers."""
    return MARKED.sub("", text)
