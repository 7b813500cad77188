"""How to cite the paper and this suite, as BibTeX; CITATION.cff in the root of the repository says the same."""

from __future__ import annotations

from typing import NamedTuple

from bench import __version__


class Citation(NamedTuple):
    """What is cited, and its entry."""

    title: str
    key: str  # fit for an anchor
    bibtex: str


PAPER = Citation(
    "The paper",
    "cite-paper",
    """\
@article{badrinarayanan2017segnet,
  title   = {{SegNet}: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation},
  author  = {Badrinarayanan, Vijay and Kendall, Alex and Cipolla, Roberto},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume  = {39},
  number  = {12},
  pages   = {2481--2495},
  year    = {2017},
  doi     = {10.1109/TPAMI.2016.2644615},
  eprint  = {1511.00561},
}""",
)
SUITE = Citation(
    "This suite",
    "cite-suite",
    f"""\
@software{{segnet_bench,
  title   = {{segnet-bench: a replication suite for {{SegNet}}}},
  author  = {{{{The segnet-bench contributors}}}},
  version = {{{__version__}}},
  note    = {{Numbers of a report are those of the commits that it lists}},
}}""",
)
CITATIONS = (PAPER, SUITE)
