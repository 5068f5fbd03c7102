"""Writes every table of numbers in the pages from the files of the runs.

    python -m tools.tables              # brings the pages up to date
    python -m tools.tables --check      # changes nothing; names stale pages, exit code 1

A table is in its page between `<!-- table: NAME -->` and `<!-- end -->`; `TABLES` has its name.
"""

import functools
import sys

from tools import (
    arguments,
    benchmark_tables,
    biggan_tables,
    dcgan_tables,
    markers,
    measure_frozen,
    mnist_tables,
    mode_collapse_tables,
    own_images_runs,
    paper_tables,
    precision_tables,
    silent_layer_tables,
    thin_tables,
)
from tools.run_files import ROOT

TABLES = {
    "experiments": paper_tables.experiments,
    "results": paper_tables.results,
    "sample": paper_tables.sample,
    "turing-tests": paper_tables.human_evaluations,
    "mnist-full-length": mnist_tables.full_length,
    "mnist-each-split": mnist_tables.each_split,
    "mnist-with-original": mnist_tables.with_original,
    "mnist-collapses": mnist_tables.collapse_counts,
    "mnist-compared": functools.partial(mnist_tables.compared, "mnist_full", True),
    "sample-compared": functools.partial(mnist_tables.compared, "sample_matrix", False),
    "mnist-scores": mnist_tables.mnist_scores,
    "cifar10-scores": mnist_tables.cifar10_scores,
    "thin-runs": thin_tables.every_run,
    "thin-over-seeds": thin_tables.over_seeds,
    "thin-independent": thin_tables.independent,
    "thin-other-rate": thin_tables.other_rate,
    "closeness": thin_tables.silent,
    "table3": thin_tables.table3_state,
    "table3-thin": thin_tables.table3_thin,
    "frozen-statistics": measure_frozen.table,
    "dcgan-recipes": dcgan_tables.recipes,
    "dcgan-objectives": dcgan_tables.objectives,
    "dcgan-techniques": dcgan_tables.techniques,
    "dcgan-cifar10": dcgan_tables.cifar10,
    "mode-collapse-grid": mode_collapse_tables.grid,
    "mode-collapse-published-size": functools.partial(
        mode_collapse_tables.grid, mode_collapse_tables.PUBLISHED_SIZE
    ),
    "mode-collapse-ring": mode_collapse_tables.ring,
    "silent-layer": silent_layer_tables.closeness,
    "silent-layer-outcomes": silent_layer_tables.outcomes,
    "silent-layer-one-class": silent_layer_tables.one_class,
    "silent-layer-code": silent_layer_tables.authors_code,
    "silent-layer-wide": silent_layer_tables.papers_width,
    "silent-layer-samples": silent_layer_tables.samples,
    "silent-layer-samples-closeness": silent_layer_tables.samples_closeness,
    "half-precision": precision_tables.trained,
    "own-images": own_images_runs.table,
    "biggan-runs": biggan_tables.runs,
    "biggan-classes": biggan_tables.classes,
    "biggan-truncation": functools.partial(biggan_tables.truncation, biggan_tables.FIXED),
    "biggan-truncation-anew": functools.partial(biggan_tables.truncation, biggan_tables.ANEW),
    "benchmark-avx512": benchmark_tables.avx512,
    "benchmark-avx2": benchmark_tables.avx2,
    "benchmark-against-pytorch": benchmark_tables.against_pytorch,
    "benchmark-aims": benchmark_tables.aims,
    "benchmark-first-call": benchmark_tables.first_call,
    "benchmark-cross-replica": benchmark_tables.cross_replica,
    "benchmark-traffic": benchmark_tables.traffic,
    "benchmark-ways": benchmark_tables.ways,
    "benchmark-sweep-memory": benchmark_tables.sweep_memory,
}


def pages():
    """The pages that may have tables."""
    folders = [
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "results").glob("*/README.md")),
    ]
    return [ROOT / "README.md", ROOT / "REPRODUCTION.md", *folders]


def stale():
    """`{page: its correct text}` for the pages whose tables are out of date."""
    tables = {name: functools.cache(table) for name, table in TABLES.items()}
    found = {}
    for page in pages():
        text = page.read_text("utf-8")
        filled = markers.filled(text, tables)
        if filled != text:
            found[page] = filled
    return found


def main():
    """Runs the command line."""
    parsing = arguments.parser(__doc__)
    parsing.add_argument("--check", action="store_true", help="change nothing, name stale pages")
    check = parsing.parse_args().check
    found = stale()
    for page, text in found.items():
        print(f"{page.relative_to(ROOT)}: {'stale' if check else 'written'}")
        if not check:
            page.write_text(text, "utf-8")
    sys.exit(1 if found and check else 0)


if __name__ == "__main__":
    main()
