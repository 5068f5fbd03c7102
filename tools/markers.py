"""Tables between markers in Markdown pages: `<!-- table: NAME -->`, the table, `<!-- end -->`."""

import re

MARKED = re.compile(r"<!-- table: (\S+) -->\n.*?<!-- end -->", re.S)


def names(text):
    """The names of the tables that a page has places for."""
    return MARKED.findall(text)


def filled(text, tables):
    """A page (str) with its current tables.

    `tables` is `{name: function without arguments that returns Markdown}`. Raises KeyError if the
    page names another table.
    """

    def block(match):
        name = match[1]
        return f"<!-- table: {name} -->\n{tables[name]()}\n<!-- end -->"

    return MARKED.sub(block, text)


def outside(text):
    """A page without the text between markers."""
    return MARKED.sub("", text)
