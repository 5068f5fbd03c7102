"""The result of a toy game: distances to the equilibrium, their table, and the picture."""

import matplotlib.figure
import numpy as np
import tabulate

CONVERGED = 0.05  # a start has converged once its distance stays below this


def distances(game, trajectory):
    """Euclidean distances to the equilibrium, (steps + 1, n); infinite after divergence."""
    distance = np.hypot(*np.moveaxis(trajectory - np.array(game.equilibrium), -1, 0))
    return np.where(np.isfinite(distance), distance, np.inf)


def converged_at(distance):
    """The first step in [0, steps] from which a distance, (steps + 1,), stays below `CONVERGED`.

    None if the last distance is not below.
    """
    outside = np.flatnonzero(distance >= CONVERGED)
    first_inside = 0 if len(outside) == 0 else int(outside[-1]) + 1
    return first_inside if first_inside < len(distance) else None


def table(starts, plain, averaged):
    """The table as text, a row for each start.

    Args:
        starts: (n, 2).
        plain: distances (steps + 1, n) of plain gradient descent.
        averaged: the same with historical averaging.
    """
    rows = []
    for start, *both in zip(starts, plain.T, averaged.T, strict=True):
        row = [f"({start[0]:+.2f}, {start[1]:+.2f})", f"{both[0][0]:.2f}"]
        for distance in both:
            step = converged_at(distance)
            row += [
                f"{distance[-1]:.2g}" if np.isfinite(distance[-1]) else "diverged",
                "never" if step is None else str(step),
            ]
        rows.append(row)
    headers = ["start (x, y)", "distance", "plain: at the end", "converged at step"]
    headers += ["averaging: at the end", "converged at step"]
    return tabulate.tabulate(
        rows, headers, tablefmt="github", disable_numparse=True, colalign=("left",) + 5 * ("right",)
    )


def figure(game, plain, averaged, start_radius):
    """Draws two trajectories (steps + 1, n, 2) and their distances to the equilibrium."""
    # Built without pyplot: no global state, no window system.
    drawing = matplotlib.figure.Figure(figsize=(12, 4.2), layout="constrained")
    panels = drawing.subplots(1, 3)
    titles = ("plain gradient descent", "historical averaging")
    colors = ("tab:orange", "tab:blue")
    for axes, title, trajectory in zip(panels[:2], titles, (plain, averaged), strict=True):
        in_sight = distances(game, trajectory)[..., None] <= 10 * start_radius
        for x, y in np.where(in_sight, trajectory, np.nan).transpose(1, 2, 0):
            (line,) = axes.plot(x, y, linewidth=0.7, alpha=0.8)
            axes.plot(x[0], y[0], "o", color=line.get_color(), markersize=4)
        axes.plot(*game.equilibrium, "k+", markersize=12, markeredgewidth=2)
        axes.set(title=title, xlabel="x", ylabel="y", aspect="equal")
        limits = [(c - 2.2 * start_radius, c + 2.2 * start_radius) for c in game.equilibrium]
        axes.set(xlim=limits[0], ylim=limits[1])
    axes = panels[2]
    for title, color, trajectory in zip(titles, colors, (plain, averaged), strict=True):
        lines = axes.plot(distances(game, trajectory), color=color, linewidth=0.7, alpha=0.8)
        lines[0].set_label(title)
    axes.axhline(CONVERGED, color="black", linestyle=":", linewidth=1)
    axes.set(yscale="log", ylim=(1e-4, 50), xlabel="step", ylabel="distance to the equilibrium")
    axes.set_title("dots: starts; +: equilibrium; dotted line: converged", fontsize=9)
    axes.legend()
    drawing.suptitle(f"V(x, y) = {game.formula}")
    return drawing
