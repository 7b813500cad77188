"""How close we came: the paper's numbers and claims, our reported scores, and verdicts on the difference.

    results in long form ─► scores.py ──► one row per value, over seeds ─► comparable.py ─┐
    paper_tables.yaml ────► paper.py ───► printed numbers, unit and decimals ─────────────┤
    baseline.csv ─────────► baseline.py ► an earlier result of ours ──────────────────────┼─► verdicts.py ─► verdicts
    bench.yaml ───────────► bands.py ───► how far each number may be from its reference ──┘   (judged in check.py)
    claims.yaml ──────────► claims.py ──► what the paper says in words ─► claim_verdicts.py

`checkpoints.py` says which rows are those of a reported checkpoint, `unfinished.py` which planned trials have no
result, `scale.py` whether a run was at the paper's scale, `statistics.py` what several seeds say; `exact.py` compares
two folders bit for bit.

Imports no torch. Rates are fractions from 0 to 1 in every frame; only a `Target` is in the printed unit.
"""
