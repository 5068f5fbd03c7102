"""Draws the package as a house from its imports: `docs/house.svg`.

    python -m tools.draw_house

Rooms are on floors, arrows are imports. Arrows that follow from two others are not drawn; all are
in the file's `<metadata>` as JSON, which a test compares with the current imports.
"""

import json
import re
from xml.sax.saxutils import escape

from tools import arguments
from tools.house import FLOORS, arrows, direct, floor_of
from tools.run_files import ROOT

PICTURE = ROOT / "docs" / "house.svg"
WIDTH, FLOOR_HEIGHT, BOX_HEIGHT, TOP = 990, 98, 62, 12
# Room -> middle and width of its box. A new room gets a line here and in `house.FLOORS`.
PLACES = {
    "commands": (480, 330),
    "experiments": (330, 220),
    "pages": (630, 200),
    "scoring": (480, 260),
    "tables": (480, 200),
    "runs": (480, 250),
    "training": (480, 220),
    "networks": (190, 200),
    "layers": (190, 200),
    "losses": (430, 180),
    "data": (650, 190),
    "distribution": (330, 210),
    "machine": (580, 170),
    "settings": (785, 180),
    "precision": (250, 170),
    "errors": (530, 170),
    "streams": (698, 146),
    "paper": (890, 150),
}
COLOURS = (
    "#cffafe",
    "#dbeafe",
    "#e0f2fe",
    "#e0e7ff",
    "#ede9fe",
    "#fae8ff",
    "#ffe4e6",
    "#ffedd5",
    "#fef9c3",
    "#dcfce7",
)


def middle(room):
    """Middle of a room's box."""
    return PLACES[room][0], TOP + floor_of(room) * FLOOR_HEIGHT + BOX_HEIGHT / 2


def box(room, purpose):
    """A room as SVG."""
    x, y = middle(room)
    width = PLACES[room][1]
    lines = [f'<tspan class="name">{escape(room)}</tspan>']
    lines += [f'<tspan x="{x}" dy="15">{escape(line)}</tspan>' for line in purpose.splitlines()]
    first = y - 7.5 * (len(lines) - 1) + 4
    return (
        f'<rect x="{x - width / 2}" y="{y - BOX_HEIGHT / 2}" width="{width}" '
        f'height="{BOX_HEIGHT}" rx="7" fill="{COLOURS[floor_of(room)]}"/>\n'
        f'<text x="{x}" y="{first}">{"".join(lines)}</text>'
    )


def arrow(upper, lower):
    """An import as SVG: a line down."""
    (x1, y1), (x2, y2) = middle(upper), middle(lower)
    floors = floor_of(lower) - floor_of(upper)
    end = y2 - BOX_HEIGHT / 2 - 2
    if floors > 2:  # past the rooms in between, along the right wall
        x1, x2 = x1 + PLACES[upper][1] / 2, x2 + 0.3 * PLACES[lower][1]
        return f'<path d="M {x1} {y1} C {x2} {y1 + 20}, {x2} {y1 + 60}, {x2} {end}"/>'
    reach = 0.32 * PLACES[upper][1]
    x1 += max(-reach, min(reach, 0.3 * (x2 - x1)))
    reach = 0.32 * PLACES[lower][1]
    x2 += max(-reach, min(reach, 0.3 * (x1 - x2)))
    return f'<path d="M {x1:.0f} {y1 + BOX_HEIGHT / 2} L {x2:.0f} {end}"/>'


def picture(all_arrows):
    """The house as SVG text."""
    height = TOP + len(FLOORS) * FLOOR_HEIGHT - (FLOOR_HEIGHT - BOX_HEIGHT) + 30
    content = json.dumps({"arrows": sorted(all_arrows)})
    lines = [arrow(*pair) for pair in sorted(direct(all_arrows))]
    boxes = [box(*room) for floor in FLOORS for room in floor]
    style = (
        "text{font:12px sans-serif;text-anchor:middle;fill:#1f2937}"
        ".name{font-weight:bold;font-size:14px}"
        "rect{stroke:#64748b}path{stroke:#475569;stroke-width:1.4;fill:none;marker-end:url(#head)}"
    )
    head = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><polygon points="0 0, 8 4, 0 8" '
        'fill="#475569"/></marker></defs>'
    )
    note = "An arrow is an import. Arrows that follow from others are left out."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}">',
            f"<metadata>{escape(content)}</metadata>",
            f"<style>{style}</style>",
            head,
            f'<rect x="0" y="0" width="{WIDTH}" height="{height}" style="fill:white;stroke:none"/>',
            *lines,
            *boxes,
            f'<text x="{WIDTH / 2}" y="{height - 10}">{note}</text>',
            "</svg>\n",
        ]
    )


def drawn_arrows(text):
    """The arrows in the file of a drawing."""
    content = re.search(r"<metadata>(.*)</metadata>", text)[1]
    return {tuple(pair) for pair in json.loads(content)["arrows"]}


if __name__ == "__main__":
    arguments.folders(__doc__)
    PICTURE.write_text(picture(arrows()), "utf-8")
