"""The addresses for GrowthBook's and OpenFeature's clients in the OpenAPI document."""

from typing import Any

from personalization.access.schema import problem

_KEY = "Needs a client key (`sdk-…`), which is public."


def _json(component: str, text: str, **more: Any) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{component}"}
    return {"description": text, "content": {"application/json": {"schema": schema}}, **more}


_TAG = {"ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match`."}}
_CHANGED = {
    "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
}  # fmt: skip
_SAME = {"description": "Nothing changed since"}
_CONTEXT = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EvaluationRequest"}}},
}
_REFUSED = {
    "400": _json("EvaluationFailure", "Not valid"),
    "401": _json("EvaluationFailure", "No or wrong client key"),
    "429": problem("Too many calls"),
}


def _evaluate(name: str, what: str, responses: dict[str, Any], *parameters: Any) -> dict[str, Any]:
    return {
        "operationId": name,
        "description": f"{what}\n\n{_KEY}",
        "tags": ["experiment clients"],
        "security": [{"clientKey": []}, {"clientKeyHeader": []}],
        "parameters": list(parameters),
        "requestBody": _CONTEXT,
        "responses": {**responses, **_REFUSED},
    }


_ANY: dict[str, Any] = {}
_FLAG = {
    "key": {"type": "string"},
    "value": _ANY,
    "variant": {"type": "string"},
    "reason": {"type": "string", "enum": ["DEFAULT", "SPLIT", "TARGETING_MATCH", "STATIC"]},
    "metadata": {
        "type": "object",
        "description": "What the event `Experiment Viewed` takes, where `inExperiment` is true.",
        "required": ["inExperiment", "experimentId", "variationId"],
        "properties": {
            "inExperiment": {"type": "boolean"},
            "experimentId": {"type": "string"},
            "variationId": {"type": "string"},
        },
    },
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "EvaluationRequest": {
        "type": "object",
        "required": ["context"],
        "properties": {
            "context": {
                "type": "object",
                "required": ["targetingKey"],
                "properties": {
                    "targetingKey": {
                        "type": "string", "minLength": 1, "maxLength": 200,
                        "description": "The customer's id, or a visitor's anonymous id.",
                    }
                },
                "additionalProperties": True,
            }
        },
    },
    "EvaluatedFlag": {"type": "object", "required": list(_FLAG), "properties": _FLAG},
    "EvaluatedFlags": {
        "type": "object",
        "required": ["flags"],
        "properties": {"flags": {"type": "array", "items": {"$ref": "#/components/schemas/EvaluatedFlag"}}},
    },
    "EvaluationFailure": {
        "type": "object",
        "required": ["errorCode", "errorDetails"],
        "properties": {
            "key": {"type": "string"},
            "errorCode": {"type": "string"},
            "errorDetails": {"type": "string"},
        },
    },
    "SdkFeatures": {
        "type": "object",
        "required": ["status", "features", "experiments", "notServed"],
        "properties": {
            "status": {"type": "integer"},
            "features": {"type": "object", "additionalProperties": {"type": "object"}},
            "experiments": {"type": "array", "items": {"type": "object"}},
            "notServed": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Experiments that attributes cannot decide, and why.",
            },
        },
    },
    "UnknownClientKey": {
        "type": "object",
        "required": ["status", "error"],
        "properties": {"status": {"type": "integer"}, "error": {"type": "string"}},
    },
}  # fmt: skip
PATHS: dict[str, dict[str, Any]] = {
    "/api/features/{client_key}": {
        "get": {
            "operationId": "sdk_features",
            "description": f"Served experiments as features, as GrowthBook's SDKs load them.\n\n{_KEY}",
            "tags": ["experiment clients"],
            "security": [],
            "parameters": [
                {"name": "client_key", "in": "path", "required": True, "schema": {"type": "string"}},
                _CHANGED,
            ],
            "responses": {
                "200": _json("SdkFeatures", "The features", headers=_TAG),
                "304": _SAME,
                "401": _json("UnknownClientKey", "Unknown or revoked"),
                "429": problem("Too many calls"),
            },
        }
    },
    "/ofrep/v1/evaluate/flags": {
        "post": _evaluate(
            "evaluate_flags", "What a customer gets of every served experiment (OFREP).",
            {"200": _json("EvaluatedFlags", "One per experiment", headers=_TAG), "304": _SAME}, _CHANGED,
        )
    },
    "/ofrep/v1/evaluate/flags/{key}": {
        "post": _evaluate(
            "evaluate_flag", "What a customer gets of one experiment (OFREP).",
            {
                "200": _json("EvaluatedFlag", "What they get"),
                "404": _json("EvaluationFailure", "No such running experiment"),
            },
            {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}},
        )
    },
}  # fmt: skip
SECURITY = {
    "clientKey": {"type": "http", "scheme": "bearer", "description": "A client key: `sdk-…`."},
    "clientKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
