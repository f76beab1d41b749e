"""The audit log as a chain of hashes: what an entry is, what seals it, what a broken chain looks like.

Pure: `serving.db.audited` appends, `serving.operations.verify_audit` reads. Each entry's hash covers its own
words and the hash before it, so a changed byte or a row that is gone breaks the chain at that place. Rows cut
off at the end, or a chain written anew, are found against a head that was exported earlier.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64
"""What stands before the first entry."""

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The end of the chain: how many entries there are and the hash of the last one."""

    number: int
    entry_hash: str


START = AuditHead(number=0, entry_hash=GENESIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One act: who did what to which thing, when, and the thing before and after as canonical JSON texts."""

    number: int
    at: str
    who: str
    act: str
    what: str
    before: str
    after: str
    previous_hash: str
    entry_hash: str

    @property
    def head(self) -> AuditHead:
        """The chain's head when this entry is the last."""
        return AuditHead(number=self.number, entry_hash=self.entry_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFault:
    """A place at which the chain is broken, by the number of the entry, and the rule it breaks."""

    number: int
    rule: str

    def text(self) -> str:
        """One line for people."""
        return f"entry {self.number} {self.rule}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainVerdict:
    """How many entries were read, where the chain ends, and every fault found."""

    entries: int
    head: AuditHead
    faults: tuple[ChainFault, ...]

    @property
    def is_whole(self) -> bool:
        """True when nothing was found."""
        return not self.faults


def canonical_json(value: object) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, times as ISO 8601 in UTC, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
    )


def seal_entry(
    head: AuditHead,
    *,
    at: datetime,
    who: str,
    act: str,
    what: str,
    before: Values | None,
    after: Values | None,
) -> AuditEntry:
    """Return the entry that follows `head`."""
    words = (_plain(at), who, act, what, canonical_json(before), canonical_json(after))
    number = head.number + 1
    return AuditEntry(
        number=number,
        at=words[0],
        who=who,
        act=act,
        what=what,
        before=words[4],
        after=words[5],
        previous_hash=head.entry_hash,
        entry_hash=_hash(number, *words, head.entry_hash),
    )


def check_chain(
    entries: Iterable[AuditEntry], head: AuditHead, exported: AuditHead | None = None
) -> ChainVerdict:
    """Read entries in their order and hold them against the stored head, and an exported one if given."""
    faults: list[ChainFault] = []
    last, count, exported_hash = START, 0, START.entry_hash
    for entry in entries:
        faults.extend(_entry_faults(entry, last))
        last, count = entry.head, count + 1
        if exported is not None and entry.number == exported.number:
            exported_hash = entry.entry_hash
    if last != head:
        rule = f"is the last, but the head is entry {head.number}: the end was cut off or added to"
        faults.append(ChainFault(number=last.number, rule=rule))
    faults.extend(_export_faults(exported, last, exported_hash))
    return ChainVerdict(entries=count, head=last, faults=tuple(faults))


def _entry_faults(entry: AuditEntry, last: AuditHead) -> Iterator[ChainFault]:
    if entry.number != last.number + 1:
        yield ChainFault(number=entry.number, rule=f"follows entry {last.number}: what was between is gone")
    if entry.previous_hash != last.entry_hash:
        yield ChainFault(number=entry.number, rule="does not follow the hash of the entry before it")
    words = (entry.at, entry.who, entry.act, entry.what, entry.before, entry.after)
    if _hash(entry.number, *words, entry.previous_hash) != entry.entry_hash:
        yield ChainFault(number=entry.number, rule="was changed: its words do not give its hash")


def _export_faults(exported: AuditHead | None, last: AuditHead, found: str) -> Iterator[ChainFault]:
    if exported is None:
        return
    if exported.number > last.number:
        rule = f"was the head when it was exported; now the log ends with entry {last.number}"
        yield ChainFault(number=exported.number, rule=rule)
    elif found != exported.entry_hash:
        rule = "has another hash than the exported head: the log was written anew"
        yield ChainFault(number=exported.number, rule=rule)


def _hash(*words: int | str) -> str:
    # Surrogates stand for bytes that are no UTF-8: only a damaged row has them, and its hash never fits.
    return hashlib.sha256(canonical_json(words).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"an audit entry holds JSON and aware times; got {value!r}")
