"""A definition in words for others' eyes: without the values that may name a person."""

from typing import Any

from personalization.segments.describe import describe

# What is asked about these stays, what they are compared with goes.
NAMING = {"external_id", "email", "phone", "first_name", "last_name"}


def describe_anonymously(definition: object) -> str:
    """Like `describe`; of an address only that it is known. Raises DefinitionError."""
    return describe(_without_names(definition))


def _without_names(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_names(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("trait") in NAMING:
        return {"trait": node["trait"], "op": "missing" if node.get("op") == "missing" else "exists"}
    # Filters of events may look for them too.
    if any(str(node.get(place)).lower() in NAMING for place in ("property", "context")) and "op" in node:
        return {**{key: node[key] for key in node if key != "value"}, "op": "exists"}
    return {key: _without_names(value) for key, value in node.items()}
