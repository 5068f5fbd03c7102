"""What a command says about the techniques it switches, before anything is trained."""

import dataclasses

import pytest

import run_cifar10
from improved_gan_tf import command_line


def changed(**settings):
    return dataclasses.replace(run_cifar10.EXPERIMENT, **settings)


def printed(config, capsys):
    command_line._print_techniques(config, run_cifar10.ABLATIONS)
    return capsys.readouterr()


def test_a_row_of_table_3_says_what_it_switches(capsys):
    row = {**run_cifar10.ABLATIONS["our_methods"], **run_cifar10.ABLATIONS["no_labels"]}
    out, err = printed(changed(**row, ablation="no_labels"), capsys)
    assert out == (
        "Table 3, no_labels: model=minibatch_discrimination, "
        "generator_normalization=virtual_batch, real_target=0.9, "
        "supervised_weight=0.0, historical_averaging_weight=0.0\n"
    )
    assert err == ""


def test_two_sided_smoothing_gets_the_papers_warning(capsys):
    out, err = printed(changed(real_target=0.9, generated_target=0.1), capsys)
    assert out == ""
    assert err.startswith("warning: --generated_target=0.1 smooths both sides. The paper ")


@pytest.mark.parametrize("settings", [{}, {"real_target": 0.9}])
def test_other_commands_say_nothing(settings, capsys):
    assert printed(changed(**settings), capsys) == ("", "")
