"""What is measured: at every evaluation, and once of the trained network."""
