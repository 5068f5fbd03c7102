"""Makes examples/own_images.ipynb from the cells of examples/own_images.py.

python -m tools.make_notebook            # writes it
python -m tools.make_notebook --check    # changes nothing; exit code 1 if it is stale
"""

import json
import re
import sys

from tools import arguments
from tools.run_files import ROOT

SCRIPT = ROOT / "examples" / "own_images.py"
NOTEBOOK = SCRIPT.with_suffix(".ipynb")
_MARKER = re.compile(r"^# %%(?P<kind> \[markdown\])?(?: tags=(?P<tags>\[.*\]))?$", re.M)


def cells(text):
    """The cells of a script with `# %%` markers: dicts of the notebook's format, version 4.5."""
    markers = list(_MARKER.finditer(text))
    ends = [marker.start() for marker in markers[1:]] + [len(text)]
    found = []
    for number, (marker, end) in enumerate(zip(markers, ends, strict=True)):
        source = text[marker.end() : end].strip()
        tags = {"tags": json.loads(marker["tags"])} if marker["tags"] else {}
        cell = {"cell_type": "code", "id": f"cell-{number}", "metadata": tags}
        if marker["kind"]:
            source = re.sub(r"^# ?", "", source, flags=re.M)
            cell["cell_type"] = "markdown"
        else:
            cell |= {"execution_count": None, "outputs": []}
        found.append({**cell, "source": source.splitlines(keepends=True)})
    return found


def notebook():
    """The notebook's text."""
    content = {
        "cells": cells(SCRIPT.read_text("utf-8")),
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main():
    """Runs the command line."""
    parsing = arguments.parser(__doc__)
    parsing.add_argument(
        "--check", action="store_true", help="change nothing, exit with 1 if stale"
    )
    check = parsing.parse_args().check
    stale = not NOTEBOOK.exists() or NOTEBOOK.read_text("utf-8") != notebook()
    if not check:
        NOTEBOOK.write_text(notebook(), "utf-8")
    elif stale:
        sys.exit(f"{NOTEBOOK.relative_to(ROOT)} is stale: run `python -m tools.make_notebook`")


if __name__ == "__main__":
    main()
