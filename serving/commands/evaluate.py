"""`leadpact evaluate`: champion and challenger on the newest leads, which neither was trained on."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from features.errors import InputError
from serving.clock import now
from serving.commands.learnable import read_to_learn
from serving.commands.train import agreed_personas, choose_place
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, step
from serving.settings import read_settings

if TYPE_CHECKING:
    from features.words.phrases import Language
    from training.compare import Comparison, JudgedModel
    from training.report import Report, ReportedModel

app = command_app()


@app.command()
def evaluate_models(
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write a report with pictures to this file.")
    ] = None,
    lang: Annotated[Literal["en", "de"], typer.Option("--lang", help="Language of the report.")] = "en",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge champion and challenger on the same leads, newer than anything they were trained on.

    Prints every figure with its interval, promised against real wins by tenth, by month and by group.
    """
    from serving.commands.training_views import comparison_json, print_comparison
    from training.promote import compare_registered

    settings = read_settings(workspace)
    place, _ = choose_place(settings)
    tables = read_to_learn(settings)
    if html is not None:
        check_report_file(html)
    with step("Judging champion and challenger"):
        comparison = compare_registered(
            settings.workspace, tables, place=place, seed=seed, personas=agreed_personas(settings)
        )
    if html is not None:
        write_report(html, comparison, lang, crm_name=tables.crm.name)
    if as_json:
        print_json(comparison_json(comparison))
    else:
        print_comparison(comparison)


def check_report_file(file: Path) -> None:
    """Refuse a report file that cannot be written before anything is judged."""
    if file.is_dir() or not file.parent.is_dir():
        raise InputError(f"--html must name a file in a folder that is there; got {file}")


def write_report(file: Path, comparison: "Comparison", lang: "Language", *, crm_name: str) -> None:
    """Write the report; the file appears at once and complete."""
    from features.files import disk_failures_named, draft_of
    from training.report import render_report

    page = render_report(report_of(comparison, crm_name=crm_name), lang)
    with disk_failures_named(file.parent, "the report was not written"), draft_of(file) as draft:
        draft.write_text(page, encoding="utf-8")
        draft.replace(file)
    say(f"report: {file}")


def report_of(comparison: "Comparison", *, crm_name: str) -> "Report":
    """Return what the report is about: the challenger first, where there is one."""
    from training.report import Report

    models = tuple(_judged(comparison))
    return Report(
        crm_name=crm_name,
        horizon_days=models[0].model.manifest.horizon_days,
        models=tuple(_reported(model, comparison) for model in models),
        difference=comparison.difference,
        written_on=now().date(),
    )


def _judged(comparison: "Comparison") -> "Iterator[JudgedModel]":
    for model in (comparison.challenger, comparison.champion):
        if model is not None:
            yield model


def _reported(model: "JudgedModel", comparison: "Comparison") -> "ReportedModel":
    from training.report import ReportedModel

    return ReportedModel(
        role="challenger" if model is comparison.challenger else "champion",
        version=model.version,
        evaluation=model.evaluation,
        influences=model.influences,
    )
