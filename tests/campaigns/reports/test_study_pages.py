"""Whom to mail and what everything earned: asked for on a page or by a call, made by a worker, shown
honestly."""

import html
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from experiments import services, tasks
from experiments.models import Assignment, HoldoutMember, LongRunStudy, Metric, TargetingStudy
from experiments.services import VariantSpec, ensure_default_metrics
from experiments.traffic import holdouts
from personalization.access.jobs.row import JobStatus
from personalization.access.jobs.work import lost_jobs
from personalization.access.models import AuditEntry
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.segments.models import Segment

pytestmark = pytest.mark.django_db
START = timezone.now() - timedelta(days=40)


@pytest.fixture
def call():
    def send(method, path, body=None):
        token = create_key(name="program", scopes=["campaigns:read", "campaigns:write"])[1]
        return getattr(Client(), method)(
            f"/api/v1/{path}", None if body is None else json.dumps(body),
            content_type="application/json", headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    return send


@pytest.fixture
def tea(db):
    """2,000 customers; the message makes those order who like tea, and nobody else."""
    ensure_default_metrics()
    specs = [VariantSpec("none", "No mail", 0.5, is_control=True), VariantSpec("mail", "Mail", 0.5)]
    experiment = services.create_experiment(key="tea", name="Tea", variants=specs)
    services.start_experiment(experiment, at=START)
    people = Customer.objects.bulk_create(
        Customer(external_id=f"c-{n}", created_at=START, traits={"tea": n // 2 % 2}) for n in range(2000)
    )
    variants = list(experiment.variants.order_by("position"))
    Assignment.objects.bulk_create(
        Assignment(
            experiment=experiment, customer=one, variant=variants[n % 2], propensity=0.5, assigned_at=START
        )
        for n, one in enumerate(people)
    )
    record_events(
        NewEvent(
            customer_id=one.pk, message_id=f"o-{n}", name="Order Completed", value=10,
            occurred_at=START + timedelta(days=1),
        )
        for n, one in enumerate(people)
        if (n % 2 and one.traits["tea"] and n % 3) or n % 10 < 2
    )  # fmt: skip
    return experiment


def test_a_study_is_asked_for_made_and_put_to_use(tea, staff, call, settings):
    body = {"metric": "conversion", "variant": "mail", "traits": ["tea"], "save_segment": "Tea drinkers"}
    asked = call("post", "experiments/tea/targeting", body)
    assert (asked.status_code, asked.json()["status"], asked.json()["document"]) == (202, "queued", None)
    tasks.study_targeting(asked.json()["id"])
    [found] = call("get", "experiments/tea/targeting").json()
    assert (found["status"], found["offer"], found["used_as"]) == ("done", "rule", "Tea drinkers")
    assert Segment.objects.filter(name="Tea drinkers").exists()
    address = reverse("experiments:targeting", args=["tea"])
    page = staff("view_campaign").get(address).content.decode()
    assert "tea" in found["sentence"] and found["document"]["rule"]["gain"]["ci"][0] > 0
    assert "Gain over random order (Qini)" in page and "Put to use as “Tea drinkers”." in page
    assert "Study whom to mail" not in page, "a viewer only looks"
    # Of the 250 judged who got no message and like tea some 50 ordered.
    settings.K_ANONYMITY = 200
    page = staff("view_campaign").get(address).content.decode()
    assert "Too few customers" in page and "Gain over random order" not in page and "“tea" not in page
    page = staff("view_campaign", "view_personal_data").get(address).content.decode()
    assert "Gain over random order" in page


def test_the_page_asks_and_says_what_is_wrong(tea, staff):
    client = staff("view_campaign", "launch_campaign")
    address = reverse("experiments:targeting", args=["tea"])
    wrong = client.post(address, {"metric": "conversion", "variant": "none"})
    assert wrong.status_code == 422
    assert "Only a variant beside a control" in wrong.content.decode()
    assert client.post(address, {"metric": "conversion", "variant": "mail"}).status_code == 302
    study = TargetingStudy.objects.get()
    assert study.status == JobStatus.QUEUED
    assert lost_jobs(TargetingStudy, now=timezone.now() + timedelta(minutes=1)) == [study.pk]
    assert "hx-trigger" in client.get(address).content.decode()


def test_a_cost_that_is_no_number_is_told_on_either_page(tea, staff):
    holdouts.create_holdout(key="all", name="All", share=0.2, at=START, actor="test")
    asks = staff("view_campaign", "launch_campaign")
    for page, wish in (
        (reverse("experiments:targeting", args=["tea"]), {"metric": "conversion", "variant": "mail"}),
        (reverse("experiments:long-run", args=["all"]), {}),
    ):
        answer = asks.post(page, {**wish, "cost": "two"})
        assert answer.status_code == 422
        assert "Costs and shares must be numbers." in answer.content.decode()
    assert not TargetingStudy.objects.exists() and not LongRunStudy.objects.exists()


def test_a_study_under_way_is_told_and_canceled_by_those_who_may_ask(tea, staff, call):
    asked = call("post", "experiments/tea/targeting", {"metric": "conversion", "variant": "mail"})
    study_id = asked.json()["id"]
    began = timezone.now() - timedelta(seconds=60)
    TargetingStudy.objects.update(status=JobStatus.RUNNING, started_at=began, share_done=0.75)
    [told] = call("get", "experiments/tea/targeting").json()
    assert told["share_done"] == 0.75 and 20 <= told["seconds_left"] <= 22
    address = reverse("experiments:targeting", args=["tea"])
    viewer = staff("view_campaign")
    part = viewer.get(reverse("experiments:targeting-live", args=["tea"]))
    assert "75 %" in part.content.decode() and "about 2" in part.content.decode()
    assert "HX-Refresh" not in part and "Cancel" not in part.content.decode()
    wish = {"action": "cancel", "job": study_id}
    assert viewer.post(address, wish).status_code == 403
    assert staff("view_campaign", "launch_campaign").post(address, wish).status_code == 302
    assert TargetingStudy.objects.get().status == JobStatus.CANCELED
    assert AuditEntry.objects.filter(action="targeting.canceled", target=f"targeting:{study_id}").exists()
    part = viewer.get(reverse("experiments:targeting-live", args=["tea"]) + f"?known={study_id}")
    assert part["HX-Refresh"] == "true"
    tasks.study_targeting(study_id)
    [found] = call("get", "experiments/tea/targeting").json()
    assert (found["status"], found["document"]) == ("canceled", None)
    assert call("post", f"experiments/tea/targeting/{study_id}/cancel").status_code == 409
    assert call("post", f"experiments/other/targeting/{study_id}/cancel").status_code == 404


def test_a_study_that_fails_says_why(tea, call):
    Assignment.objects.filter(experiment=tea).delete()
    asked = call("post", "experiments/tea/targeting", {"metric": "conversion", "variant": "mail"})
    tasks.study_targeting(asked.json()["id"])
    [found] = call("get", "experiments/tea/targeting").json()
    assert (found["status"], found["error"]) == ("failed", "Nobody was assigned yet.")


def test_a_study_that_came_to_nothing_hides_no_earlier_result(tea, staff, call):
    body = {"metric": "conversion", "variant": "mail", "traits": ["tea"]}
    done = call("post", "experiments/tea/targeting", body).json()["id"]
    tasks.study_targeting(done)
    in_vain = []
    for _ in range(12):
        in_vain.append(call("post", "experiments/tea/targeting", body).json()["id"])
        call("post", f"experiments/tea/targeting/{in_vain[-1]}/cancel")
    found = call("get", "experiments/tea/targeting").json()
    assert [(one["id"], one["status"]) for one in found] == [(in_vain[-1], "canceled"), (done, "done")]
    page = staff("view_campaign").get(reverse("experiments:targeting", args=["tea"])).content.decode()
    assert found[1]["sentence"] in html.unescape(page)


def test_a_long_run_that_came_to_nothing_hides_no_earlier_one(call):
    holdout = holdouts.create_holdout(key="all", name="All", share=0.2, at=START, actor="test")
    done = LongRunStudy.objects.create(holdout=holdout, as_of=START, weeks=[])
    ids = [
        LongRunStudy.objects.create(holdout=holdout, as_of=START, status=JobStatus.CANCELED).pk
        for _ in range(12)
    ]
    assert [one["id"] for one in call("get", "holdouts/all/long-run").json()] == [ids[-1], done.pk]


@pytest.mark.parametrize(("path", "body"), [
    ("experiments/tea/targeting", {"metric": "conversion", "variant": "mail"}),
    ("holdouts/all/long-run", {}),
])  # fmt: skip
def test_staff_ask_by_the_api_with_the_permission_that_the_page_asks_for(tea, staff, path, body):
    holdouts.create_holdout(key="all", name="All", share=0.2, at=START, actor="test")
    codes = {
        permission: staff("view_campaign", permission)
        .post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
        .status_code
        for permission in ("change_campaign", "launch_campaign")
    }
    assert codes == {"change_campaign": 403, "launch_campaign": 202}


def test_the_long_run_is_computed_and_shown(staff, call, settings):
    Customer.objects.bulk_create(Customer(external_id=f"c-{n}", created_at=START) for n in range(600))
    Customer.objects.update(created_at=START)
    holdouts.create_holdout(key="all", name="All", share=0.2, at=START, actor="test")
    held = set(HoldoutMember.objects.values_list("customer_id", flat=True))
    record_events(
        NewEvent(
            customer_id=pk, message_id=f"{name}-{pk}", name=name,
            value=None if name == "Message Sent" else (10 + pk % 5 if pk in held else 15 + pk % 5),
            occurred_at=START + timedelta(days=9),
        )
        for pk in Customer.objects.values_list("pk", flat=True)
        for name in ("Order Completed", "Message Sent")
        if name == "Order Completed" or pk not in held
    )  # fmt: skip
    assert call("post", "holdouts/all/long-run", {"margin": 2}).status_code == 409
    canceled = call("post", "holdouts/all/long-run", {}).json()["id"]
    answer = call("post", f"holdouts/all/long-run/{canceled}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    tasks.compute_long_run(canceled)
    assert call("get", "holdouts/all/long-run").json()[0]["weeks"] == []
    LongRunStudy.objects.all().delete()
    asked = call("post", "holdouts/all/long-run", {"cost": 0.1, "margin": 0.5})
    assert asked.status_code == 202
    tasks.compute_long_run(asked.json()["id"])
    [found] = call("get", "holdouts/all/long-run").json()
    last = found["weeks"][-1]
    reached = 600 - len(held)
    assert last["messages"] == reached
    assert last["profit"]["value"] == pytest.approx(last["revenue"]["value"] * 0.5 - 0.1 * reached)
    assert last["revenue"]["value"] == pytest.approx(5 * reached, rel=0.1)
    assert found["sentence"].startswith(f"{reached:,} messages earned +")
    address = reverse("experiments:long-run", args=["all"])
    page = staff("view_campaign").get(address).content.decode()
    assert "Incremental profit so far" in page and "messages earned" in page
    # About 120 customers were kept out.
    settings.K_ANONYMITY = 300
    viewer = staff("view_campaign")
    for page in (viewer.get(address).content.decode(), viewer.get(reverse("admin:index")).content.decode()):
        assert "Too few customers" in page and "messages earned" not in page
    page = staff("view_campaign", "view_personal_data").get(address).content.decode()
    assert "messages earned" in page


def test_the_long_run_of_a_new_holdout_says_that_nothing_has_passed(call, make_customers):
    make_customers(5)
    now = timezone.now() + timedelta(minutes=5)
    holdouts.create_holdout(key="new", name="New", share=0.2, at=now, actor="test")
    asked = call("post", "holdouts/new/long-run", {})
    tasks.compute_long_run(asked.json()["id"])
    assert LongRunStudy.objects.get().error == "Nothing has passed since the members were drawn."


def test_large_figures_are_written_with_separators_and_not_as_powers(staff):
    holdout = holdouts.create_holdout(key="all", name="All", share=0.2, at=START, actor="test")
    earned = {"value": 12345.6, "ci": [-1234567.0, None]}
    week = {"until_week": "2026-W40", "messages": 9, "customers": 9, "held_out": 9, "revenue": earned,
            "profit": earned, "profit_per_thousand": {"value": 0.01234, "ci": [None, None]}}  # fmt: skip
    LongRunStudy.objects.create(holdout=holdout, as_of=timezone.now(), weeks=[week])
    page = staff("view_campaign", "view_personal_data").get(reverse("experiments:long-run", args=["all"]))
    charts = page.content.decode()
    assert r"+12,346 (-1,234,567 \u2013 \u2026)" in charts and r"+0.01234 (\u2026 \u2013 \u2026)" in charts


def test_why_a_study_failed_and_its_metric_are_told_in_the_readers_language(tea, staff):
    told = "The window of this metric has not closed for anybody yet."
    TargetingStudy.objects.create(
        experiment=tea, metric=Metric.objects.get(key="conversion"), variant=tea.variants.get(key="mail"),
        as_of=START, status=JobStatus.FAILED, error=told,
    )  # fmt: skip
    address, client = reverse("experiments:targeting", args=["tea"]), staff("view_campaign")
    assert told in client.get(address).content.decode()
    client.cookies["django_language"] = "zh-hans"
    with override("zh-hans"):  # a request leaves its language to what comes after it
        page = client.get(address).content.decode()
    assert told not in page and "此指标的时间窗还没有" in page and "Customers who ordered" not in page
