"""The rights of persons: erased means nowhere and for ever, an objection holds at once, nothing is hidden."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from features.history.store import History
from features.importing.import_export import import_export, write_rejects
from features.importing.raw import REJECTS_SCHEMA
from serving import cli
from serving.courier import Courier
from serving.db.session import read_transaction
from serving.db.tables import Base
from serving.db.tables_leads import LeadRow
from serving.janitor import Janitor
from serving.lead_rows import lead_tables
from serving.operations.add_webhook import add_webhook
from serving.operations.list_audit import list_audit
from serving.operations.run_retention import run_retention
from serving.operations.verify_audit import verify_audit
from serving.outbox import Event
from serving.settings import Settings
from tests.builders_features import crm_tables
from tests.builders_serving import NOW, Desk, Json, install_champion, install_policy, open_desk
from tests.serving.conftest import closing
from tests.serving.receivers import Inbox
from tests.serving.test_handovers import act, ask_for_demo, get, put, work_policy

PERSONS = 12
NOT_ABOUT_LEADS = {
    *("api_keys", "audit_log", "audit_head", "policies", "policy_people", "policy_events"),
    *("policy_signatures", "absences", "kept_answers", "webhooks", "webhook_secrets", "tombstones"),
    *("feedback_answers", "missed_answers"),
}
"""Tables without a word about a lead, or with one that `serving.lead_rows` takes out."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the models of a workspace, made once."""
    root = tmp_path_factory.mktemp("models")
    settings = Settings(workspace_root=root, database_url=None, mlflow_tracking_uri=None)
    install_champion(settings)
    return settings.workspace.models_dir


@pytest.fixture
def desk(tmp_path: Path, database_url: str, models: Path) -> Iterator[Desk]:
    """Return a service over either database, with imported canaries."""
    settings = Settings(workspace_root=tmp_path / "ws", database_url=database_url, mlflow_tracking_uri=None)
    shutil.copytree(models, settings.workspace.models_dir)
    opened = open_desk(settings)
    install_policy(settings, work_policy(**{"\nmost_open = 2": "\nmost_open = 50"}))
    import_canaries(settings)
    yield from closing(opened)


def canary(number: int) -> str:
    """Return the id of a person: as unlike anything else as an e-mail address."""
    return f"canary-{number:03}@person.test"


def import_canaries(settings: Settings) -> None:
    """Store every other person in the history, with what they did."""
    born = NOW - timedelta(days=20)
    leads = [{"lead_id": canary(each), "created_at": born} for each in range(0, PERSONS, 2)]
    activities = [
        {
            "activity_id": f"imported {lead['lead_id']}",
            "lead_id": lead["lead_id"],
            "occurred_at": NOW - timedelta(days=9),
            "kind": "page_view",
            "asset": f"/welcome/{lead['lead_id']}",
        }
        for lead in leads
    ]
    History(settings.workspace.history_dir).merge(crm_tables(leads, activities))
    row = dict.fromkeys(REJECTS_SCHEMA.names)
    rejects = [row | {"content": json.dumps({"lead_id": canary(each), "x": 1})} for each in (0, 1)]
    write_rejects(pa.Table.from_pylist(rejects, REJECTS_SCHEMA), settings.workspace.rejects_dir)


def live(desk: Desk, number: int) -> None:
    """Let a person leave traces everywhere: attributes, activities, scores, a handover, messages, answers."""
    lead_id = canary(number)
    put(desk, lead_id, {"email": f"mail-{lead_id}"})
    handover = ask_for_demo(desk, lead_id)["handover_id"]
    note = {"channel": "phone", "result": "reached", "note": f"spoke with {lead_id}"}
    sent = desk.post(f"/v1/handovers/{handover}/attempts", note, **{"Idempotency-Key": f"try-{number}"})
    assert sent.status_code == 200, sent.text
    assert act(desk, handover, "reject", reason_group="data", reason=f"not {lead_id}").status_code == 200
    lost = {"deal_id": f"deal {lead_id}", "lead_id": lead_id, "outcome": "lost", "closed_at": NOW.isoformat()}
    assert desk.post("/v1/deals", {"items": [lost | {"loss_reason": lead_id}]}).status_code == 200
    scored = desk.post("/v1/score", {"lead_id": lead_id}, **{"Idempotency-Key": f"s-{number}"})
    assert scored.status_code == 200, scored.text
    doubted = {"dispute_id": f"dispute {lead_id}", "reason": f"not {lead_id}"}
    for what, body in (("disputes", doubted), ("notes", {"text": f"spoke with {lead_id}"})):
        sent = desk.post(f"/v1/leads/{lead_id}/{what}", body)
        assert sent.status_code == 200, sent.text


