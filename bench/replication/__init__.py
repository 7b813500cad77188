"""How close we came: the paper's numbers, our reported scores, and verdicts on the difference.

    results in long form ─► scores.py ──► one row per reported value, over seeds ──┐
    paper_tables.yaml ────► paper.py ───► printed numbers, their unit and decimals ├─► check.py ─► verdicts
    baseline.csv ─────────► baseline.py ► an earlier result of ours ───────────────┘

`checkpoints.py` says which rows are those of a reported checkpoint; `exact.py` compares two folders bit for bit.

Imports no torch. Rates are fractions from 0 to 1 in every frame; only a `Target` is in the printed unit.
"""
