"""The tables of docs/benchmarks.md, from `benchmarks/measured.json` and from arithmetic."""

from tools.run_files import ROOT, markdown_table, read

MEASURED = ROOT / "benchmarks" / "measured.json"
# Bytes of CIFAR-10's minibatch discrimination at full width, batch 100: docs/benchmarks.md.
BYTES_PER_IMAGE = 6 * 4 * (500 + 100 + 1)
GRADIENT_BYTES = 4 * (1.50e6 + 3 * 4.93e6)
BATCH = 100  # images on each replica


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


def sweep_memory():
    """The memory of a command that trains one run, or many one after the other."""
    rows = _rows("sweep_memory", "runs", "megabytes")
    return markdown_table(("runs", "memory of the command"), [[n, f"{mb} MB"] for n, mb in rows])
