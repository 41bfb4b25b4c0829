from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.onsite import live
from campaigns.onsite.deciding import decide
from campaigns.onsite.learning import FLOOR, Arm, choose
from campaigns.onsite.models import Order
from campaigns.onsite.services import ContentDraft, pause_offer
from campaigns.onsite.visitors import Visitor, find_visitor
from experiments.services import assign
from experiments.traffic.holdouts import create_holdout
from personalization.customers.models import Customer, Identifier, IdentifierKind
from personalization.customers.selectors import profiles
from personalization.events.services import NewEvent, record_events
from personalization.segments.services import save_segment
from recommender.inputs.moment import Moment

pytestmark = pytest.mark.django_db
TEA = {"all": [{"trait": "language", "op": "is", "value": "en"}]}


@pytest.fixture
def anna():
    return Customer.objects.create(
        external_id="c-1", first_name="Anna", language="en", created_at=timezone.now()
    )


def ask(customer_id="", anonymous_id="", placements=("hero",), now=None):
    live.forget()
    known = live.live()
    visitor = find_visitor(
        customer_id=customer_id, anonymous_id=anonymous_id, experiments=known.experiments(placements)
    )
    return decide(
        visitor, list(placements), known=known, moment=Moment(), now=now or timezone.now(),
        details={"daypart": "evening"},
    )  # fmt: skip


def test_a_customer_gets_the_offer_with_the_smallest_priority_in_their_own_words(make_offer, anna):
    late, early = make_offer("Late", priority=20), make_offer("Early", priority=10)
    (found,) = ask("c-1")
    assert (found.reason, found.offer.pk, found.variant) == ("chosen", early.pk, "a")
    assert found.content == "<p>Sale for Anna</p>"
    assert found.propensity == 1.0
    assert found.trail == [(late.pk, "less_priority")]


def test_values_are_escaped_and_the_context_is_there_for_templates(make_offer, anna):
    Customer.objects.update(first_name="<img src=x onerror=alert(1)>")
    make_offer(body="<p>{{ customer.first_name }} {{ context.daypart }}</p>")
    (found,) = ask("c-1")
    assert found.content == "<p>&lt;img src=x onerror=alert(1)&gt; evening</p>"


def test_without_a_fitting_offer_the_default_content_is_shown(placement, anna):
    (found,) = ask("c-1")
    assert (found.content, found.reason, found.offer) == ("<p>Welcome</p>", "nothing_fits", None)


def test_a_placement_that_nobody_made_is_said_to_be_unknown(placement):
    first, second = ask(placements=("nowhere", "hero"))
    assert (first.reason, first.content) == ("unknown_placement", "")
    assert second.reason == "nothing_fits"


def test_an_offer_for_a_segment_is_for_its_members_only(make_offer, anna):
    english = save_segment(None, name="English", definition=TEA, actor="test").segment
    offer = make_offer(segment=english)
    assert ask("c-1")[0].reason == "chosen"
    Customer.objects.update(language="de")
    (found,) = ask("c-1")
    assert (found.reason, found.trail) == ("nothing_fits", [(offer.pk, "not_in_segment")])
    assert ask(anonymous_id="stranger")[0].trail == [(offer.pk, "not_in_segment")]


def test_outside_of_its_dates_and_while_paused_an_offer_is_not_shown(make_offer, anna):
    now = timezone.now()
    offer = make_offer(starts_at=now, ends_at=now + timedelta(hours=1))
    assert ask("c-1", now=now)[0].reason == "chosen"
    assert ask("c-1", now=now - timedelta(seconds=1))[0].reason == "nothing_fits"
    assert ask("c-1", now=now + timedelta(hours=1))[0].reason == "nothing_fits"
    pause_offer(offer, actor="test")
    assert ask("c-1", now=now)[0].reason == "nothing_fits"


def test_the_control_group_sees_the_default_content_and_shares_are_kept(make_offer):
    make_offer(control_share=0.2, contents=[ContentDraft("a", "A"), ContentDraft("b", "B", weight=3)])
    found = [ask(anonymous_id=f"v-{n}")[0] for n in range(400)]
    shares = Counter(one.variant for one in found)
    assert {one.content for one in found if one.reason == "control"} == {"<p>Welcome</p>"}
    # 400 draws by .2, .2, .6: five standard deviations are 40, 40 and 49.
    assert abs(shares["control"] - 80) < 40 and abs(shares["a"] - 80) < 40 and abs(shares["b"] - 240) < 49
    assert {one.variant: one.propensity for one in found} == pytest.approx(
        {"control": 0.2, "a": 0.2, "b": 0.6}
    )


