"""Figures: what each shows, how all look, and drawing those that have changed."""
