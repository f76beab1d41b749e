"""`leadpact promote`: run the gates; on pass the version becomes champion. Every reason is printed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import InputError
from serving.clock import now
from serving.commands.learnable import read_to_learn
from serving.commands.train import agreed_personas, choose_place
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, step
from serving.settings import Settings, read_settings

if TYPE_CHECKING:
    from training.promote import Promotion, PromotionNote

app = command_app()


@app.command()
def promote_version(
    version: Annotated[
        str | None, typer.Option("--version", help="The registered version [default: the challenger].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote although a gate refuses.")] = False,
    why: Annotated[str | None, typer.Option("--why", help="Why; recorded with the version.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the gates over a version and make it champion when all of them pass.

    Exit code 1 and the reasons when a gate refuses; --force --why TEXT promotes nevertheless.
    """
    if force != bool(why and why.strip()):
        raise InputError(
            "--force and --why TEXT belong together: a forced promotion is recorded with its reason"
        )
    promotion = run_promotion(
        read_settings(workspace), version=version, why_forced=why if force else None, seed=seed
    )
    if as_json:
        print_json(promotion_json(promotion))
    else:
        show_promotion(promotion)
    if not promotion.promoted:
        raise typer.Exit(1)


def run_promotion(
    settings: Settings,
    *,
    version: str | None,
    why_forced: str | None,
    seed: int,
    record: "Callable[[PromotionNote], None] | None" = None,
) -> "Promotion":
    """Ask the gates about a version, under the policy in force.

    ``record`` is told of a promotion before anything moves, and when it raises nothing moves; it is the audit
    log unless given. MLflow keeps verdict and reason with the version in any case.
    """
    from serving.commands.agreed_stages import agreed_stages
    from training.promote import promote

    place, _ = choose_place(settings)
    tables = read_to_learn(settings)
    with step("Running the gates"):
        return promote(
            settings.workspace,
            tables,
            place=place,
            version=version,
            why_forced=why_forced,
            seed=seed,
            now=now(),
            stages=agreed_stages(settings, tables),
            personas=agreed_personas(settings),
            before_move=record or audit_of(settings),
        )


def audit_of(settings: Settings) -> "Callable[[PromotionNote], None]":
    """Return what writes a promotion into the audit log of the workspace's database."""

    def write(note: "PromotionNote") -> None:
        from serving.db.migrate import prepare_database
        from serving.operations.record_promotion import record_promotion

        database = prepare_database(settings.database)
        try:
            record_promotion(
                database,
                version=note.version,
                previous=note.previous,
                refused=[reason.code for reason in note.verdict.reasons if not reason.passed],
                why_forced=note.why_forced,
                now=note.at,
            )
        finally:
            database.dispose()

    return write


def promotion_json(promotion: "Promotion") -> dict[str, Any]:
    """Return what happened as one JSON document."""
    from serving.commands.training_views import comparison_json, verdict_json

    champion = promotion.champion
    return {
        "version": promotion.version,
        "promoted": promotion.promoted,
        "forced": promotion.forced,
        "folder": None if champion is None else str(champion.folder),
        "verdict": verdict_json(promotion.verdict),
        "comparison": comparison_json(promotion.comparison),
    }


def show_promotion(promotion: "Promotion") -> None:
    """Print every reason, then what happened."""
    from serving.commands.training_views import print_tables, verdict_lines

    print_tables(verdict_lines(promotion.verdict))
    if promotion.champion is None:
        print_tables(
            f"version {promotion.version} is not promoted: a gate refuses "
            "(leadpact promote --force --why TEXT overrules it and is recorded)"
        )
        return
    forced = ", forced against the gates" if promotion.forced else ""
    print_tables(f"version {promotion.version} is champion{forced}: {promotion.champion.folder}")
