"""The tables of README.md: the experiments, and the paper's results with ours."""

import importlib

from improved_gan_tf import paper
from improved_gan_tf.tables import turing_tests
from tools import mode_collapse_tables, thin_runs
from tools.mnist_runs import RECIPES, TABLE1, collapse_epoch, is_lost, table1_runs
from tools.mnist_tables import LABELS, UNDER_WAY, baselines, mean_error, spread
from tools.run_files import (
    RESULTS,
    epochs,
    error_of,
    labels_of,
    markdown_table,
    read,
    result,
    runs_in,
)
from tools.thin_tables import difference_text, interval_text

# Training images of the full data sets, the length of one epoch.
IMAGES = {"mnist": 60_000, "cifar10": 50_000, "svhn": 73_257, "imagenet": 1_281_167}
# (where in the paper, run script, flags): one for each experiment.
EXPERIMENTS = (
    ("MNIST, feature matching (Table 1)", "run_mnist", ""),
    ("MNIST, minibatch discrimination (Fig. 3)", "run_mnist", "minibatch_discrimination"),
    ("CIFAR-10, feature matching (Table 2)", "run_cifar10", ""),
    ("CIFAR-10, minibatch discrimination (samples)", "run_cifar10", "minibatch_discrimination"),
    ("SVHN, feature matching (Sec. 6.3)", "run_svhn", ""),
    ("SVHN, minibatch discrimination", "run_svhn", "minibatch_discrimination"),
)


