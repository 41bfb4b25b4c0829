"""The Segment endpoints in the OpenAPI document: their views are no DRF views and say nothing of themselves.

Other fields of the spec are taken too, and kept in the event where docs/data-in.md says so.
"""

from typing import Any

from personalization.access.schema import TEST_HEADERS, problem
from personalization.events.messages import CALLS

_ID = {"type": ["string", "integer"], "maxLength": 200}
_TIME = {"type": "string", "format": "date-time"}
_OBJECT = {"type": "object", "additionalProperties": True}
_COMMON: dict[str, Any] = {
    "userId": {**_ID, "description": "The shop's own customer id. This or `anonymousId` is needed."},
    "anonymousId": {**_ID, "description": "A visitor, device or session without customer id."},
    "messageId": {"type": "string", "description": "The same message of a customer is stored once."},
    "timestamp": {**_TIME, "description": "When it happened; now when left out."},
    "originalTimestamp": {**_TIME, "description": "The same by the client's clock, corrected by `sentAt`."},
    "sentAt": {**_TIME, "description": "When the client sent it, by the same clock."},
    "context": {**_OBJECT, "description": "Page, device, locale, campaign … of the Segment spec."},
}
_TRAITS = {"traits": {**_OBJECT, "description": "What is to be known; null removes a trait."}}
_PROPERTIES = {
    "properties": {**_OBJECT, "description": "`product_id`, `value`, `products` … of the Segment spec."}
}
_NAMED = {"name": {"type": "string"}, **_PROPERTIES}
_OWN: dict[str, dict[str, Any]] = {
    "identify": _TRAITS,
    "track": {"event": {"type": "string", "minLength": 1, "maxLength": 200}, **_PROPERTIES},
    "page": _NAMED,
    "screen": _NAMED,
    "group": {"groupId": _ID, **_TRAITS},
    "alias": {"previousId": {**_ID, "description": "What the customer was called before."}},
}
_REQUIRED = {"track": ["event"], "alias": ["userId", "previousId"]}
_WHAT = {
    "identify": "Who the customer is: merges traits, and joins a visitor's history to the customer.",
    "track": "What the customer did.",
    "page": "A page was viewed.",
    "screen": "A screen of an app was viewed.",
    "group": "Which company, household or club the customer belongs to.",
    "alias": "Two ids of one customer.",
}
_EXAMPLES: dict[str, dict[str, Any]] = {
    "identify": {"userId": "ada", "traits": {"email": "ada@shop.example", "plan": "gold"}},
    "track": {
        "userId": "ada", "event": "Order Completed", "messageId": "order-1", "properties": {"revenue": 42},
    },
    "page": {"anonymousId": "visitor-1", "name": "Home"},
    "screen": {"anonymousId": "device-1", "name": "Basket"},
    "group": {"userId": "ada", "groupId": "club", "traits": {"name": "Tea club"}},
    "alias": {"userId": "ada", "previousId": "visitor-1"},
}  # fmt: skip
_SCOPE = "Needs the scope `ingest`. Answered after the commit."
_REFUSALS = {
    "400": "Not valid", "401": "No or wrong key", "403": "The key lacks the scope",
    "405": "Another method than POST", "413": "Larger than a call may be", "429": "Too many calls",
}  # fmt: skip


def _message(*, own: dict[str, Any], required: list[str]) -> dict[str, Any]:
    body = {"type": "object", "properties": {**_COMMON, **own}, "additionalProperties": True}
    return {**body, "required": required} if required else body


def _operation(name: str, component: str, what: str, answer: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "description": f"{what}\n\n{_SCOPE}",
        "tags": ["events"],
        "security": [{"apiKey": []}, {"writeKey": []}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{component}"}}},
        },
        "responses": {
            "200": {
                "description": "Stored",
                "headers": TEST_HEADERS,
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer}"}}},
            },
            **{status: problem(text) for status, text in _REFUSALS.items()},
        },
    }


_TYPE = {"type": {"type": "string", "enum": list(CALLS)}}
_SUCCESS: dict[str, Any] = {"success": {"type": "boolean", "const": True}}
_NOT_TAKEN = {
    "type": "object",
    "required": ["index", "reason"],
    "properties": {"index": {"type": "integer", "minimum": 0}, "reason": {"type": "string"}},
}

SCHEMAS: dict[str, dict[str, Any]] = {
    **{
        f"{name.capitalize()}Call": {
            **_message(own=_OWN[name], required=_REQUIRED.get(name, [])),
            "examples": [_EXAMPLES[name]],
        }
        for name in CALLS
    },
    "BatchMessage": _message(
        own={**_TYPE, **{field: one for name in CALLS for field, one in _OWN[name].items()}},
        required=["type"],
    ),
    "BatchCall": {
        "type": "object",
        "examples": [{"batch": [{"type": name, **_EXAMPLES[name]} for name in ("identify", "track")]}],
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "items": {"$ref": "#/components/schemas/BatchMessage"}},
            "sentAt": _COMMON["sentAt"],
            "writeKey": {"type": "string", "description": "The key, where no header can be set."},
        },
        "additionalProperties": True,
    },
    "CallTaken": {"type": "object", "required": ["success"], "properties": _SUCCESS},
    "NotTaken": _NOT_TAKEN,
    "BatchTaken": {
        "type": "object",
        "required": ["success"],
        "properties": {
            **_SUCCESS,
            "errors": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/NotTaken"},
                "description": "Messages that were not taken; all others are stored.",
            },
        },
    },
}
PATHS: dict[str, dict[str, Any]] = {
    **{
        f"/v1/{name}": {"post": _operation(name, f"{name.capitalize()}Call", _WHAT[name], "CallTaken")}
        for name in CALLS
    },
    "/v1/batch": {
        "post": _operation(
            "batch", "BatchCall", "Up to 500 kB of messages; each stands for itself.", "BatchTaken"
        )
    },
}
SECURITY = {
    "writeKey": {
        "type": "http", "scheme": "basic",
        "description": "An API key as user, any password: as Segment's clients send it.",
    },
}  # fmt: skip
