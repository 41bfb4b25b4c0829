"""Journeys in the shell: made from a template, changed step by step, published, looked at."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from campaigns.journeys import pages, panel, passing, services
from campaigns.journeys.templates import create_from_template
from campaigns.models import Journey, Passage
from personalization.access.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Any) -> Any:
    client.force_login(User.objects.create_superuser("ann", "ann@shop.example", "x"))
    return client


def edit(staff: Any, journey: Journey, **data: Any) -> Journey:
    answer = staff.post(reverse("journeys:edit", args=[journey.pk]), data, follow=True)
    assert answer.status_code == 200
    journey.refresh_from_db()
    return journey


def test_a_journey_is_made_changed_and_published_in_the_shell(staff: Any, make_customers: Any) -> None:
    staff.post(reverse("journeys:create"), {"template": "abandoned_cart"})
    journey = Journey.objects.get()
    page = staff.get(reverse("journeys:journey", args=[journey.pk])).content.decode()
    assert "jn-canvas" in page and "Product Added" in page
    edit(staff, journey, do="node", node="wait", label="Two hours", **{"p-hours": "2", "next-done": "first"})
    assert journey.draft["nodes"]["wait"]["params"] == {"hours": 2, "clock": ""}
    edit(staff, journey, do="add", node="second", way="done", kind="goal")
    assert journey.draft["nodes"]["second"]["next"] == {"done": "goal1"}
    edit(staff, journey, do="remove", node="day")
    assert journey.draft["nodes"]["first"]["next"] == {"done": "second"}
    edit(staff, journey, do="entry", entry="api", reentry="always", exit_events="Order Completed *\nBye")
    assert [rule["is_goal"] for rule in journey.draft["exits"]] == [True, False]
    staff.post(reverse("journeys:steer", args=[journey.pk, "publish"]))
    journey.refresh_from_db()
    assert journey.status == "active"
    person = make_customers(1)[0]
    services.enter_by_api(journey, [(person.pk, {})], key="1", actor="test")
    page = staff.get(f"{reverse('journeys:journey', args=[journey.pk])}?node=wait&show=published")
    assert "Name0" in page.content.decode() and page.context["counts"]["inside"] == 1
    assert "1" in staff.get(reverse("journeys:list")).content.decode()


def test_a_change_that_leads_in_a_circle_is_refused_and_nothing_is_lost(staff: Any) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    before = dict(journey.draft)
    edit(staff, journey, do="node", node="second", **{"p-campaign": "1", "next-done": "wait"})
    edit(staff, journey, do="node", node="wait", **{"p-hours": "many"})
    assert journey.draft == before


def test_staff_without_the_right_cannot_change_or_publish(client: Any) -> None:
    journey = create_from_template("birthday", actor="test")
    client.force_login(User.objects.create_user("bob", password="x", is_staff=True))
    for name, args in (("list", []), ("journey", [journey.pk])):
        assert client.get(reverse(f"journeys:{name}", args=args)).status_code == 403
    for name, args in (("create", []), ("edit", [journey.pk]), ("steer", [journey.pk, "publish"])):
        assert client.post(reverse(f"journeys:{name}", args=args)).status_code == 403


def test_ending_for_everybody_asks_first_and_says_how_many_are_inside(
    staff: Any, make_customers: Any
) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    edit(staff, journey, do="entry", entry="api", reentry="always")
    services.publish(journey, actor="test")
    journey.refresh_from_db()
    services.enter_by_api(journey, [(one.pk, {}) for one in make_customers(3)], key="1", actor="test")
    end = reverse("journeys:steer", args=[journey.pk, "end"])
    asked = staff.post(end, follow=True)
    journey.refresh_from_db()
    assert journey.status == "active" and Passage.objects.filter(status="inside").count() == 3
    text = asked.content.decode()
    assert "3 customers are inside" in text and "This cannot be undone." in text
    staff.post(end, {"sure": "yes"})
    journey.refresh_from_db()
    assert journey.status == "ended" and Passage.objects.filter(status="left").count() == 3


def test_every_change_is_undone_and_made_again_and_what_is_published_stays(staff: Any) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    edit(staff, journey, do="entry", entry="api", reentry="always")
    services.publish(journey, actor="test")
    published, before = journey.versions.get().graph, journey.draft
    moved = edit(staff, journey, do="move", node="day", after="", way="").draft
    assert moved["start"] == "day" and moved["nodes"]["day"]["next"]["done"] == "wait"
    removed = edit(staff, journey, do="remove", node="wait").draft
    assert edit(staff, journey, do="undo").draft == moved
    assert edit(staff, journey, do="undo").draft == before
    assert edit(staff, journey, do="redo").draft == moved
    assert edit(staff, journey, do="redo").draft == removed
    edit(staff, journey, do="undo")
    page = edit(staff, journey, do="connect", node="day", way="done", target="first")
    assert "wait" not in page.draft["nodes"]  # nothing leads there any more
    edit(staff, journey, do="redo")  # a new change ends what was undone
    assert journey.draft == page.draft and journey.versions.get().graph == published


def test_a_program_is_told_what_was_done_and_what_was_refused(staff: Any) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    url = reverse("journeys:edit", args=[journey.pk])
    asked = {"headers": {"accept": "application/json"}}
    answer = staff.post(url, {"do": "connect", "node": "second", "way": "done", "target": "wait"}, **asked)
    assert answer.status_code == 409 and "circle" in answer.json()["said"]
    answer = staff.post(url, {"do": "remove", "node": "day"}, **asked)
    assert answer.status_code == 200 and answer.json()["said"] == "1 step is gone; undo brings it back."
    journey.refresh_from_db()
    assert "day" not in journey.draft["nodes"]


def test_what_is_wrong_stands_at_its_step_and_its_field(staff: Any) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    edit(staff, journey, do="node", node="wait", **{"p-hours": "-1", "next-done": "first"})
    page = staff.get(f"{reverse('journeys:journey', args=[journey.pk])}?node=wait")
    fault = next(one["detail"] for one in page.context["problems"] if one["node"] == "wait")
    text = page.content.decode()
    assert text.count(fault) == 3  # in the list, at the step, at the field
    assert 'aria-invalid="true" aria-describedby="p-hours-fault"' in text


def test_the_picture_is_live_and_tells_who_is_where_and_why(
    staff: Any, client: Any, make_customers: Any
) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    edit(staff, journey, do="entry", entry="api", reentry="always")
    services.publish(journey, actor="test")
    journey.refresh_from_db()
    services.enter_by_api(journey, [(one.pk, {}) for one in make_customers(3)], key="1", actor="test")
    path, live = (reverse(f"journeys:{name}", args=[journey.pk]) for name in ("journey", "live"))
    assert f'hx-get="{live}?node=wait"' in staff.get(f"{path}?node=wait").content.decode()
    assert "3 here" in staff.get(live).content.decode()
    passing.run_due(now=timezone.now() + timedelta(days=1), journey_id=journey.pk)
    moved = staff.get(f"{path}?node={Passage.objects.first().node}")
    assert [row["why"] != "came in" for row in moved.context["rows"]] == [True] * 3
    services.pause(journey, actor="test")
    assert "hx-get" not in staff.get(live).content.decode()
    assert "Nobody." in staff.get(f"{path}?node=wait").content.decode()
    published = staff.get(f"{path}?node={Passage.objects.first().node}&show=published").content.decode()
    assert published.index('id="jn-people"') < published.index('id="n-label"')  # who is there comes first
    call_command("ensure_roles")
    analyst = User.objects.create_user("eve", password="x", is_staff=True)
    analyst.groups.add(Group.objects.get(name="Analyst"))
    client.force_login(analyst)
    shown = client.get(path).content.decode()
    assert "Name0" not in shown and "Name1" not in shown
    assert "so few people are not shown" in shown and "Nobody." not in shown


@pytest.mark.django_db(transaction=True)
def test_a_stream_tells_that_people_have_moved_and_the_picture_is_asked_for(staff: Any) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    path, live = (reverse(f"journeys:{name}", args=[journey.pk]) for name in ("journey", "live"))
    assert "data-live" not in staff.get(path).content.decode()
    edit(staff, journey, do="entry", entry="api", reentry="always")
    services.publish(journey, actor="test")
    assert f'data-live="{live}"' in staff.get(path).content.decode()
    answer = staff.get(live, headers={"accept": "text/event-stream"})
    told = next(frame for frame in answer.streaming_content if b"data: " in frame).decode()
    answer.close()
    assert answer["Content-Type"] == "text/event-stream"
    assert "jn-live" in told and "jn-canvas" not in told
    assert 'hx-trigger="live:shown from:body, every 5s' in staff.get(live).content.decode()


def test_the_list_of_people_is_paged_within_what_is_shown(
    staff: Any, make_customers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "PEOPLE_PER_PAGE", 2)
    journey = create_from_template("abandoned_cart", actor="test")
    edit(staff, journey, do="entry", entry="api", reentry="always")
    services.publish(journey, actor="test")
    journey.refresh_from_db()
    services.enter_by_api(journey, [(one.pk, {}) for one in make_customers(3)], key="1", actor="test")
    path = f"{reverse('journeys:journey', args=[journey.pk])}?node=wait&show=published"
    assert "?node=wait&amp;show=published&amp;page=2" in staff.get(path).content.decode()
    assert "?node=wait&amp;show=published&amp;page=1" in staff.get(f"{path}&page=2").content.decode()


def test_pages_of_a_journey_whose_people_are_still_being_counted_ask_again(
    staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    monkeypatch.setattr(pages, "recent_counts", lambda journey: None)
    page = staff.get(reverse("journeys:journey", args=[journey.pk])).content.decode()
    assert page.count('hx-trigger="load delay:1s"') == 2  # its numbers, and the picture
    assert "– entered" in page and "– here · – passed" in page
    assert 'hx-select="#jn-list"' in staff.get(reverse("journeys:list")).content.decode()
    live = staff.get(reverse("journeys:live", args=[journey.pk])).content.decode()
    assert 'hx-trigger="load delay:1s"' in live


def test_whom_a_rule_took_out_is_said_to_have_left_by_it(
    staff: Any, make_customers: Any, make_journey: Any, did: Any, go: Any
) -> None:
    now = timezone.now()
    waits = {"kind": "until_event", "params": {"event": "View", "hours": 48}, "next": {}}
    journey = make_journey({"wait": waits}, now=now, exits=[{"event": "Order Completed"}])
    [person] = make_customers(1)
    services.enter_by_api(journey, [(person.pk, {})], key="1", actor="test")
    did(person.pk, "Order Completed", now + timedelta(minutes=1))
    go(journey, now + timedelta(minutes=2))
    page = staff.get(reverse("journeys:journey", args=[journey.pk]))
    assert [row["why"] for row in page.context["rows"]] == [
        "Wait for an event: Left by a rule · Order Completed"
    ]
    sides = {wire["way"]: wire["side"] for wire in page.context["drawing"]["wires"]}
    assert sides == {"happened": "start", "timeout": "end"}, "their names do not lie upon each other"