def erase(desk: Desk, lead_id: str) -> Any:
    """Erase a person."""
    return desk.client.delete(f"/v1/leads/{lead_id}", headers={"X-API-Key": desk.key})


def object_to(desk: Desk, lead_id: str, *, objects: bool = True) -> Any:
    """Object to being scored."""
    headers = {"X-API-Key": desk.key}
    return desk.client.put(f"/v1/leads/{lead_id}/objection", json={"objects": objects}, headers=headers)


def database_of(desk: Desk) -> Engine:
    """Return the database behind a service."""
    engine: Engine = desk.app.state.service.database()
    return engine


def janitor_of(desk: Desk) -> Janitor:
    """Return the janitor of a workspace."""
    service = desk.app.state.service
    return Janitor(service.database, service.secret, desk.clock.tell, desk.settings)


def found_in_rows(database: Engine, words: str) -> list[str]:
    """Return the tables in which a text stands in any row, as the database returns them."""
    with database.connect() as connection:
        return [
            table.name
            for table in Base.metadata.sorted_tables
            if any(words in str(row) for row in connection.execute(table.select()))
        ]


def found_in_files(folder: Path, words: str) -> list[str]:
    """Return the files of a workspace that hold a text, as bytes or inside of Parquet."""
    found = [file for file in folder.rglob("*") if file.is_file() and words.encode() in _content(file)]
    return [str(file.relative_to(folder)) for file in found]


def _content(file: Path) -> bytes:
    if file.suffix == ".parquet":
        from pyarrow import parquet

        return str(parquet.read_table(file).to_pydict()).encode()
    return file.read_bytes()


