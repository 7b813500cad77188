"""Exports trials as event files of TensorBoard, one run a trial, through the package `tensorboard`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.scoring.export_folder import new_export
from bench.scoring.export_values import NAMES, TrialValues, named_values, not_installed, settings_of, started_s

FORMAT = "tensorboard"
INSTALL = "pip install tensorboard"
_READ_ME = """Event files of TensorBoard, one folder a trial; look at them with

    tensorboard --logdir HERE

Scalars are named as below; their step is the iteration, 0 where there is none. All events of a trial have the time at
which it began. The tab HPARAMS has the settings of each trial. A value that does not exist is NaN.
"""


def export(trials: Sequence[TrialValues], out: Path) -> None:
    """Writes the values of each trial as scalars, and its settings as hyper-parameters.

    Args:
        trials: from `finished_values`.
        out: see `new_export`.

    Raises:
        ConfigError: the package is not installed.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise not_installed(FORMAT, error, INSTALL) from None

    with new_export(out, FORMAT) as folder:
        for trial in trials:
            began = started_s(trial.stored)
            writer: Any = EventFileWriter(str(folder / trial.stored["trial"]))
            hparams: Any = hparams_pb(settings_of(trial.stored), trial_id=trial.stored["trial"], start_time_secs=began)
            writer.add_event(Event(wall_time=began, step=0, summary=hparams))
            for name, step, value in named_values(trial):
                summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
                writer.add_event(Event(wall_time=began, step=step, summary=summary))
            writer.close()
        (folder / "README.txt").write_text(f"{_READ_ME}\n{NAMES}", encoding="utf-8")
