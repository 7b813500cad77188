"""The definitions under which counts are scored: boundary protocols, divisor, region rule and class subset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.errors import ConfigError, UnknownNameError
from bench.evaluation.boundary_scores import LABEL, PREDICTED, STORED, boundary_f1
from bench.scoring.regions import DEFAULT_RULE, REGION_RULES, region_scores_by
from bench.study.catalog import resolve

ALL = "all"
DEFAULT_PROTOCOLS = ("paper",)
REGION_METRICS = ("global_accuracy", "class_average_accuracy", "mean_iou")


class Measure(NamedTuple):
    """What a score is: its metric, and the boundary protocol ("" for a region score)."""

    metric: str
    protocol: str = ""


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of one set of predictions; fractions 0 to 1, NaN where a value does not exist.

    Attributes:
        values: by measure.
        class_values: (K,) by measure: metric accuracy, iou or boundary_f1.
        class_names: K names.
    """

    values: Mapping[Measure, float]
    class_values: Mapping[Measure, NDArray[np.float64]]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Definition:
    """What is scored, and by which rule.

    Attributes:
        protocols: keys of STORED, `paper` first where it is among them.
        divisor: which classes count in an image's BF: "union" or "gt".
        average: one of REGION_RULES.
        classes: names of a subset of the classes, in the order of the data set; None means all.
    """

    protocols: tuple[str, ...] = DEFAULT_PROTOCOLS
    divisor: Literal["union", "gt"] = "union"
    average: str = DEFAULT_RULE
    classes: tuple[str, ...] | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Returns what is scored, in the order of the table."""
        regions = [Measure(metric) for metric in REGION_METRICS]
        return (*regions, *(Measure("boundary_f1", protocol) for protocol in self.protocols))

    @property
    def sentence(self) -> str:
        """Says the definitions in one line, and whether they are those of the reports' tables."""
        what = (
            f"BF by {', '.join(self.protocols)}, divisor {self.divisor}; G, C, mIoU by {self.average}; "
            f"classes: {'all' if self.classes is None else ', '.join(self.classes)}"
        )
        if self == Definition():
            return f"{what}. This is the default of the tables."
        same = self.average == DEFAULT_RULE and self.divisor == "union" and self.classes is None
        if same and self.protocols[0] == DEFAULT_PROTOCOLS[0]:
            return f"{what}. G, C, mIoU and BF paper are by the default of the tables, the other BF are not."
        return f"{what}. This is NOT the default of the tables."

    def as_dict(self) -> dict[str, Any]:
        """Returns the definitions as JSON-able data."""
        return {
            "protocols": list(self.protocols),
            "divisor": self.divisor,
            "average": self.average,
            "classes": None if self.classes is None else list(self.classes),
            "default_of_the_tables": self == Definition(),
        }


def definition_of(
    protocols: Sequence[str], divisor: Literal["union", "gt"], average: str, classes: str | None, known: Sequence[str]
) -> Definition:
    """Returns what the options mean.

    Args:
        protocols: names in STORED, or "all"; letter case, '-' and '_' do not matter, here and below.
        divisor: "union" or "gt".
        average: one of REGION_RULES.
        classes: names of classes with commas between them; None means all.
        known: the class names of the data set.

    Raises:
        UnknownNameError: a name that is not known.
        ConfigError: a class is named twice, or a name is empty.
    """
    wanted = {resolve("boundary protocol", name, [*STORED, ALL]) for name in protocols or DEFAULT_PROTOCOLS}
    chosen = tuple(name for name in STORED if name in wanted or ALL in wanted)
    rule = resolve("region rule", average, REGION_RULES)
    return Definition(chosen, divisor, rule, None if classes is None else _subset(classes, known))


def score_counts(
    definition: Definition,
    class_names: Sequence[str],
    confusion: NDArray[np.int64],
    boundary: Mapping[str, NDArray[np.int64]],
) -> Scores:
    """Scores counts under a definition; a protocol without counts has no value.

    Args:
        definition: what to score.
        class_names: K names, in the order of the counts.
        confusion: (N, K, K) counts.
        boundary: by protocol, (N, K, 4) counts.

    Raises:
        UnknownNameError: a class of the definition is not among the names.
    """
    names = tuple(class_names) if definition.classes is None else definition.classes
    for name in names:
        if name not in class_names:
            raise UnknownNameError("class", name, class_names)
    ids = [class_names.index(name) for name in names]
    regions = region_scores_by(confusion, definition.average, ids)
    values = {Measure(metric): getattr(regions, metric) for metric in REGION_METRICS}
    class_values = {Measure("accuracy"): regions.class_accuracy, Measure("iou"): regions.class_iou}
    for protocol in definition.protocols:
        if protocol in boundary:
            counts = boundary[protocol][:, ids]
            if definition.classes is not None:
                counts = counts[_with_any(counts, definition.divisor)]
            scores = boundary_f1(counts, definition.divisor)
            values[Measure("boundary_f1", protocol)] = scores.boundary_f1
            class_values[Measure("boundary_f1", protocol)] = scores.class_boundary_f1
    return Scores(values, class_values, names)


def _with_any(counts: NDArray[np.int64], divisor: Literal["union", "gt"]) -> NDArray[np.bool_]:
    """Whether any class of (N, K, 4) counts has a boundary that its image's BF would divide by, by image.

    The authors' mean takes an image without any as 0, which all classes together never make; of a class subset it would
    be a measure of how many images the classes are in.
    """
    wanted = [LABEL] if divisor == "gt" else [LABEL, PREDICTED]
    return np.asarray((counts[..., wanted] > 0).any(axis=(1, 2)))


def _subset(classes: str, known: Sequence[str]) -> tuple[str, ...]:
    """Returns the named classes in the order of the data set."""
    given = [name.strip() for name in classes.split(",")]
    if not all(given):
        raise ConfigError(f"--classes: a name is empty in '{classes}'; it is A,B,... of: {', '.join(known)}")
    found = [resolve("class", name, known) for name in given]
    for position, name in enumerate(found):
        if name in found[:position]:
            raise ConfigError(f"--classes: {name} is named twice")
    return tuple(name for name in known if name in found)
