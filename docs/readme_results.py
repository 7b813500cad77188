"""Writes what README says of our results, from the results and the committed report: python docs/readme_results.py

Run `bench report --suite decoder-variants --profile mini` first.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from bench.reporting.pages.report_source import ReportSource
from bench.results.store import load_results
from bench.study.config import load_study

ROOT = Path(__file__).parents[1]
SUITE, PROFILE = "decoder-variants", "mini"
SECTIONS = ("Median frequency balancing", "Natural frequency")  # as they begin the heading above a table
SHOWN = (
    0,
    1,
    2,
    3,
    4,
    -1,
)  # columns: the model, its test scores, the runs; the report has those on training images too
BLOCK = re.compile(r"(?<=<!-- result: begin -->\n).*?(?=<!-- result: end -->)", re.DOTALL)

TEXT = """**{replicated} of the paper's {all} claims replicated here, {contradicted} came out the other way round,
{inconclusive} are undecided; {not_tested} need runs, data or a scale that are not there.** Of the same claims the
paper's own tables bear out {holds}, contradict {fails}, and have no number for {nothing}.
[docs/findings.md](docs/findings.md) goes through them; the pages of [`reports/`](reports/index.html) show every number
with its verdict and its origin.

> **This is not a replication at the paper's scale.** {notice} The verdicts on claims are about the order of networks
> early in training on small images. Profile `paper` is the paper's scale, by the same commands, on a GPU; it has not
> been run yet.

Table 1 on the real CamVid images, {median}. Each cell: the paper → ours (difference in points).

{first}

<details><summary>{natural}</summary>

{second}

</details>

{legend}![Test images, ground truth and the predictions of the eight variants][predictions]

The report is a folder of pages that opens from disk. Each number leads to the verdict on it, its interval and the
trials behind it; two predictions can be laid over each other:

![The paper's Table 3 with ours and the verdicts, on a page of the report](docs/figures/report-table.png)

![Ground truth and a prediction under a slider, on the same page](docs/figures/report-comparison.png)

[predictions]: reports/decoder-variants/mini/figures/predictions-median_frequency.png

"""


def table(report: str, section: str) -> str:
    """Returns the rows of a table of the report, without the columns that README does not show."""
    found = re.search(rf"^### {section}[^|]*?(?P<rows>(?:^\|.*\n)+)", report, re.MULTILINE)
    assert found, f"the report has no table below '{section}'"
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in found["rows"].splitlines()]
    return "\n".join("|" + "|".join(row[column] for column in SHOWN) + "|" for row in rows)


def block() -> str:
    """Returns what stands between README's two marks."""
    source = ReportSource(load_results(ROOT / "results").rows, load_study(ROOT / "bench.yaml"))
    claims = source.claims(PROFILE)
    ours, paper = Counter(one.verdict for one in claims), Counter(one.on_paper for one in claims)
    suite = source.suite(SUITE, PROFILE)
    report = (ROOT / "reports" / SUITE / PROFILE / "table1.md").read_text(encoding="utf-8")
    notice = suite.notice.partition(": ")[2]
    return TEXT.format(
        replicated=ours["replicated"],
        contradicted=ours["contradicted"],
        inconclusive=ours["inconclusive"],
        not_tested=ours["not tested"],
        all=len(claims),
        holds=paper["holds"],
        fails=paper["does not hold"],
        nothing=paper["no number"],
        notice=notice[:1].upper() + notice[1:],
        median=SECTIONS[0].lower(),
        natural=SECTIONS[1],
        first=table(report, SECTIONS[0]),
        second=table(report, SECTIONS[1]),
        legend=f"{suite.stale.legend}\n\n" if suite.stale.legend else "",
    )


def main() -> None:
    """Rewrites README.md."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == 1
    readme.write_text(BLOCK.sub(lambda _: block(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
