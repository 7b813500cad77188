"""What a prediction is worth: confusion matrix, region scores, boundary F1. The metrics import no torch."""