def test_a_stored_assignment_wins_over_the_hash(make_offer, anna):
    offer = make_offer(contents=[ContentDraft("a", "A"), ContentDraft("b", "B")])
    ((index, _),) = assign(offer.experiment, [anna.pk], at=timezone.now()).values()
    stored = offer.experiment.variants.get(pk=index)
    other = offer.experiment.variants.exclude(pk=index).get()
    assert ask("c-1")[0].variant == stored.key
    offer.experiment.assignments.update(variant=other)
    assert ask("c-1")[0].variant == other.key


def test_who_is_held_out_of_everything_sees_the_default_content(make_offer, anna):
    make_offer()
    create_holdout(key="all", name="All", share=0.5, at=timezone.now(), actor="test")
    found = [ask(anonymous_id=f"v-{n}")[0] for n in range(60)]
    assert {one.reason for one in found} == {"holdout", "chosen"}
    assert {one.content for one in found if one.reason == "holdout"} == {"<p>Welcome</p>"}


def test_a_limit_of_views_ends_after_so_many(make_offer, anna):
    offer = make_offer(max_views=2, view_days=7)
    now = timezone.now()

    def see(number, at):
        event = NewEvent(anna.pk, f"m-{number}", "Message Opened", at, properties={"offer": str(offer.pk)})
        record_events([event])

    see(1, now - timedelta(days=8))
    see(2, now - timedelta(days=1))
    assert ask("c-1")[0].reason == "chosen"
    see(3, now - timedelta(minutes=1))
    assert ask("c-1")[0].trail == [(offer.pk, "seen_often")]


def test_an_anonymous_id_leads_to_the_customer_it_was_joined_with(make_offer, anna):
    Identifier.objects.create(customer=anna, kind=IdentifierKind.ANONYMOUS_ID, value="cookie-1")
    make_offer()
    assert ask(anonymous_id="cookie-1")[0].content == "<p>Sale for Anna</p>"


def test_nobody_in_particular_gets_content_outside_of_the_experiment(make_offer):
    make_offer(body="<p>Sale</p>", control_share=0.5)
    live.forget()
    (found,) = decide(Visitor(), ["hero"], known=live.live(), moment=Moment(), now=timezone.now())
    assert (found.content, found.variant) == ("<p>Sale</p>", "a")


def test_a_template_that_fails_for_a_visitor_gives_the_default_content(make_offer, anna):
    offer = make_offer(body="<p>{{ customer.traits.points | divided_by: 0 }}</p>")
    Customer.objects.update(traits={"points": 7})
    (found,) = ask("c-1")
    assert (found.content, found.reason) == ("<p>Welcome</p>", "nothing_fits")
    assert found.trail == [(offer.pk, "template_failed")]


def test_a_placement_that_learns_shows_the_better_offer_more_often_and_tells_the_chance(
    make_offer, placement
):
    placement.order = Order.LEARNED
    placement.save()
    good, poor = make_offer("Good"), make_offer("Poor")
    good.seen, good.clicked = 400, 60
    poor.seen, poor.clicked = 400, 40
    good.save()
    poor.save()
    found = [ask(anonymous_id=f"v-{n}")[0] for n in range(60)]
    shown = Counter(one.offer.name for one in found)
    assert shown["Good"] > shown["Poor"]
    chances = {one.offer.name: one.propensity for one in found}
    assert chances["Good"] == pytest.approx(0.964, abs=0.002)  # 10⁶ draws of both Beta distributions: .9835


def test_every_offer_keeps_a_chance_however_poor_and_its_worth_counts():
    arms = [Arm(1, 10_000, 2_000, 1.0), Arm(2, 10_000, 10, 1.0)]
    drawn = [choose(arms, seed="s", person=str(n)) for n in range(2_000)]
    poor = [chance for order, chance in drawn if order[0] == 2]
    assert 0.01 < len(poor) / 2_000 < 0.035 and max(poor) == pytest.approx(FLOOR, abs=1e-6)
    dear = [Arm(1, 10_000, 2_000, 1.0), Arm(2, 10_000, 1_000, 10.0)]
    assert choose(dear, seed="s", person="x")[0][0] == 2
    assert choose(dear, seed="s", person="x") == choose(dear, seed="s", person="x")


def test_a_visitors_profile_is_what_messages_have(anna):
    Customer.objects.update(
        traits={"visits": 3, "score": 0.5, "vip": True, "plan": None, "tea": ["茶", "é"]}, country="IT"
    )
    assert find_visitor(customer_id="c-1").profile == profiles([anna.pk])[anna.pk]
    named = Customer.objects.create(created_at=timezone.now())
    Identifier.objects.create(customer=named, kind=IdentifierKind.ANONYMOUS_ID, value="anon-9")
    assert find_visitor(anonymous_id="anon-9").profile == profiles([named.pk])[named.pk]
