"""The truncation curve as a picture: score against spread, and samples at three thresholds."""

import matplotlib.figure

from improved_gan_tf.runs.run_folder import image_grid


def figure(points, grids, title):
    """A figure of a curve and of the samples at its first, middle and last threshold.

    Args:
        points: list of dicts, see `scoring.truncation.curve`.
        grids: uint8 (K * n, H, W, C) for each point, n images of each of K classes.
        title: str.
    """
    shown = sorted({0, len(points) // 2, len(points) - 1})
    widths = [1.5, *(1.0 for _ in shown)]
    drawn = matplotlib.figure.Figure(figsize=(3.4 * sum(widths), 4.4), layout="constrained")
    axes, *panels = drawn.subplots(1, len(widths), width_ratios=widths)
    axes.errorbar(
        [point["spread"] for point in points],
        [point["score_mean"] for point in points],
        yerr=[point["score_std"] for point in points],
        marker="o",
        capsize=2,
    )
    for point in points:
        at = (point["spread"], point["score_mean"])
        axes.annotate(_name(point), at, xytext=(5, -11), textcoords="offset points", fontsize=8)
    axes.set(xlabel="spread of a class's samples (real images: 1)", ylabel="classifier's score")
    for panel, i in zip(panels, shown, strict=True):
        num_classes = len(points[i]["right_by_class"])
        grid = image_grid(grids[i], columns=len(grids[i]) // num_classes)
        panel.imshow(grid, cmap="gray", vmin=0, vmax=255)  # grey is not stretched by panel
        right = f"{100 * points[i]['right']:.0f} % of the class"
        panel.set_title(f"threshold {_name(points[i])}: {right}", fontsize=9)
        panel.axis("off")
    drawn.suptitle(title, fontsize=10, parse_math=False)
    return drawn


def _name(point):
    return "none" if point["threshold"] is None else f"{point['threshold']:g}"
