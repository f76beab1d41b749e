"""Attributes that change after creation: another job, a corrected number of employees, another product.

A change moves no outcome (what was recorded at creation does); it makes "the attribute as of then" differ
from "the attribute now". The first value of a changed attribute is written as a change at creation.
"""

from dataclasses import dataclass

import numpy as np

from experiments.simulator.chance import Floats, Integers, Texts, draw_text
from experiments.simulator.people import People
from experiments.simulator.rhythm import Rhythm

JOB_CHANGE_SHARE, JOB_CHANGE_DAYS = 0.03, 120.0
CORRECTION_SHARE, CORRECTION_DAYS = 0.1, 12.0
PRODUCT_CHANGE_SHARE, PRODUCT_CHANGE_DAYS = 0.08, 25.0
PROMOTIONS = {"specialist": "manager", "manager": "director", "director": "c_level", "": "manager"}
PRODUCTS = {"platform": 0.4, "analytics": 0.25, "integration": 0.25, "starter": 0.1}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changes:
    """One row per value an attribute took on, the first at creation; `lead` is the row of the lead."""

    lead: Integers
    changed_us: Integers
    attribute: Texts
    value: Texts


def draw_changes(rng: np.random.Generator, people: People, *, office: Rhythm) -> Changes:
    """Draw all changes of attributes, also those after any export."""
    parts = [
        _change_jobs(rng, people, office),
        _correct_employees(rng, people, office),
        _change_products(rng, people, office),
    ]
    return Changes(
        lead=np.concatenate([part.lead for part in parts]),
        changed_us=np.concatenate([part.changed_us for part in parts]),
        attribute=np.concatenate([part.attribute for part in parts]),
        value=np.concatenate([part.value for part in parts]),
    )


def as_whole_numbers(values: Floats) -> Texts:
    """Write numbers without decimals; a missing one is ""."""
    return np.array(["" if np.isnan(value) else f"{value:.0f}" for value in values], dtype="U24")


def _change_jobs(rng: np.random.Generator, people: People, office: Rhythm) -> Changes:
    able = np.isin(people.job_level, list(PROMOTIONS))
    lead = np.flatnonzero(able & (rng.random(len(able)) < JOB_CHANGE_SHARE))
    old = people.job_level[lead]
    new = np.array([PROMOTIONS[str(level)] for level in old], dtype="U24")
    changed_us = office.advance(people.created_us[lead], rng.exponential(JOB_CHANGE_DAYS, len(lead)))
    return _two_values(people, lead, "job_level", old, new, changed_us)


def _correct_employees(rng: np.random.Generator, people: People, office: Rhythm) -> Changes:
    known = ~np.isnan(people.employees)
    lead = np.flatnonzero(known & (rng.random(len(known)) < CORRECTION_SHARE))
    corrected = np.maximum(1.0, np.round(people.employees[lead] * rng.lognormal(0.0, 0.2, len(lead))))
    changed_us = office.advance(people.created_us[lead], rng.exponential(CORRECTION_DAYS, len(lead)))
    old, new = as_whole_numbers(people.employees[lead]), as_whole_numbers(corrected)
    return _two_values(people, lead, "employees", old, new, changed_us)


def _change_products(rng: np.random.Generator, people: People, office: Rhythm) -> Changes:
    lead = np.flatnonzero(rng.random(len(people.lead_id)) < PRODUCT_CHANGE_SHARE)
    old, new = people.product_interest[lead], draw_text(rng, PRODUCTS, len(lead))
    changed_us = office.advance(people.created_us[lead], rng.exponential(PRODUCT_CHANGE_DAYS, len(lead)))
    return _two_values(people, lead, "product_interest", old, new, changed_us)


def _two_values(
    people: People, lead: Integers, attribute: str, old: Texts, new: Texts, changed_us: Integers
) -> Changes:
    """Write the first value from creation on, the second from the change on; no row when nothing changed."""
    differs = (old != new) & (changed_us > people.created_us[lead])
    lead, old, new, changed_us = lead[differs], old[differs], new[differs], changed_us[differs]
    filled = old != ""
    return Changes(
        lead=np.concatenate([lead[filled], lead]),
        changed_us=np.concatenate([people.created_us[lead][filled], changed_us]),
        attribute=np.full(int(filled.sum()) + len(lead), attribute),
        value=np.concatenate([old[filled], new]).astype("U24"),
    )
