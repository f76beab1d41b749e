"""Kinds of buyers: planted ones are found again and described by what was planted, and by nothing else."""

import random

import pytest

from features.errors import InputError
from features.tables import CanonicalTables
from tests.builders_training import crm_tables
from training.persona_clusters import FEWEST_WON, find_buyer_kinds

BUYERS = ({"department": "it", "level": "expert"}, {"department": "finance", "level": "head"})
OTHERS = ("support", "law", "press", "research")


def planted(won: int = 120, lost: int = 400, seed: int = 0) -> CanonicalTables:
    """Return a CRM whose won leads are of two kinds; the rest are anybody."""
    chance = random.Random(seed)
    columns: dict[str, list[object]] = {
        name: [] for name in ("department", "level", "noise", "size", "owner", "source")
    }
    for number in range(won + lost):
        kind = number % 2 if number < won else None
        is_plain = kind is None or chance.random() < 0.1
        traits = (
            {"department": chance.choice(OTHERS), "level": chance.choice(["clerk", "expert", "head"])}
            if is_plain
            else BUYERS[kind or 0]
        )
        columns["department"].append(traits["department"])
        columns["level"].append(traits["level"])
        columns["noise"].append(chance.choice(["red", "green", "blue"]))
        columns["size"].append(chance.uniform(500, 900) if kind == 1 else chance.uniform(1, 400))
        columns["source"].append("web" if kind == 1 else "fair")
        columns["owner"].append("closer" if kind is not None else None)
    deals = [(number, 5.0, "won" if number < won else "lost") for number in range(won + lost)]
    return crm_tables([0.0] * (won + lost), deals, attributes=columns, never=("owner",))


def test_planted_kinds_are_found() -> None:
    """Two kinds; department and level tell them, size tells the second; noise, owner and source nobody."""
    found = find_buyer_kinds(planted())
    assert (found.won, len(found.kinds)) == (120, 2)
    told = {one.attribute: one for kind in found.kinds for one in kind.telling}
    assert {"department", "level", "size"} <= told.keys()
    assert not {"noise", "owner", "source"} & told.keys()
    levels = {one.levels for kind in found.kinds for one in kind.telling if one.attribute == "department"}
    assert levels == {("it",), ("finance",)}
    bounds = [one for kind in found.kinds for one in kind.telling if one.attribute == "size"]
    assert any(one.least is not None and one.least > 100 for one in bounds)
    assert all(one.lift > 1.2 and one.covered > 0.5 for one in told.values())


def test_the_same_history_gives_the_same_draft() -> None:
    """Chance is fixed; a number of kinds that is asked for is kept."""
    tables = planted(seed=3)
    assert find_buyer_kinds(tables) == find_buyer_kinds(tables)
    assert len(find_buyer_kinds(tables, kinds=3).kinds) <= 3
    without = find_buyer_kinds(tables, without=("department",))
    assert "department" not in {one.attribute for kind in without.kinds for one in kind.telling}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (planted(won=FEWEST_WON - 1), "at least 30 won leads; there are 29"),
        (crm_tables([0.0] * 40, [(n, 5.0, "won") for n in range(40)]), "nothing to describe by"),
    ],
)
def test_too_little_to_tell(tables: CanonicalTables, message: str) -> None:
    """Few won leads, or no attribute: one sentence with the number."""
    with pytest.raises(InputError, match=message):
        find_buyer_kinds(tables)


def test_buyers_who_are_all_alike_are_one_kind() -> None:
    """Nothing tells them apart; what tells them from the others is said."""
    attributes = {"department": ["it"] * 40 + ["law"] * 60}
    deals = [(n, 5.0, "won" if n < 40 else "lost") for n in range(100)]
    found = find_buyer_kinds(crm_tables([0.0] * 100, deals, attributes=attributes))
    (kind,) = found.kinds
    assert (kind.won, kind.telling[0].levels, kind.telling[0].lift) == (40, ("it",), 2.5)
