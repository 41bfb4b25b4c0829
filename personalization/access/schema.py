"""Teaches the OpenAPI document what every call has in common: keys with scopes, and problem details."""

from inspect import getdoc
from typing import Any, Literal

from django.core.exceptions import FieldDoesNotExist
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance

from personalization.access.authentication import TEST_HEADER
from personalization.access.idempotency import METHODS
from personalization.access.known_fields import KnownFields
from personalization.access.permissions import scope_of

Direction = Literal["request", "response"]

PROBLEM_NAME = "Problem"
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
COMMON = {
    "400": "Not valid", "401": "No or wrong key", "403": "The key lacks the scope", "404": "Not found",
    "409": "Not possible as things stand", "422": "Understood, and not valid", "429": "Too many calls",
}  # fmt: skip
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Of your choice: within 24 hours the same call with the same key is carried out once and "
    "answered twice alike.",
}  # fmt: skip

API_KEY = (
    "An API key: `bsp_…`. A test key, `bsp_test_…`, reads everything; what it triggers is made and kept, and "
    "nothing leaves the house or counts; events are checked, not stored; any other change is refused (403)."
)
TEST = {
    "description": "`true` in every answer to a test key.", "schema": {"type": "string", "enum": ["true"]},
}  # fmt: skip
TEST_HEADERS = {TEST_HEADER: TEST}


def problem(text: str) -> dict[str, Any]:
    """A refusal, as a response of the document; `config.openapi` brings the component it points at."""
    schema = {"$ref": f"#/components/schemas/{PROBLEM_NAME}"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "personalization.access.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": API_KEY}


def _column(field: Any) -> Any:
    """Of the model that is told; None for what is none of its columns."""
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    try:
        return model and model._meta.get_field(field.source)
    except FieldDoesNotExist:
        return None


def _correct(told: dict[str, Any], field: Any) -> None:
    """Where the library's word for a field is not true of all its values."""
    members = told.get("additionalProperties")
    for one in (told, members if isinstance(members, dict) else {}):
        if one.get("oneOf") == [{}, {"type": "null"}]:
            del one["oneOf"]  # anything: null would be valid twice, and so not at all
    if told.get("format") == "uri" and getattr(_column(field), "blank", False):
        del told["format"]  # it may be empty, which is no address


class JsonSchema(OpenApiSerializerFieldExtension):
    """A JSON column holds what its default is, an object or a list; other JSON fields may hold anything."""

    target_class = "rest_framework.serializers.JSONField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        default = getattr(_column(self.target), "default", None)
        if default is dict:
            return {"type": "object", "additionalProperties": {}}
        return {"type": "array", "items": {}} if default is list else {}


class ProblemSchema(AutoSchema):
    # What is done to a thing, in the names of generated clients.
    method_mapping = {"get": "get", "post": "create", "put": "replace", "patch": "change", "delete": "delete"}

    def get_operation_id(self) -> str:
        """`campaigns_list`, `campaigns_get`, `campaigns_pause`: no verb where the address alone tells it."""
        name: str = super().get_operation_id()
        only = sum(hasattr(self.view, method) for method in self.method_mapping) == 1
        if only and len(self._tokenize_path()) > 1 and not self.path.endswith("}"):
            return name.rpartition("_")[0]
        return name

    def get_tags(self) -> list[str]:
        return [tag.replace("-", " ") for tag in super().get_tags()]

    def get_description(self) -> str:  # type: ignore[override]
        scope = scope_of(self.view, self.method)
        note = f"Needs the scope `{scope.value}`." if scope else ""
        return "\n\n".join(part for part in (super().get_description(), note) if part)

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status, text in COMMON.items():
            if status not in bodies:
                bodies[status] = problem(text)
        for body in bodies.values():
            body.setdefault("headers", {}).update(TEST_HEADERS)
        return bodies

    def _get_request_body(self, direction: Direction = "request") -> Any:
        """Also of a DELETE whose view says so: what names a person or a device stands in no address."""
        if self.method != "DELETE" or not getattr(self.view, "delete_takes_a_body", False):
            return super()._get_request_body(direction)
        self.method = "POST"  # the only way to be asked for it
        try:
            return super()._get_request_body(direction)
        finally:
            self.method = "DELETE"

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)
        instance = force_instance(serializer)
        for name, told in schema.get("properties", {}).items():
            _correct(told, getattr(instance, "fields", {}).get(name))
        if isinstance(instance, KnownFields):
            schema["additionalProperties"] = False
            if schema.get("description") == getdoc(KnownFields):
                del schema["description"]
        return schema

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        if name.startswith("Patched"):
            thing = name.removeprefix("Patched").removesuffix("Request").removesuffix("Change")
            name = f"{thing}ChangeRequest"
        return name.replace("RequestRequest", "Request")

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters = super()._get_parameters()
        return [*parameters, IDEMPOTENCY_KEY] if self.method in METHODS else parameters
