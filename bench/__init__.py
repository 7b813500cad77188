"""The replication suite for SegNet (Badrinarayanan, Kendall, Cipolla, arXiv 1511.00561v3)."""

__version__ = "0.1.0"
