"""An earlier result of ours as a small CSV file that is kept in git and read in a diff.

    # segnet-bench baseline 2
    # suite: decoder-variants
    # trial: decoder-variants.smoke.segnet_basic.median_frequency.s0 0123456789abcdef
    model,weighting,split,metric,budget,class_name,protocol,value,n,std,seeds,device_name,kernels,precision,threads
    segnet_basic,median_frequency,test,mean_iou,,,,0.5123,2,0.01,0=0.5052 1=0.5194,,,,
    segnet_basic,,,forward_ms,,,interleaved,17.4,1,,,AMD EPYC,AVX2,fp32,2

Lines that start with '#' are provenance; a name that has several values stands on several lines. Values are in the
units of `bench.replication.scores`; `seeds` has the value of each, of which `value` is the mean and `std` the standard
deviation. The last four columns are those of a time or a peak of memory. Files of format 1, which end with n, are read
as well; those from before there were budgets have neither that column nor class_name, which are "" then.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from bench.atomic import write_atomically
from bench.errors import ResultsError
from bench.replication.check import Place
from bench.replication.comparable import Machine, Measured, place_of
from bench.replication.scores import MACHINE_COSTS

FORMAT = 2
FIRST_LINE = f"# segnet-bench baseline {FORMAT}"
EARLIER = ("model", "weighting", "split", "metric", "protocol", "value", "n")  # before there were budgets
FORMAT_1 = (*Place._fields, "value", "n")
COLUMNS = (*FORMAT_1, "std", "seeds", *Machine._fields)
HEADERS = {1: (FORMAT_1, EARLIER), 2: (COLUMNS,)}
MAX_BYTES = 4 << 20  # that of a table of the paper has 10 KiB
DIGITS = 1e-9  # values are written with ten digits

_FIRST_LINE = re.compile(r"# segnet-bench baseline ([1-9][0-9]{0,5})")
_WORD = re.compile(r"[a-z0-9_]*")
_BUDGET = re.compile(r"[A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Baseline:
    """What a baseline file holds: numbers by place, and its provenance."""

    numbers: dict[Place, Measured]
    meta: dict[str, tuple[str, ...]]


def write_baseline(path: Path, numbers: Mapping[Place, Measured], meta: Mapping[str, str | Sequence[str]]) -> None:
    """Writes numbers and where they come from; an existing file is replaced in one step.

    Args:
        path: the CSV file; its folder is made if it is not there.
        numbers: by place, for example from `comparable.numbers`.
        meta: provenance by name (suite, profile, trial, commit, torch, date, reason, ...).

    Raises:
        ResultsError: there is no number to write, or the file cannot be written.
    """
    if not numbers:
        raise ResultsError(f"{path}: not written, because there is no finished trial to take values from")
    text = StringIO()
    text.write(FIRST_LINE + "\n")
    for name, values in meta.items():
        for value in [values] if isinstance(values, str) else values:
            text.write(f"# {name}: {' '.join(value.split())}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for place, one in numbers.items():
        std = "" if math.isnan(one.std) else _digits(one.std)
        seeds = " ".join(f"{seed}={_digits(value)}" for seed, value in one.values.items())
        machine = one.machine if place.metric in MACHINE_COSTS else Machine()
        writer.writerow([*place, _digits(one.value), one.n, std, seeds, *machine])

    def write(temporary: Path) -> None:
        temporary.write_text(text.getvalue(), encoding="utf-8")

    write_atomically(path, write)


def read_baseline(path: Path) -> Baseline:
    """Reads a file that `write_baseline` wrote, in this format or in format 1.

    Raises:
        ResultsError: there is no such file, it is not a baseline, it is one of a later format, or a line is damaged;
            names file and line.
    """
    lines = _lines(path)
    form = _format(path, lines[0] if lines else "")
    meta: dict[str, tuple[str, ...]] = {}
    number = 1
    while number < len(lines) and lines[number].startswith("#"):
        name, _, value = lines[number][1:].partition(":")
        meta[name.strip()] = (*meta.get(name.strip(), ()), value.strip())
        number += 1
    headers = {",".join(columns): columns for columns in HEADERS[form]}
    columns = headers.get(lines[number]) if number < len(lines) else None
    if columns is None:
        raise ResultsError(f"{path}:{number + 1}: after the '#' lines come the columns '{next(iter(headers))}'")
    numbers: dict[Place, Measured] = {}
    for at, line in enumerate(lines[number + 1 :], start=number + 2):
        place, one = _row(f"{path}:{at}", line, columns)
        if place in numbers:
            raise ResultsError(f"{path}:{at}: a second value of {' '.join(part for part in place if part)}")
        numbers[place] = one
    if not numbers:
        raise ResultsError(f"{path}:{number + 1}: the baseline has no values; it may have been cut off")
    return Baseline(numbers, meta)


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ResultsError(f"{path}: larger than {MAX_BYTES >> 20} MiB, which no baseline is")
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ResultsError(f"{path}: cannot be read as a baseline: {reason}") from error


def _format(path: Path, line: str) -> int:
    """Returns the format that a first line names."""
    match = _FIRST_LINE.fullmatch(line)
    if match is None:
        formats = " or ".join(map(str, HEADERS))
        raise ResultsError(
            f"{path}:1: not a baseline, whose first line is '{FIRST_LINE[:-1]}N' with format {formats} for N"
        )
    form = int(match[1])
    if form > FORMAT:
        raise ResultsError(
            f"{path}:1: a baseline of format {form}, and this version reads formats 1 to {FORMAT}; "
            "use the version of segnet-bench that wrote it, or write it again with `bench check --update-baseline`"
        )
    return form


def _row(where: str, line: str, columns: Sequence[str]) -> tuple[Place, Measured]:
    """Returns what a line says; `columns` are those of its file."""
    try:
        fields = next(csv.reader([line]), [])
    except csv.Error as error:
        raise ResultsError(f"{where}: {error}") from None
    if len(fields) != len(columns):
        raise ResultsError(f"{where}: expected {len(columns)} fields, got {len(fields)}: '{line[:200]}'")
    row = dict.fromkeys(COLUMNS, "") | dict(zip(columns, fields, strict=True))
    place = place_of(row)  # files of format 1 name a protocol of parameters
    words = (place.model, place.weighting, place.split, place.metric)
    good = place.model and place.metric and line.isprintable() and _BUDGET.fullmatch(place.budget)
    if not (good and all(map(_WORD.fullmatch, words))):
        raise ResultsError(f"{where}: a name is made of a-z, 0-9 and '_', got '{line[:200]}'")
    values = _values(where, row["seeds"])
    try:
        value, n, std = float(row["value"]), int(row["n"]), float(row["std"] or "nan")
    except ValueError:
        raise ResultsError(
            f"{where}: value and std must be numbers and n a whole number, "
            f"got '{row['value'][:50]}', '{row['std'][:50]}' and '{row['n'][:50]}'"
        ) from None
    if n < 1:
        raise ResultsError(f"{where}: n must be at least 1, got {n}")
    if values and (len(values) != n or not _is_mean(value, list(values.values()))):
        raise ResultsError(f"{where}: n must be the number of the seeds, and value their mean, got '{line[:200]}'")
    return place, Measured(value, std, n, values, machine=Machine(*(row[name] for name in Machine._fields)))


def _values(where: str, text: str) -> dict[int, float]:
    """Returns the value of each seed in "0=0.5 1=0.75"."""
    values: dict[int, float] = {}
    for pair in text.split():
        seed, _, value = pair.partition("=")
        try:
            number = int(seed)
            if number in values:
                raise ResultsError(f"{where}: seed {number} appears twice")
            values[number] = float(value)
        except ValueError:
            raise ResultsError(f"{where}: seeds must be like '0=0.5 1=0.75', got '{text[:100]}'") from None
    return values


def _is_mean(value: float, values: Sequence[float]) -> bool:
    mean = math.fsum(values) / len(values)
    return (math.isnan(mean) and math.isnan(value)) or math.isclose(mean, value, rel_tol=DIGITS, abs_tol=DIGITS)


def _digits(value: float) -> str:
    return format(value, ".10g")
