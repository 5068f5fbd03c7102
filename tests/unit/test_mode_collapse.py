"""Mode collapse by PacGAN's protocol: what is measured, the files of trials, the table."""

import json
import math

import numpy as np
import pytest
from PIL import Image

from examples.mode_collapse import __main__ as command
from examples.mode_collapse import pictures, problems, results, tables, techniques
from examples.mode_collapse.problems import Measures
from examples.mode_collapse.training import Epoch
from improved_gan_tf.errors import UserError

GRID, RING = problems.PROBLEMS["grid"], problems.PROBLEMS["ring"]
PLAIN = techniques.Settings("grid", "none", epochs=2)
SAMPLES = np.zeros((results.SAMPLES_KEPT + 1, 2))


def epoch(modes=17, high_quality=0.5, reverse_kl=0.25, **closeness):
    return Epoch(1.386294361, 0.75, modes, high_quality, reverse_kl, **closeness)


def write(folder, settings=PLAIN, seed=1, epochs=None, **arguments):
    results.write(folder, settings, seed, epochs or [epoch(), epoch()], SAMPLES, {}, **arguments)


# --- problems and measures -----------------------------------------------------------------


def test_the_grid_has_twenty_five_modes_two_apart():
    expected = [(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)]
    assert sorted(map(tuple, GRID.centres.tolist())) == expected
    assert GRID.stddev == 0.05


def test_the_ring_has_eight_modes_on_the_unit_circle():
    half = math.sqrt(0.5)
    expected = [(1, 0), (half, half), (0, 1), (-half, half), (-1, 0), (-half, -half), (0, -1)]
    np.testing.assert_allclose(RING.centres, [*expected, (half, -half)], atol=1e-15)
    assert RING.stddev == 0.01


@pytest.mark.parametrize("problem", [GRID, RING])
def test_real_examples_are_in_every_mode_equally_often(problem):
    examples = problems.real_examples(problem, 50_000, np.random.default_rng(1))
    assert examples.dtype == np.float32
    modes, high_quality, reverse_kl = problems.measure(problem, examples)
    assert modes == len(problem.centres)
    assert high_quality == pytest.approx(1.0 - math.exp(-4.5), abs=0.002)  # three deviations
    assert 0.0 < reverse_kl < 0.001
    spread = examples[np.abs(examples - problem.centres[0]).max(axis=1) < 0.3].std(axis=0)
    np.testing.assert_allclose(spread, problem.stddev, rtol=0.05)


def test_a_sample_counts_for_its_nearest_mode_below_three_deviations():
    samples = [[0.0, 0.149], [0.0, -0.149], [0.0, 0.151], [1.0, 1.0], [4.0, -4.1], [math.nan, 0.0]]
    counts = problems.mode_counts(GRID, np.array(samples))
    assert counts.sum() == 3
    assert counts[12] == 2  # (0, 0)
    assert counts[20] == 1  # (4, -4)


def test_one_sample_of_high_quality_covers_a_mode():
    assert problems.modes_covered([3, 0, 1, 0]) == 2
    assert problems.modes_covered([0, 0]) == 0


def test_the_share_of_high_quality_is_of_all_samples():
    assert problems.high_quality_share([3, 0, 1, 0], num_samples=10) == 0.4


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([5, 5, 5, 5], 0.0),
        ([9, 0, 0, 0], math.log(4)),
        ([3, 3, 0, 0], math.log(2)),
        ([3, 1, 0, 0], 0.75 * math.log(3.0) + 0.25 * math.log(1.0)),
        ([17] * 17 + [0] * 8, math.log(25 / 17)),
    ],
)
def test_reverse_kl_is_the_divergence_of_the_counts_from_equal_shares(counts, expected):
    assert problems.reverse_kl(counts) == pytest.approx(expected, abs=1e-15)


def test_reverse_kl_without_a_sample_of_high_quality_is_nan():
    assert math.isnan(problems.reverse_kl([0, 0, 0]))


# --- files of trials -----------------------------------------------------------------------


def test_a_result_comes_back_as_it_was_written(tmp_path):
    settings = techniques.Settings("ring", "minibatch_discrimination", reduction="sum", epochs=2)
    epochs = [epoch(closeness_real=0.1, closeness_generated=0.9) for _ in range(2)]
    epochs[0] = epochs[0]._replace(reverse_kl=math.nan, modes=0)
    write(tmp_path, settings, 7, epochs)
    (result,) = results.read_all(tmp_path)
    assert (result.settings, result.seed) == (settings, 7)
    assert result.measures == Measures(17, 0.5, 0.25)
    assert result.epochs["modes"] == [0, 17]
    assert result.epochs["reverse_kl"] == [None, 0.25]
    assert result.epochs["discriminator_loss"] == [1.38629, 1.38629]
    assert result.epochs["closeness_generated"] == [0.9, 0.9]
    assert len(result.samples) == results.SAMPLES_KEPT


