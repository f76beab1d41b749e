"""Which features a CRM gets: by type and by what the training leads show, and nothing that is denied."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.choosing import choose_features
from features.crm import AgreedDirection, CrmSettings, Label, NamedReason
from features.definitions import ATTRIBUTE_KINDS, Feature, FeatureKind, FeatureSet
from features.encode import OTHER
from features.errors import InputError
from features.personas import PersonaOperator, PersonaRule, PersonaRules
from features.tables import TIME_TYPE, CanonicalTables
from tests.builders_features import activity, at, crm_tables, us

START = at("2026-01-01")
N_LEADS = 200
TYPES = {
    "city": pa.string(),
    "note": pa.string(),
    "empty": pa.string(),
    "zip": pa.string(),
    "employees": pa.float64(),
    "nothing": pa.float64(),
    "newsletter": pa.bool_(),
    "trial_at": TIME_TYPE,
    "status": pa.string(),
    "owner": pa.string(),
}


def lead_row(number: int) -> dict[str, Any]:
    """Return one of 200 leads: a common, a frequent-enough and a rare city; a note of its own."""
    cities = {0: "Köln", 1: "Bonn", 2: OTHER}
    return {
        "lead_id": f"L{number:03}",
        "created_at": START + timedelta(hours=number),
        "city": "Kiel" if number < 4 else cities[number % 3],
        "note": f"talked about {number}",
        "empty": None,
        "zip": "50667" if number % 2 else "53111",
        "employees": float(number),
        "newsletter": number % 2 == 0,
        "trial_at": START,
        "status": "open" if number % 2 else "closed",
        "owner": "Ann" if number % 2 else "Bob",
    }


def tables_of(*, crm: CrmSettings | None = None, with_times: bool = True, **more: Any) -> CanonicalTables:
    """Return the 200 leads, with one page view each and a rare call."""
    rows = [lead_row(number) for number in range(N_LEADS)]
    activities = [activity(row["lead_id"], row["created_at"], asset="/") for row in rows]
    activities.append(activity("L000", START + timedelta(days=50), "call"))
    if not with_times:
        rows = [{**row, "created_at": None} for row in rows]
    settings = crm or CrmSettings(name="test", timezone="Europe/Berlin")
    return crm_tables(rows, activities, attribute_types=TYPES, crm=settings, **more)


def chosen_from(tables: CanonicalTables, *, leads: int = N_LEADS, until: str | None = None) -> FeatureSet:
    """Choose from the first leads, knowing what was known until a day."""
    known_until_us = None if until is None else us(at(until))
    return choose_features(tables, lead_index=np.arange(leads), known_until_us=known_until_us)


def by_attribute(feature_set: FeatureSet) -> dict[str, Feature]:
    """Return the attribute features by attribute."""
    return {str(each.attribute): each for each in feature_set.features if each.kind in ATTRIBUTE_KINDS}


def test_attributes_by_type() -> None:
    """Text is a category, never a number; empty, id-like and denied columns are left out."""
    found = by_attribute(chosen_from(tables_of()))
    assert {name: each.kind for name, each in found.items()} == {
        "city": FeatureKind.ATTRIBUTE_CATEGORY,
        "zip": FeatureKind.ATTRIBUTE_CATEGORY,
        "employees": FeatureKind.ATTRIBUTE_NUMBER,
        "newsletter": FeatureKind.ATTRIBUTE_BOOLEAN,
        "trial_at": FeatureKind.ATTRIBUTE_AGE_DAYS,
    }


def test_levels_are_the_frequent_ones_in_order() -> None:
    """A level of fewer than five leads is rare; the word for rare is no level."""
    assert by_attribute(chosen_from(tables_of()))["city"].levels == ("Bonn", "Köln")


def test_only_training_leads_are_looked_at() -> None:
    """A level that comes up after the training leads is not known."""
    found = by_attribute(chosen_from(tables_of(), leads=12))
    assert found["zip"].levels == ("50667", "53111")
    assert "city" not in found


def test_levels_of_the_past_count_too() -> None:
    """What an attribute was before is a level like what it is now."""
    changes = [
        {"lead_id": f"L{n:03}", "changed_at": START, "attribute": "city", "value": "Trier"} for n in range(6)
    ]
    assert "Trier" in by_attribute(chosen_from(tables_of(changes=changes)))["city"].levels


def test_never_and_allow_of_the_crm() -> None:
    """A column under never is left out, a denied name under allow comes in."""
    crm = CrmSettings(
        name="test",
        never=(NamedReason(column="employees", reason="asked in the call"),),
        allow=(NamedReason(column="status", reason="it is the marital status"),),
        attribute_labels=(Label(name="city", de="Ort", en="Town"),),
    )
    found = by_attribute(chosen_from(tables_of(crm=crm)))
    assert "employees" not in found
    assert found["status"].levels == ("closed", "open")
    assert (found["city"].label_de, found["city"].label_en) == ("Ort", "Town")


def test_activity_kinds_known_by_then() -> None:
    """A kind that first comes up after the cut-off is not in the vocabulary."""
    assert chosen_from(tables_of()).activity_kinds == ("page_view", "call")
    early = chosen_from(tables_of(), until="2026-02-01")
    assert early.activity_kinds == ("page_view",)
    assert "distinct_assets_7d" in early.names


def test_without_times_there_are_attributes_only() -> None:
    """A flat table has no as_of: no activities, no ages."""
    found = chosen_from(tables_of(with_times=False))
    assert not found.needs_times
    assert found.activity_kinds == ()
    assert set(by_attribute(found)) == {"city", "zip", "employees", "newsletter"}


def test_at_most_twelve_kinds_most_frequent_first() -> None:
    """The vocabulary is cut by frequency, ties by name."""
    rows = [activity("L", START + timedelta(minutes=n), f"kind{n % 20:02}") for n in range(30)]
    tables = crm_tables([{"lead_id": "L", "created_at": START}], rows)
    kinds = choose_features(tables, lead_index=np.array([0]), known_until_us=None).activity_kinds
    assert kinds == tuple(f"kind{n:02}" for n in range(12))


def test_names_are_safe_and_unique() -> None:
    """Columns that differ only in signs get a number; any name is fit for Parquet and LightGBM."""
    types = dict.fromkeys(("Total Visits", "total-visits", "Größe", "数"), pa.float64())
    row = {"lead_id": "L", "created_at": START} | dict.fromkeys(types, 1.0)
    found = chosen_from(crm_tables([row], attribute_types=types), leads=1)
    assert found.names == ("lead_age_days", "total_visits", "total_visits_2", "gr_e", "unnamed")
    assert found.features[1].label_en == "Total Visits"


def emails_of(addresses: Sequence[str | None]) -> FeatureSet:
    """Choose from leads that have nothing but an address."""
    rows = [
        {"lead_id": f"L{number:03}", "created_at": START, "contact": address}
        for number, address in enumerate(addresses)
    ]
    return chosen_from(crm_tables(rows, attribute_types={"contact": pa.string()}), leads=len(rows))


def test_addresses_become_what_their_domain_tells() -> None:
    """Class and country; no address is a level, whatever the column is called."""
    found = emails_of([f"person{number}@firma{number % 9}.de" for number in range(40)] + [None] * 5)
    by_name = {each.name: each for each in found.features}
    assert by_name["contact_class"].levels == ("free_mail", "company", "invalid")
    assert by_name["contact_country"].levels == ("DE",)
    assert "@" not in str(found.to_dict())


def test_a_few_addresses_among_texts_are_no_levels() -> None:
    """A column of texts stays a category; an address in it is never frozen into a model."""
    found = emails_of(["by phone"] * 30 + ["ann@firma.de"] * 10)
    assert by_attribute(found)["contact"].levels == ("by phone",)


def test_channels_and_changes() -> None:
    """The frequent channels are told apart, and attributes that change are counted."""
    rows = [lead_row(number) for number in range(20)]
    activities = [activity(row["lead_id"], row["created_at"], channel="web") for row in rows]
    changes = [{"lead_id": "L001", "changed_at": START, "attribute": "city", "value": "Bonn"}]
    tables = crm_tables(rows, activities, changes, attribute_types=TYPES)
    found = chosen_from(tables, leads=20)
    assert found.channels == ("web",)
    assert {"count_channel_web_1d", "attribute_changes_30d", "city_changes_90d"} <= set(found.names)
    assert not any("changes" in name for name in chosen_from(tables, leads=20, until="2025-12-31").names)


def test_levels_are_those_known_at_the_cut_off() -> None:
    """What an attribute became later is no level of a model that was trained before."""
    rows = [{**lead_row(number), "city": "Trier"} for number in range(20)]
    changes = [
        {
            "lead_id": row["lead_id"],
            "changed_at": START + timedelta(days=day),
            "attribute": "city",
            "value": city,
        }
        for row in rows
        for day, city in ((0, "Bonn"), (30, "Trier"))
    ]
    tables = crm_tables(rows, changes=changes, attribute_types=TYPES)
    assert by_attribute(chosen_from(tables, leads=20, until="2026-01-02"))["city"].levels == ("Bonn",)


def test_agreed_personas_become_a_feature() -> None:
    """Frozen with names and rules; left out when a rule asks for what no feature may read."""
    rows = [lead_row(number) for number in range(20)]
    tables = crm_tables(rows, attribute_types=TYPES)

    def chosen(attribute: str) -> FeatureSet:
        rule = PersonaRule(attribute=attribute, operator=PersonaOperator.FILLED, values=(True,))
        persona = PersonaRules(name="buyer", label_de="Einkauf", label_en="Buyer", rules=(rule,))
        return choose_features(
            tables, lead_index=np.arange(20), known_until_us=us(at("2026-06-01")), personas=(persona,)
        )

    (feature,) = (each for each in chosen("city").features if each.kind is FeatureKind.PERSONA)
    assert (feature.levels, feature.levels_de, feature.reads) == (
        ("buyer",),
        ("Einkauf",),
        frozenset({"city"}),
    )
    for denied in ("status", "no_such_column"):
        assert "persona" not in chosen(denied).names


def test_agreed_directions() -> None:
    """Both teams may say that more is better; a name that has no order is refused, all at once."""
    crm = CrmSettings(name="test", monotone=(AgreedDirection(feature="employees", direction=1),))
    found = by_attribute(chosen_from(tables_of(crm=crm)))
    assert (found["employees"].monotone, found["newsletter"].monotone) == (1, 0)
    wrong = tuple(AgreedDirection(feature=name, direction=-1) for name in ("typo", "city"))
    with pytest.raises(InputError, match=r"\[monotone\] .* got 'city', 'typo'"):
        chosen_from(tables_of(crm=CrmSettings(name="test", monotone=wrong)))
