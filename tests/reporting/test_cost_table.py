from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bench.reporting.staleness import Staleness
from bench.reporting.tables.machine_costs import COLUMNS, cost_table
from bench.study.trials import Trial


def test_costs_are_shown_in_their_units_with_quartiles(results: pd.DataFrame) -> None:
    table = cost_table(results)
    assert table is not None
    assert len(table.rows) == 8
    assert table.headings[1:] == [COLUMNS[metric][0] for metric in COLUMNS if metric in set(results["metric"])]
    costs = results.query("record == 'cost' and model == 'segnet_basic'").set_index("metric")["value"]
    row = dict(zip(table.headings, next(row for row in table.rows if row[0] == "SegNet-Basic"), strict=True))
    assert row["Parameters (M)"] == f"{costs['parameters'] / 1e6:.3f}"
    low, high = costs["forward_ms_p25"], costs["forward_ms_p75"]
    assert row["Forward (ms)"] == f"{costs['forward_ms']:,.1f} [{low:,.1f} to {high:,.1f}]"


def test_a_model_with_stale_costs_has_a_mark_and_the_mark_a_legend(results: pd.DataFrame) -> None:
    digest = results.query("kind == 'cost' and model == 'fcn_basic'")["digest"].iloc[0]
    table = cost_table(results, Staleness(frozenset({digest, "not shown"}), "lr"))
    assert table is not None
    assert [row[0] for row in table.rows if "†" in row[0]] == ["FCN-Basic †"]
    assert table.legend.startswith("† Stale: ")
    for stale in (Staleness(), Staleness(frozenset({"not shown"}), "lr")):
        table = cost_table(results, stale)
        assert table is not None
        assert table.legend == ""


def test_without_cost_trials_there_is_no_table(build_results: Callable[..., pd.DataFrame], trials: list[Trial]) -> None:
    assert cost_table(build_results(trials[:1])) is None


def test_a_time_under_two_protocols_has_two_columns_and_a_disturbed_one_a_mark(results: pd.DataFrame) -> None:
    mine = results[(results["model"] == "segnet_basic") & (results["kind"] == "cost")]
    time = mine[mine["metric"] == "forward_ms"].head(1)
    busy = time.assign(record="condition", metric="others_share", protocol="table-1", value=0.31)
    calm = busy.assign(protocol="90x120 batch 1", value=0.01)
    table = cost_table(pd.concat([results, time.assign(protocol="table-1", value=55.5), busy, calm]))
    assert table is not None
    assert [heading for heading in table.headings if heading.startswith("Forward (ms)")] == [
        "Forward (ms): 90x120 batch 1",
        "Forward (ms): table-1",
    ]
    rows = {row[0]: dict(zip(table.headings, row, strict=True)) for row in table.rows}
    assert rows["SegNet-Basic"]["Forward (ms): table-1"] == "55.5 ‡"
    assert "‡" not in rows["SegNet-Basic"]["Forward (ms): 90x120 batch 1"]
    assert rows["FCN-Basic"]["Forward (ms): table-1"] == "—"
    assert table.legend == (
        "‡ While it was measured, other programs took more than 5 % of the processors: SegNet-Basic (table-1)."
    )
    assert "While time was measured: processor time of other programs 1 to 31 %." in table.notes


def test_the_energy_of_a_model_has_a_mark_where_any_of_its_times_was_disturbed(results: pd.DataFrame) -> None:
    time = results[(results["model"] == "segnet_basic") & (results["metric"] == "forward_ms")].iloc[:1]
    energy = time.assign(metric="forward_energy_j", value=50.0, protocol="passes in a row", unit="J")
    other = results[(results["model"] == "fcn_basic") & (results["metric"] == "forward_ms")].iloc[:1]
    quiet = other.assign(metric="forward_energy_j", value=40.0, protocol="passes in a row", unit="J")
    busy = time.assign(record="condition", metric="throttled", value=1.0)
    table = cost_table(pd.concat([results, energy, quiet, busy], ignore_index=True))
    assert table is not None
    energies = {row[0]: row[table.headings.index("Forward (J)")] for row in table.rows}
    assert energies["SegNet-Basic"] == "50.00 ‡"
    assert energies["FCN-Basic"] == "40.00"
