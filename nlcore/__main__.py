"""`python -m nlcore` is `nlcore`."""

from .cli import main

main()
