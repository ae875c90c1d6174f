"""Chapters: their parameters, their execution, and what they show."""
