"""What commands print, and what `bench check` and `bench claims` write for other programs."""
