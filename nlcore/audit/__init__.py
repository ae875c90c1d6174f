"""One's own labels: which to doubt."""
