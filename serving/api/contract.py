"""Writes the contract into `serving/crm/`: `python -m serving.api.contract`. A test holds the files to it."""

import json
from pathlib import Path

from serving.api.openapi import openapi_document
from serving.api.swagger import swagger_document

FOLDER = Path(__file__).resolve().parents[1] / "crm"


def contract_files() -> dict[Path, str]:
    """Return what each committed file must hold, in lines short enough that changes read well."""
    documents = {"openapi.json": openapi_document(), "swagger.json": swagger_document()}
    return {FOLDER / name: _lines(document) for name, document in documents.items()}


def _lines(document: dict[str, object]) -> str:
    """Return a document as JSON, broken into lines three levels deep."""
    return _broken(document, levels=3) + "\n"


def _broken(value: object, *, levels: int) -> str:
    if levels == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    members = (f"{json.dumps(name)}: {_broken(inner, levels=levels - 1)}" for name, inner in value.items())
    return "{\n" + ",\n".join(members) + "\n}"


def main() -> None:
    """Write both files."""
    for file, text in contract_files().items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
