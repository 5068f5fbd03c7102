"""The text of `improved_gan_tf.score`: the numbers, and whether a graph passed the check."""

from tabulate import tabulate

from improved_gan_tf.scoring import inception_check


def report(score):
    """The numbers as a table, and with what they must not be compared."""
    real, frechet, others = score["real"], score["frechet"], score["of_features"]
    name = "exp(mean KL), not an Inception score"
    if score["classifier_details"]["kind"] != "keras":
        name = "Inception score"
        if not score["comparable_with_paper"]:
            name += ", not comparable with the paper's"

    def columns(function):
        return [function(score), "" if real is None else function(real)]

    def diversity(name, spec):
        return columns(lambda measures: format(measures["diversity"][name], spec))

    num_pairs_of = score["diversity"]["num_for_pairwise_distance"]
    num_classes = score["classifier_details"]["num_classes"]
    rows = [
        [
            f"{name} ({score['num_splits']} split{'s' if score['num_splits'] > 1 else ''})",
            *columns(lambda measures: f"{measures['mean']:.3f} +- {measures['std']:.3f}"),
        ],
        [
            "Frechet distance to the real images",
            f"{frechet['distance']:.3f}" if frechet else "",
            "",
        ],
        *_rows_of_features(others),
        [
            f"mean distance of pairs (of {num_pairs_of:,} images, bytes)",
            *diversity("mean_pairwise_distance", ".1f"),
        ],
        ["entropy of the classes (nats)", *diversity("class_entropy", ".3f")],
        [f"classes seen (of {num_classes:,})", *diversity("num_classes_seen", ",")],
    ]
    lines = [
        f"\nclassifier: {score['classifier']}",
        f"these: {score['images']}",
        f"real: {_real_text(real, score['num_splits'])}"
        if real
        else f"real: {score['no_real'] or 'none'}",
        "",
        tabulate(rows, ["", "these", "real"], tablefmt="github", disable_numparse=True),
        "",
    ]
    if score["why_not"]:
        lines.append("Not the paper's Inception score: " + "; ".join(score["why_not"]) + ".")
    else:
        lines.append("Measured as the paper's Inception scores were.")
    if frechet:
        lines.append(
            f"Frechet distance on {frechet['num_features']} features of {frechet['weights']}, "
            f"{frechet['num_samples']:,} against {frechet['num_real']:,} images; compare it with "
            "others of these weights and numbers only."
        )
    return "\n".join(lines)


def _real_text(real, num_splits):
    """What the real images are, how many are scored, and in how many splits if in fewer."""
    text = f"{real['images']}, {real['num_samples']:,} of them scored"
    return text if real["num_splits"] == num_splits else f"{text} in {real['num_splits']} splits"


def _rows_of_features(found):
    """Rows for kernel distance and neighbours; none without features."""
    if found is None:
        return []
    kernel, shares = found["kernel_distance"], found["neighbours"]
    spread = "" if kernel["std"] is None else f" +- {kernel['std']:.4f}"
    subsets = "1 subset" if kernel["num_subsets"] == 1 else f"{kernel['num_subsets']} subsets"
    rows = [
        [
            f"kernel distance ({subsets} of {kernel['subset_size']:,})",
            f"{kernel['mean']:.4f}{spread}",
            "",
        ]
    ]
    if shares is not None:
        pairs = (("precision", "recall"), ("density", "coverage"))
        of = f"({shares['nearest']} nearest of {shares['num_of_each']:,})"
        rows += [[f"{a}, {b} {of}", f"{shares[a]:.3f}, {shares[b]:.3f}", ""] for a, b in pairs]
    return rows


def verdict(graph, differences, unchecked):
    """One sentence that says whether the graph is the authors', judged by real images.

    It has passed only if both `differences` (between this scoring and the check, see
    `differences_from_paper`) and `unchecked` (`inception_check.why_unchecked` afterwards) are
    empty.
    """
    if differences:
        record = inception_check.record_path(graph)
        state = f"{record} is as it was" if record.exists() else "the graph has no record of one"
        return f"NOT THE CHECK ({'; '.join(differences)}): nothing was recorded, {state}."
    if unchecked:
        return (
            "CHECK NOT PASSED: scores with this graph will not be shown next to the paper's. "
            f"Expected: {inception_check.REAL.mean} within {inception_check.TOLERANCE} from the "
            "50,000 real training images in 10 splits, by the 2015 graph."
        )
    return (
        f"CHECK PASSED: the paper reports {inception_check.REAL} for these images. "
        "Recorded next to the graph."
    )
