"""The API's OpenAPI document as a Postman collection (v2.1), which Postman, Bruno and Insomnia read.

One request for each operation, in a folder for each tag; bodies are examples of what is required.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST = 6
EXAMPLES: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "null": None}
FORMATS = {
    "date-time": "2026-01-31T12:00:00Z", "date": "2026-01-31", "email": "ada@shop.example",
    "uri": "https://shop.example/", "uuid": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip


def make_collection(document: Mapping[str, Any], *, base_url: str) -> dict[str, Any]:
    folders: dict[str, list[dict[str, Any]]] = {}
    for path, method, operation in operations(document):
        tag = (operation.get("tags") or ["other"])[0]
        folders.setdefault(tag, []).append(_request(document, path, method, operation))
    return {
        "info": {"name": document["info"]["title"], "schema": FORMAT},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{apiKey}}", "type": "string"}]},
        "variable": [{"key": "baseUrl", "value": base_url}, {"key": "apiKey", "value": "bsp_YOUR_KEY"}],
        "item": [{"name": tag, "item": items} for tag, items in sorted(folders.items())],
    }


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _request(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> dict[str, Any]:
    parameters = [_resolve(document, one) for one in operation.get("parameters", [])]
    in_path = [one for one in parameters if one["in"] == "path"]
    in_query = [one for one in parameters if one["in"] == "query"]
    names = path.replace("{", ":").replace("}", "").strip("/")
    request: dict[str, Any] = {
        "method": method.upper(),
        "description": operation.get("description", ""),
        "header": [],
        "url": {
            "raw": "{{baseUrl}}/" + names,
            "host": ["{{baseUrl}}"],
            "path": names.split("/"),
            "variable": [{"key": one["name"], "value": _text(document, one)} for one in in_path],
            # There to be ticked: a call needs none of them unless it is required.
            "query": [
                {
                    "key": one["name"], "value": _text(document, one), "disabled": not one.get("required"),
                    "description": one.get("description", ""),
                }
                for one in in_query
            ],
        },
    }  # fmt: skip
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = example(document, content["application/json"].get("schema", {}))
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        raw = json.dumps(body, indent=2, ensure_ascii=False)
        request["body"] = {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}
    return {"name": operation["operationId"].replace("_", " "), "request": request}


def _text(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> str:
    value = example(document, parameter.get("schema", {}))
    return value if isinstance(value, str) else json.dumps(value)


def example(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of that shape: what the schema gives as example, else the required parts."""
    schema = _resolve(document, schema)
    for name in ("example", "default", "const"):
        if name in schema:
            return schema[name]
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    for name in ("oneOf", "anyOf"):
        if schema.get(name):
            return example(document, schema[name][0], depth)
    if schema.get("allOf"):
        parts = [example(document, part, depth) for part in schema["allOf"]]
        return {
            key: value for part in parts if isinstance(part, dict) for key, value in part.items()
        } or parts[0]
    return _by_type(document, schema, depth)


def _by_type(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else kind
    if kind == "object":
        required = schema.get("required", ()) if depth < DEEPEST else ()
        parts = schema.get("properties", {})
        return {name: example(document, parts[name], depth + 1) for name in required if name in parts}
    if kind == "array":
        return [example(document, schema.get("items", {}), depth + 1)] if schema.get("minItems") else []
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), "text")
    return EXAMPLES[kind]


def _resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema
