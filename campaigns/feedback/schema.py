"""Where providers tell what became of messages, in the OpenAPI document. Bodies are each provider's own."""

from typing import Any

from personalization.access.schema import problem

_ACCOUNT = {"name": "account", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
_FORM = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": True}}}
_JSON = {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}
_UNSIGNED = {
    "403": problem("Not signed by the account's provider"), "404": problem("No such address"),
}  # fmt: skip
_UNREADABLE = {"400": problem("Cannot be read"), "503": problem("Not taken: call again")}


def _call(name: str, what: str, parameter: dict[str, Any], content: Any, responses: Any) -> dict[str, Any]:
    return {
        "operationId": name,
        "description": f"{what}\n\nNeeds the provider's signature.",
        "tags": ["provider callbacks"],
        "security": [],
        "parameters": [parameter],
        "requestBody": {"required": True, "content": content},
        "responses": {**responses, **_UNSIGNED},
    }


_TAKEN = {"200": {"description": "Taken"}, **_UNREADABLE}
_NUMBER = {
    "name": "number", "in": "path", "required": True,
    "schema": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
}  # fmt: skip
_QUESTION = [
    {"name": f"hub.{name}", "in": "query", "required": False, "schema": {"type": "string"}}
    for name in ("mode", "verify_token", "challenge")
]
PATHS: dict[str, dict[str, Any]] = {
    "/hooks/email/{account}": {
        "post": _call(
            "email_provider_events", "Events of an e-mail provider, which some of them send as a form.",
            _ACCOUNT, _JSON, {**_TAKEN, "401": problem("Names no user, where one is asked for")},
        )
    },
    "/hooks/sms/{number}": {
        "post": _call(
            "sms_status", "What became of an SMS.", _NUMBER, _FORM, {"204": {"description": "Taken"}}
        )
    },
    "/hooks/sms/{account}/inbound": {
        "post": _call(
            "sms_inbound", "An SMS to us: STOP and its kind end all messages to that number.", _ACCOUNT,
            _FORM, {"200": {"description": "Taken", "content": {"text/xml": {"schema": {"type": "string"}}}}},
        )
    },
    "/hooks/whatsapp/{account}": {
        "post": _call(
            "whatsapp_calls", "States of WhatsApp messages, and answers to them.", _ACCOUNT, _JSON, _TAKEN
        ),
        "get": {
            "operationId": "whatsapp_verify",
            "description": "Asked once by the provider, with the token named to it.\n\nNeeds the token.",
            "tags": ["provider callbacks"],
            "security": [],
            "parameters": [_ACCOUNT, *_QUESTION],
            "responses": {
                "200": {
                    "description": "The challenge",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                "403": problem("Another token"),
                "404": problem("No such address"),
            },
        },
    },
}  # fmt: skip
