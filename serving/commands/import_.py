"""`leadpact import`: validate an export, add it to the history, and say what became of every row."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show, step
from serving.settings import read_settings

if TYPE_CHECKING:
    from features.importing.import_export import ImportReport
    from serving.settings import Settings

app = command_app()


@app.command()
def import_folder(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that holds the export.")],
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="The mapping file [default: crm.toml in DIR, if any].")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse the export when any row breaks a rule.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Validate an export and add it to the history.

    Rows that break a rule are set aside in a readable file and counted. Importing the same export again
    changes nothing.
    """
    from features.history.store import History
    from features.importing.import_export import import_export
    from serving import clock

    settings = read_settings(workspace)
    places, withheld = settings.workspace, erased_leads(settings)
    with step(f"Importing {folder}"):
        report = import_export(
            folder,
            mapping_file=mapping,
            history=History(places.history_dir),
            strict=strict,
            rejects_dir=places.rejects_dir,
            now=clock.now(),
            is_withheld=withheld,
        )
    if as_json:
        print_json(report.to_dict())
    else:
        show("\n".join(report_lines(report)))


def erased_leads(settings: "Settings") -> "Callable[[str], bool] | None":
    """Return what tells an erased person by the lead's id, None when nobody was erased."""
    from serving.db.migrate import find_database
    from serving.keys import read_or_create_secret
    from serving.lead_marks import LeadMarks
    from serving.operations.list_tombstones import list_tombstones

    database = find_database(settings.database)
    tombstones = frozenset[str]() if database is None else list_tombstones(database)
    if database is not None:
        database.dispose()
    if not tombstones:
        return None
    marks = LeadMarks.of_workspace(read_or_create_secret(settings.workspace.secret_file))
    return lambda lead_id: marks.mark(lead_id) in tombstones


def report_lines(report: "ImportReport") -> Iterator[str]:
    """Render the report for people: the counts, then every problem, then where the rejects are."""
    yield f"CRM {report.crm_name}: {'unchanged' if report.is_unchanged else 'imported'}"
    columns = ("read", "added", "changed", "unchanged", "rejected", "repeated")
    yield f"{'':18}" + "".join(f"{name:>12}" for name in columns)
    for counts in report.counts:
        yield f"{counts.table:18}" + "".join(f"{getattr(counts, name):>12,}" for name in columns)
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in report.outcomes)
    yield f"deals in the history: {outcomes}"
    yield from (f"note: {note}" for note in report.notes)
    if report.problems:
        yield "problems:"
        yield from (f"  {problem.text()}" for problem in report.problems)
    if report.rejects_file is not None:
        yield f"{report.rejected:,} row(s) set aside in {report.rejects_file}"