def test_an_erased_person_is_nowhere(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Half of the canaries are erased: none in tables, files, messages, answers, logs."""
    add_webhook(database_of(desk), "https://r.test/", list(Event), secret=b"s" * 32, by="test", now=NOW)
    for number in range(4):
        live(desk, number)
    erased = [canary(each) for each in (0, 1, 8)]
    for lead_id in erased:
        answer = erase(desk, lead_id)
        assert (answer.status_code, answer.json()["files_pending"]) == (200, True)
        assert found_in_rows(database_of(desk), lead_id) == []
    assert janitor_of(desk).finish() == len(erased)
    assert janitor_of(desk).finish() == 0
    for lead_id in erased:
        assert found_in_rows(database_of(desk), lead_id) == []
        assert found_in_files(desk.settings.workspace.root, lead_id) == []
        assert lead_id not in caplog.text
        assert erase(desk, lead_id).json()["files_pending"] is False
    for number in (2, 3):
        left = set(found_in_rows(database_of(desk), canary(number)))
        assert {"activities", "scores", "handovers", "messages"} <= left
    assert History(desk.settings.workspace.history_dir).read_lead(canary(4)) is not None
    inbox = Inbox()
    Courier(lambda: database_of(desk), lambda: b"s" * 32, desk.clock.tell, inbox).turn()
    assert inbox.taken
    assert not [name for name in inbox.taken if name.partition(":")[0] in erased]
    assert verify_audit(database_of(desk)).is_whole


def test_nothing_brings_an_erased_person_back(desk: Desk, tmp_path: Path) -> None:
    """Whatever comes later is answered with `erased`; a repeated import leaves the person out and says so."""
    live(desk, 0)
    assert erase(desk, canary(0)).status_code == 200
    late = {"lead_id": canary(0)}
    activity = late | {"activity_id": "late", "kind": "page_view", "occurred_at": NOW.isoformat()}
    deal = late | {"deal_id": "late", "outcome": "won", "closed_at": NOW.isoformat()}
    answers = [
        put(desk, canary(0), {"email": "again"}),
        desk.post("/v1/activities", {"items": [activity]}),
        desk.post("/v1/deals", {"items": [deal]}),
        desk.post("/v1/score", late),
        get(desk, f"/v1/leads/{canary(0)}"),
        get(desk, f"/v1/leads/{canary(0)}/export"),
        object_to(desk, canary(0)),
        desk.post("/v1/score", late, **{"Idempotency-Key": "s-0"}),
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(410, "erased")] * len(answers)
    batch = desk.post("/v1/score/batch", {"items": [late, {"lead": {"lead_id": "another"}}]}).json()
    assert batch["items"][0]["error"]["code"] == "erased"
    assert batch["scored"] == 1
    janitor_of(desk).finish()
    report = import_again(desk, tmp_path)
    assert any("1 lead(s) of the export were erased earlier" in note for note in report.notes)
    assert History(desk.settings.workspace.history_dir).read_lead(canary(0)) is None
    assert History(desk.settings.workspace.history_dir).read_lead("new") is not None
    assert report.rejected == 0


def import_again(desk: Desk, folder: Path) -> Any:
    """Import an export that holds an erased person, as the command does."""
    from serving.commands.import_ import erased_leads

    export = folder / "export"
    export.mkdir()
    (export / "leads.csv").write_text(
        f"lead_id,created_at\n {canary(0)} ,2026-11-01T00:00:00Z\nnew,2026-11-02T00:00:00Z\n"
    )
    (export / "activities.csv").write_text(
        f"activity_id,lead_id,occurred_at,kind\na,{canary(0)},2026-11-03T00:00:00Z,page_view\n"
    )
    (export / "deals.csv").write_text("deal_id,lead_id,closed_at,outcome\n")
    places = desk.settings.workspace
    return import_export(
        export,
        mapping_file=None,
        history=History(places.history_dir),
        strict=False,
        rejects_dir=places.rejects_dir / "again",
        is_withheld=erased_leads(desk.settings),
    )


def test_an_unknown_person_cannot_be_erased(desk: Desk) -> None:
    """A typing error must not look like an erasure."""
    refused = erase(desk, "nobody")
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_lead")


def test_every_table_is_about_a_lead_or_known_not_to_be() -> None:
    """Whoever adds a table decides whether it is exported and erased."""
    about = {table.name for table in lead_tables()}
    assert about | NOT_ABOUT_LEADS == set(Base.metadata.tables)
    assert about & NOT_ABOUT_LEADS == set()


def test_an_objection_holds_at_once_and_leaves_training(desk: Desk) -> None:
    """Stored or inline, one by one or in a batch, and by its own events: not scored, not learnt from."""
    lead_id = canary(0)
    live(desk, 0)
    before = get(desk, f"/v1/leads/{lead_id}").json()["scored_at"]
    assert object_to(desk, lead_id).json()["objected_at"] is not None
    desk.clock.advance(60)
    for body in ({"lead_id": lead_id}, {"lead": {"lead_id": lead_id}}):
        refused = desk.post("/v1/score", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "objected")
        (item,) = desk.post("/v1/score/batch", {"items": [body]}).json()["items"]
        assert item["error"]["code"] == "objected"
    assert put(desk, lead_id, {"email": "new"}).status_code == 200
    assert get(desk, f"/v1/leads/{lead_id}").json()["scored_at"] == before
    history = History(desk.settings.workspace.history_dir)
    tables = history.read_to_learn()
    assert tables.left_out == (("objection", 1),)
    assert lead_id not in tables.leads["lead_id"].to_pylist() + tables.activities["lead_id"].to_pylist()
    assert history.read_lead(lead_id) is not None
    object_to(desk, lead_id, objects=False)
    assert history.read_to_learn().left_out == ()
    assert desk.post("/v1/score", {"lead_id": lead_id}).status_code == 200


def test_reasons_to_leave_leads_out_do_not_disturb_each_other(tmp_path: Path) -> None:
    """One file, one list per reason: an import, an erasure and another reason keep it."""
    history = History(tmp_path)
    leads = [{"lead_id": name, "created_at": NOW} for name in ("a", "b", "c", "d")]
    history.merge(crm_tables(leads))
    history.leave_out("bad_data", ["a", "b"])
    history.leave_out("objection", ["b", "unknown"])
    history.erase(lambda lead_id: lead_id == "d")
    tables = history.read_to_learn()
    left_out = (("bad_data", 2), ("objection", 1))
    assert (tables.leads["lead_id"].to_pylist(), tables.left_out) == (["c"], left_out)
    history.leave_out("bad_data", [])
    assert history.read_to_learn().left_out == (("objection", 1),)
    assert history.erase(lambda _: True) == 3
    assert history.read().leads.num_rows == 0


def test_an_export_holds_everything_in_plain_words(desk: Desk) -> None:
    """Every stored row, and for each score its reasons, in German as in English."""
    live(desk, 0)
    english = get(desk, f"/v1/leads/{canary(0)}/export").json()
    german = get(desk, f"/v1/leads/{canary(0)}/export?lang=de").json()
    tables = {one["table"] for one in english["records"]}
    assert tables >= set(found_in_rows(database_of(desk), canary(0))) - {"kept_answers"}
    assert tables >= {"attempts", "clock_events"}
    assert {one["table"] for one in english["imported"]} == {"leads", "activities"}
    for export, word in ((english, "point"), (german, "Punkt")):
        assert all(word in reason for score in export["scores"] for reason in score["reasons"])
        assert all(score["reasons"] for score in export["scores"])
    assert english["procedure"] != german["procedure"]
    assert {one["act"] for one in english["acts"]} >= {"lead.put", "handover.attempted", "handover.rejected"}


def test_retention_counts_first_and_deletes_by_class(desk: Desk) -> None:
    """A dry run changes nothing; then only what is old enough goes, and a lead's newest score stays."""
    live(desk, 1)
    later = NOW + timedelta(days=800)
    settings = desk.settings.model_copy(update={"keep_leads_days": 900})
    old = desk.settings.workspace.rejects_dir
    for file in old.glob("*.csv"):
        os.utime(file, (NOW.timestamp(), NOW.timestamp()))

    def counts(at: datetime, *, dry_run: bool) -> Json:
        found = run_retention(database_of(desk), settings, by="test", now=at, dry_run=dry_run)
        return {one.what: one.count for one in found}

    would = counts(later, dry_run=True)
    assert would["rejects"] == 1
    assert would["answers"] == 2
    assert would["scores"] >= 1
    assert would["messages"] >= 3
    assert would["leads"] == 0
    assert counts(later, dry_run=False) == would
    (noted,) = (act for act in list_audit(database_of(desk), limit=500) if act.act == "retention.deleted")
    assert noted.after == {what: count for what, count in would.items() if count}
    assert set(counts(later, dry_run=False).values()) == {0}
    with read_transaction(database_of(desk)) as session:
        (lead,) = session.scalars(select(LeadRow)).all()
    assert get(desk, f"/v1/leads/{lead.lead_id}/export").json()["scores"][-1]["score_id"] == lead.score_id
    much_later = NOW + timedelta(days=1_000)
    assert counts(much_later, dry_run=False)["leads"] == 1 + PERSONS // 2
    assert get(desk, f"/v1/leads/{canary(1)}").status_code == 404
    assert put(desk, canary(1)).status_code == 200


def test_the_command_counts(tmp_path: Path) -> None:
    """`leadpact retention --dry-run` says how long each class is kept, and how much is older."""
    shown = CliRunner().invoke(cli.app, ["retention", "--dry-run", "--json", "-w", str(tmp_path)])
    kept = {one["what"]: one["keep_days"] for one in json.loads(shown.stdout)}
    assert kept == {"answers": 1, "messages": 30, "scores": 730, "rejects": 90, "leads": None}
    words = CliRunner().invoke(cli.app, ["retention", "--dry-run", "-w", str(tmp_path)]).stdout
    assert "leads     kept for ever" in words
