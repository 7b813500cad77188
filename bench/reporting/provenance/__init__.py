"""Where the numbers of a page come from: what was run, with which settings, and where that departs from the paper."""
