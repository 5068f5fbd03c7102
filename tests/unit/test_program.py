"""`improved-gan`: its table of commands, its help, and what it hands on to a command."""

import ast
import os
import re
import subprocess
import sys

import pytest

import run_dcgan
from improved_gan_tf import __main__ as program
from improved_gan_tf import compare, run
from improved_gan_tf.tables import formats
from tests.support.places import ROOT

SLOW_TO_IMPORT = {"tensorflow", "keras", "numpy", "scipy", "matplotlib", "tabulate", "jinja2"}
NAMES = [command.name for command in program.COMMANDS]


def program_of(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "improved_gan_tf", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_help_has_a_line_for_every_command():
    done = program_of("--help")
    assert (done.returncode, done.stderr) == (0, "")
    shown = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert shown == NAMES
    assert max(map(len, done.stdout.splitlines())) < 100


def test_without_a_command_it_says_what_there_is(capsys):
    program.main([])
    assert capsys.readouterr().out == program.help_text() + "\n"


def test_help_imports_nothing_that_is_slow():
    # One process for all of them: whatever a command imported would still be there in the end.
    code = f"""
import sys
from improved_gan_tf import __main__ as program
for arguments in [[], *([name] for name in {NAMES})]:
    try:
        program.main([*arguments, "--help"])
    except SystemExit as ended:
        assert ended.code == 0, arguments
print({SLOW_TO_IMPORT} & set(sys.modules), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "set()\n")
    for name in NAMES:
        assert f"usage: improved-gan {name} " in done.stdout


def test_an_unknown_command_is_a_users_error():
    done = program_of("compar", "runs")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: improved-gan has no such command. It has {', '.join(NAMES)}. Received: compar.\n"
    )


def test_a_command_gets_its_arguments_and_its_exit_code_comes_back(tmp_path):
    done = program_of("compare", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path} holds no run folder")


@pytest.mark.parametrize("name", run.EXPERIMENTS)
def test_run_has_the_flags_of_the_script(name):
    given = [
        subprocess.run(
            [sys.executable, *command, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        for command in (["-m", "improved_gan_tf", "run", name], [f"run_{name}.py"])
    ]
    assert [done.returncode for done in given] == [0, 0]
    # Without a clone in sight the file is named by its path.
    assert given[0].stdout.replace(f"{ROOT}{os.sep}", "") == given[1].stdout
    assert "--run_dir" in given[0].stdout


def test_run_refuses_what_is_no_experiment_and_a_wrong_flag():
    done = program_of("run", "celeba")
    assert done.returncode == 2
    assert done.stderr == (
        "error: improved-gan run trains one of mnist, cifar10, svhn, imagenet, images, dcgan, "
        "biggan. "
        "Received: celeba.\n"
    )
    done = program_of("run", "mnist", "--model=wrong")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --model must be one of: ")


def test_every_command_stands_in_the_table():
    # A command is a module of the ground floor that calls its `main` when it is run.
    modules = {
        path.stem
        for path in (ROOT / "improved_gan_tf").glob("*.py")
        if any(
            isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
            for node in ast.parse(path.read_text("utf-8")).body
        )
    }
    assert modules - {"__main__"} == {command.module for command in program.COMMANDS}


def test_the_formats_of_compare_are_those_that_it_can_write():
    arguments = [compare._parse(["runs", f"--format={name}"], "") for name in formats.FORMATS]
    assert [parsed.format for parsed in arguments] == list(formats.FORMATS)
    with pytest.raises(SystemExit):
        compare._parse(["runs", "--format=html"], "")


def test_choices_in_the_help_are_whole_words():
    done = subprocess.run(
        [sys.executable, "run_dcgan.py", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    choices = "|".join(run_dcgan.VARIANTS)
    listed = re.sub(r"\|\n +", "|", done.stdout)  # a line ends after a choice, not in one
    assert f"<{choices}>" in re.sub(r"\n +", " ", listed)
    _, _, of_flags = done.stdout.partition("What is trained:")
    assert max(map(len, of_flags.splitlines())) <= 80
