"""What can go wrong in training that has a name of its own; wrong input is `features.errors.InputError`."""

from features.errors import LeadPactError


class RegistryError(LeadPactError):
    """MLflow could not be reached, refused, or does not hold what was asked for."""


class BusyError(LeadPactError):
    """Another training already runs in this workspace."""


class StalePointerError(LeadPactError):
    """The registry names a new champion and this workspace still points at the old one."""
