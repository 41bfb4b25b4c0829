"""Segments over the API, with keys."""

import pytest
from rest_framework.test import APIRequestFactory

from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.segments import api
from personalization.segments.models import Segment

pytestmark = pytest.mark.django_db
GB = {"trait": "country", "op": "is", "value": "GB"}


def call(view, method, body=None, scopes=(Scope.SEGMENTS_READ, Scope.SEGMENTS_WRITE), **names):
    _, token = create_key(name="test", scopes=scopes)
    factory = APIRequestFactory()
    request = getattr(factory, method)("/", body, format="json", headers={"Authorization": f"Bearer {token}"})
    response = view.as_view()(request, **names)
    response.render()
    return response


def test_a_segment_is_created_read_changed_and_listed() -> None:
    made = call(api.SegmentList, "post", {"name": "Brits", "definition": GB})
    assert (made.status_code, made.data["version"], made.data["definition"]) == (201, 1, GB)
    number = made.data["id"]
    changed = call(api.SegmentDetail, "put", {"name": "All", "definition": {"all": []}}, segment_id=number)
    assert (changed.status_code, changed.data["version"]) == (200, 2)
    assert call(api.SegmentDetail, "get", segment_id=number).data["name"] == "All"
    assert [row["version"] for row in call(api.SegmentList, "get").data["results"]] == [2]


def test_a_wrong_definition_is_a_422_problem_with_pointers() -> None:
    for view, body in ((api.SegmentList, {"name": "x"}), (api.SegmentCount, {})):
        refused = call(view, "post", {**body, "definition": {"all": [{"trait": "age", "op": "at_least"}]}})
        assert refused.status_code == 422
        assert refused["Content-Type"] == "application/problem+json"
        assert refused.data["errors"] == [{"pointer": "/definition/all/0/value", "detail": "Give a number."}]
    assert not Segment.objects.exists()


def test_a_definition_is_counted_without_saving_it() -> None:
    counted = call(api.SegmentCount, "post", {"definition": GB}, scopes=[Scope.SEGMENTS_READ])
    assert (counted.status_code, counted.data["count"]) == (200, 0)


def test_a_key_that_may_only_read_cannot_write() -> None:
    refused = call(api.SegmentList, "post", {"name": "x", "definition": GB}, scopes=[Scope.SEGMENTS_READ])
    assert refused.status_code == 403