def test_a_file_has_the_settings_that_its_technique_uses(tmp_path):
    write(tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == "grid-none-seed1.json"
    content = json.loads(path.read_text())
    assert content["settings"] == {
        "problem": "grid",
        "technique": "none",
        "generator_units": 400,
        "discriminator_units": 200,
        "epochs": 2,
    }
    assert "closeness_real" not in content["epochs"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"technique": "minibatch_discrimination"}, "minibatch_discrimination-mean"),
        (
            {
                "technique": "minibatch_discrimination",
                "reduction": "sum",
                "weight_normalization": True,
            },
            "minibatch_discrimination-sum-weight_norm",
        ),
        ({"technique": "packing", "packing": 3}, "packing-3"),
        ({"technique": "preference"}, "preference-non_saturating"),
        ({"technique": "preference", "preference_loss": "blended"}, "preference-blended"),
        ({"technique": "label_smoothing", "packing": 3}, "label_smoothing"),
        ({"technique": "historical_averaging"}, "historical_averaging-0.001"),
        (
            {"technique": "historical_averaging", "historical_averaging_weight": 1e-5},
            "historical_averaging-1e-05",
        ),
    ],
)
def test_each_form_of_a_technique_has_its_own_name(changes, name):
    assert techniques.row_name(PLAIN._replace(**changes)) == name


def test_a_finished_trial_is_not_written_over(tmp_path):
    write(tmp_path)
    with pytest.raises(UserError, match=r"grid-none-seed1\.json appeared"):
        write(tmp_path, epochs=[epoch(modes=1)])
    assert results.read_all(tmp_path)[0].measures.modes == 17


@pytest.mark.parametrize("text", ["{", "[]", '{"seed": 1}', '{"settings": {"what": 1}}'])
def test_a_file_that_is_no_result_is_refused(text, tmp_path):
    (tmp_path / "grid-none-seed1.json").write_text(text)
    with pytest.raises(UserError, match=r"grid-none-seed1\.json is no result of"):
        results.read_all(tmp_path)


def test_what_a_killed_process_leaves_is_no_trial(tmp_path):
    write(tmp_path)
    whole = (tmp_path / "grid-none-seed1.json").read_text()
    for number, text in enumerate((whole, whole[:50])):
        (tmp_path / f".4242.{number}beef.grid-none-seed1.json").write_text(text)
    assert len(results.read_all(tmp_path)) == 1


def test_trials_of_two_sizes_are_not_shown_in_one_table(tmp_path):
    for seed, units in ((1, 3), (2, 4)):
        write(tmp_path, PLAIN._replace(generator_units=units), seed=seed)
    with pytest.raises(UserError, match=r"the same generator_units; .*(=3.*=4|=4.*=3)"):
        command.main(["--trials=0", f"--output={tmp_path}"])


def test_trials_of_another_size_are_refused(tmp_path):
    write(tmp_path)
    found = results.read_all(tmp_path)
    results.check_comparable(found, PLAIN._replace(technique="packing"), tmp_path)
    wider = PLAIN._replace(technique="packing", generator_units=4, epochs=3)
    with pytest.raises(UserError, match=r"the same generator_units, epochs; .* and gen.*=4"):
        results.check_comparable(found, wider, tmp_path)


def test_trials_of_one_row_that_differ_otherwise_are_refused(tmp_path):
    settings = PLAIN._replace(technique="minibatch_discrimination", num_kernels=8)
    write(tmp_path, settings)
    found = results.read_all(tmp_path)
    results.check_comparable(found, settings._replace(reduction="sum", num_kernels=9), tmp_path)
    with pytest.raises(UserError, match="the same num_kernels"):
        results.check_comparable(found, settings._replace(num_kernels=9), tmp_path)


# --- the table -----------------------------------------------------------------------------


