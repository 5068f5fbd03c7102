"""The learning curves of a run as one figure."""

import matplotlib.figure

from improved_gan_tf.runs.health import SILENT_BELOW


def curves_figure(history, title):
    """A figure with panels of losses and of errors, the latter on a logarithmic scale.

    In place of errors, a game that records gradient norms shows these. With minibatch
    discrimination a third panel shows how close it finds images to each other.
    """
    # Built without pyplot: no global state, no window system.
    # From the last epoch: an earlier version may not have recorded a metric in the first epochs.
    watched = [name for name in history[-1] if name.startswith("closeness_")]
    panels = 3 if watched else 2
    figure = matplotlib.figure.Figure(figsize=(5 * panels, 4.2), layout="constrained")
    epochs = [m["epoch"] + 1 for m in history]
    left, right, *third = figure.subplots(1, panels)
    for name in history[0]:
        # A baseline's metrics hold zeros for losses that it does not have.
        if name.startswith("loss_") and any(m[name] for m in history):
            left.plot(epochs, [m[name] for m in history], label=name.removeprefix("loss_"))
    left.set(xlabel="epoch", ylabel="loss (mean of the epoch)")
    left.set_yscale("symlog", linthresh=0.01)
    left.legend()

    def draw(axes, name, label, factor=1.0):
        points = [
            (e, factor * m[name])
            for e, m in zip(epochs, history, strict=True)
            if m.get(name) is not None
        ]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, marker=".")

    norms = [name for name in history[-1] if name.startswith("gradient_norm_")]
    for name in norms:
        draw(right, name, name.removeprefix("gradient_norm_"))
    for name, label in (
        ("train_error", "training (labeled, with noise)"),
        ("test_error_averaged", "test, averaged parameters"),
        ("test_error_raw", "test, raw parameters"),
    ):
        draw(right, name, label, 100.0)
    right.set(xlabel="epoch", ylabel="gradient norm (mean)" if norms else "error (%)")
    right.set_yscale("symlog", linthresh=0.1)
    right.set_ylim(bottom=0)
    right.legend()
    for axes in third:
        for name in watched:
            draw(axes, name, name.removeprefix("closeness_"))
        axes.axhline(SILENT_BELOW, color="0.5", linestyle=":", label="silent below")
        axes.set(xlabel="epoch", ylabel="closeness in minibatch discrimination (mean o)")
        axes.set_yscale("symlog", linthresh=SILENT_BELOW)
        axes.set_ylim(bottom=0)
        axes.legend()
    figure.suptitle(title)
    return figure
