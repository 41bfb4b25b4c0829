"""Groups and look-alikes from customers and events to traits and segments."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.template.loader import render_to_string
from django.utils import translation

from personalization.catalog.models import Item
from personalization.customers.models import Customer, TraitChange
from personalization.events.models import Event
from personalization.segments import selectors
from personalization.segments.discovery import running, services
from personalization.segments.discovery.naming import group_name
from personalization.segments.models import Discovery, DiscoveryStatus
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, tzinfo=UTC)
EACH = 120


def _shop(*, seed=1, alike=False):
    """Half buys tea often and for little, half tools seldom and for much; `alike`: everybody the same."""
    draw = np.random.default_rng(seed)
    items = {
        name: Item.objects.create(external_id=name, name=name, categories=[name]) for name in ("Tea", "Tools")
    }
    people = Customer.objects.bulk_create(
        Customer(
            external_id=f"c{n}", created_at=NOW - timedelta(days=float(draw.uniform(380, 700))),
            traits={"age": int(draw.normal(40, 9)), "plan": "gold" if draw.random() < 0.5 else "free"},
        )
        for n in range(2 * EACH)
    )  # fmt: skip
    events = []
    for n, person in enumerate(people):
        tea = alike or n < EACH
        often, price = (draw.poisson(20) + 5, 8) if tea else (draw.poisson(2) + 1, 400)
        for _ in range(often):
            key = uuid.UUID(int=len(events))
            item = items["Tea" if draw.random() < (0.5 if alike else 0.95 if tea else 0.05) else "Tools"]
            events.append(
                Event(
                    customer=person, message_key=key, name="Order Completed", item=item,
                    value=round(price * draw.lognormal(0, 0.3), 2), received_at=NOW,
                    occurred_at=NOW - timedelta(days=float(draw.uniform(1, 60 if tea else 360))),
                )
            )  # fmt: skip
    Event.objects.bulk_create(events)
    return people


def _look(**named):
    named = {"name": "Shoppers", "kind": "groups", "actor": "test"} | named
    discovery = services.create_discovery(**named)
    return running.run_discovery(discovery.pk, now=NOW)


def _letters(discovery):
    return dict(Customer.objects.order_by("pk").values_list("pk", f"traits__{discovery.trait}"))


def test_two_kinds_of_shoppers_are_found_named_and_made_segments():
    people = _shop()
    found = _look()

    assert (found.status, found.problem, found.share_done) == (DiscoveryStatus.DONE, "", 1.0)
    letters = _letters(found)
    tea = {letters[person.pk] for person in people[:EACH]}
    tools = {letters[person.pk] for person in people[EACH:]}
    assert (len(tea), len(tools), tea & tools) == (1, 1, set())
    groups = {group["letter"]: group for group in found.result["groups"]}
    assert [group["customers"] for group in groups.values()] == [EACH, EACH]
    assert "interest in Tea: much higher" in group_name(groups[tea.pop()])
    version = services.make_segment(found, letter=tools.pop(), actor="test")
    inside = selectors.members(version, now=NOW).values_list("pk", flat=True)
    assert set(inside) == {person.pk for person in people[EACH:]}


def test_a_mixture_puts_no_two_kinds_of_shoppers_into_one_group_and_its_groups_become_segments():
    people = _shop()
    found = _look(kind="mixture")

    assert (found.status, found.problem, found.trait) == (DiscoveryStatus.DONE, "", "group_shoppers")
    letters = _letters(found)
    tea = {letters[person.pk] for person in people[:EACH]}
    tools = {letters[person.pk] for person in people[EACH:]}
    assert tea & tools == set()
    groups = {group["letter"]: group for group in found.result["groups"]}
    assert sum(group["customers"] for group in groups.values()) == 2 * EACH
    assert all("interest in Tea: much higher" in group_name(groups[letter]) for letter in tea)
    version = services.make_segment(found, letter=min(tea), actor="test")
    inside = set(selectors.members(version, now=NOW).values_list("pk", flat=True))
    assert inside == {pk for pk, letter in letters.items() if letter == min(tea)}


def test_found_anew_groups_keep_their_letters_and_unchanged_profiles_are_left_alone():
    _shop()
    found = _look()
    before, changes = _letters(found), TraitChange.objects.count()
    services.rerun(found, actor="test")
    again = running.run_discovery(found.pk, now=NOW + timedelta(hours=1))

    assert (_letters(again), TraitChange.objects.count()) == (before, changes)


def test_where_all_are_alike_it_says_so_and_takes_back_what_it_told_before():
    _shop(alike=True)
    Customer.objects.filter(external_id="c1").update(traits={"age": 40, "group_shoppers": "A"})
    found = _look()

    assert found.problem == "There are no clear groups: customers differ gradually."
    assert found.status == DiscoveryStatus.DONE
    assert [one["groups"] for one in found.result["tried"]] == [2, 3, 4, 5, 6, 7, 8]
    assert set(_letters(found).values()) == {None}
    with pytest.raises(services.NotNow):
        services.make_segment(found, letter="A", actor="test")


def test_few_customers_are_too_few():
    Customer.objects.create(external_id="one", created_at=NOW)

    found = _look()
    assert found.told_problem == "It needs at least 200 customers."
    with translation.override("zh-hans"):
        assert found.told_problem == translation.gettext("It needs at least %(n)s customers.") % {"n": 200}
        assert found.told_problem != "It needs at least 200 customers."


def test_lookalikes_of_a_list_of_tea_drinkers_are_the_other_tea_drinkers():
    people = _shop()
    ids = [person.external_id for person in people[: EACH // 2]]
    seed = save_segment(
        None, name="Panel", definition={"trait": "external_id", "op": "in", "value": ids}
    ).segment
    found = _look(name="Like the panel", kind="lookalikes", seed=seed)

    assert found.problem == ""
    area = found.result["area"]
    assert 0.5 < area["low"] < area["value"] < 0.95  # half of all that look so are not in the list
    places = _letters(found)
    assert {places[person.pk] for person in people[: EACH // 2]} == {None}
    tea = np.mean([places[person.pk] for person in people[EACH // 2 : EACH]])
    tools = np.mean([places[person.pk] for person in people[EACH:]])
    assert tea > 80 > 40 > tools
    version = services.make_segment(found, top_percent=20, actor="test")
    assert version.segment.name == "Like the panel: top 20 %"
    alike = set(selectors.members(version, now=NOW).values_list("pk", flat=True))
    assert alike
    assert alike <= {person.pk for person in people[EACH // 2 : EACH]}


def test_a_list_drawn_by_chance_has_no_lookalikes():
    people = _shop()
    drawn = np.random.default_rng(3).choice(len(people), 90, replace=False)
    ids = [people[n].external_id for n in drawn]
    seed = save_segment(
        None, name="Anybody", definition={"trait": "external_id", "op": "in", "value": ids}
    ).segment
    found = _look(kind="lookalikes", seed=seed)

    assert found.problem == "Members cannot be told from others better than by chance."
    assert found.model == {}
    assert set(_letters(found).values()) == {None}


def test_what_the_segment_asks_about_is_hidden_from_the_model():
    _shop()
    bought = {"event": "Order Completed", "is": "at_least", "value": 10}
    seed = save_segment(
        None, name="Frequent", definition={"any": [bought, {"trait": "plan", "op": "is", "value": "gold"}]}
    ).segment
    found = _look(kind="lookalikes", seed=seed)

    shown = {name for name, _weight in found.result["reasons"]}
    assert not shown & {"purchases", "recency", "spent", "average", "activity", "mark:plan=gold"}
    assert found.result["hidden"] == ["activity", "average", "plan", "purchases", "recency", "spent"]
    assert "share:Tea" in shown


def test_a_canceled_run_writes_no_further_chunk(monkeypatch):
    _shop()
    monkeypatch.setattr(running, "CHUNK", 50)
    discovery = services.create_discovery(name="Shoppers", kind="groups", actor="test")
    written, write = [], running._write

    def write_and_cancel(row, ids, values, **how_far):
        write(row, ids, values, **how_far)
        written.append(len(ids))
        services.cancel(Discovery.objects.get(pk=row.pk), actor="somebody")

    monkeypatch.setattr(running, "_write", write_and_cancel)
    ended = running.run_discovery(discovery.pk, now=NOW)

    assert ended.status == DiscoveryStatus.CANCELED
    assert written == [50]
    assert running.due_discoveries(now=NOW + timedelta(days=30)) == []


@pytest.mark.parametrize("end", [services.cancel, services.remove])
def test_one_that_ends_while_a_chunk_is_computed_does_not_write_it(monkeypatch, end):
    _shop()
    discovery = services.create_discovery(name="Shoppers", kind="groups", actor="test")
    find = running.found_groups

    def find_and_end(row, sample, *, now):
        model, result, values = find(row, sample, now=now)

        def values_and_end(ids):
            end(Discovery.objects.get(pk=row.pk), actor="somebody")
            return values(ids)

        return model, result, values_and_end

    monkeypatch.setattr(running, "found_groups", find_and_end)
    ended = running.run_discovery(discovery.pk, now=NOW)

    assert ended is None or ended.status == DiscoveryStatus.CANCELED
    assert not Customer.objects.filter(traits__has_key="group_shoppers").exists()


def test_one_that_is_canceled_while_it_finds_nothing_ends_quietly(monkeypatch):
    discovery = services.create_discovery(name="Shoppers", kind="groups", actor="test")

    def cancel_and_find_nothing(row, sample, *, now):
        services.cancel(Discovery.objects.get(pk=row.pk), actor="somebody")
        raise running.NothingFound("It needs at least 200 customers.")

    monkeypatch.setattr(running, "found_groups", cancel_and_find_nothing)

    assert running.run_discovery(discovery.pk, now=NOW).status == DiscoveryStatus.CANCELED


def test_it_is_due_by_its_schedule_and_after_its_worker_died():
    found = _look()
    assert running.run_discovery(found.pk, now=NOW) is None
    ended = found.finished_at
    assert running.due_discoveries(now=ended + timedelta(days=6.9)) == []
    assert running.due_discoveries(now=ended + timedelta(days=7)) == [found.pk]
    Discovery.objects.update(status=DiscoveryStatus.RUNNING, lease_until=NOW)
    assert running.due_discoveries(now=NOW) == []
    assert running.due_discoveries(now=NOW + timedelta(seconds=1)) == [found.pk]


def test_what_killed_three_workers_is_given_up_until_its_schedule_or_somebody_asks_again():
    found = _look()
    Discovery.objects.update(status=DiscoveryStatus.RUNNING, lease_until=NOW, attempts=3)
    later = NOW + timedelta(seconds=1)
    ended = running.run_discovery(found.pk, now=later)
    assert (ended.status, ended.lease_until) == (DiscoveryStatus.FAILED, None)
    assert ended.problem == "Each worker that tried it died. The operator knows more."
    assert running.due_discoveries(now=later) == []
    services.rerun(ended, actor="test")
    assert running.run_discovery(found.pk, now=later).status == DiscoveryStatus.DONE


def test_why_one_failed_is_told_in_the_language_of_who_looks():
    why = "Each worker that tried it died. The operator knows more."
    discovery = Discovery(pk=1, name="Shoppers", kind="groups", status=DiscoveryStatus.FAILED, problem=why)
    with translation.override("zh-hans"):
        page = render_to_string("segments/discovery_live.html", {"discovery": discovery})
        assert translation.gettext(why) in page
    assert why not in page


def test_removing_takes_the_trait_from_all_profiles():
    _shop()
    found = _look()
    services.remove(found, actor="test")

    assert not Customer.objects.filter(traits__has_key="group_shoppers").exists()
    assert not Discovery.objects.exists()


def test_wrong_wishes_are_refused_with_the_field():
    for field, wish in {
        "name": {"name": " "}, "kind": {"kind": "magic"}, "seed": {"kind": "lookalikes"},
        "purchase_event": {"purchase_event": ""}, "every_days": {"every_days": 400},
    }.items():  # fmt: skip
        with pytest.raises(services.InvalidDiscovery) as refused:
            _look(**wish)
        assert refused.value.errors[0]["pointer"] == f"/{field}"
