"""What changes between two policies, in words: every promise as a fact with a name and a value, compared.

Decides from the rules and not from the texts: two files that promise the same have no difference, and a
promise that differs in any way has one. Which promises a policy makes is `policy_facts.py`'s.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sla.policy import Policy
from sla.policy_facts import Fact, Path, both, policy_facts
from sla.texts import Text


class ChangeKind(StrEnum):
    """What happened to a promise."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One promise that differs; `before` or `after` is None where it is not there."""

    kind: ChangeKind
    path: Path
    label: Text
    before: Text | None
    after: Text | None
    direction: int = 0

    def text(self, lang: str) -> str:
        """Return the change in one line: "SQL threshold for everyone: until now 30 %, then 35 % (higher)"."""
        words = dict(CHANGE_WORDS)[self.kind].in_language(lang)
        before = "" if self.before is None else self.before.in_language(lang)
        after = "" if self.after is None else self.after.in_language(lang)
        line = words.format(label=self.label.in_language(lang), before=before, after=after)
        if self.direction == 0:
            return line
        return f"{line} ({(HIGHER if self.direction > 0 else LOWER).in_language(lang)})"


CHANGE_WORDS: tuple[tuple[ChangeKind, Text], ...] = (
    (ChangeKind.ADDED, Text(en="new: {label}: {after}", de="neu: {label}: {after}")),
    (ChangeKind.REMOVED, Text(en="no longer: {label}: {before}", de="entfällt: {label}: {before}")),
    (
        ChangeKind.CHANGED,
        Text(en="{label}: until now {before}, then {after}", de="{label}: bisher {before}, künftig {after}"),
    ),
    (
        ChangeKind.REORDERED,
        Text(en="{label}: now in the order {after}", de="{label}: jetzt in der Folge {after}"),
    ),
)
HIGHER, LOWER = Text(en="higher", de="höher"), Text(en="lower", de="niedriger")
SECTION_NAMES: tuple[tuple[str, Text], ...] = (
    ("personas", Text(en="Personas", de="Personas")),
    ("thresholds", Text(en="Thresholds", de="Schwellen")),
    ("overrides", Text(en="Overrides", de="Sofort-Regeln")),
    ("disqualifiers", Text(en="Disqualifiers", de="Ausschlüsse")),
    ("responses", Text(en="Response times", de="Antwortzeiten")),
    ("content", Text(en="Content", de="Inhalte")),
)


def compare_policies(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Return what changes from one policy to the other, in the order of the agreement.

    A version number is a name and no promise.
    """
    return (*_changes(before, after), *_reordered(before, after))


def _changes(before: Policy, after: Policy) -> Iterator[Change]:
    old = {fact.path: fact for fact in policy_facts(before)}
    new = {fact.path: fact for fact in policy_facts(after)}
    for path in dict.fromkeys([*new, *old]):
        if path not in old:
            yield _only(ChangeKind.ADDED, new[path])
        elif path not in new:
            yield _only(ChangeKind.REMOVED, old[path])
        elif old[path].exact != new[path].exact:
            yield _changed(old[path], new[path])


def _only(kind: ChangeKind, fact: Fact) -> Change:
    is_new = kind is ChangeKind.ADDED
    before, after = (None, fact.value) if is_new else (fact.value, None)
    return Change(kind=kind, path=fact.path, label=fact.label, before=before, after=after)


def _changed(old: Fact, new: Fact) -> Change:
    direction = 0
    if old.number is not None and new.number is not None:
        direction = (new.number > old.number) - (new.number < old.number)
    return Change(
        kind=ChangeKind.CHANGED,
        path=new.path,
        label=new.label,
        before=old.value,
        after=new.value,
        direction=direction,
    )


def _reordered(before: Policy, after: Policy) -> Iterator[Change]:
    """Yield the lists whose clauses are the same in another order: on a tie the first one counts."""
    for name, label in SECTION_NAMES:
        old, new = ([_clause_name(one) for one in getattr(policy, name)] for policy in (before, after))
        old, new = [one for one in old if one in new], [one for one in new if one in old]
        if old != new:
            yield Change(
                kind=ChangeKind.REORDERED, path=(name,), label=label, before=_list(old), after=_list(new)
            )


def _clause_name(clause: object) -> str:
    """Return what identifies a clause in its list."""
    parts = (getattr(clause, part, None) for part in ("name", "stage", "title", "persona"))
    return " ".join(str(part) for part in parts if part is not None)


def _list(names: list[str]) -> Text:
    return both(lambda _lang: ", ".join(names))
