"""The table at the end of a run: its numbers next to the paper's."""

from tabulate import tabulate

from improved_gan_tf.data import known_sets
from improved_gan_tf.paper import INCEPTION_SCORES, paper_row
from improved_gan_tf.runs.health import Closeness
from improved_gan_tf.tables.inception_scores import PAPER_ROWS


def comparison_table(results):
    """A text table with the test errors of finished runs next to the paper's.

    A number is in the column "as in the paper" only if the run finished with the paper's whole
    data, settings and a number of labels that the paper reports, and was measured as the recipe's
    code does: with averaged parameters if there is an average. Every other number is in "measured
    otherwise". `results` are contents of result.json, the main run first.
    """
    rows = []
    for result in results:
        comparable = _is_comparable(result)
        config, final = result["config"], result["final"]
        name = "supervised only" if config["supervised_only"] else config["model"]
        for kind in ("averaged", "raw"):
            wrong = final[f"test_wrong_{kind}"]
            if wrong is None:
                continue
            count = final["test_count"]
            text = f"{100 * wrong / count:.2f} % ({wrong} of {count:,})"
            papers_measure = kind == "averaged" or final["test_wrong_averaged"] is None
            as_paper = comparable and papers_measure
            columns = [text, ""] if as_paper else ["", text]
            rows.append([f"{name}, {kind} parameters", *columns])
    headers = ["test error", "as in the paper", "measured otherwise"]
    if results[0]["config"]["dataset"] in known_sets.KNOWN_SETS:
        rows.append(_paper_line(results[0]))
    else:
        headers, rows = ["test error", "not the paper's data"], [[row[0], row[2]] for row in rows]
    return tabulate(rows, headers=headers, tablefmt="github")


def _row_of_table_3(config):
    """The paper's name of the row whose samples a run makes, or None: a baseline makes none."""
    return None if config["supervised_only"] else PAPER_ROWS.get(config.get("ablation"))


def _paper_line(result):
    """The table's last line: what the paper reports for such a run."""
    row = _row_of_table_3(result["config"])
    if row is not None:
        score = f"Inception score {INCEPTION_SCORES[row]}, no test error"
        return [f"paper, Table 3: {row}", score, ""]
    num_labels, paper = _paper_cell(result)
    return [f"paper, {num_labels} labels, full data, 10 splits", paper, ""]


def _paper_cell(result):
    """A run's number of labels, and the paper's result for it as text."""
    config = result["config"]
    labels = known_sets.num_labels_of(config)
    return labels, paper_row(config["dataset"], labels, config["model"])


def _is_comparable(result):
    if result["status"] != "finished" or result["differences_from_paper"]:
        return False
    if result["config"].get("ablation") is not None:  # its number is an Inception score
        return False
    return _paper_cell(result)[1] != "-"


def remarks(results):
    """Sentences under the table: differences from the paper, and between a run's two errors."""
    main = results[0]
    lines = []
    if main["differences_from_paper"]:
        lines.append("Not the paper's setting: " + "; ".join(main["differences_from_paper"]) + ".")
    if _row_of_table_3(main["config"]) is not None:
        lines.append(
            "Table 3 has the Inception score of samples: `improved-gan score RUN_DIR "
            "--classifier=...` measures it."
        )
    if main["status"] != "finished":
        lines.append(f"The run was {main['status']}: its numbers are from where it stopped.")
    for baseline in results[1:]:
        if baseline["status"] != "finished":
            epochs = f"{baseline['final']['epochs']} of {baseline['config']['epochs']} epochs"
            lines.append(
                f"The supervised-only run was {baseline['status']} after {epochs}: do not compare "
                "it with the other yet."
            )
    weight = main["final"]["average_weight"]
    if weight is not None:
        lines.append(
            "Averaged: the paper's code tests with a parameter average that starts at zero; "
            f"after this run it holds {100 * weight:.0f} % of its weight"
            + (
                ", far from settled, so the raw parameters say more about what was learned."
                if weight < 0.95
                else "."
            )
        )
    collapsed = main["final"]["collapsed_at_epoch"]
    if collapsed is not None:
        recovered = main["final"].get("recovered_at_epoch")
        fell = f"COLLAPSED in epoch {collapsed + 1}: the unsupervised loss fell to nearly 0"
        if recovered is not None:
            lines.append(f"{fell}. The game went on from epoch {recovered + 1}.")
        elif main["config"]["dataset"] == "images":
            lines.append(f"{fell}. More --epochs may bring it back, or another --seed avoid it.")
        else:
            lines.append(
                f"{fell} (docs/results_mnist.md has the counts); another --seed may do better."
            )
    closeness = main["final"].get("closeness")
    if closeness is not None and Closeness(**closeness).silent:
        lines.append(
            "MINIBATCH DISCRIMINATION SILENT: to its layer every two images are far apart, real "
            f"({closeness['real']:.1g}) or generated ({closeness['generated']:.1g}; it starts near "
            "1), so the run ended like one without it. A smaller --learning_rate may keep it."
        )
    return lines
