"""What machines that watch us may ask, in the OpenAPI document."""

from typing import Any


def _get(name: str, what: str, responses: dict[str, Any], security: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "get": {
            "operationId": name, "description": what, "tags": ["health"], "security": security,
            "responses": responses,
        }
    }  # fmt: skip


def _state(text: str, *names: str) -> dict[str, Any]:
    fields = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "required": list(names), "properties": fields}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_PARTS = ("status", "database", "redis")
PATHS: dict[str, dict[str, Any]] = {
    "/healthz": _get(
        "healthz", "Whether the process answers. Needs no key.", {"200": _state("It does", "status")}, []
    ),
    "/readyz": _get(
        "readyz", "Whether database and Redis answer, and no migration is missing. Needs no key.",
        {"200": _state("Ready", *_PARTS), "503": _state("Not ready", *_PARTS)}, [],
    ),
    "/metrics": _get(
        "metrics", "Figures for Prometheus. Needs the `METRICS_TOKEN`, where one is set.",
        {
            "200": {"description": "The figures", "content": _TEXT},
            "403": {"description": "No or wrong token", "content": _TEXT},
            "503": {"description": "The database does not answer", "content": _TEXT},
        },
        [{"metricsToken": []}, {}],
    ),
}  # fmt: skip
SECURITY = {"metricsToken": {"type": "http", "scheme": "bearer", "description": "`METRICS_TOKEN`."}}
