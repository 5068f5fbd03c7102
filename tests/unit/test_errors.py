"""What a command prints of an error that names arguments."""

import pytest

from improved_gan_tf.errors import UserError, in_flags


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("`batch_size` must be 2 or more.", "--batch_size must be 2 or more."),
        ("Give `data_dir=/my sets/of 2020`.", "Give --data_dir=/my sets/of 2020."),
        ("`tpu` goes with `strategy=tpu`.", "--tpu goes with --strategy=tpu."),
        ("--run_dir=x is in use.", "--run_dir=x is in use."),
        # Commands to type are not arguments.
        ("Give `pip install -e '.[sample]'`.", "Give `pip install -e '.[sample]'`."),
    ],
)
def test_arguments_become_flags(text, printed):
    assert in_flags(UserError(text)) == printed
