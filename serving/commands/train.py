"""`leadpact train`: a challenger from the history, registered in MLflow; prints what was found, or JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from serving.clock import now
from serving.commands.learnable import read_to_learn
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, step
from serving.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.personas import PersonaRules
    from sla.personas import Persona
    from sla.policy import Policy
    from training.agreed import AgreedRates
    from training.mlflow_store import StorePlace
    from training.train import TrainResult

app = command_app()


@app.command()
def train_challenger(
    seed: Annotated[int, typer.Option("--seed", help="Same seed and history, same model.")] = 0,
    budget: Annotated[
        float, typer.Option("--budget", min=0.0, help="Most seconds for the search; usually it ends before.")
    ] = 60.0,
    evidence: Annotated[
        Literal["model", "scorecard"],
        typer.Option("--evidence", help="The most that scores may rest on; a scorecard has a points table."),
    ] = "model",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a challenger on the history and register it in MLflow.

    Leads are split forward in time: the newest judge the model, and the others know only those outcomes
    that were known when the newest begin. A column that seems to know the outcome stops the training
    (`leadpact features check`). With too few outcomes to learn from, scores rest on the conversion both teams
    agreed to expect, where the policy in force says one.
    """
    from training.recipe import count_outcomes
    from training.train import train

    settings = read_settings(workspace)
    place, parent_run_id = choose_place(settings)
    tables = read_to_learn(settings)
    agreed = agreed_rates(settings)
    if agreed is not None and not count_outcomes(tables, horizon_days=tables.crm.horizon_days).are_enough:
        from serving.commands.train_agreed import train_agreed

        train_agreed(settings, tables, agreed, place=place, parent_run_id=parent_run_id, as_json=as_json)
        return
    result = train(
        settings.workspace,
        tables,
        place=place,
        seed=seed,
        now=now(),
        progress=step,
        personas=agreed_personas(settings),
        parent_run_id=parent_run_id,
        budget_seconds=budget,
        evidence=evidence,
    )
    if parent_run_id is None:
        _tell_mlflow_run(settings, result)
    if as_json:
        print_json(result_json(result))
    else:
        show_result(result)


def agreed_personas(settings: Settings) -> "tuple[PersonaRules, ...]":
    """Return the personas of the policy in force, as a model keeps them; none without a policy."""
    policy = _policy_in_force(settings)
    return () if policy is None else persona_rules(policy.personas)


def agreed_rates(settings: Settings) -> "AgreedRates | None":
    """Return what the policy in force expects of leads; None where nothing, or no persona, is agreed."""
    from training.agreed import AgreedRates

    policy = _policy_in_force(settings)
    if policy is None or policy.expected_conversion is None or not policy.personas:
        return None
    return AgreedRates(
        general=policy.expected_conversion,
        personas=persona_rules(policy.personas),
        shares=tuple(persona.expected_conversion for persona in policy.personas),
    )


def _policy_in_force(settings: Settings) -> "Policy | None":
    from serving.errors import Missing
    from serving.operations.active_policy import find_policy

    active = find_policy(settings.database, now=now())
    return None if isinstance(active, Missing) else active.policy


def persona_rules(personas: "Sequence[Persona]") -> "tuple[PersonaRules, ...]":
    """Return personas of the agreement as a model keeps them."""
    from features.personas import PersonaOperator, PersonaRule, PersonaRules

    return tuple(
        PersonaRules(
            name=persona.name,
            label_de=persona.de,
            label_en=persona.en,
            rules=tuple(
                PersonaRule(
                    attribute=rule.attribute,
                    operator=PersonaOperator(rule.operator.value),
                    values=rule.values,
                )
                for rule in persona.rules
            ),
        )
        for persona in personas
    )


def choose_place(settings: Settings) -> "tuple[StorePlace, str | None]":
    """Return the store to log into, and the run `mlflow run` opened in it, if it is that store."""
    from training.mlflow_store import choose_store, is_mlflow_default

    workspace, uri, run_id = settings.workspace, settings.mlflow_tracking_uri, settings.mlflow_run_id
    place = choose_store(workspace, uri, under_mlflow_run=run_id is not None)
    is_elsewhere = uri is not None and is_mlflow_default(workspace, uri)
    return place, None if is_elsewhere else run_id


def _tell_mlflow_run(settings: Settings, result: "TrainResult") -> None:
    """Leave a note in the run that `mlflow run` opened in MLflow's default store."""
    if settings.mlflow_run_id is None or settings.mlflow_tracking_uri is None:
        return
    from training.registry import leave_note

    registered = result.registered
    text = (
        "MLFLOW_TRACKING_URI was not set, so the training was logged into the workspace's own store: "
        f"{registered.store}, run {registered.run_id}, version {registered.version}"
    )
    leave_note(settings.mlflow_run_id, text, tracking_uri=settings.mlflow_tracking_uri)
    say(text)


def result_json(result: "TrainResult") -> dict[str, Any]:
    """Return the result as one JSON document."""
    registered = result.registered
    return {
        "version": registered.version,
        "alias": "challenger",
        "run_id": registered.run_id,
        "experiment": registered.experiment,
        "tracking_uri": registered.store,
        "horizon_days": result.horizon_days,
        "split": {"kind": result.split_kind, "reason": result.split_reason},
        "parts": [asdict(part) for part in result.parts],
        "features": result.features,
        "left_out": dict(result.left_out),
        "leakage": [finding.to_dict() for finding in result.findings],
        "candidates": [asdict(candidate) for candidate in result.candidates],
        "calibration": result.calibration,
        "evidence": result.evidence,
        "search_cut_short": result.search_cut_short,
        "evaluation": result.evaluation.to_dict(),
        "next": "leadpact promote",
    }


def show_result(result: "TrainResult") -> None:
    """Print the result for people."""
    from serving.commands.training_views import (
        candidates_table,
        evaluation_table,
        leakage_line,
        left_out_lines,
        parts_table,
        print_tables,
    )

    registered = result.registered
    print_tables(
        f"challenger: version {registered.version} of lead-conversion, horizon {result.horizon_days} days, "
        f"{result.features} features, calibration {result.calibration}, evidence {result.evidence}",
        *(("the search was cut short by --budget",) if result.search_cut_short else ()),
        *left_out_lines(result.left_out),
        f"split: {result.split_reason}",
        leakage_line(result.findings),
        parts_table(result.parts),
        candidates_table(result.candidates),
        evaluation_table(**{f"version {registered.version}": result.evaluation}),
        f"logged in experiment {registered.experiment}, run {registered.run_id}",
        f"at {registered.store}",
        "next: leadpact promote",
    )
