"""The paper's numbers as data, and the table that sets measured ones beside them.

Paper: Salimans et al. (2016), Table 1 (MNIST).
"""

from typing import NamedTuple

from tabulate import tabulate


class PaperResult(NamedTuple):
    """Mean and spread over the paper's 10 random splits."""

    mean: float
    spread: float

    def __str__(self):
        return f"{self.mean:g} +- {self.spread:g}"


# Misclassified of 10,000 test images, by number of labels: one model.
MNIST_MISCLASSIFIED = {
    20: PaperResult(1677, 452),
    50: PaperResult(221, 136),
    100: PaperResult(93, 6.5),
    200: PaperResult(90, 4.2),
}


def paper_row(dataset, num_labels):
    """The paper's test error as text, with its unit, or a dash where it has none."""
    if dataset == "mnist" and num_labels in MNIST_MISCLASSIFIED:
        result = MNIST_MISCLASSIFIED[num_labels]
        return f"{result.mean / 100:.2f} % +- {result.spread / 100:.3g} ({result} of 10,000)"
    return "-"


def comparison_table(results):
    """Sets the test errors of finished runs beside the paper's.

    A number stands in the column "measured as in the paper" only if the run used the paper's
    whole data set, and the paper's number of epochs; every other one stands in "measured
    otherwise", with what was different.

    Args:
        results: list of `result.json` contents, the main run first.

    Returns:
        Text table.
    """
    rows = []
    for result in results:
        config, final = result["config"], result["final"]
        name = "supervised only" if config["supervised_only"] else config["model"]
        for kind in ("averaged", "raw"):
            wrong = final[f"test_wrong_{kind}"]
            if wrong is None:
                continue
            count = final["test_count"]
            text = f"{100 * wrong / count:.2f} % ({wrong} of {count:,})"
            as_paper = not result["differences_from_paper"]
            rows.append(
                [
                    f"{name}, {kind} parameters",
                    text if as_paper else "",
                    "" if as_paper else text,
                ]
            )
    config = results[0]["config"]
    num_labels = 10 * config["labels_per_class"]
    paper = paper_row(config["dataset"], num_labels)
    rows.append([f"paper, {num_labels} labels, full data, 10 splits", paper, ""])
    headers = ["test error", "as in the paper", "measured otherwise"]
    return tabulate(rows, headers=headers, tablefmt="github")


def remarks(results):
    """Sentences that belong under the table: what differs, and why two errors of one run do.

    Args:
        results: as in `comparison_table`.

    Returns:
        List of str.
    """
    main = results[0]
    lines = []
    if main["differences_from_paper"]:
        lines.append("Not the paper's setting: " + "; ".join(main["differences_from_paper"]) + ".")
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
        lines.append(
            f"COLLAPSED in epoch {collapsed + 1}: the unsupervised loss fell to nearly 0 "
            "(REPRODUCTION.md tells how often); another --seed is likely to do better."
        )
    return lines
