"""The reading direction, docstrings, doctests and the ledger of deviations."""

import ast
import doctest
import importlib
import io
import os
import re
import shutil
import subprocess
import sys
import tokenize

import pytest

from tests.support.places import ROOT

PACKAGE = ROOT / "improved_gan_tf"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(ROOT.glob("run_*.py"))


def name_of(path):
    return str(path.relative_to(ROOT))


def trees(paths):
    """`(name, syntax tree)` of each file."""
    for path in paths:
        yield name_of(path), ast.parse(path.read_text("utf-8"))


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


def lint_imports(root):
    """What the contract of pyproject.toml says of the package in a folder: a finished process."""
    code = "from importlinter import cli; cli.lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--config", str(ROOT / "pyproject.toml"), "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_imports_go_down_only():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


def test_an_import_that_goes_up_breaks_the_contract(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name)
    with open(tmp_path / PACKAGE.name / "losses/cross_entropy.py", "a", encoding="utf-8") as file:
        file.write("\nfrom improved_gan_tf.training import trainer\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert "improved_gan_tf.losses.cross_entropy -> improved_gan_tf.training" in done.stdout


def test_rooms_hand_out_nothing_but_public_names():
    # An import in a room's `__init__` runs whenever any of its modules is imported, and would
    # start TensorFlow before `--help` is answered.
    public = {"", "distribution", "layers", "losses", "losses/adversarial", "networks"}
    for path in PACKAGE.rglob("__init__.py"):
        room = str(path.parent.relative_to(PACKAGE)).removeprefix(".")
        assert room in public or not imported_modules(path), name_of(path)


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
    assert users == ["improved_gan_tf/settings/flags.py"]
    for path in MODULES:
        if name_of(path) not in users:
            assert "FLAGS" not in {
                node.attr
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Attribute)
            }, name_of(path)


def test_below_the_runs_errors_name_arguments_and_not_flags():
    rooms = ("data", "distribution", "layers", "losses", "networks", "training")
    named = []
    for room in rooms:
        for name, tree in trees(sorted((PACKAGE / room).rglob("*.py"))):
            for raised in (n for n in ast.walk(tree) if isinstance(n, ast.Raise)):
                texts = [n.value for n in ast.walk(raised) if isinstance(n, ast.Constant)]
                named += [(name, t) for t in texts if re.search(r"--[a-z]", str(t))]
    assert named == []


def test_what_help_needs_does_not_start_tensorflow():
    commands = [p.stem for p in PACKAGE.glob("*.py") if "__main__" in p.read_text("utf-8")]
    assert {"compare", "report", "rescore", "score", "toy_game", "train_classifier"} <= set(
        commands
    )
    modules = ["improved_gan_tf.command_line", *(f"improved_gan_tf.{name}" for name in commands)]
    code = f"import sys, {', '.join(modules)}; print({{'tensorflow', 'keras'}} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("set()\n", "")


# --- docstrings ----------------------------------------------------------------------------


def test_every_module_says_what_it_is_for_in_its_first_line():
    for name, tree in trees([*MODULES, *SCRIPTS]):
        docstring = ast.get_docstring(tree)
        assert docstring, f"{name} has no docstring"
        assert len(docstring.splitlines()[0]) > 20, name


def test_every_public_function_and_class_has_a_docstring():
    bare = []
    for name, tree in trees(MODULES):
        # What Keras calls on a layer is Keras's contract; the class docstring says it once.
        with_methods = "/layers/" not in name
        for node in public(tree.body, ast.FunctionDef | ast.ClassDef):
            members = node.body if isinstance(node, ast.ClassDef) and with_methods else []
            bare += [
                f"{name}: {node.name}, {x.name}"
                for x in (node, *public(members, ast.FunctionDef))
                if not ast.get_docstring(x)
            ]
    assert bare == []


def public(nodes, kinds):
    """Those of some nodes that are of a kind and have a public name."""
    return [n for n in nodes if isinstance(n, kinds) and not n.name.startswith("_")]


@pytest.mark.parametrize("path", [p for p in MODULES if ">>>" in p.read_text("utf-8")], ids=name_of)
def test_the_examples_of_the_docstrings_run(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0


# --- the ledger of deviations --------------------------------------------------------------

LEDGER = ROOT / "docs" / "deviations.md"


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
    ledger = LEDGER.read_text("utf-8")
    headings = re.findall(r"^### D(\d+) \S", ledger, re.M)
    assert len(headings) == len(set(headings)), "a deviation has two entries in the ledger"
    listed, marked = {int(n) for n in headings}, deviations_in_comments()
    missing = {f"D{n}": marked[n] for n in sorted(set(marked) - listed)}
    assert not missing, f"in a comment, without an entry in {name_of(LEDGER)}: {missing}"
    unmarked = [f"D{n}" for n in sorted(listed - set(marked))]
    assert not unmarked, f"in {name_of(LEDGER)}, without a comment at a line: {unmarked}"


def test_every_deviation_says_what_it_does_to_a_number():
    ledger = LEDGER.read_text("utf-8")
    entries = re.findall(r"^### (D\d+) \S.*?$(.*?)(?=^##|\Z)", ledger, re.M | re.S)
    assert len(entries) == len(re.findall(r"^### D", ledger, re.M)) >= 10
    assert [name for name, text in entries if "Effect" not in text] == []


# --- nothing is executed from data -----------------------------------------------------------


def test_data_and_models_are_read_without_executing_anything_in_them():
    for path in [*MODULES, *SCRIPTS]:
        modules = {name.split(".")[0] for name in imported_modules(path)}
        unsafe = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
        assert not modules & unsafe, name_of(path)
    for name, tree in trees([*MODULES, *SCRIPTS]):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            place = f"{name}:{node.lineno}"
            called = ast.unparse(node.func)
            given = {k.arg: ast.unparse(k.value) for k in node.keywords}
            assert called not in ("eval", "exec", "compile", "__import__"), place
            if called in ("np.load", "numpy.load"):
                assert given.get("allow_pickle") == "False", place
            if called.endswith("load_model"):
                assert given.get("safe_mode") == "True" or called == "load_keras_model", place


# --- python -O -----------------------------------------------------------------------------


def test_nothing_is_checked_by_assert():
    # `python -O` leaves assertions out.
    found = [
        (name, node.lineno)
        for name, tree in trees([*MODULES, *SCRIPTS])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert found == []


# --- the run scripts -----------------------------------------------------------------------


def test_a_run_script_is_literals_and_one_call():
    for name, tree in trees(SCRIPTS):
        kinds = [type(node).__name__ for node in tree.body if not isinstance(node, ast.Assign)]
        assert kinds == ["Expr", "ImportFrom", "ImportFrom", "If"], name
        names = [node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)]
        assert names in (["EXPERIMENT", "VARIANTS"], ["EXPERIMENT", "VARIANTS", "ABLATIONS"]), name
