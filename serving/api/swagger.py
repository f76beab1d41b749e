"""The contract once more as Swagger 2.0, for CRMs that read nothing newer: turned from the OpenAPI document.

Only what this API uses is turned: JSON bodies, plain parameters, header keys. What 2.0 cannot say is kept
under the names its tools know (`x-nullable`); a bearer key becomes the header it is sent in.
"""

from functools import cache
from typing import Any

import msgspec

from serving.api.openapi import openapi_document

REFERENCES = (("#/components/schemas/", "#/definitions/"), ("#/components/responses/", "#/responses/"))
JSON = "application/json"
Json = dict[str, Any]


@cache
def swagger_bytes() -> bytes:
    """Return the document as JSON."""
    return msgspec.json.encode(swagger_document())


def swagger_document() -> Json:
    """Return the document."""
    document = openapi_document()
    return {
        "swagger": "2.0",
        "info": document["info"],
        "basePath": "/",
        "consumes": [JSON],
        "produces": [JSON, "application/problem+json"],
        "securityDefinitions": {
            "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "Bearer": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "Bearer and the key.",
            },
        },
        "paths": {
            path: {method: _operation(described) for method, described in methods.items()}
            for path, methods in document["paths"].items()
        },
        "responses": {
            name: _response(described) for name, described in document["components"]["responses"].items()
        },
        "definitions": _schema(document["components"]["schemas"]),
    }


def _operation(described: Json) -> Json:
    parameters = [_parameter(one) for one in described.get("parameters", ())]
    if "requestBody" in described:
        parameters.append(_body(described["requestBody"]))
    kept = {name: described[name] for name in ("operationId", "summary", "description")}
    kept |= {"security": described["security"]} if "security" in described else {}
    kept |= {"parameters": parameters} if parameters else {}
    return kept | {"responses": {status: _response(one) for status, one in described["responses"].items()}}


def _parameter(described: Json) -> Json:
    kept: Json = {name: described[name] for name in ("name", "in", "required", "description")}
    example = {"x-example": described["example"]} if "example" in described else {}
    schema: Json = described["schema"]
    return kept | schema | example


def _body(described: Json) -> Json:
    schema = _schema(described["content"][JSON]["schema"])
    return {"name": "body", "in": "body", "required": described["required"], "schema": schema}


def _response(described: Json) -> Json:
    if "$ref" in described:
        return {"$ref": _reference(described["$ref"])}
    ((media_type, content),) = described["content"].items()
    turned = {"description": described["description"], "schema": _schema(content["schema"])}
    return turned | ({"examples": {media_type: content["example"]}} if "example" in content else {})


def _schema(value: Any) -> Any:
    """Return a schema, or anything inside of one, in the words of 2.0."""
    match value:
        case dict():
            return {_name(name): _schema(inner) for name, inner in value.items()}
        case list():
            return [_schema(inner) for inner in value]
        case str():
            return _reference(value)
        case _:
            return value


def _reference(text: str) -> str:
    for old, new in REFERENCES:
        if text.startswith(old):
            return new + text.removeprefix(old)
    return text


def _name(name: str) -> str:
    return "x-nullable" if name == "nullable" else name
