"""The command line: nlcore data, run, plan, status, publish, verify, golden, chapter, scoreboard, mentor, stream."""

from . import grids, pages, people
from .base import app, main
from .people import mentor
