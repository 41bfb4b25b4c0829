"""The rule that guards each address, read from the views, and the table of docs/roles.md made from them."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as Row
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from personalization.access.permissions import staff_permission_of
from personalization.access.services import ADMINISTRATOR, ROLES

NAMES = [*ROLES, ADMINISTRATOR]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
DEEDS = ("view", "add", "change", "delete")
ASKED_INSIDE = re.compile(r'has_perm\(\s*"([\w.]+)"(?: if \w+ else "([\w.]+)")?')


@dataclass(frozen=True)
class Gate:
    """`methods`: those that the rule holds for; none for lists of the administration: `model` has its own."""

    path: str
    methods: tuple[str, ...]
    permission: str = ""
    inside: tuple[str, ...] = ()
    model: Any = None


class Member:
    """Staff with the permissions of one role, as far as rules ask for them."""

    is_active = is_staff = is_authenticated = True

    def __init__(self, held: set[str]) -> None:
        self._held = held

    def has_perm(self, permission: str, obj: object = None) -> bool:
        return permission in self._held

    def has_module_perms(self, app: str) -> bool:
        return any(one.startswith(f"{app}.") for one in self._held)


def members() -> dict[str, Member]:
    return {
        name: Member({f"{row.content_type.app_label}.{row.codename}" for row in _rows(name)})
        for name in NAMES
    }


def _rows(name: str) -> Any:
    return Row.objects.filter(group=Group.objects.get(name=name)).select_related("content_type")


def gates() -> tuple[list[Gate], list[str]]:
    """Every rule, and the addresses that have none."""
    found, bare = {}, []
    for path, entry in _walk(get_resolver(), ""):
        rules = list(_rules(path, entry.callback))
        for rule in rules:
            found.setdefault((rule.path, rule.methods), rule)
        if not rules:
            bare.append(path)
    return sorted(found.values(), key=lambda gate: (gate.path, gate.methods)), sorted(set(bare))


def _walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, path)
        else:
            yield path, entry


def _rules(path: str, view: Any) -> Iterator[Gate]:
    if hasattr(view, "model_admin"):
        meta = view.model_admin.model._meta
        yield Gate(f"admin/{meta.app_label}/{meta.model_name}/", (), model=view.model_admin)
    elif hasattr(view, "permission"):
        asked = [
            name for pair in ASKED_INSIDE.findall(inspect.getsource(inspect.unwrap(view))) for name in pair
        ]
        inside = tuple(sorted({name for name in asked if name} - {view.permission}))
        yield Gate(path, ("GET", "POST"), view.permission, inside)
    elif hasattr(view, "cls") and getattr(view.cls, "required_scope", None):
        by_rule: dict[str, list[str]] = {}
        for method in METHODS:
            if method.lower() in dir(view.cls):
                by_rule.setdefault(staff_permission_of(view.cls, method) or "nobody", []).append(method)
        for permission, methods in by_rule.items():
            yield Gate(path, tuple(methods), permission)


def cell(gate: Gate, member: Member) -> str:
    """✓ where the rule lets the role in; of a list in the administration what may be done."""
    if gate.model is None:
        return "✓" if member.has_perm(gate.permission) else ""
    request = RequestFactory().get("/")
    request.user = member
    may = [deed for deed in DEEDS if getattr(gate.model, f"has_{deed}_permission")(request)]
    return " ".join(deed[0] for deed in may)


def table() -> list[str]:
    staff = members()
    lines = [f"| Address | Asks for | {' | '.join(NAMES)} |", f"|{'---|' * (len(NAMES) + 2)}"]
    for gate in gates()[0]:
        methods = "" if "GET" in gate.methods and "POST" in gate.methods else " ".join(gate.methods) + " "
        address = f"{methods.lstrip()}`/{gate.path}`".replace("|", "\\|")
        rule = f"`{gate.permission}`" if gate.permission else "the model's own"
        if gate.inside:
            rule += "; for parts " + ", ".join(f"`{name}`" for name in gate.inside)
        cells = " | ".join(cell(gate, staff[name]) for name in NAMES)
        lines.append(f"| {address} | {rule} | {cells} |")
    return lines
