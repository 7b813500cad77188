"""The confusion matrix of a whole test split, from the counts of its images in a results file.

`stored.read_counts` reads the counts of every image, boundaries included. Here they are added up as they are read,
which takes a tenth of the time and memory: a report needs the matrices of many trainings.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.data.split import MAX_SIZE
from bench.errors import ResultsError
from bench.results.trial_file import UNREADABLE, read_count_rows


def read_confusion(path: Path, refinement: str = "") -> tuple[tuple[str, ...], NDArray[np.int64]] | None:
    """Returns the pixels of the test split at the selected iteration, by label and predicted class.

    Args:
        path: a results file that `load_results` has accepted.
        refinement: what refined the predictions; "" means the network's own.

    Returns:
        The names of the K classes in the order of the data set, and (K, K) int64 `[label, prediction]`; None where it
        has stored no such counts.

    Raises:
        ResultsError: the file cannot be read any more, or holds counts that no evaluation could have given.
    """
    try:
        rows = _Rows(read_count_rows(path))
    except UNREADABLE as error:
        raise ResultsError(f"'{path}' cannot be read: {error}") from None
    mine = rows.are("split", "test") & rows.are("refinement", refinement)
    mine &= rows.numbers("iteration") == rows.numbers("selected_iteration")
    counted = np.flatnonzero(mine & rows.are("record", "image_confusion"))
    scored = np.flatnonzero(mine & rows.are("record", "class_score") & rows.are("metric", "accuracy"))
    if not len(counted) or not len(scored):
        return None
    names = tuple(rows.texts("class_name", scored))
    values = rows.numbers("value")[counted]
    # written so that NaN fails as well
    if not np.all((values >= 0) & (values <= MAX_SIZE**2) & (values == np.floor(values))):
        raise ResultsError(f"'{path}' holds counts that are no whole numbers from 0 to {MAX_SIZE**2}")
    try:
        label, predicted = (rows.places(column, names, counted) for column in ("class_name", "predicted_class"))
    except ValueError as error:
        raise ResultsError(f"'{path}' holds counts of {error}, which its scores do not know") from None
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (label, predicted), values.astype(np.int64))
    return names, counts


class _Rows:
    """Columns of a table as numpy arrays: a text column as codes into its few different texts."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def are(self, column: str, text: str) -> NDArray[np.bool_]:
        """Whether each row holds a text; "" is null."""
        codes, texts = self._coded(column)
        return codes == (texts.index(text) if text in texts else -2) if text else codes < 0

    def numbers(self, column: str) -> NDArray[np.float64]:
        """(N,) values; NaN is null."""
        return self._table[column].to_pandas().to_numpy(np.float64, na_value=np.nan)

    def texts(self, column: str, rows: NDArray[np.intp]) -> list[str]:
        """The texts of some rows."""
        codes, texts = self._coded(column)
        return [texts[code] for code in codes[rows]]

    def places(self, column: str, names: tuple[str, ...], rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where the texts of some rows stand among names; ValueError with the first that is none of them."""
        codes, texts = self._coded(column)
        table = np.array([*(names.index(text) if text in names else -1 for text in texts), -1])
        found = table[codes[rows]]
        if (found < 0).any():
            code = codes[rows][int(np.argmin(found))]
            raise ValueError(f"{column} {texts[code][:100]!a}" if code >= 0 else f"no {column}")
        return found

    def _coded(self, column: str) -> tuple[NDArray[np.int64], list[str]]:
        """Codes of the rows, -1 for null, and the texts they stand for."""
        array = self._table[column].unify_dictionaries().combine_chunks()
        return array.indices.fill_null(-1).to_numpy().astype(np.int64), array.dictionary.to_pylist()
