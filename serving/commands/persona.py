"""`leadpact persona`: how the agreed personas cover the leads, and personas that won deals suggest."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show
from serving.settings import Settings, read_settings

if TYPE_CHECKING:
    from features.tables import CanonicalTables
    from sla.persona_coverage import Coverage
    from sla.personas import Condition, Persona, Scalar
    from sla.policy import Policy
    from training.persona_clusters import BuyerKind, BuyerKinds, TellingAttribute

app = command_app("Personas: how they cover the leads, and a draft made of won deals.")
SHOWN_LEVELS = 3
LEADS_PER_BLOCK = 10_000
TO_AGREE = "to be agreed / noch offen"


@app.command("report")
def report(
    policy: Annotated[
        Path | None, typer.Argument(help="A policy file; default: the policy in force.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count imported leads by persona: each, none, several."""
    from sla.persona_coverage import cover_leads

    settings = read_settings(workspace)
    agreed = _policy(settings, policy)
    coverage = cover_leads(agreed.personas, _leads(_history(settings), agreed))
    if as_json:
        print_json(asdict(coverage))
    else:
        for line in _report_lines(coverage):
            show(line)


@app.command("suggest")
def suggest(
    kinds: Annotated[
        int | None, typer.Option(min=2, max=20, help="How many; default: as many as are apart best.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="An attribute that describes nobody; repeat it.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the draft here instead of printing it.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft personas from the attributes of won leads.

    The draft is TOML to discuss: its tables go into a policy file.
    """
    from training.persona_clusters import find_buyer_kinds

    found = find_buyer_kinds(_history(read_settings(workspace)), kinds=kinds, without=without or ())
    if as_json:
        print_json(asdict(found))
        return
    draft = draft_of(found)
    if out is None:
        show(draft)
    else:
        out.write_text(draft, encoding="utf-8")
        show(f"{len(found.kinds)} personas drafted in {out}")


def draft_of(found: "BuyerKinds") -> str:
    """Return the kinds as TOML tables of a policy, with the numbers behind them as comments."""
    from sla.policy_writer import write_persona

    told = f"a lead's kind tells {found.bits_per_lead:.1f} bits of its attributes"
    head = f"# Drafted from {found.won} won leads; {told}.\n"
    parts = (
        "\n".join([*_comments(kind), write_persona(_persona(kind, number))])
        for number, kind in enumerate(found.kinds, 1)
    )
    return "\n".join([head, *parts])


def _comments(kind: "BuyerKind") -> Iterator[str]:
    yield f"# {kind.won} won leads"
    for one in kind.telling:
        yield f"# {one.attribute}: {one.covered:.0%} of them, {one.lift:.1f} times as many as of all leads"


def _persona(kind: "BuyerKind", number: int) -> "Persona":
    from sla.personas import Persona

    traits = ", ".join(_trait_text(one) for one in kind.telling)
    return Persona(
        name=f"suggestion_{number}",
        en=f"Suggestion {number}: {traits}",
        de=f"Vorschlag {number}: {traits}",
        owner_marketing=TO_AGREE,
        owner_sales=TO_AGREE,
        rules=tuple(rule for one in kind.telling for rule in _rules(one)),
    )


def _trait_text(telling: "TellingAttribute") -> str:
    if telling.levels:
        shown = [*map(str, telling.levels[:SHOWN_LEVELS]), *(["…"] if telling.levels[SHOWN_LEVELS:] else [])]
        return f"{telling.attribute} {' / '.join(shown)}"
    least = "" if telling.least is None else f"{telling.least:g}"
    most = "" if telling.most is None else f"{telling.most:g}"
    return f"{telling.attribute} {least}–{most}"


def _rules(telling: "TellingAttribute") -> "Iterator[Condition]":
    from sla.personas import Condition, Operator

    name = telling.attribute
    if telling.levels:
        yield Condition(attribute=name, operator=Operator.IN, values=telling.levels)
    if telling.least is not None:
        yield Condition(attribute=name, operator=Operator.AT_LEAST, values=(telling.least,))
    if telling.most is not None:
        yield Condition(attribute=name, operator=Operator.AT_MOST, values=(telling.most,))


def _report_lines(coverage: "Coverage") -> Iterator[str]:
    counts = f"{coverage.one} fit one persona, {coverage.several} several, {coverage.none} none"
    yield f"{coverage.leads} leads: {counts}"
    for one in coverage.personas:
        sure = "–" if one.confidence is None else f"{one.confidence:.0%}"
        yield f"  {one.name}: {one.named} leads (rules met on average: {sure}), {one.also} more fit it too"
    for overlap in coverage.overlaps:
        yield f"  {overlap.one} and {overlap.other}: {overlap.leads} leads fit both"


def _leads(tables: "CanonicalTables", policy: "Policy") -> "Iterator[dict[str, Scalar | None]]":
    """Yield the attributes of each lead that the policy looks at, a block of leads at a time."""
    from serving.scorer import attribute_values, attributes_of_policy

    asked = attributes_of_policy(policy)
    read = [name for name in tables.leads.column_names if name == "lead_id" or name in asked]
    for block in tables.leads.select(read).to_batches(max_chunksize=LEADS_PER_BLOCK):
        for row in block.to_pylist():
            yield dict(attribute_values(row))


def _policy(settings: Settings, path: Path | None) -> "Policy":
    """Return the policy of a file, else the one in force."""
    from serving import clock
    from serving.errors import Missing, ServiceNotReadyError
    from serving.operations.active_policy import find_policy
    from sla.policy_file import read_policy

    if path is not None:
        if not path.is_file():
            raise InputError(f"POLICY must be a policy file; got {path}")
        return read_policy(path.read_bytes(), source=str(path))
    active = find_policy(settings.database, now=clock.now())
    if isinstance(active, Missing):
        raise ServiceNotReadyError((active,))
    return active.policy


def _history(settings: Settings) -> "CanonicalTables":
    from features.history.store import History

    return History(settings.workspace.history_dir).read()
