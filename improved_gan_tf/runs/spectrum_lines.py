"""The largest singular value of every layer of a player, drawn by the kind of layer."""

import matplotlib.ticker

# A part of a layer's path -> its kind; the first that fits. BigGAN has some twenty layers: so many
# colours could not be told apart, and the layers of one kind move together.
KINDS = (
    ("attention", "attention", "C4"),
    ("_norm", "gains and biases by class", "C1"),
    ("_conv_sc", "shortcuts (1 x 1 convolutions)", "C2"),
    ("_conv", "convolutions", "C0"),
    ("", "dense layers and embeddings", "C3"),
)


def draw_spectra(axes, history, player):
    """Draws a line for each layer, coloured by its kind, and names the layer that ends largest.

    Args:
        axes: matplotlib axes.
        history: metrics of the epochs, with `sigma0/<player>/<layer>`.
        player: "generator" or "discriminator".
    """
    start = f"sigma0/{player}/"
    names = [name for name in history[-1] if name.startswith(start)]
    labeled = set()
    for name in names:
        kind, colour = _kind(name.removeprefix(start))
        found = [(m["epoch"] + 1, m[name]) for m in history if m.get(name) is not None]
        axes.plot(
            *zip(*found, strict=True),
            color=colour,
            linewidth=1,
            marker="." if len(history) == 1 else None,
            label=None if kind in labeled else kind,
        )
        labeled.add(kind)
    axes.margins(y=0.1)  # for the name above the highest line
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.legend(fontsize=8)
    largest = max(names, key=history[-1].get)
    axes.annotate(
        largest.removeprefix(start),
        (history[-1]["epoch"] + 1, history[-1][largest]),
        xytext=(0, 3),
        textcoords="offset points",
        horizontalalignment="right",
        verticalalignment="bottom",
        fontsize=8,
    )


def _kind(layer):
    return next((kind, colour) for part, kind, colour in KINDS if part in layer)
