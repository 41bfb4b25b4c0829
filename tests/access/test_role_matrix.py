"""Every address of the product, asked by everybody who may not: nobody gets in by a page that was forgotten.

The addresses come from the URL configuration, so that a new page is tested from the day it is mounted.
"""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from campaigns.models import Delivery
from personalization.access.models import User
from personalization.access.services import create_key
from personalization.customers.models import Customer, Identifier, Merge
from personalization.events.models import Event
from tests.privacy.making import NOW, NUMBER, make_rows

pytestmark = pytest.mark.django_db
MARK = "canarymark"
CUSTOMER_ID = f"{MARK}-id"
# Open to the world: the way in, signs of life, documents without data, and what a signed link or a client key
# guards by itself.
PUBLIC = (
    r"^$", r"^favicon", r"^admin/(login|logout|jsi18n|password|autocomplete)", r"^api/(schema|docs)", r"^t/",
    r"^p/", r"^r/", r"^demo/", r"^i18n/", r"^healthz", r"^readyz", r"^metrics", r"^media/", r"^static/",
    r"^sdk", r"^ofrep", r"^api/features", r"^api/eval", r"^app/account/(code|single-sign-on)$",
)  # fmt: skip
# What every member of staff may open.
# One's own log-in; that nobody reaches another's: test_sessions, test_second_factor.
OWN = r"^app/account/"
COMMON = (
    r"^admin/$",
    r"^admin/search/",
    r"^app/find$",
    OWN,
    *PUBLIC,
)  # what is found asks for a permission each
# That somebody looked is written down, and a report keeps what it computed: no changes.
KEPT = "django_session|access_staffsession|access_personalread|access_auditentry|experiments_analysis"
WRITES = re.compile(rf"(INSERT|UPDATE|DELETE)(?!( INTO| FROM)? .({KEPT}))", re.IGNORECASE)


def routes() -> list[str]:
    return sorted({path for path in _walk(get_resolver(), "") if not path.startswith("admin/r/")})


def _walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, pattern)
        elif isinstance(entry, URLPattern):
            yield fill(pattern)


def fill(pattern: str) -> str:
    """A path that the pattern matches: objects by their number, customers by their own id."""
    pattern = re.sub(r"<(\w+:)?external_id>", CUSTOMER_ID, pattern)
    pattern = re.sub(r"\(\?P<\w+>[^)]*\)", str(NUMBER), pattern)
    pattern = re.sub(r"<[^>]+>", str(NUMBER), pattern)
    return re.sub(r"[\^$\\]|\\Z", "", pattern).replace("/?", "/")


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(re.search(pattern, path) for pattern in patterns)


@pytest.fixture
def person(db) -> Customer:
    customer = Customer.objects.create(
        pk=NUMBER, external_id=CUSTOMER_ID, email=f"{MARK}@lovelace.example", phone=f"+44{MARK}",
        first_name=f"{MARK}-first", last_name=f"{MARK}-last", city=f"{MARK}-city", traits={"note": MARK},
        created_at=NOW,
    )  # fmt: skip
    make_rows(customer, "other", numbered=True)
    Identifier.objects.update(value=f"{MARK}-cookie")
    Merge.objects.update(record={"source": {"external_id": f"{MARK}-former"}}, note=MARK)
    Delivery.objects.update(detail=f"no mailbox {MARK}")
    Event.objects.update(properties={"email": MARK})
    return customer


def member(role: str) -> Client:
    call_command("ensure_roles")
    user = User.objects.create_user("somebody", is_staff=True)
    if role:
        user.groups.add(Group.objects.get(name=role))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def ask(client: Client, method: str, path: str) -> tuple[int, str]:
    answer = getattr(client, method)(
        f"/{path}", **({} if method == "get" else {"content_type": "application/json"})
    )
    text = b"".join(answer) if answer.streaming else answer.content
    return answer.status_code, text.decode(errors="replace")


def test_the_walk_finds_the_pages() -> None:
    found = routes()
    assert len(found) > 120
    assert f"api/v1/customers/{CUSTOMER_ID}" in found
    assert "app/privacy/requests" in found


def test_nobody_gets_in_without_logging_in(person) -> None:
    client = Client(raise_request_exception=False)
    open_ones = [
        path for path in routes() if not matches(path, PUBLIC) and ask(client, "get", path)[0] in (200, 500)
    ]
    assert open_ones == []


def test_staff_without_a_role_sees_nothing(person) -> None:
    client = member("")
    open_ones = [
        path for path in routes() if not matches(path, COMMON) and ask(client, "get", path)[0] in (200, 500)
    ]
    assert open_ones == []


def test_who_works_without_personal_data_is_shown_none_anywhere(person) -> None:
    client = member("Analyst")
    shown, opened = [], 0
    for path in routes():
        status, text = ask(client, "get", path)
        opened += status == 200
        assert status != 500, path
        if MARK in text.replace(CUSTOMER_ID, "") and not matches(path, PUBLIC):
            shown.append(path)
    assert shown == []
    assert opened > 20


def test_a_viewer_changes_nothing_anywhere(person) -> None:
    client = member("Viewer")
    written = []
    for path in routes():
        for method in ("post", "put", "patch", "delete") if path.startswith("api/") else ("post",):
            if matches(path, (OWN, *PUBLIC)):
                continue
            with CaptureQueriesContext(connection) as queries:
                status, _text = ask(client, method, path)
            statements = [query["sql"] for query in queries if WRITES.match(query["sql"])]
            if status == 500 or statements:
                written.append((method, path, status, statements[:1]))
    assert written == []


def test_a_key_without_scopes_opens_nothing(person) -> None:
    token = create_key(name="nothing", scopes=[])[1]
    client = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
    opened = [
        f"{method} {path}"
        for path in routes()
        if path.startswith(("api/v1/", "v1/"))
        for method in ("get", "post", "put", "patch", "delete")
        if ask(client, method, path)[0] in (200, 201, 202, 204, 500)
    ]
    assert opened == []
