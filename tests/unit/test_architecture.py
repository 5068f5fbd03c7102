"""The reading direction, docstrings, doctests and the ledger of deviations."""

import ast
import doctest
import importlib
import io
import pathlib
import re
import subprocess
import sys
import tokenize

import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent
PACKAGE = ROOT / "improved_gan_tf"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(ROOT.glob("run_*.py"))


def name_of(path):
    return str(path.relative_to(ROOT))


EVERY_MODULE = pytest.mark.parametrize("path", MODULES, ids=name_of)
WITH_SCRIPTS = pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=name_of)


def imported_modules(path):
    """Full names of everything a file imports, wherever the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


# --- the reading direction -----------------------------------------------------------------

MATHS = [
    p for p in MODULES if p.parent.name == "layers" or p.name.endswith(("losses.py", "networks.py"))
]
DATA = ("tfds_data", "data", "training_rows")
CONFIG = ("run_config", "config", "imagenet_config")
WORK = ("training", "evaluation", "reporting", "experiment")
UPPER = (*CONFIG, *DATA, *WORK, "command_line")


@pytest.mark.parametrize("path", MATHS, ids=name_of)
def test_layers_losses_and_networks_look_at_nothing_above_them(path):
    upper = tuple(f"improved_gan_tf.{name}" for name in UPPER)
    found = {n for n in imported_modules(path) if n.startswith(tuple(f"{u}." for u in upper))}
    assert found | (imported_modules(path) & set(upper)) == set()


@pytest.mark.parametrize(
    ("lower", "above"),
    [
        ("training.py", (*CONFIG, *DATA, "evaluation", "reporting", "experiment")),
        ("evaluation.py", (*CONFIG, *DATA, "reporting", "experiment")),
        ("tfds_data.py", (*CONFIG, "data", *WORK)),
        ("data.py", (*CONFIG, "training_rows", *WORK)),
        ("training_rows.py", (*CONFIG, *WORK)),
        ("imagenet_sources.py", (*CONFIG, *WORK)),
        ("square_images.py", (*CONFIG, *DATA, *WORK)),
        ("imagenet_batches.py", (*CONFIG, *DATA, *WORK)),
        ("reporting.py", (*CONFIG, *DATA, "training", "evaluation", "experiment")),
        ("setting.py", (*CONFIG, "setting_flags", *DATA, *WORK)),
        ("run_config.py", ("config", "imagenet_config", "setting_flags", *DATA, *WORK)),
        ("config.py", ("imagenet_config", "setting_flags", *DATA, *WORK)),
        ("setting_flags.py", (*DATA, *WORK)),
        ("run_folders.py", (*DATA, "training", "experiment", "comparison", "sweep", "compare")),
        ("table_cells.py", (*DATA, "training", "experiment", "sweep", "comparison", "report")),
        ("comparison.py", (*DATA, "training", "experiment", "sweep", "compare", "report")),
        ("sweep.py", (*DATA, "training", "experiment", "command_line", "compare")),
        ("compare.py", (*DATA, "training", "experiment", "sweep", "report")),
    ],
)
def test_no_module_looks_back(lower, above):
    forbidden = {f"improved_gan_tf.{name}" for name in above}
    names = imported_modules(PACKAGE / lower)
    assert {n for n in names if ".".join(n.split(".")[:2]) in forbidden} == set()


def test_tf_distribute_is_known_in_one_package():
    users = {p for p in [*MODULES, *SCRIPTS] if attributes_of_tf(p) & {"distribute", "tpu"}}
    assert {p.parent for p in users} == {PACKAGE / "distribution"}


def attributes_of_tf(path):
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "tf"
    }


def test_flags_of_the_settings_are_touched_in_one_module_only():
    users = [name_of(p) for p in [*MODULES, *SCRIPTS] if "absl.flags" in imported_modules(p)]
    assert users == ["improved_gan_tf/setting_flags.py"]
    for path in MODULES:
        if name_of(path) not in users:
            assert "FLAGS" not in {
                node.attr
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Attribute)
            }, name_of(path)


@pytest.mark.parametrize(
    "module",
    [
        "improved_gan_tf",
        "improved_gan_tf.settings.semi_supervised",
        "improved_gan_tf.command_line",
        "improved_gan_tf.compare",
        "improved_gan_tf.report",
        "improved_gan_tf.rescore",
        "improved_gan_tf.score",
        "improved_gan_tf.toy_game",
        "improved_gan_tf.train_classifier",
    ],
)
def test_what_help_needs_does_not_start_tensorflow(module):
    code = f"import sys, {module}; print({{'tensorflow', 'keras'}} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("set()\n", "")


# --- docstrings ----------------------------------------------------------------------------


@WITH_SCRIPTS
def test_every_module_says_what_it_is_for_in_its_first_line(path):
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring, "no docstring"
    assert len(docstring.splitlines()[0]) > 20


@EVERY_MODULE
def test_every_public_function_and_class_has_a_docstring(path):
    tree = ast.parse(path.read_text("utf-8"))
    bare = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            bare.append(node.name)
        # What Keras calls on a layer is Keras's contract; the class docstring says it once.
        if isinstance(node, ast.ClassDef) and path.parent.name != "layers":
            bare += [
                f"{node.name}.{method.name}"
                for method in node.body
                if isinstance(method, ast.FunctionDef)
                and not method.name.startswith("_")
                and not ast.get_docstring(method)
            ]
    assert bare == []


def has_example(path):
    return ">>>" in path.read_text("utf-8")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("path", [p for p in MODULES if has_example(p)], ids=name_of)
def test_the_examples_of_the_docstrings_run(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0


# --- the ledger of deviations --------------------------------------------------------------


def deviations_in_comments():
    """`{number: places}` of every D<number> in a comment of package and run scripts."""
    places = {}
    for path in [*MODULES, *SCRIPTS]:
        readline = io.StringIO(path.read_text("utf-8")).readline
        for token in tokenize.generate_tokens(readline):
            if token.type == tokenize.COMMENT:
                for number in re.findall(r"\bD(\d+)\b", token.string):
                    places.setdefault(int(number), []).append(f"{name_of(path)}:{token.start[0]}")
    return places


def test_every_deviation_in_a_comment_is_in_the_ledger_and_the_other_way_round():
    ledger = (ROOT / "REPRODUCTION.md").read_text("utf-8")
    headings = re.findall(r"^### D(\d+) \S", ledger, re.M)
    assert len(headings) == len(set(headings)), "a deviation has two entries in REPRODUCTION.md"
    listed, marked = {int(n) for n in headings}, deviations_in_comments()
    missing = {f"D{n}": marked[n] for n in sorted(set(marked) - listed)}
    assert not missing, f"in a comment, without an entry in REPRODUCTION.md: {missing}"
    unmarked = [f"D{n}" for n in sorted(listed - set(marked))]
    assert not unmarked, f"in REPRODUCTION.md, without a comment at a line: {unmarked}"


def test_every_deviation_says_what_it_does_to_a_number():
    ledger = (ROOT / "REPRODUCTION.md").read_text("utf-8")
    entries = re.findall(r"^### (D\d+) \S.*?$(.*?)(?=^##)", ledger, re.M | re.S)
    assert len(entries) >= 10
    assert [name for name, text in entries if "Effect" not in text] == []


# --- nothing is executed from data -----------------------------------------------------------


@WITH_SCRIPTS
def test_data_and_models_are_read_without_executing_anything_in_them(path):
    modules = {name.split(".")[0] for name in imported_modules(path)}
    assert not modules & {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = {k.arg: ast.unparse(k.value) for k in node.keywords}
        assert called not in ("eval", "exec", "compile", "__import__"), node.lineno
        if called in ("np.load", "numpy.load"):
            assert given.get("allow_pickle") == "False", node.lineno
        if called.endswith("load_model"):
            assert given.get("safe_mode") == "True" or called == "load_keras_model", node.lineno


# --- the run scripts -----------------------------------------------------------------------


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_run_script_is_literals_and_one_call(path):
    body = ast.parse(path.read_text("utf-8")).body
    kinds = [type(node).__name__ for node in body if not isinstance(node, ast.Assign)]
    assert kinds == ["Expr", "ImportFrom", "ImportFrom", "If"]
    names = [node.targets[0].id for node in body if isinstance(node, ast.Assign)]
    assert names in (["EXPERIMENT", "VARIANTS"], ["EXPERIMENT", "VARIANTS", "ABLATIONS"])
