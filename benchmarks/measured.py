"""`measured.json`, the numbers of docs/benchmarks.md: a section for each benchmark."""

import json
import pathlib

PATH = pathlib.Path(__file__).with_name("measured.json")


def with_section(name, section, path=PATH):
    """The file's text with one section replaced, or added at its end."""
    return text_of({**json.loads(path.read_text("utf-8")), name: section})


def text_of(content):
    """The text of `{name: section}`; a section's "rows" have a line each."""
    sections = ",\n".join(f"  {json.dumps(n)}: {_section(s)}" for n, s in content.items())
    return f"{{\n{sections}\n}}\n"


def _section(section):
    lines = []
    for name, value in section.items():
        text = json.dumps(value)
        if name == "rows" and value:
            rows = ",\n".join(f"      {json.dumps(row)}" for row in value)
            text = f"[\n{rows}\n    ]"
        lines.append(f"    {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n  }"
