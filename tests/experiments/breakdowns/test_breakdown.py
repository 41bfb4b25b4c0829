"""Effects by groups of customers: counted right, corrected for their number, and not said too loudly."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from scipy.stats import norm

from experiments.breakdowns.customer_groups import IN, OUT, UNKNOWN
from experiments.breakdowns.report import Cut, compare_groups
from experiments.breakdowns.small_groups import OTHERS
from experiments.models import Analysis, Assignment, Metric
from experiments.reports import analyses
from experiments.reports.breakdown_words import breakdown_sentences
from experiments.selectors import newest_report
from experiments.services import ensure_default_metrics
from experiments.stats import Proportion
from personalization.access.services import create_key
from personalization.customers.models import Customer, TraitChange
from personalization.segments.membership import refresh_segment
from personalization.segments.models import SegmentWatch
from personalization.segments.services import save_segment

START, DAY = datetime(2026, 3, 1, 9, tzinfo=UTC), timedelta(days=1)
# Hillstrom's visits after the women's mail, by "bought womens before" (MineThatData 2008): no mail, mail.
WOMENS = {
    "0": {"none": Proportion(9_616, 1_044), "womens": Proportion(9_619, 1_151)},
    "1": {"none": Proportion(11_690, 1_218), "womens": Proportion(11_768, 2_087)},
}


def grouped(method="holm"):
    return compare_groups(
        [Cut("trait", "womens", "womens", WOMENS)], metric="visit", baseline="none", variants=["womens"],
        method=method,
    )  # fmt: skip


def test_a_real_difference_between_groups_is_found():
    found = grouped()
    [cut] = found.cuts
    effects = {group.label: group.effect.absolute for group in cut.groups}
    assert effects["1"] == pytest.approx(2087 / 11768 - 1218 / 11690)
    assert cut.differs
    # For two groups the test is the square of the usual z of their difference.
    cells = [(9616, 1044), (9619, 1151), (11690, 1218), (11768, 2087)]
    error = sum(yes / n * (1 - yes / n) / n for n, yes in cells)
    z = (effects["1"] - effects["0"]) / error**0.5
    assert cut.p_value == pytest.approx(2 * norm.sf(abs(z)), rel=1e-6)


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_interval_and_p_value_of_a_group_never_contradict_each_other(method):
    for cut in grouped(method).cuts:
        for group in cut.groups:
            low, high = group.wide.absolute_ci
            assert (low > 0 or high < 0) == (group.p_value < 0.05)
            assert low <= group.effect.absolute_ci[0]


@pytest.fixture
def shop(make_experiment, make_customers, place, happen):
    """The message works in GB alone; 40 customers a country and variant, three Italians, no country for
    six."""
    ensure_default_metrics()
    Metric.objects.filter(key="conversion").update(role="primary")
    Metric.objects.filter(key="revenue").update(role="secondary")
    experiment, people = make_experiment(), make_customers(160)
    for number, person in enumerate(people):
        country = "GB" if number < 80 else "FR" if number < 150 else "IT" if number < 153 else ""
        person.country, person.traits = country, {"age": number % 40, "likes": ["tea"]}
        person.save()
        place(experiment, "a" if number % 2 else "control", [person])
        if (number % 2 and number < 60) or (not number % 2 and number % 20 == 0):
            happen(person, value="10.00")
    return experiment


def choose(experiment, **given):
    wanted = {"traits": [], "segments": [], "metric": None, "method": "holm", **given}
    return analyses.choose_groups(experiment, **wanted, actor="test")


def cuts_of(experiment):
    found = newest_report(experiment).breakdown
    return {cut.name: cut for cut in found.cuts}, found


def test_groups_of_a_column_a_number_and_a_segment_add_up(shop, analyse, settings):
    definition = {"trait": "country", "op": "is", "value": "GB"}
    segment = save_segment(None, name="Britons", definition=definition).segment
    choose(shop, traits=["country", "age", "likes"], segments=[segment.pk])
    analyse(shop)
    cuts, found = cuts_of(shop)
    country = {group.label: group for group in cuts["country"].groups}
    # 3 Italians and 7 without a country pass no floor of 10, so the French go with them.
    assert set(country) == {"GB", OTHERS}
    assert (country["GB"].control, country["GB"].treatment) == (Proportion(40, 4), Proportion(40, 30))
    assert country[OTHERS].control.n + country[OTHERS].treatment.n == 80
    assert cuts["country"].differs
    members = {group.label: group.treatment for group in cuts["Britons"].groups}
    assert (members[IN], members[OUT].n) == (Proportion(40, 30), 40)
    ages = cuts["age"].groups
    assert {group.label for group in ages} == {"< 9", "9 – 19", "19 – 29", "≥ 29"}
    assert sum(group.control.n + group.treatment.n for group in ages) == 160
    assert found.left_out == (("likes", "not_words"),)
    settings.K_ANONYMITY = 3
    analyse(shop)
    assert {group.label for group in cuts_of(shop)[0]["country"].groups} == {"GB", "FR", OTHERS}


def test_a_segment_is_taken_as_it_was_at_the_assignment(shop, analyse, start):
    """The message moves its buyers into the segment; who was in it before was an even half."""
    definition = {"trait": "loyal", "op": "is", "value": 1}
    segment = save_segment(None, name="Loyal", definition=definition).segment
    people = list(Customer.objects.order_by("pk"))
    loyal = [one for number, one in enumerate(people) if number // 2 % 2]
    for one in loyal:
        Customer.objects.filter(pk=one.pk).update(traits={"loyal": 1})
    SegmentWatch.objects.create(segment=segment)
    refresh_segment(segment.pk, now=start - timedelta(days=1))
    Customer.objects.filter(assignments__variant__key="a").update(traits={"loyal": 1})
    SegmentWatch.objects.update(full_at=None)
    refresh_segment(segment.pk, now=start + timedelta(days=2))
    late = people[:20]
    Assignment.objects.filter(customer__in=late).update(assigned_at=start - timedelta(days=2))
    choose(shop, segments=[segment.pk])
    analyse(shop)
    cuts, found = cuts_of(shop)
    groups = {group.label: (group.control.n, group.treatment.n) for group in cuts["Loyal"].groups}
    # Of the 70 later ones of each variant 35 were in it; of the 10 earlier ones those who are now: 5 and 10.
    assert groups == {IN: (40, 45), OUT: (40, 35)}
    [cut] = found.forgotten
    assert (cut.taken_now, cut.unknown_then) == (20, 0)
    said = " ".join(breakdown_sentences(newest_report(shop), found))
    assert "who was in it when 20 customers were assigned was not recorded" in said


def test_no_difference_is_told_as_not_knowing(shop, analyse):
    Customer.objects.filter(external_id__in=[f"c-{n}" for n in range(160) if n // 2 % 2]).update(
        traits={"tea": 1}
    )
    Customer.objects.exclude(traits={"tea": 1}).update(traits={"tea": 0})
    choose(shop, traits=["tea"])
    analyse(shop)
    token = create_key(name="reader", scopes=["campaigns:read"])[1]
    found = Client().get(
        "/api/v1/experiments/spring/report", headers={"Authorization": f"Bearer {token}"}
    ).json()["breakdown"]  # fmt: skip
    assert found["cuts"][0]["differs"] is False
    assert found["sentences"][0].startswith("We cannot tell whether the effect differs")
    assert found["least_customers"] == 10
    assert any("history knows no change of 160 customers" in sentence for sentence in found["sentences"])


def test_groups_are_made_of_traits_as_they_were_at_the_assignment(shop, analyse):
    """The message makes everybody who gets it loyal; an even half of both groups was loyal before."""
    people = list(Customer.objects.order_by("pk"))
    history = [
        TraitChange(customer=person, name="level", value="loyal" if number // 2 % 2 else "new",
                    changed_at=START - DAY)
        for number, person in enumerate(people)
    ]  # fmt: skip
    history += [
        TraitChange(customer=person, name="level", value="loyal", changed_at=START + DAY)
        for person in people[1::2]
    ]
    TraitChange.objects.bulk_create(history)
    Customer.objects.filter(pk__in=[person.pk for person in people[1::2]]).update(traits={"level": "loyal"})
    choose(shop, traits=["level"])
    analyse(shop)
    cuts, found = cuts_of(shop)
    sizes = {group.label: (group.control.n, group.treatment.n) for group in cuts["level"].groups}
    assert sizes == {"loyal": (40, 40), "new": (40, 40)}
    assert found.forgotten == ()


def test_who_changed_since_without_a_record_of_before_is_unknown_and_told(shop, analyse):
    people = list(Customer.objects.order_by("pk"))
    TraitChange.objects.bulk_create(
        TraitChange(customer=person, name="level", value="loyal", changed_at=START + DAY)
        for person in people[:40]
    )
    Customer.objects.filter(pk__in=[person.pk for person in people]).update(traits={"level": "loyal"})
    choose(shop, traits=["level"])
    analyse(shop)
    report = newest_report(shop)
    found, [cut] = report.breakdown, report.breakdown.cuts
    sizes = {group.label: (group.control.n, group.treatment.n) for group in cut.groups}
    assert sizes == {"loyal": (60, 60), UNKNOWN: (20, 20)}
    [cut] = found.forgotten
    assert (cut.taken_now, cut.unknown_then) == (120, 40)
    assert any("40 customers after the assignment" in text for text in breakdown_sentences(report, found))


def test_groups_are_chosen_by_the_api_and_wrong_ones_refused(shop):
    token = create_key(name="writer", scopes=["campaigns:read", "campaigns:write"])[1]
    given = {"headers": {"Authorization": f"Bearer {token}"}, "content_type": "application/json"}

    def put(body):
        return Client().put("/api/v1/experiments/spring/groups", json.dumps(body), **given)

    assert put({"traits": ["country"], "method": "bh"}).json()["method"] == "bh"
    assert Analysis.objects.get(experiment=shop).groups["traits"] == ["country"]
    assert put({"traits": list("abcdef")}).status_code == 422
    assert put({"segments": [404]}).status_code == 422
    assert put({"traits": ["country"], "metric": "nothing"}).status_code == 422
    assert Client().get("/api/v1/experiments/spring/groups", **given).json()["traits"] == ["country"]
