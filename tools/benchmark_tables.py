"""The tables of docs/benchmarks.md, from `benchmarks/measured.json` and from arithmetic."""

from tools.run_files import ROOT, markdown_table, read

MEASURED = ROOT / "benchmarks" / "measured.json"
# Bytes of CIFAR-10's minibatch discrimination at full width, batch 100: docs/benchmarks.md.
BYTES_PER_IMAGE = 6 * 4 * (500 + 100 + 1)
GRADIENT_BYTES = 4 * (1.50e6 + 3 * 4.93e6)
BATCH = 100  # images on each replica
MODELS = {
    "mnist-feature_matching": "MNIST, feature matching",
    "cifar10-feature_matching": "CIFAR-10, feature matching",
    "cifar10-minibatch_discrimination": "CIFAR-10, minibatch discrimination",
}
NOT_MEASURED = "-"


def _rows(name, *columns):
    return [[row[column] for column in columns] for row in read(MEASURED)[name]["rows"]]


def avx512():
    """An iteration against its floor and PyTorch, on a processor with AVX-512."""
    columns = ("here", "ratio_to_floor", "one_call_per_step", "tf_data", "pytorch")
    headers = (
        *("an iteration of", "here", "ratio to the floor", "one Python call per step"),
        *("`tf.data` feeding", "PyTorch"),
    )
    return markdown_table(headers, _rows("avx512", "experiment", *columns))


def avx2():
    """The same on a processor without AVX-512, with oneDNN and without."""
    columns = ("experiment", "here", "without_onednn", "floor", "pytorch")
    headers = (*("an iteration of", "here", "with `TF_ENABLE_ONEDNN_OPTS=0`", "floor", "PyTorch"),)
    return markdown_table(headers, _rows("avx2", *columns))


def against_pytorch():
    """An iteration of each model in two precisions, between two runs of the peer."""
    lines = []
    for row in read(MEASURED)["against_pytorch"]["rows"]:
        times = [row[k] for k in ("here", "floor", "pytorch_before", "pytorch_after")]
        lines.append([MODELS[row["experiment"]], f"`{row['precision']}`", *map(_time, times)])
    headers = (
        *("an iteration of", "precision", "here", "floor, `float32`"),
        *("PyTorch before", "PyTorch after"),
    )
    return markdown_table(headers, lines)


def _time(milliseconds):
    if milliseconds is None:
        return NOT_MEASURED
    return f"{milliseconds:.1f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"


def aims():
    """What the step should cost, and what `benchmarks.against_pytorch` measured."""
    rows = {(r["experiment"], r["precision"]): r for r in read(MEASURED)["against_pytorch"]["rows"]}

    def row(model, precision):
        return rows.get((model, precision), {})

    def here(model, precision="float32"):
        return row(model, precision).get("here")

    def pytorch(model, precision="float32"):
        # The faster of the two runs: what the peer can do here.
        found = row(model, precision)
        return min(found["pytorch_before"], found["pytorch_after"]) if found else None

    def ratio(slow, fast):
        return NOT_MEASURED if None in (slow, fast) else f"{slow / fast:.2f}"

    mnist, matching, discrimination = MODELS
    half, autocast = "mixed_bfloat16", "bfloat16 autocast"
    floor = row(mnist, "float32").get("floor")
    lines = [
        ("MNIST, `float32`", "floor", "1.5 or less", ratio(here(mnist), floor)),
        (
            "PyTorch's MNIST, `float32`",
            "MNIST, `float32`",
            "1.8",
            ratio(pytorch(mnist), here(mnist)),
        ),
        (
            *("PyTorch's MNIST, `float32`", f"MNIST, `{half}`", "2"),
            ratio(pytorch(mnist), here(mnist, half)),
        ),
        (
            *(f"PyTorch's MNIST, {autocast}", f"MNIST, `{half}`", "1.3"),
            ratio(pytorch(mnist, half), here(mnist, half)),
        ),
    ]
    for model, aim in ((matching, "1.4"), (discrimination, "1.3")):
        found = ratio(here(model), here(model, half))
        lines.append((f"{MODELS[model]}, `float32`", f"the same, `{half}`", aim, found))
    return markdown_table(("time of", "over that of", "aim", "measured"), lines)


def cross_replica():
    """One device and two replicas: time, and the bytes that one replica sends."""
    lines = [
        [name, one, local, everywhere, f"{summed[0]:,} / {summed[1]:,}", f"{gathered:,}"]
        for name, one, local, everywhere, *summed, gathered in _rows(
            *("cross_replica", "experiment", "one_device", "local", "global"),
            *("summed_local", "summed_global", "gathered"),
        )
    ]
    headers = (
        *("batch 100", "one device", "2 replicas, local", "2 replicas, global"),
        *("bytes summed, local / global", "bytes gathered"),
    )
    return markdown_table(headers, lines)


def traffic():
    """Traffic between many replicas in a ring: calculated, not measured."""
    lines = []
    for replicas in (1, 8, 64):
        part = (replicas - 1) / replicas  # the share that comes from other replicas
        images = BATCH * replicas
        # One replica computes each pair once; several compute their own rows against all others.
        pairs = BATCH * (BATCH - 1) // 2 if replicas == 1 else BATCH * (images - 1)
        gathered, summed = part * images * BYTES_PER_IMAGE, 2 * part * GRADIENT_BYTES
        megabytes = (f"{size / 1e6:.0f} MB" if size else "0" for size in (gathered, summed))
        lines.append([replicas, *megabytes, f"{pairs:,}", f"{images:,} images"])
    headers = (
        *("replicas", "gathered", "gradients summed", "pairs of rows in a pass"),
        "noise drawn for",
    )
    return markdown_table(headers, lines)


def ways():
    """The loop over pairs against all pairs at once, on small shapes."""
    columns = ("shape", "loop", "direct", "ratio", "loop_xla", "direct_xla", "ratio_xla", "taken")
    headers = (
        *("N, B, C", "loop", "direct", "loop / direct"),
        *("loop, XLA", "direct, XLA", "loop / direct, XLA", "taken"),
    )
    return markdown_table(headers, _rows("ways", *columns))


def first_call():
    """The first call of training, as it was before and as it is."""
    rows = _rows("first_call", "way", "seconds", "nodes")
    headers = ("a graph with", "first call", "operations in the graph")
    return markdown_table(headers, [[way, f"{time} s", nodes] for way, time, nodes in rows])


def sweep_memory():
    """The memory of a command that trains one run, or many one after the other."""
    rows = _rows("sweep_memory", "runs", "one_process", "own_processes")
    return markdown_table(("runs", "all in one process, as before", "a process for each"), rows)
