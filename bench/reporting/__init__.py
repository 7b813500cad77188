"""What a reader gets to see: tables, figures and the report page, all drawn from stored results.

Imports between the rooms run one way, high to low; tests/test_layers.py enforces it.

    6  pages         the report: a page for each suite, for each group of suites, and one that leads to them all
    5  definitions   what every score and cost means, in words and in pictures: `bench explain`
       commands      what commands print, and what they write for other programs
    4  figures       what each figure shows, how all look, and drawing those that have changed
    3  comparisons   results of several models, suites or drives beside each other
    2  tables        the paper's tables with ours beside them, and our own, in every format
       provenance    what was run and how, and where that departs from the paper
    1  verdict_marks.py, the sign and the words of a verdict
    0  staleness.py, the mark of a stale number; rendering.py, from text and templates/ to a page
"""
