"""Completes the OpenAPI document with the calls whose views are not DRF's: each room declares its own."""

from typing import Any

from campaigns.feedback import schema as provider_callbacks
from experiments.sdk import schema as experiment_clients
from personalization.access.schema import PROBLEM, PROBLEM_NAME
from personalization.config import health_schema
from personalization.events import ingest_schema

PATHS: dict[str, dict[str, Any]] = {
    **ingest_schema.PATHS, **experiment_clients.PATHS, **provider_callbacks.PATHS, **health_schema.PATHS,
}  # fmt: skip
SCHEMAS = {PROBLEM_NAME: PROBLEM, **ingest_schema.SCHEMAS, **experiment_clients.SCHEMAS}
SECURITY = {**ingest_schema.SECURITY, **experiment_clients.SECURITY, **health_schema.SECURITY}


def add_other_calls(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular. Raises ValueError where a name is taken already."""
    components = result["components"]
    for mine, theirs in (
        (PATHS, result["paths"]),
        (SCHEMAS, components["schemas"]),
        (SECURITY, components["securitySchemes"]),
    ):
        if taken := mine.keys() & theirs.keys():
            raise ValueError(f"Described twice: {', '.join(sorted(taken))}")
        theirs.update(mine)
    return result
