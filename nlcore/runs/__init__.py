"""Runs, the records of what came out of them, their stores, and whether they are still true."""

from .record import Record, frame, parse_record
from .run import CARRIERS, Budget, Run, parse_run
