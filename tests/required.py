"""What a test needs of the machine: a developer may go without it, CI may not."""

import os
from typing import NoReturn

import pytest

REQUIRE_ALL_VARIABLE = "LEADPACT_TESTS_REQUIRE_ALL"


def missing(reason: str) -> NoReturn:
    """Skip with the reason; where everything is required (`.ci/run` says so), fail with it."""
    if os.environ.get(REQUIRE_ALL_VARIABLE) == "1":
        pytest.fail(f"{reason} ({REQUIRE_ALL_VARIABLE}=1 requires it)")
    pytest.skip(reason)
