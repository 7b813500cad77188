"""Where the study meets torch: one trial, a suite of trials in processes of their own, and their progress."""
