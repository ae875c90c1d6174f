"""The command line: nlcore data, run, plan, status, publish, verify, golden, chapter, scoreboard, mentor, stream,
audit, relabel."""

from . import grids, labels, pages, people
from .base import app, main
from .people import mentor
