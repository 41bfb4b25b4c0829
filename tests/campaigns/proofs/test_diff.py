"""Versions line by line."""

from typing import Any

import pytest
from django.utils import translation

from campaigns import services
from campaigns.models import Message
from campaigns.proofs.diff import compare, compare_lines, content_at, versions


def test_lines_carry_their_numbers_on_both_sides() -> None:
    found = [(one.kind, one.text, one.older, one.newer) for one in compare_lines("a\nb\nc", "a\nB\nc\nd")]
    assert found == [
        ("same", "a", 1, 1), ("removed", "b", 2, None), ("added", "B", None, 2), ("same", "c", 3, 3),
        ("added", "d", None, 4),
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_launched_version_is_compared_with_what_it_is_now(make_customers: Any, make_campaign: Any) -> None:
    make_customers(2)
    campaign = make_campaign()
    run = services.launch(campaign, actor="test")
    Message.objects.filter(campaign=campaign).update(subject="Bye", preheader="New")
    assert list(versions(campaign)) == ["draft:m0", f"run:{run.number}:m0"]
    older, newer = content_at(campaign, f"run:{run.number}:m0"), content_at(campaign, "draft:m0")
    assert older and newer
    assert {p.part for p in compare(older, newer) if not p.is_same} == {"subject", "preheader"}
    assert (
        content_at(campaign, "run:99:m0")
        is content_at(campaign, "draft:x")
        is content_at(campaign, "")
        is None
    )


def test_phrases_are_compared_and_every_part_has_a_name_for_people() -> None:
    older = {"subject": "a", "fields": {"link": "x"}, "phrases": {"hello": {"texts": {"": "start:\n- Hi"}}}}
    newer = {"subject": "b", "fields": {"link": "y"}, "phrases": {"hello": {"texts": {"": "start:\n- Ho"}}}}
    parts = {part.part: part for part in compare(older, newer)}
    assert not parts["phrases.hello"].is_same
    with translation.override("zh-hans"):
        labels = [parts[name].label for name in ("subject", "fields.link", "phrases.hello")]
    assert labels == ["主题", "渠道字段: link", "短语集: hello"]
