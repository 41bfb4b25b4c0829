"""Explanations, funnels and overlaps, by function, page and API."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIRequestFactory

from personalization.access.models import Scope, User
from personalization.access.services import create_key
from personalization.segments import explain, insight_api, membership
from personalization.segments.compiler import compile_definition
from personalization.segments.services import save_segment
from tests.segments.conftest import NOW

GB = {"trait": "country", "op": "is", "value": "GB"}
TWICE = {"event": "Order", "is": "at_least", "value": 2, "window": {"last_days": 30}}
BOTH = {"all": [GB, TWICE, {"not": {"any": [{"trait": "plan", "op": "is", "value": "free"}]}}]}


def test_each_clause_says_whether_it_holds_and_the_value_of_the_customer(world) -> None:
    customer = world.customer("a", country="GB")
    world.event(customer, at=NOW - timedelta(days=1))
    found = explain.explain(BOTH, customer, now=NOW)
    assert not found.holds
    assert [(clause.holds, clause.value) for clause in found.clauses] == [
        (True, "“GB”"),
        (False, "1"),
        (True, ""),
    ]
    assert found.clauses[2].clauses[0].clauses[0].value == "not known"
    world.event(customer, at=NOW - timedelta(days=2))
    assert explain.explain(BOTH, customer, now=NOW).holds


def test_the_explanation_agrees_with_the_segment(world) -> None:
    people = [world.customer(key, country=country) for key, country in (("a", "GB"), ("b", ""), ("c", "CN"))]
    for customer in people[:2]:
        world.event(customer, value=7, basket="x"), world.event(customer, "View")
    inner = save_segment(None, name="inner", definition=GB).segment
    average = {"event": "Order", "op": "average", "per": {"property": "basket"}}
    for definition in (
        {"any": [GB, {"event": "Order", "is": "is", "value": 0}]},
        {"not": {"segment": inner.pk}},
        {"ratio": [average, average], "is": "is", "value": 1},
        {"sequence": [{"event": "View"}, {"event": "Order"}], "within_days": 1},
        {"consent": "email", "granted": False},
        {"event": "Order", "op": "sum", "is": "top_percent", "value": 40},
        {"event": "Order", "op": "last", "is": "within_days", "value": 3},
    ):
        inside = set(compile_definition(definition, now=NOW).values_list("pk", flat=True))
        for customer in people:
            assert explain.explain(definition, customer, now=NOW).holds == (customer.pk in inside), definition


def test_the_funnel_counts_each_clause_alone_and_after_the_others(world) -> None:
    for key, country, times in (("a", "GB", 2), ("b", "GB", 1), ("c", "CN", 2)):
        customer = world.customer(key, country=country)
        for hours in range(times):
            world.event(customer, at=NOW - timedelta(hours=hours + 1))
    steps = explain.funnel({"all": [GB, TWICE]}, now=NOW)
    assert [(step.alone, step.left) for step in steps] == [(2, 2), (2, 1)]


@pytest.fixture
def three(world):
    """In a: 1, 2, 3; in b: 3, 4."""
    for key, plan in {"1": "x", "2": "x", "3": "y", "4": "z", "5": "w"}.items():
        world.customer(key, traits={"plan": plan})
    made = [
        save_segment(None, name=name, definition={"trait": "plan", "op": "in", "value": plans}).segment
        for name, plans in (("a", ["x", "y"]), ("b", ["y", "z"]))
    ]
    membership.refresh_all(now=timezone.now())
    return made


def test_the_overlap_counts_every_region_once(three) -> None:
    a, b = three
    found = {region.segments: region.count for region in explain.overlap(three)}
    assert found == {(a.pk,): 2, (a.pk, b.pk): 1, (b.pk,): 1}


def call(view, url, body=None, scopes=(Scope.SEGMENTS_READ, Scope.CUSTOMERS_READ), **names):
    _, token = create_key(name="test", scopes=scopes)
    factory, headers = APIRequestFactory(), {"Authorization": f"Bearer {token}"}
    request = (
        factory.get(url, headers=headers)
        if body is None
        else factory.post(url, body, "json", headers=headers)
    )
    response = view.as_view()(request, **names)
    response.render()
    return response


def test_the_api_tells_members_sizes_moves_overlap_and_reasons(three, world) -> None:
    a, b = three
    listed = call(insight_api.SegmentMembers, "/", segment_id=a.pk).data
    assert [row["external_id"] for row in listed] == ["1", "2", "3"]
    assert call(insight_api.SegmentMembers, "/?at=2001-01-01T00:00:00Z", segment_id=a.pk).status_code == 409
    assert call(insight_api.SegmentSizes, "/?days=2", segment_id=a.pk).data[-1]["members"] == 3
    assert call(insight_api.SegmentMoves, "/", segment_id=a.pk).data == {"moves": [], "cursor": 0}
    regions = call(insight_api.SegmentOverlap, f"/?segment={a.pk}&segment={b.pk}").data
    assert {"segments": [a.pk, b.pk], "count": 1} in [dict(region) for region in regions]
    why = call(insight_api.SegmentExplain, "/?customer=4", segment_id=a.pk).data["clause"]
    assert (why["holds"], why["value"]) == (False, "“z”")
    assert call(insight_api.SegmentExplain, "/?customer=nobody", segment_id=a.pk).status_code == 404
    steps = call(insight_api.SegmentFunnel, "/", {"definition": GB}).data
    assert (steps[0]["alone"], steps[0]["left"]) == (0, 0)


def test_who_may_only_read_segments_sees_no_person(three) -> None:
    for view in (insight_api.SegmentMembers, insight_api.SegmentMoves, insight_api.SegmentExplain):
        assert (
            call(view, "/?customer=1", scopes=[Scope.SEGMENTS_READ], segment_id=three[0].pk).status_code
            == 403
        )


def test_the_page_shows_the_members_and_why(three, client) -> None:
    a, b = three
    url = f"/app/segments/{a.pk}/members/"
    assert client.get(url).status_code == 302
    client.force_login(User.objects.create_superuser("boss"))
    today = timezone.now() + timedelta(days=1)
    page = client.get(url, {"with": b.pk, "at": f"{today:%Y-%m-%d}"}).content.decode()
    assert ": 3</p>" in page and "How each condition narrows" in page and "si-dot si-in" in page
    assert "is not in the segment" in client.post(url, {"customer": "4"}).content.decode()
    assert "Nobody has this customer id." in client.post(url, {"customer": "x"}).content.decode()
    assert "not recorded at that time" in client.get(url, {"at": "2001-01-01"}).content.decode()
