"""Stored results without training: scored anew, compared with others, exported; label maps made elsewhere."""
