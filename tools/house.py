"""The rooms of the package, their purposes, and their imports.

A room is a folder of `improved_gan_tf/`, the commands, or one of the few files on the ground floor.
"""

import ast

from tools.run_files import ROOT

PACKAGE = "improved_gan_tf"
COMMANDS = "commands"
GROUND_FILES = ("errors", "precision", "streams", "paper")

# Floors from the roof down: (room, purpose). Imports go down.
FLOORS = (
    ((COMMANDS, "run scripts and one thin\nfile for each command"),),
    (
        ("experiments", "what each run script does,\nfrom settings to exit code"),
        ("pages", "the report, and the visual\nTuring test, as HTML"),
    ),
    (("tables", "the paper's tables with\nwhat runs measured"),),
    (("scoring", "Inception score, Frechet distance,\nclassifiers, people's votes"),),
    (("runs", "epochs, checkpoints, run folders,\nresult, many seeds in a row"),),
    (("training", "one step of each game, Adam,\naverages, test error"),),
    (("networks", "generator and discriminator\nof each experiment"),),
    (
        ("losses", "what is minimised,\npure functions"),
        ("layers", "the paper's layers,\non any Keras backend"),
        ("data", "images, labeled subset,\norder of rows"),
    ),
    (
        ("settings", "every setting once:\ndefault, help, check"),
        ("distribution", "many devices: the one\nplace for tf.distribute"),
        ("machine", "files, environment,\nsignals, versions"),
    ),
    (
        ("errors", "mistakes of the user"),
        ("precision", "dtypes of statistics"),
        ("streams", "from a seed to its\nrandom numbers"),
        ("paper", "the paper's numbers"),
    ),
)


def room_of(parts):
    """The room of a file or module, from its path or name in the package, like ("layers", "noise").

    None for the package's `__init__`, which only hands out names.
    """
    if not parts or parts == ("__init__",):
        return None
    first = parts[0]
    if (ROOT / PACKAGE / first).is_dir() or first in GROUND_FILES:
        return first
    return COMMANDS


def imported_modules(path):
    """Names of all imports of a file from the package, below the package, as tuples."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        parts = (tuple(name.split(".")) for name in names)
        found |= {name[1:] for name in parts if name[0] == PACKAGE}
    return found


def arrows():
    """`{(importing room, imported room)}` of the current imports."""
    package = ROOT / PACKAGE
    files = [(path, COMMANDS) for path in ROOT.glob("run_*.py")]
    files += [
        (path, room_of(path.relative_to(package).with_suffix("").parts))
        for path in package.rglob("*.py")
    ]
    found = {(room, room_of(module)) for path, room in files for module in imported_modules(path)}
    return {(room, other) for room, other in found if room != other and None not in (room, other)}


def rooms():
    """The names of all rooms."""
    return {room for floor in FLOORS for room, _ in floor}


def floor_of(room):
    """A room's number of floors below the roof."""
    return next(n for n, floor in enumerate(FLOORS) if room in dict(floor))


def direct(all_arrows):
    """The arrows that do not follow from others."""

    def reached(room, avoiding):
        found, left = set(), [b for a, b in all_arrows if a == room and b != avoiding]
        while left:
            at = left.pop()
            if at not in found:
                found.add(at)
                left += [b for a, b in all_arrows if a == at]
        return found

    return {(a, b) for a, b in all_arrows if b not in reached(a, b)}
