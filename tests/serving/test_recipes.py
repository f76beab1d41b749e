"""Every request of the recipes is sent as it stands; the message and the types they show are real."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator
from sqlalchemy import select

from serving.api.contract import contract_files
from serving.api.openapi import openapi_document
from serving.api.swagger import swagger_document
from serving.db.session import read_transaction
from serving.db.tables_messages import MessageRow
from serving.outbox import Event
from serving.settings import Settings
from tests.builders_serving import Desk, install_policy, open_desk
from tests.serving.conftest import closing
from tests.serving.test_handovers import ask_for_demo, work_policy

README = Path(__file__).parents[2] / "serving" / "crm" / "README.md"
REQUEST = re.compile(r"```http\n(\w+) (\S+)\n((?:[\w-]+: [^\n]*\n)*)\n(.*?)```", re.DOTALL)
RECIPES = (
    *("hubspot-workflow-webhook", "hubspot-custom-code", "salesforce-external-services"),
    *("salesforce-outbound-message", "dynamics-power-automate", "zapier-custom-request"),
    *("n8n-http-request", "make-http-module"),
)


def recipes() -> Iterator[tuple[str, str, str, dict[str, str], Any]]:
    """Yield each request: its name, method, path, headers and body."""
    for method, path, lines, body in REQUEST.findall(README.read_text("utf-8")):
        headers = dict(line.split(": ", 1) for line in lines.splitlines())
        yield headers.pop("X-Recipe"), method, path, headers, json.loads(body)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a service that knows the leads of the recipes."""
    root = tmp_path_factory.mktemp("recipes") / "workspace"
    settings = Settings(workspace_root=root, database_url=None, mlflow_tracking_uri=None)
    opened = open_desk(settings)
    install_policy(settings, work_policy())
    for lead_id in ("hs-5512", "00Q5g00000Xyz34"):
        headers = {"X-API-Key": opened.key}
        assert opened.client.put(f"/v1/leads/{lead_id}", json={}, headers=headers).status_code == 200
    yield from closing(opened)


def test_every_recipe_is_there() -> None:
    """One for each way into each CRM that the page names."""
    assert tuple(sorted(name for name, *_ in recipes())) == tuple(sorted(RECIPES))


@pytest.mark.parametrize(("name", "method", "path", "headers", "body"), tuple(recipes()))
def test_a_recipe_works(
    desk: Desk, name: str, method: str, path: str, headers: dict[str, str], body: Any
) -> None:
    """Sent with its headers; a handover that a path names is one of a lead that just asked."""
    if "{handover_id}" in path:
        path = path.format(handover_id=ask_for_demo(desk, name)["handover_id"])
    answer = desk.client.request(method, path, json=body, headers={"X-API-Key": desk.key, **headers})
    assert answer.status_code == 200, answer.text
    if name == "n8n-http-request":
        assert (answer.json()["scored"], answer.json()["failed"]) == (2, 1)


def test_the_message_shown_is_a_real_one(desk: Desk) -> None:
    """The same members, outside and inside, as a handover that is told; every type is in the table."""
    text = README.read_text("utf-8")
    (shown,) = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    ask_for_demo(desk, "told")
    with read_transaction(desk.app.state.service.database()) as session:
        rows = session.scalars(select(MessageRow).where(MessageRow.event == "handover.created"))
        told = json.loads(rows.all()[-1].body)
    assert shown.keys() == told.keys()
    assert shown["data"].keys() == told["data"].keys()
    assert {event for event in Event if f"`{event}`" not in text} == set()


def test_the_committed_contracts_are_true() -> None:
    """Both files are what the service publishes; `python -m serving.api.contract` writes them anew."""
    for file, text in contract_files().items():
        assert file.read_text("utf-8") == text, f"{file.name} is old: python -m serving.api.contract"


def test_swagger_is_valid_and_says_the_same(desk: Desk) -> None:
    """Judged by a validator of 2.0; the same operations, answers and schemas as in OpenAPI 3.0."""
    served = desk.client.get("/swagger.json").json()
    assert served == swagger_document()
    assert list(OpenAPIV2SpecValidator(served).iter_errors()) == []
    newer = openapi_document()
    assert served["definitions"].keys() == newer["components"]["schemas"].keys()
    for path, methods in newer["paths"].items():
        for method, operation in methods.items():
            older = served["paths"][path][method]
            assert older["operationId"] == operation["operationId"]
            assert older["responses"].keys() == operation["responses"].keys()
            assert len(older.get("parameters", ())) == len(operation.get("parameters", ())) + (
                "requestBody" in operation
            )
