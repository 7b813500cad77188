"""Tables of numbers: the paper's with ours beside them, and our own, in every format they are written in."""
