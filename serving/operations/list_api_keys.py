"""List the API keys: whose they are and whether they live; never what they are."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from serving.db.session import read_transaction
from serving.db.tables import ApiKeyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """One key as people may see it."""

    prefix: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    person: str | None

    def is_usable(self, now: datetime) -> bool:
        """Whether a request with this key is let in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def list_api_keys(database: Engine) -> tuple[ListedKey, ...]:
    """Return every key ever created, oldest first."""
    with read_transaction(database) as session:
        rows = session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.prefix))
        return tuple(_listed(row) for row in rows)


def _listed(row: ApiKeyRow) -> ListedKey:
    return ListedKey(
        prefix=row.prefix,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        person=row.person,
    )
