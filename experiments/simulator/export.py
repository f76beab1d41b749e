"""What the CRM knows at the export: canonical files without anything that happened later; the truth apart."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from experiments.simulator.chance import Flags, Integers, Texts
from experiments.simulator.changes import Changes, as_whole_numbers
from experiments.simulator.log import Entries
from experiments.simulator.outcomes import HORIZON_DAYS, Outcomes
from experiments.simulator.people import People
from experiments.simulator.rhythm import DAY_US, to_us

CALLERS = ("anna.berger", "can.yildiz", "eva.novak")
CLOSERS = ("jonas.weber", "lena.hoffmann")

CRM_TOML = """\
# Written by the simulator: a CRM with known truth.
[crm]
name = "demo"
timezone = "Europe/Berlin"

[attributes.never]
owner = "passed on to a closer once the deal is open"
status = "says how the case ended"

[label]
horizon_days = {horizon_days}
exported_at = {exported_at}

{labels}"""
ATTRIBUTE_LABELS = {
    "country": ("Land", "Country"),
    "industry": ("Branche", "Industry"),
    "employees": ("Mitarbeiter", "Employees"),
    "job_level": ("Position", "Job level"),
    "department": ("Abteilung", "Department"),
    "source": ("Quelle", "Source"),
    "campaign": ("Kampagne", "Campaign"),
    "product_interest": ("Produktinteresse", "Product interest"),
    "annual_revenue": ("Jahresumsatz in Euro", "Annual revenue in euros"),
    "newsletter": ("Newsletter abonniert", "Subscribed to the newsletter"),
    "email_domain_class": ("Art der E-Mail-Adresse", "Kind of e-mail address"),
}


def write_export(
    folder: Path, people: People, outcomes: Outcomes, log: Entries, changes: Changes, *, until: datetime
) -> Mapping[str, int]:
    """Write the canonical files of everything up to `until` into `folder`; return the rows per table."""
    until_us = to_us(until)
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "leads": _leads(people, outcomes, log, changes, until_us),
        "activities": _activities(people, log, until_us),
        "deals": _deals(people, outcomes, until_us),
        "attribute_changes": _attribute_changes(people, changes, until_us),
    }
    for name, table in tables.items():
        pa.csv.write_csv(table, folder / f"{name}.csv")
    (folder / "crm.toml").write_text(_crm_toml(until), encoding="utf-8")
    return {name: table.num_rows for name, table in tables.items()}


def write_truth(file: Path, people: People, outcomes: Outcomes) -> None:
    """Write per lead what only the simulator knows: persona, true probability, and whether it came true."""
    file.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "lead_id": people.lead_id,
            "persona": people.persona,
            "true_probability": outcomes.true_probability,
            "won_within_horizon": won_within_horizon(people, outcomes),
        }
    )
    pa.csv.write_csv(table, file)


def won_within_horizon(people: People, outcomes: Outcomes) -> Flags:
    """Whether each lead is won within the horizon after its creation, known or not at any export."""
    return outcomes.won & (outcomes.closed_us <= people.created_us + HORIZON_DAYS * DAY_US)


def _leads(people: People, outcomes: Outcomes, log: Entries, changes: Changes, until_us: int) -> pa.Table:
    columns = {
        "country": people.country,
        "industry": people.industry,
        "employees": as_whole_numbers(people.employees),
        "job_level": people.job_level,
        "department": people.department,
        "source": people.source,
        "campaign": people.campaign,
        "product_interest": people.product_interest,
        "annual_revenue": as_whole_numbers(people.annual_revenue),
        "newsletter": np.where(people.newsletter, "true", "false"),
        "email_domain_class": people.email_domain_class,
    }
    current = {name: _latest(name, values, changes, until_us) for name, values in columns.items()}
    fixed = {"lead_id": people.lead_id, "created_at": _iso(people.created_us)}
    status = _status(outcomes, log, until_us)
    return _text_table({**fixed, **current, "owner": _owner(status), "status": status})


def _status(outcomes: Outcomes, log: Entries, until_us: int) -> Texts:
    """Return how far each case is, as sellers would note it."""
    closed = outcomes.decided & (outcomes.closed_us <= until_us)
    in_negotiation = _is_negotiated(outcomes) & (outcomes.opened_us <= until_us)
    touched = np.zeros(len(closed), dtype=bool)
    touched[log.lead[np.isin(log.kind, ["call", "meeting"]) & (log.occurred_us <= until_us)]] = True
    conditions = [closed & outcomes.won, closed, in_negotiation, touched]
    return np.select(conditions, ["won", "lost", "negotiation", "working"], "new")


def _owner(status: Texts) -> Texts:
    """Callers share the leads; closers take over what is negotiated or won."""
    rows = np.arange(len(status))
    closer, caller = np.array(CLOSERS)[rows % len(CLOSERS)], np.array(CALLERS)[rows % len(CALLERS)]
    return np.where(np.isin(status, ["won", "negotiation"]), closer, caller)


def _is_negotiated(outcomes: Outcomes) -> Flags:
    """Whether a case ever becomes a deal with an amount; the others are dropped before."""
    return outcomes.won | np.isin(outcomes.loss_group, ["timing", "offer", "content"])


def _latest(name: str, values: Texts, changes: Changes, until_us: int) -> Texts:
    """Return one attribute as of the export: the last change wins (changes of a lead are in order)."""
    current = values.astype("U40")
    known = (changes.attribute == name) & (changes.changed_us <= until_us)
    current[changes.lead[known]] = changes.value[known]
    return current


def _activities(people: People, log: Entries, until_us: int) -> pa.Table:
    known = log.keep(log.occurred_us <= until_us)
    columns = {
        "activity_id": np.array([f"A{number:08d}" for number in range(1, len(known.lead) + 1)]),
        "lead_id": people.lead_id[known.lead],
        "occurred_at": _iso(known.occurred_us),
        "kind": known.kind,
        "asset": known.asset,
        "channel": known.channel,
        "value": as_whole_numbers(known.value),
    }
    return _text_table(columns)


def _deals(people: People, outcomes: Outcomes, until_us: int) -> pa.Table:
    rows = np.flatnonzero(outcomes.decided & (outcomes.closed_us <= until_us))
    rows = rows[np.argsort(outcomes.closed_us[rows], kind="stable")]
    negotiated = _is_negotiated(outcomes)
    planned_us = outcomes.opened_us + 30 * DAY_US
    columns = {
        "deal_id": np.array([f"D{row + 1:06d}" for row in rows], dtype="U12"),
        "lead_id": people.lead_id[rows],
        "opened_at": np.where(negotiated[rows], _iso(outcomes.opened_us[rows]), ""),
        "planned_close_at": np.where(negotiated[rows], _iso(planned_us[rows]), ""),
        "closed_at": _iso(outcomes.closed_us[rows]),
        "outcome": np.where(outcomes.won[rows], "won", "lost"),
        "amount": np.where(negotiated[rows], as_whole_numbers(outcomes.amount[rows]), ""),
        "loss_reason": outcomes.loss_reason[rows],
    }
    return _text_table(columns)


def _attribute_changes(people: People, changes: Changes, until_us: int) -> pa.Table:
    known = np.flatnonzero(changes.changed_us <= until_us)
    known = known[np.lexsort((changes.attribute[known], changes.lead[known], changes.changed_us[known]))]
    columns = {
        "lead_id": people.lead_id[changes.lead[known]],
        "changed_at": _iso(changes.changed_us[known]),
        "attribute": changes.attribute[known],
        "value": changes.value[known],
    }
    return _text_table(columns)


def _iso(instants_us: Integers) -> Texts:
    """Write microseconds UTC as ISO times with zone, to the second."""
    written = np.datetime_as_string(instants_us.astype("datetime64[us]"), unit="s")
    return np.char.add(written, "Z")


def _text_table(columns: Mapping[str, Texts]) -> pa.Table:
    """Make a table of text in which "" is null, so that a CSV shows nothing there."""
    return pa.table(
        {name: pa.array(values.tolist(), pa.string(), mask=values == "") for name, values in columns.items()}
    )


def _crm_toml(until: datetime) -> str:
    labels = [
        f'[labels.attributes.{name}]\nde = "{german}"\nen = "{english}"\n'
        for name, (german, english) in ATTRIBUTE_LABELS.items()
    ]
    return CRM_TOML.format(horizon_days=HORIZON_DAYS, exported_at=until.isoformat(), labels="\n".join(labels))
