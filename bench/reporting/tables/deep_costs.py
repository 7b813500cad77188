"""Table 6: time and memory of the deep networks."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from bench.replication.paper import TIME_PROTOCOLS, PaperTable, paper_table
from bench.replication.scores import costs
from bench.reporting.tables.beside_paper import (
    NOT_IN_PAPER,
    RowKey,
    TableSource,
    by_place,
    cell_at,
    decimals_of,
    row_of,
)
from bench.reporting.tables.cells import Cell, Column, Table
from bench.reporting.tables.notes import machines_of, stale_notes, time_notes
from bench.study.catalog import ROW_TITLES

COLUMNS = {
    "forward_ms": ("Time", "Forward pass (ms)"),
    "backward_ms": ("Time", "Backward pass (ms)"),
    "training_peak_mib": ("Memory", "Training (MiB)"),
    "inference_peak_mib": ("Memory", "Inference (MiB)"),
    "model_size_mb": ("Size", "Model size (MB)"),
}
BATCHES = {"training_peak_mib": 4, "inference_peak_mib": 1}  # paper §6
# Kinds of memory, the one that is nvidia-smi's first; then what comes nearest on a machine without a GPU.
NVIDIA_SMI = "device_process"
MEMORY_KINDS = {
    NVIDIA_SMI: "what the process takes from the GPU, as nvidia-smi shows it",
    "resident_set": "the whole process in the machine's memory, Python and PyTorch included, since no GPU was measured",
    "resident_set_since_start": "the highest value of the whole process in the machine's memory since it began, Python "
    "and PyTorch included, since no GPU was measured",
}


def table_costs(key: str, source: TableSource) -> Table:
    """Returns Table 6: time by the paper's protocol, memory as near to nvidia-smi's as it was measured, model size.

    Networks that the paper's table has not are measured in the same way and stand below.

    Source: paper §6.
    """
    paper = paper_table(key)
    columns = [Column(section, "", title, metric, paper.units[metric]) for metric, (section, title) in COLUMNS.items()]
    first = source.trials[0]
    size = (first.timing_height, first.timing_width)
    found = costs(source.results)
    kinds = {metric: _kind(found, metric, size) for metric in BATCHES}
    shown = _as_in_paper(found, key, kinds, size)
    measured = by_place(shown, source.stale)
    keys = [RowKey(name, row.model, row.title, paper.groups[row.group]) for name, row in paper.rows.items()]
    keys = [key for key in keys if key.model in source.rows]
    in_paper = {key.model for key in keys}
    others = [model for model in source.rows if model not in in_paper]
    keys += [RowKey("", model, ROW_TITLES[model], NOT_IN_PAPER) for model in others]

    def cell(key: RowKey, column: Column) -> Cell:
        made = cell_at(paper, key, column, measured, decimals_of(paper, column.metric))
        # the paper's is memory of a GPU: a resident set is another thing
        return replace(made, comparable=made.comparable and kinds.get(column.metric, NVIDIA_SMI) == NVIDIA_SMI)

    rows = [row_of(key, [cell(key, column) for column in columns]) for key in keys]
    times = shown[shown["metric"] == "forward_ms"]
    notes = (
        *stale_notes(rows, source.stale),
        *time_notes("Time", paper, times, f" of {size[0]}×{size[1]}"),
        *_memory_notes(paper, kinds, " / ".join(machines_of(shown))),
        f"Model size: the paper's {paper.notes['model_size_mb']}; ours: all parameters and statistics in 32 bits.",
        "Numbers of two machines do not show which network is better built: compare the rows of one machine.",
    )
    title = f"The paper's Table {key.removeprefix('T')}: {paper.title}"
    return Table(key, title, tuple(columns), tuple(rows), source.notice, notes)


def _protocol(kind: str, metric: str, size: tuple[int, int]) -> str:
    """Returns the protocol under which a peak of the paper's batch was stored."""
    return f"{kind}, batch {BATCHES[metric]}, {size[0]}x{size[1]}"


def _kind(found: pd.DataFrame, metric: str, size: tuple[int, int]) -> str:
    """Returns the kind of memory to show: nvidia-smi's where any network has it; "" where none has any."""
    protocols = set(found.loc[found["metric"] == metric, "protocol"])
    return next((kind for kind in MEMORY_KINDS if _protocol(kind, metric, size) in protocols), "")


def _as_in_paper(found: pd.DataFrame, key: str, kinds: dict[str, str], size: tuple[int, int]) -> pd.DataFrame:
    """Returns one row a cost: times by the paper's protocol, memory of the kinds, the model's size."""
    wanted = {"forward_ms": TIME_PROTOCOLS[key], "backward_ms": TIME_PROTOCOLS[key]}
    wanted |= {metric: _protocol(kind, metric, size) for metric, kind in kinds.items()}
    right = found["protocol"] == found["metric"].map(wanted)
    return found[right | (found["metric"] == "model_size_mb")].drop_duplicates(["model", "metric"])


def _memory_notes(paper: PaperTable, kinds: dict[str, str], devices: str) -> list[str]:
    train, infer = paper.notes["training_peak_mib"], paper.notes["inference_peak_mib"]
    theirs = f"Memory: the paper's of training is {train}; of inference {infer}"
    found = [kind for kind in dict.fromkeys(kinds.values()) if kind]
    ours = "; ".join(f"{kind.replace('_', ' ')}, {MEMORY_KINDS[kind]}" for kind in found) or "not measured"
    notes = [f"{theirs}. Ours: {ours}; on {devices}." if found else f"{theirs}. Ours: not measured."]
    if any(kind != NVIDIA_SMI for kind in found):
        notes.append(
            "Memory of a GPU and of a process on a processor are two things, so there is no difference to show."
        )
    return notes