def cells(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def test_the_table_has_our_trials_beside_the_published_numbers(tmp_path):
    write(tmp_path, seed=1)
    write(tmp_path, seed=2, epochs=[epoch(modes=20, high_quality=0.7, reverse_kl=math.nan)])
    write(tmp_path, PLAIN._replace(technique="label_smoothing"))
    write(tmp_path, PLAIN._replace(technique="preference"))
    write(tmp_path, PLAIN._replace(technique="preference", preference_loss="blended"))
    write(tmp_path, PLAIN._replace(problem="ring"))
    head, _, *rows = cells(tables.table(results.read_all(tmp_path), "grid"))
    assert head[:3] == ["grid of 25", "trials", "modes"]
    assert rows[0] == [
        "plain GAN",
        "2",
        "18.5 +- 1.5",
        "18.5 +- 1.5",
        "-",
        "60.0 +- 10.0",
        "0.25 (1 of 2 trials)",
        "17.3 +- 0.8",
        "94.8 +- 0.7",
        "0.70 +- 0.07",
    ]
    ours = ["preference loss (blended)", "preference loss (non-saturating)", "label smoothing"]
    assert [row[0] for row in rows[1:4]] == ours
    assert rows[3] == ["label smoothing", "1", "17.0", "17.0", "-", "50.0", "0.25", *"---"]
    assert [row[0] for row in rows[4:]] == ["PacGAN2", "PacGAN3", "PacGAN4", "ALI"]
    assert rows[4] == ["PacGAN2", *"------", "23.8 +- 0.7", "91.3 +- 0.8", "0.13 +- 0.04"]


def test_the_chance_is_over_every_way_of_sharing_out_the_trials(tmp_path):
    for seed, modes in enumerate((17, 19, 22, 23, 24)):
        settings = PLAIN if seed < 2 else PLAIN._replace(technique="packing")
        write(tmp_path, settings, seed=seed, epochs=[epoch(modes=modes)])
    trials = results.read_all(tmp_path)
    # 1 of the 10 ways, on one side; the other side counts as often.
    assert tables.p_value(trials[2:], trials[:2]) == pytest.approx(0.2)
    *_, packing = cells(tables.table(trials, "grid"))[2:4]
    assert packing[:5] == ["packing of 2", "3", "23.0 +- 0.6", "23.0 +- 0.6", "0.2"]


def trials_of(*modes):
    return [
        results.Result(PLAIN, seed, None, [], {"modes": [m]}) for seed, m in enumerate(modes, 1)
    ]


def test_the_chance_of_ten_trials_against_ten_is_exact():
    assert tables.p_value(trials_of(*range(10)), trials_of(*range(10, 20))) == 2 / 184_756


def test_the_chance_of_many_trials_is_drawn_and_always_the_same(monkeypatch):
    plain, other = trials_of(*range(20)), trials_of(*range(10, 30))
    monkeypatch.setattr(tables, "MOST_WAYS", 2000)  # of 137,846,528,820
    assert tables.p_value(plain, other) == tables.p_value(plain, other) <= 0.002
    assert tables.p_value(plain, trials_of(*range(20))) == 1.0


def test_the_last_epochs_are_the_last_twenty(tmp_path):
    write(tmp_path, PLAIN._replace(epochs=25), epochs=[epoch(modes=m) for m in range(1, 26)])
    (trial,) = results.read_all(tmp_path)
    assert tables.late_modes(trial) == 15.5  # the mean of 6 to 25


def test_the_table_says_over_how_many_epochs_the_late_modes_are(tmp_path):
    write(tmp_path)  # two epochs
    found = results.read_all(tmp_path)
    assert "| in the last 2 epochs |" in tables.table(found, "grid")
    of_trials = pictures.figure(found, "grid").axes[-2]
    assert of_trials.get_title().startswith("modes covered in the last 2 epochs")
    write(tmp_path, PLAIN._replace(epochs=25), seed=2, epochs=[epoch()] * 25)
    assert "| in the last 20 epochs |" in tables.table(results.read_all(tmp_path), "grid")


def test_the_picture_has_samples_of_each_row_and_a_point_for_each_trial(tmp_path):
    for seed, modes in ((1, 10), (2, 20)):
        write(tmp_path, seed=seed, epochs=[epoch(modes=modes)])
    write(tmp_path, PLAIN._replace(technique="packing"), epochs=[epoch(modes=25)])
    *panels, of_trials, by_epoch = pictures.figure(results.read_all(tmp_path), "grid").axes
    titles = [panel.get_title() for panel in panels if panel.get_title()]
    assert titles[1:] == [
        "plain GAN\nseed 1: 10 of 25 modes",
        "packing of 2\nseed 1: 25 of 25 modes",
    ]
    drawn = [(list(x.get_xdata()), x.get_marker()) for x in of_trials.lines]
    assert drawn[:4] == [([10, 20], "o"), ([15], "|"), ([25], "o"), ([25], "|")]
    assert len(by_epoch.lines) == 3  # a curve for each row, and the line of all modes


def test_a_technique_has_one_colour_in_every_picture_and_a_second_form_a_lighter_one(tmp_path):
    packing = PLAIN._replace(technique="packing")
    for name in ("both", "one"):
        (tmp_path / name).mkdir()
    write(tmp_path / "both", epochs=[epoch(modes=5)] * 2)
    write(tmp_path / "both", packing, epochs=[epoch(modes=10)] * 2)
    write(tmp_path / "both", packing._replace(packing=3), epochs=[epoch(modes=15)] * 2)
    write(tmp_path / "one", packing, epochs=[epoch(modes=20)] * 2)
    colors = {}
    for name in ("both", "one"):
        found = results.read_all(tmp_path / name)
        *_, by_epoch = pictures.figure(found, "grid").axes
        colors[name] = [line.get_color() for line in by_epoch.lines[:-1]]
    assert len({*colors["both"]}) == 3
    assert colors["one"] == colors["both"][1:2]
    # As they are written, too: a file of few colours mixed them.
    pictures.write(results.read_all(tmp_path / "both"), "grid", tmp_path / "a.png")
    drawn = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).reshape(-1, 3)
    for color in colors["both"]:
        assert (drawn == np.round(255 * np.array(color[:3]))).all(axis=1).any()


