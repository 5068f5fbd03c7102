"""The paper's tables with the measured runs next to them."""

from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.runs.finished_runs import commits_of, read_runs
from improved_gan_tf.settings.images import IMAGES
from improved_gan_tf.tables import cells as table_cells
from improved_gan_tf.tables import inception_scores, turing_tests
from improved_gan_tf.tables.rows import SUPERVISED_ONLY, rows

TITLES = {
    name: f"{about.title} (the paper's {about.papers_place}): test error in %"
    for name, about in KNOWN_SETS.items()
}
TITLES[IMAGES] = "Images of one's own, not the paper's: test error in %"
TITLES["mnist"] += "; the paper's counts of 10,000 / 100"

HEADERS = (
    "labels",
    "trained as",
    "parameters",
    "ours",
    "paper",
    "runs",
    "ensemble, ours",
    "ensemble, paper",
    "above paper (SE)",
    "notes",
)

ORDER = (
    "Rows: by number of labels, then by technique, then by the settings that tell them apart, "
    "smallest first. Scores: the paper's, then by folder."
)

LEGEND = (
    "*: what the recipe's own code tests with. ours: mean +- sample standard deviation over the "
    "runs (sd, divides by n - 1). paper: mean over its 10 splits +- what it prints.",
    "ensemble: the paper's is of 10. Ours: class probabilities averaged over all runs of the row; "
    "the paper does not say how it averages. Its members have different labeled images where "
    "seed_data differs, so together they have seen more labels than one run.",
    "above paper (SE): in standard errors of the difference, (mean - paper) / "
    "sqrt(sd^2 / n + paper sd^2 / 10), taking the paper's +- for a standard deviation over its "
    "10 splits. In parentheses: settings are not the "
    "paper's, see the note. None where the data are not the paper's, or there is one run.",
)


class Comparison:
    """All content of a comparison.

    Args:
        paths: run folders, or folders that hold them.
        other_versions: bool, whether runs of other versions of this package count.

    Raises:
        UserError: a path is no folder, or there is no run folder in it.
    """

    def __init__(self, paths, other_versions=False):
        self.runs, self.left_out = read_runs(paths, other_versions)
        self.scores, not_scores = inception_scores.read_scores(self.runs)
        self.unscored = inception_scores.unscored(self.runs, self.scores)
        self.turing_tests, not_votes = turing_tests.read(self.runs)
        self.left_out += not_scores + not_votes
        self.cells = {
            dataset: table_cells.cells([r for r in self.runs if r.config.dataset == dataset])
            for dataset in TITLES
        }
        self.rows = {dataset: rows(dataset, cells) for dataset, cells in self.cells.items()}


class Notes:
    """Footnotes of a table: each text once, with a letter."""

    def __init__(self):
        self._letters = {}

    def letter(self, text):
        """The letter of a note."""
        number = self._letters.setdefault(text, len(self._letters))
        return chr(ord("a") + number) if number < 26 else str(number)

    @property
    def lines(self):
        """`"a: text"` for each note."""
        return [f"{self.letter(text)}: {text}" for text in self._letters]


def line_of(row, notes):
    """A row as texts under `HEADERS`; longer remarks go to `notes`."""
    trained_as = f"{row.method}, {row.settings}" if row.settings else row.method
    columns = [str(row.num_labels), trained_as]
    if row.error is None:
        columns.append("")
        ours, ensemble = "not measured", ""
    else:
        columns.append(row.parameters + (" *" if row.papers_measure else ""))
        ours = mean_and_spread(row.error.mean, row.error.std)
        ensemble = _ensemble_text(row.ensemble, notes)
    papers, papers_ensemble = (
        "" if result is None else mean_and_spread(*result)
        for result in (row.paper, row.paper_ensemble)
    )
    columns += [ours, papers, str(len(row.runs)), ensemble, papers_ensemble]
    if row.apart is None:
        columns.append("")
    else:
        columns.append(f"{row.apart:+.1f}" if row.comparable else f"({row.apart:+.1f})")
    return [*columns, " ".join(notes.letter(text) for text in note_texts(row))]


def note_texts(row):
    """Sentences about a row's numbers."""
    texts = []
    if row.differences:
        texts.append("not the paper's setting: " + "; ".join(row.differences))
    if row.without_labels:
        texts.append("trained without labels: its test errors mean nothing")
    if row.collapsed:
        texts.append(_collapse_note(row))
    if row.gain is not None and row.papers_measure:
        pairs = len(row.gain.values)
        gain = mean_and_spread(row.gain.mean, row.gain.std)
        over = "1 pair" if pairs == 1 else f"{pairs} pairs (+-: standard deviation)"
        texts.append(
            f"its error minus that of the runs with unlabeled images: {gain} points, over {over} "
            "of the same labels and initial weights"
        )
    splits = len({_split(run) for run in row.runs})
    if row.runs and splits < len(row.runs):
        choices = "the same labeled images"
        if splits > 1:
            choices = f"{splits} different choices of labeled images"
        texts.append(f"{len(row.runs)} runs on {choices}")
    if not row.runs and row.method == SUPERVISED_ONLY:
        texts.append("no baseline: --with_baseline trains it with each run")
    return texts


def _collapse_note(row):
    seeds = ", ".join(str(run.config.seed) for run in row.collapsed)
    text = f"{len(row.collapsed)} of {len(row.runs)} runs collapsed (seed {seeds})"
    recovered = [
        str(run.config.seed)
        for run in row.collapsed
        if run.result["final"].get("recovered_at_epoch") is not None
    ]
    return f"{text}, but seed {', '.join(recovered)} recovered" if recovered else text


def _split(run):
    if run.config.labels_per_class is None:  # all labels
        return None
    return run.config.seed if run.config.seed_data is None else run.config.seed_data


def mean_and_spread(mean, spread):
    """`"0.93 +- 0.065"`, or the mean alone."""
    if spread is None:
        return f"{mean:.2f}"
    return f"{mean:.2f} +- " + (f"{spread:.2f}" if spread >= 0.1 else f"{spread:.2g}")


def _ensemble_text(ensemble, notes):
    if ensemble is None:
        return ""
    if ensemble.percent is None:
        return f"- ({notes.letter(f'no ensemble: {ensemble.missing}')})"
    return f"{ensemble.percent:.2f} (of {ensemble.size})"


def provenance(found):
    """The code and libraries that made the numbers, in one line."""
    seen = {}
    for run in found.runs:
        for name, version in run.result["versions"].items():
            shown = commits_of(run) if name == "git_commit" else [version]
            seen.setdefault(name, {}).update(dict.fromkeys(shown))
    parts = [
        f"{name} {', '.join(map(str, versions))}" for name, versions in seen.items() if versions
    ]
    return "made with: " + ("; ".join(parts) or "no runs")
