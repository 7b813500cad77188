"""Scores without training: stored counts scored anew, label maps made elsewhere, exports for other programs."""