def test_the_mean_has_the_standard_error_of_the_mean():
    assert tables.mean_and_error([1.0, 2.0, 3.0], 2) == "2.00 +- 0.58"  # 1 / sqrt(3)
    assert tables.mean_and_error([math.nan], 2) == "-"


def test_what_is_not_the_protocol_is_said():
    assert tables.differences_from_protocol(techniques.Settings("ring", "packing")) == ""
    thin = techniques.Settings("grid", "none", generator_units=128, epochs=100)
    expected = "generator_units 128 instead of 400, epochs 100 instead of 400"
    assert tables.differences_from_protocol(thin) == expected


# --- the command line ----------------------------------------------------------------------


def settings_of(*argv):
    parsing = command.parser()
    return command.settings_of(parsing.parse_args(argv), parsing.error)


def test_the_defaults_are_the_published_protocol():
    assert settings_of() == techniques.Settings("grid", "none")
    assert techniques.Settings("grid", "none")[-6:] == (0.001, 400, 200, 60, 3, 400)


def test_a_technique_takes_its_own_settings_and_every_one_takes_the_sizes():
    chosen = settings_of("--technique=preference", "--preference_loss=blended", "--num_kernels=20")
    assert (chosen.technique, chosen.preference_loss) == ("preference", "blended")
    assert settings_of("--technique=packing", "--packing=3").packing == 3


def test_a_folder_may_begin_with_a_tilde(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    parsed = command.parser().parse_args(["--output=~/trials", "--picture=~/a.png"])
    assert str(parsed.output) == "/home/someone/trials"
    assert str(parsed.picture) == "/home/someone/a.png"


def test_width_scales_units_and_kernels_unless_they_are_given():
    settings = settings_of("--width=0.25", "--discriminator_units=48")
    units = settings.generator_units, settings.discriminator_units, settings.num_kernels
    assert units == (100, 48, 15)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--trials=-1", "--trials must be from 0 to 1000. Received: -1"),
        ("--epochs=0", "--epochs must be from 1 to 10000. Received: 0"),
        ("--seed=-1", "--seed must be from 0 to 2147482647. Received: -1"),
        ("--width=0", "--width must be from 0.01 to 10.0. Received: 0.0"),
        ("--packing=1", "--packing must be from 2 to 100. Received: 1"),
        ("--num_kernels=0", "--num_kernels must be from 1 to 10000. Received: 0"),
        ("--historical_averaging_weight=nan", "must be a finite number above 0. Received: nan"),
        ("--picture=absent/a.png", "that exists. Received: absent/a.png"),
        ("--picture=a.pdf", "the name of a .png file"),
        ("--output=README.md", "--output must be a folder. Received: README.md"),
        ("--problem=circle", "invalid choice: 'circle'"),
        ("--technique=dropout", "invalid choice: 'dropout'"),
        (
            "--preference_loss=blended",
            "--preference_loss is for --technique=preference alone. Received: "
            "--preference_loss=blended with --technique=none",
        ),
        ("--packing=3", "--packing is for --technique=packing alone."),
        ("--reduction=sum", "--reduction is for --technique=minibatch_discrimination alone."),
        ("--historical_averaging_weight=0.1", "is for --technique=historical_averaging alone."),
        ("--preference_loss=hinge", "invalid choice: 'hinge'"),
    ],
)
def test_an_argument_out_of_range_is_refused_before_training(argument, message, capsys):
    with pytest.raises(SystemExit) as refused:
        command.main([argument])
    assert refused.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert "\n\n" not in error  # one paragraph


def test_a_folder_without_trials_has_nothing_to_show(tmp_path):
    with pytest.raises(UserError, match="There is no finished trial to show"):
        command.main(["--trials=0", f"--output={tmp_path}"])
