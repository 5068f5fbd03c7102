"""The tables of docs/biggan.md, from the runs in `results/biggan/`."""

from tools.run_files import RESULTS, epochs, markdown_table, read, result

BIGGAN = RESULTS / "biggan"
RUNS = {"spectral_norm": "with spectral norm", "no_spectral_norm": "without"}  # folder -> name
LATE = "spectral_norm"
EARLY = "spectral_norm_epoch11"  # the same run when it was stopped on its way
# Files of `improved-gan truncation`.
ANEW, FIXED = "truncation.json", "truncation_fixed_statistics.json"


def untruncated(run):
    """What the classifier says of a run's samples without truncation: a point of its curve."""
    points = read(run / ANEW)["points"]
    return next(point for point in points if point["threshold"] is None)


def _runs(folder):
    return [(folder / name, title) for name, title in RUNS.items()]


def runs(folder=BIGGAN):
    """Both runs: what a classifier of digits says of their samples, their largest sigma."""
    rows = []
    for run, title in _runs(folder):
        point, last = untruncated(run), epochs(run)[-1]
        final = result(run)["final"]
        rows.append(
            [
                f"{title}: {final['models_of_iteration']:,} iterations, {result(run)['status']}",
                f"{100 * point['right']:.1f} %",
                f"{100 * min(point['right_by_class']):.0f} %",
                f"{point['score_mean']:.2f} +- {point['score_std']:.2f}",
                f"{point['spread']:.2f}",
                f"{point['frechet_distance']:.1f}",
                f"{last['sigma0_generator']:.2f}, {last['sigma0_discriminator']:.2f}",
            ]
        )
    headers = (
        *("run", "samples of the class asked for", "worst class", "score", "spread"),
        *("Frechet distance", "largest sigma: generator, discriminator"),
    )
    return markdown_table(headers, rows)


def classes(folder=BIGGAN):
    """The share of each class's samples that the classifier takes for that class."""
    rows = [
        [title, *(f"{100 * share:.0f} %" for share in untruncated(run)["right_by_class"])]
        for run, title in _runs(folder)
    ]
    count = len(rows[0]) - 1
    return markdown_table(["run", *map(str, range(count))], rows)


def truncation(curve, folder=BIGGAN):
    """Curves of the run with spectral norm, on its way and at its end.

    Args:
        curve: `ANEW` or `FIXED`, how the statistics were measured.
        folder: of the runs.
    """
    stages = [folder / EARLY, folder / LATE]
    curves = [read(run / curve)["points"] for run in stages]
    rows = []
    for points in zip(*curves, strict=True):
        threshold = points[0]["threshold"]
        name = "none" if threshold is None else f"{threshold:g}"
        rows.append([name, *(cell for point in points for cell in _cells(point))])
    measures = ("score", "of the class", "spread", "Frechet distance")
    names = [f"epoch {result(run)['final']['epochs']}" for run in stages]
    headers = [f"{name}: {measure}" for name in names for measure in measures]
    return markdown_table(["threshold", *headers], rows)


def _cells(point):
    return [
        f"{point['score_mean']:.3f} +- {point['score_std']:.3f}",
        f"{100 * point['right']:.1f} %",
        f"{point['spread']:.2f}",
        f"{point['frechet_distance']:.1f}",
    ]