def experiments():
    """Each experiment of the paper, its command and its length."""
    lines = []
    for title, script, model in EXPERIMENTS:
        module = importlib.import_module(script)
        chosen = model or module.EXPERIMENT.model
        variant = next(iter(module.VARIANTS[chosen].values()))
        length = variant.get("epochs", module.EXPERIMENT.epochs)
        per_epoch = IMAGES[module.EXPERIMENT.dataset] // module.EXPERIMENT.batch_size
        flag = f" --model={model}" if model else ""
        lines.append([title, f"`python {script}.py{flag}`", f"{length * per_epoch:,}"])
    table3 = "`python run_cifar10.py --ablation=our_methods`, and five more"
    title = "CIFAR-10, a technique left out in turn (Table 3)"
    lines.insert(4, [title, table3, f"{lines[3][2]} each"])
    imagenet = importlib.import_module("run_imagenet").EXPERIMENT
    length = imagenet.epochs * (IMAGES["imagenet"] // imagenet.batch_size)
    told = f"not said; {length:,} ({imagenet.epochs} epochs) here"
    lines.append(["ImageNet 128 x 128 (Fig. 6)", "`python run_imagenet.py`", told])
    return markdown_table(("paper", "command", "iterations"), lines)


def human_evaluations():
    """The paper's visual Turing tests, with the intervals for their numbers of votes."""
    lines = []
    for name, published in turing_tests.paper_dict().items():
        line = [name, f"{published['percent_right']} %", "not said", "", ""]
        if published["votes"] is not None:
            interval = f"{100 * published['low']:.1f} to {100 * published['high']:.1f} %"
            line[2:] = [f"{published['votes']:,}", interval, f"{published['p_value']:.3f}"]
        lines.append(line)
    return markdown_table(("the paper's samples", "right", "votes", "95 % interval", "p"), lines)


def results(folder=TABLE1):
    """The paper's rows with our measurements, and the command for each."""
    lines = [*_table1(folder), *_short_mnist(), *_thin(), mode_collapse_tables.in_short()]
    return markdown_table(("paper's row", "command", "paper", "ours"), lines)


def _table1(folder):
    groups, lost = table1_runs(folder), table1_runs(folder, is_lost)
    for labels in LABELS:
        ours = []
        for recipe in (recipe for recipe in RECIPES if (labels, recipe) in groups):
            runs = groups[labels, recipe]
            text = mean_error(runs, lost.get((labels, recipe), ()))
            supervised = baselines(runs)
            text += f"; supervised only {spread(supervised)}" if supervised else ""
            ours.append(f"{recipe}: {text}")
        flag = "" if labels == 100 else f" --labels_per_class={labels // 10}"
        one, _ = paper.error_percent("mnist", labels, "feature_matching")
        yield [
            f"MNIST, {labels} labels, 300 epochs",
            f"`run_mnist.py{flag} --num_runs=10`",
            f"{one.mean:.2f} +- {one.spread:g} %",
            "<br>".join(ours) or UNDER_WAY,
        ]


def _percents(values):
    return ", ".join(f"{value:.2f}" for value in values) + " %"


def _short_mnist():
    folder = RESULTS / "mnist_feature_matching"
    long = [folder / f"released-seed{seed}-100epochs" for seed in (1, 2, 3)]
    collapsed = [run for run in long if collapse_epoch(epochs(run)) is not None]
    healthy = [run for run in long if run not in collapsed]
    told = _percents(error_of(result(run)) for run in healthy)
    told += f"; collapsed {_percents(error_of(result(run)) for run in collapsed)}"
    supervised = (error_of(result(run, "supervised_only")) for run in healthy + collapsed)
    paper_100, _ = paper.error_percent("mnist", 100, "feature_matching")
    yield [
        "MNIST, 100 labels, 100 epochs",
        "`run_mnist.py --epochs=100 --num_runs=3`",
        f"{paper_100.mean:.2f} % at 300",
        f"{told}; supervised only {_percents(supervised)}",
    ]


def _thin():
    mnist = thin_runs.pair(thin_runs.THIN / "mnist-minibatch_discrimination")
    yield [
        "MNIST samples (Fig. 3), width / 8, 100 labels",
        "`run_mnist.py --model=minibatch_discrimination ...`",
        "-",
        f"{mnist.error:.1f} %; supervised only {mnist.supervised:.1f} %",
    ]
    groups = list(thin_runs.groups_over_seeds())
    matching = _group(groups, "cifar10-feature_matching", 400)
    yield [
        "CIFAR-10, part of the data, width / 8, 400 labels",
        "`run_cifar10.py ...`",
        "-",
        _against(matching),
    ]
    independent = next(thin_runs.independent_groups())
    rate = thin_runs.config(independent.runs[0])["learning_rate"]
    half = _group(groups, "cifar10-minibatch_discrimination", 400, 0.0005)
    fast = [
        thin_runs.pair(run).difference
        for run in runs_in(thin_runs.THIN)
        if thin_runs.name(run) == "cifar10-minibatch_discrimination"
        and labels_of(thin_runs.config(run)) == 400
        and thin_runs.config(run)["learning_rate"] == 0.002
    ]
    yield [
        "the same, minibatch discrimination",
        "`run_cifar10.py --model=minibatch_discrimination ...`",
        "-",
        "at no rate clearly better than its baseline: "
        f"{difference_text(independent.difference)} points at {rate:g} ({len(independent.runs)} "
        f"seeds, {len(independent.supervised)} baselines), {', '.join(f'{d:+.1f}' for d in fast)} "
        f"at 0.002, {difference_text(half.difference)} at 0.0005 ({len(half.runs)} seeds)",
    ]
    svhn = _group(groups, "svhn-feature_matching", 500)
    # The other run of this seed ended with a broken game.
    name = "svhn-minibatch_discrimination-500-labels-annealed"
    discrimination = thin_runs.pair(thin_runs.THIN / name)
    yield [
        "SVHN, a stand-in, width / 4, 500 labels",
        "`run_svhn.py ...`",
        "-",
        f"{_against(svhn)}; minibatch discrimination {discrimination.error:.1f} %, supervised only "
        f"{discrimination.supervised:.1f} % (1 of 2 runs; in the other the game broke)",
    ]
    scores = [score.mean for row, score in paper.INCEPTION_SCORES.items() if row != "real data"]
    paper_scores = f"{min(scores)} to {max(scores)}"
    yield ["Table 3, Inception scores", "`run_cifar10.py --ablation=ROW`", paper_scores, "none yet"]
    ours, supervised = zip(*_sample_errors(), strict=True)
    yield [
        "MNIST sample, 100 labels",
        "the first one above",
        "-",
        f"{min(ours):.1f} to {max(ours):.1f} %, supervised only {min(supervised):.1f} to "
        f"{max(supervised):.1f} % ({len(ours)} processors)",
    ]


def _group(groups, name, labels, rate=None):
    """The only set of runs over seeds of these settings."""
    found = [
        group
        for group in groups
        if thin_runs.name(group.runs[0]) == name
        and labels_of(thin_runs.config(group.runs[0])) == labels
        and rate in (None, thin_runs.config(group.runs[0])["learning_rate"])
    ]
    (group,) = found
    return group


def _against(group):
    ours, baseline = group.errors.mean(axis=0)
    return (
        f"{ours:.1f} %, supervised only {baseline:.1f} % ({len(group.runs)} seeds: "
        f"{difference_text(group.difference)} points"
        + (f", 95 % {interval_text(group.difference)}" if group.difference.interval else "")
        + ")"
    )


SAMPLE = RESULTS / "mnist_sample"
# Files of the README's first command on each processor: the run's, and its baseline's.
SAMPLE_FILES = (
    ("result.json", "supervised_only.json"),
    ("other_processor.json", "supervised_only.other_processor.json"),
    ("third_processor.json", "supervised_only.third_processor.json"),
)


def _sample_errors():
    return [[error_of(read(SAMPLE / name)) for name in names] for names in SAMPLE_FILES]


def sample():
    """Results of the README's first command on several processors."""
    lines = []
    for names, errors in zip(SAMPLE_FILES, _sample_errors(), strict=True):
        contents = [read(SAMPLE / name) for name in names]
        commit = contents[0]["versions"]["git_commit"][:7]
        seconds = sum(content["wall_seconds"] for content in contents)
        lines.append([commit, *(f"{error:.1f} %" for error in errors), f"{seconds:.0f}"])
    return markdown_table(("commit", "test error", "supervised only", "seconds, both"), lines)
