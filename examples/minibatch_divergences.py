"""What a discriminator of minibatches measures: exact JS of two coins, N throws at a time.

    python -m examples.minibatch_divergences --output=docs/minibatch_divergences.png

prints a table and draws `JS[P^N || Q^N]` against q for minibatches of N = 1, 2, 3 and 8, plain and
divided by each curve's largest value. The scaled curves compare the costs of different mistakes. p
is the data's probability, q a generator's. Nothing is sampled or trained.

Source: Huszar (2016), the post on minibatch discrimination; Salimans et al. (2016), Sec. 3.2.
"""

import argparse
import pathlib

import numpy as np
import tabulate
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from improved_gan_tf.losses import divergences

SIZES = (1, 2, 3, 8)


def coins(p):
    """Returns the q of the table's columns: too certain, a quarter of p, p's opposite, reversed."""
    return (0.0, p / 4.0, 1.0 - p, 1.0)


def table(p):
    """Returns the table as Markdown: a row for each minibatch size, for p in (0, 1/2)."""
    _, low_entropy, opposite, _ = coins(p)
    rows = []
    for size in SIZES:
        js = {q: float(divergences.js(p, q, size)) for q in coins(p)}
        rows.append(
            [
                size,
                *[f"{value:.4f}" for value in js.values()],
                f"{js[low_entropy] / js[opposite]:.3f}",
                f"{js[low_entropy] / size:.4f}",
            ]
        )
    headers = [
        "N",
        *[f"q = {q:g}" for q in coins(p)],
        f"q = {low_entropy:g} / q = {opposite:g}",
        f"q = {low_entropy:g}, per example",
    ]
    return tabulate.tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def picture(p):
    """Returns the figure for p in (0, 1/2): JS against q for every minibatch size."""
    q = np.linspace(0.0, 1.0, 501)
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    plain, scaled = figure.subplots(1, 2)
    for i, size in enumerate(SIZES):
        js = divergences.js(p, q, size)
        style = {"color": f"C{i}", "label": f"N = {size}", "linewidth": 1.8}
        plain.plot(q, js, **style)
        scaled.plot(q, js / js.max(), **style)
    plain.set(title="Divergence of minibatches", ylabel=r"JS$[P^N \| Q^N]$ (bits)")
    scaled.set(title="Divided by each curve's largest value", ylabel="JS / largest JS")
    _, low_entropy, opposite, _ = coins(p)
    for axes in (plain, scaled):
        for at, line in ((p, "-"), (low_entropy, ":"), (opposite, ":")):
            axes.axvline(at, color="0.6", linewidth=0.8, linestyle=line)
            axes.annotate(f"{at:g}", (at, 1.03), ha="center", fontsize=8, color="0.4")
        axes.set(xlabel=f"q, the generator's coin (the data's: p = {p:g})", ylim=(0.0, 1.1))
        axes.set_xlim(0.0, 1.0)
    plain.legend(loc="upper center")
    return figure


def main(argv=None):
    """Prints the table and writes the picture; `argv` is the command line if None."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.minibatch_divergences", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--p", type=float, default=0.2, help="how often the data's coin is 1 (0.2)")
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=pathlib.Path("minibatch_divergences.png"),
        help="picture to write (minibatch_divergences.png)",
    )
    arguments = parser.parse_args(argv)
    if not 0.0 < arguments.p < 0.5:
        parser.error(f"--p must be larger than 0 and below 0.5. Received: {arguments.p}")
    output = arguments.output.expanduser()
    if output.suffix.lower() != ".png" or output.is_dir() or not output.parent.is_dir():
        parser.error(
            f"--output must be the name of a .png file in a folder that exists. Received: {output}"
        )
    print(f"JS in bits, p = {arguments.p:g}\n\n{table(arguments.p)}")
    picture(arguments.p).savefig(output, dpi=120)
    print(f"\nPicture: {output}")


if __name__ == "__main__":
    main()
