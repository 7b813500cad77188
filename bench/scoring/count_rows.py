"""Rows of a results file as numpy arrays: those of the test split at one iteration, by what they count.

A text column is an array of codes into its few different texts. Comparing and looking up codes takes a tenth of the
time that a table of objects takes, and a report reads the counts of many trainings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.data.split import MAX_SIZE
from bench.errors import ResultsError

MAX_PIXELS = MAX_SIZE**2


class CountRows:
    """The rows of one trial that say how often what was predicted on the test images.

    Args:
        table: rows of one file in COUNT_COLUMNS, text columns as dictionary arrays or not.
        refinement: what refined the predictions; "" means the network's own.
        iteration: at which they were made; None means the selected one.
    """

    def __init__(self, table: pa.Table, refinement: str = "", iteration: int | None = None) -> None:
        self._table = table
        self._columns: dict[str, tuple[NDArray[np.int32], list[str]]] = {}
        self._reported = self._are("split", "test") & self._are("refinement", refinement)
        at = self._numbers("selected_iteration") if iteration is None else iteration
        self._reported &= self._numbers("iteration") == at

    def of(self, record: str, **texts: str) -> NDArray[np.intp]:
        """Returns the numbers of the rows of a record whose columns hold some texts."""
        found = self._reported & self._are("record", record)
        for column, text in texts.items():
            found &= self._are(column, text)
        return np.flatnonzero(found)

    def texts(self, column: str, rows: NDArray[np.intp]) -> list[str]:
        """Returns the different texts of some rows in the order in which they appear first."""
        codes, texts = self._coded(column)
        found, first = np.unique(codes[rows], return_index=True)
        return [texts[code] for code in found[np.argsort(first)] if code >= 0]

    def counts(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Returns the values of some rows.

        Raises:
            ResultsError: one of them is no number of pixels.
        """
        values = self._numbers("value")[rows]
        # written so that NaN fails as well
        if not np.all((values >= 0) & (values <= MAX_PIXELS) & (values == np.floor(values))):
            raise ResultsError(f"it holds counts that are no whole numbers from 0 to {MAX_PIXELS}")
        return values.astype(np.int64)

    def places(self, column: str, names: Sequence[str], rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Returns where the texts of some rows stand among names.

        Raises:
            ResultsError: one of them is none of the names.
        """
        codes, texts = self._coded(column)
        place = {name: number for number, name in enumerate(names)}
        found = np.array([*(place.get(text, -1) for text in texts), -1])[codes[rows]]
        if (found < 0).any():
            code = codes[rows][int(np.argmin(found))]
            unknown = f"{texts[code][:100]!a}" if code >= 0 else "None"
            raise ResultsError(f"its counts name {column} {unknown}, which its other rows do not know")
        return found

    def _are(self, column: str, text: str) -> NDArray[np.bool_]:
        """Whether each row holds a text; "" is null."""
        codes, texts = self._coded(column)
        return codes == (texts.index(text) if text in texts else -2) if text else codes < 0

    def _numbers(self, column: str) -> NDArray[np.float64]:
        """(N,) values; NaN is null."""
        return self._table[column].to_pandas().to_numpy(np.float64, na_value=np.nan)

    def _coded(self, column: str) -> tuple[NDArray[np.int32], list[str]]:
        """Codes of the rows, -1 for null, and the texts they stand for."""
        if column not in self._columns:
            array = self._table[column]
            if not pa.types.is_dictionary(array.type):
                array = array.cast(pa.string()).dictionary_encode()
            array = array.unify_dictionaries().combine_chunks()
            codes = array.indices.fill_null(-1).to_numpy().astype(np.int32, copy=False)
            self._columns[column] = codes, array.dictionary.to_pylist()
        return self._columns[column]
