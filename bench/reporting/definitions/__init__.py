"""What every score and cost means, in words and in pictures."""
