"""Tests; `__init__` must exist so that helpers are importable as `tests.…`."""
