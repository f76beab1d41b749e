"""What can go wrong in training that has a name of its own; wrong input is `features.errors.InputError`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import LeadPactError


class RegistryError(LeadPactError):
    """MLflow could not be reached, refused, or does not hold what was asked for."""


class BusyError(LeadPactError):
    """Another training already runs in this workspace."""


class StalePointerError(LeadPactError):
    """The registry names a new champion and this workspace still points at the old one."""


class UnwritableError(LeadPactError):
    """The workspace is read-only or its disk is full."""


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Create a folder and let it be written to; what the system refuses becomes an UnwritableError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UnwritableError(
            f"{folder} cannot be written: {error.strerror or error}; free the disk or change its permissions"
        ) from error
