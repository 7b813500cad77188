"""Brings every number of ours in the documents up to date with results/: python docs/refresh.py

README's first screen, docs/findings.md and the table of definitions in docs/metrics.md. Run
`bench report --suite decoder-variants --profile mini` first: README shows rows of that report.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench.reporting.pages.findings import findings, rests_on
from bench.reporting.pages.report_source import ReportSource
from bench.results.store import load_results
from bench.study.config import load_study

ROOT = Path(__file__).parents[1]
SUITE, PROFILE = "decoder-variants", "mini"
SECTIONS = ("Median frequency balancing", "Natural frequency")  # as they begin the heading above a table
# Columns: the model, its test scores, the runs; the report has those on training images too.
SHOWN = (*range(5), -1)
RESCORE = f"rescore --suite {SUITE} --profile {PROFILE} --protocol all --format markdown"
# Boundary protocols in docs/metrics.md: how the second differs from the first, in points.
CHANGES = (("BF paper", "BF distance"), ("BF paper", "BF davis"), ("BF paper", "BF paper-void-masked"))

TEXT = """**{replicated} of the paper's {all} claims replicated here ({scored} of them about scores, the others about
sizes and times), {contradicted} are contradicted, {inconclusive} undecided; {not_tested} need runs, data or a scale
that are not there.** Of the same claims the paper's own tables bear out {holds}, contradict {fails}, and have no number
for {nothing}.
[docs/findings.md](docs/findings.md) goes through them; the pages of [`reports/`](reports/index.html) show every number
with its verdict and its origin.

> **This is not a replication at the paper's scale.** {notice} The verdicts on claims are about the order of networks
> early in training on small images, and in Table 3 from random weights, not those of VGG16. How three networks of
> Table 1 come out after a longer training is [in the findings](docs/findings.md#longer-training). Profile `paper` is
> the paper's scale, by the same commands, on a GPU; it has not been run yet.

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


def block(source: ReportSource) -> str:
    """Returns what stands between README's two marks."""
    claims = source.claims(PROFILE)
    ours, paper = Counter(one.verdict for one in claims), Counter(one.on_paper for one in claims)
    suite = source.suite(SUITE, PROFILE)
    report = (ROOT / "reports" / SUITE / PROFILE / "table1.md").read_text(encoding="utf-8")
    notice = suite.notice.partition(": ")[2]
    return TEXT.format(
        replicated=ours["replicated"],
        scored=sum(one.verdict == "replicated" and "scores" in rests_on(one) for one in claims),
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


def definitions() -> str:
    """Returns what stands between the two marks of docs/metrics.md: one set of counts under every definition."""
    command = [sys.executable, "-m", "bench", *RESCORE.split()]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    header, rows = lines[0], lines[2:]
    means = {
        name: [float(row[column].split()[0]) for row in rows] for column, name in enumerate(header) if "BF" in name
    }
    differences = [[second - first for first, second in zip(means[a], means[b], strict=True)] for a, b in CHANGES]
    (near, nearest), (wide, widest), (least, most) = ((min(values), max(values)) for values in differences)
    said = (
        f"Matching any pixel within the tolerance in place of one to one adds {near:.2f} to {nearest:.2f} points, and "
        f"with the radius rounded up to whole pixels {wide:.2f} to {widest:.2f};\nleaving out the blocks that touch "
        f"void changes it by {least:+.2f} to {most:+.2f}.\n\n".replace("-", "−")
    )
    return said + "\n".join(line for line in text.splitlines() if line.startswith("|")) + "\n"


def replace(path: Path, mark: str, text: str) -> None:
    """Replaces what stands between two marks of a document."""
    between = re.compile(rf"(?<=<!-- {mark}: begin -->\n).*?(?=<!-- {mark}: end -->)", re.DOTALL)
    document = path.read_text(encoding="utf-8")
    assert len(between.findall(document)) == 1, f"{path} has no marks for {mark}"
    path.write_text(between.sub(lambda _: text, document), encoding="utf-8")


def main() -> None:
    """Rewrites the documents."""
    source = ReportSource(load_results(ROOT / "results").rows, load_study(ROOT / "bench.yaml"))
    (ROOT / "docs/findings.md").write_text(findings(source, PROFILE), encoding="utf-8")
    replace(ROOT / "README.md", "result", block(source))
    replace(ROOT / "docs/metrics.md", "rescore", definitions())


if __name__ == "__main__":
    main()
