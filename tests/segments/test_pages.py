"""The builder page, its live count and saving, as staff with and without permission."""

import json
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import RequestFactory

from personalization.access.models import User
from personalization.segments import previews, selectors, views
from personalization.segments.errors import CountTooSlow
from personalization.segments.models import Segment
from personalization.segments.services import save_segment

GB = {"trait": "country", "op": "is", "value": "GB"}


@pytest.fixture(autouse=True)
def fresh_cache():
    for key in ("segments:total", "segments:fields"):
        cache.delete(key)


def staff(*codenames) -> User:
    user = User.objects.create_user(f"staff{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def post(view, user, body, **names):
    request = RequestFactory().post("/", json.dumps(body), content_type="application/json")
    request.user = user
    response = view(request, **names)
    return response.status_code, json.loads(response.content)


def test_the_count_comes_with_share_sentence_and_sample(world) -> None:
    world.customer("a", country="GB", first_name="Ann"), world.customer("b", country="CN")
    status, answer = post(views.count, staff("view_segment", "view_personal_data"), {"definition": GB})
    assert status == 200
    assert (answer["count"], answer["total"], answer["share"]) == (1, 2, 0.5)
    assert answer["sentence"] == "Customers where country is “GB”."
    assert "Ann" not in str(answer["sample"]), "names are for those who may see customers"


def test_a_mistake_is_answered_422_with_its_place(db) -> None:
    status, answer = post(views.count, staff("view_segment"), {"definition": {"all": [{"trait": "x"}]}})
    assert status == 422
    assert [error["pointer"] for error in answer["errors"]] == ["/definition/all/0/op"]


def test_saving_needs_permission_and_makes_versions(db) -> None:
    from django.core.exceptions import PermissionDenied

    with pytest.raises(PermissionDenied):
        post(views.save, staff("view_segment"), {"name": "n", "definition": GB})
    editor = staff("view_segment", "add_segment", "change_segment")
    assert post(views.save, editor, {"name": "Brits", "definition": GB})[0] == 200
    segment = Segment.objects.get()
    status, _ = post(views.save, editor, {"name": "Brits", "definition": {"all": []}}, segment_id=segment.pk)
    assert (status, segment.current.number) == (200, 2)
    request = RequestFactory().post("/")
    request.user = editor
    assert views.restore(request, segment.pk, 1).status_code == 302
    assert (segment.current.number, segment.current.definition) == (3, GB)


def test_a_slow_count_is_stopped_with_an_error_of_its_own(db) -> None:
    from django.db import connection

    with pytest.raises(CountTooSlow), selectors.time_limit(0.05), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")


def test_a_time_limit_inside_of_a_larger_transaction_ends_with_its_block(db) -> None:
    from django.db import connection, transaction

    def setting(name: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s)", [name])
            return str(cursor.fetchone()[0])

    with transaction.atomic():
        before = setting("statement_timeout"), setting("work_mem")
        with selectors.time_limit(5.0):
            assert setting("statement_timeout") == "5s"
        assert (setting("statement_timeout"), setting("work_mem")) == before
        with pytest.raises(CountTooSlow), selectors.time_limit(0.05), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(1)")
        assert (setting("statement_timeout"), setting("work_mem")) == before


def test_the_size_of_a_list_row_is_none_when_it_cannot_be_known(world) -> None:
    world.customer("a", country="GB")
    now = datetime.now(UTC)
    inner = save_segment(None, name="Inner", definition=GB).segment
    outer = save_segment(None, name="Outer", definition={"segment": inner.pk}).segment
    cache.clear()
    assert selectors.size(outer, now=now) == 1
    inner.delete()
    cache.clear()
    assert selectors.size(outer, now=now) is None


def test_suggestions_come_from_the_data_but_never_name_a_person(world) -> None:
    now = datetime(2018, 1, 2, tzinfo=UTC)
    for key in ("a", "b"):
        customer = world.customer(key, email=f"{key}@shop.example", traits={"plan": "gold", "secret": key})
        world.event(customer, "Order", coupon="X", value=3)
    known = selectors.known_fields(now=now)
    traits = {trait["name"]: trait for trait in known["traits"]}
    assert traits["plan"]["examples"] == ["gold"]
    assert traits["secret"]["examples"] == traits["email"]["examples"] == []
    assert [(event["name"], event["recent"]) for event in known["events"]] == [("Order", 2)]
    assert known["events"][0]["properties"][0]["name"] == "coupon"


def test_while_editing_each_condition_tells_how_it_narrows(world) -> None:
    world.customer("a", country="GB", traits={"plan": "gold"}), world.customer("b", country="GB")
    world.customer("c", country="CN", traits={"plan": "gold"})
    gold = {"trait": "plan", "op": "is", "value": "gold"}
    user = staff("view_segment", "view_personal_data")
    status, answer = post(views.narrow, user, {"definition": {"all": [GB, gold]}})
    assert (status, answer["total"]) == (200, 3)
    assert [(step["alone"], step["left"]) for step in answer["steps"]] == [(2, 2), (2, 1)]
    assert post(views.narrow, user, {"definition": {"all": [{"trait": "x"}]}})[0] == 422


def test_a_slow_count_is_an_estimate_first_and_exact_when_asked(world, monkeypatch) -> None:
    for number in range(40):
        world.customer(f"c{number}", country="GB" if number % 4 == 0 else "CN")
    exact = previews.preview

    def slow(definition, *, now):
        raise CountTooSlow

    monkeypatch.setattr(previews, "preview", slow)
    user = staff("view_segment", "view_personal_data")
    status, answer = post(views.count, user, {"definition": GB})
    assert (status, answer["count"], answer["total"]) == (200, 10, 40)
    assert answer["margin"] == 5  # 1.96 · 40 · √(¼·¾/40) = 5.4
    monkeypatch.setattr(previews, "preview", exact)
    status, answer = post(views.count, user, {"definition": GB, "exact": True})
    assert (answer["count"], answer["margin"]) == (10, None)
