"""The newest result is made by one worker at a time, outlives failures, and is never made inside a
request."""

import json
from datetime import timedelta

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client
from django.utils import timezone, translation

from experiments.models import Analysis, AnalysisStatus, Metric
from experiments.reports import analyses, findings
from experiments.reports.findings import as_document, from_document, read_findings
from experiments.selectors import report_of
from experiments.services import ensure_default_metrics
from personalization.access.services import create_key


@pytest.fixture
def experiment(make_experiment, make_customers, place, happen):
    ensure_default_metrics()
    Metric.objects.create(
        key="nine", name="Nine", kind="quantile", quantile=0.8, event="Order Completed", position=9
    )
    experiment, people = make_experiment(), make_customers(30)
    place(experiment, "control", people[:15])
    place(experiment, "a", people[15:])
    for number, person in enumerate(people):
        happen(person, value=f"{number}.10", days=number / 9)
    return experiment


def call(method, path, scopes=("campaigns:read", "campaigns:write")):
    token = create_key(name="program", scopes=list(scopes))[1]
    return getattr(Client(), method)(
        f"/api/v1/experiments/spring/{path}", headers={"Authorization": f"Bearer {token}"}
    )


def test_a_stored_result_gives_the_report_that_the_events_give(experiment, analyse):
    now = timezone.now()
    analyse(experiment, now=now)
    fresh = read_findings(experiment, list(Metric.objects.all()), now=now)
    stored = from_document(experiment, Analysis.objects.get().result)
    written = [json.dumps(as_document(one), cls=DjangoJSONEncoder, sort_keys=True) for one in (stored, fresh)]
    assert written[0] == written[1]
    assert report_of(experiment, stored) == report_of(experiment, fresh)


def test_the_first_report_is_promised_and_then_given(experiment, analyse):
    first = call("get", "report")
    assert first.status_code == 202
    assert first.json()["analysis"]["status"] == "queued"
    assert "metrics" not in first.json()
    assert analyses.run(Analysis.objects.get().pk)
    found = call("get", "report")
    assert found.status_code == 200
    assert found.json()["analysis"]["age_seconds"] < 60
    assert found.json()["analysis"]["progress"] == {"done": 9, "of": 9}


def test_asking_twice_makes_one(experiment):
    assert call("post", "analysis").status_code == 202
    assert analyses.ask(experiment, force=True) is None
    row = Analysis.objects.get()
    assert analyses.run(row.pk)
    assert not analyses.run(row.pk), "there is nothing to do any more"


def test_another_worker_waits_until_the_lease_is_over(experiment):
    row = analyses.ask(experiment, force=True)
    later = timezone.now() + timedelta(minutes=1)
    Analysis.objects.filter(pk=row.pk).update(status=AnalysisStatus.RUNNING, lease_until=later)
    assert not analyses.run(row.pk)
    assert analyses.lost_ids() == []
    Analysis.objects.filter(pk=row.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert analyses.lost_ids() == [row.pk]
    assert analyses.run(row.pk)


def test_what_killed_three_workers_is_given_up_and_keeps_the_old_result(experiment, analyse):
    analyse(experiment)
    before = Analysis.objects.get().result
    row = analyses.ask(experiment, force=True)
    dead = {"status": AnalysisStatus.RUNNING, "lease_until": timezone.now() - timedelta(seconds=1)}
    Analysis.objects.filter(pk=row.pk).update(**dead, attempts=3)
    assert analyses.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.result) == (AnalysisStatus.FAILED, before)
    assert row.error == "Each worker that tried it died. The operator knows more."
    assert analyses.lost_ids(now=timezone.now() + timedelta(days=1)) == []
    assert analyses.run(analyses.ask(experiment, force=True).pk)
    row.refresh_from_db()
    assert (row.status, row.error) == (AnalysisStatus.IDLE, ""), "asked for again it counts anew"


def test_a_task_that_was_lost_is_found_again(experiment):
    row = analyses.ask(experiment)
    assert analyses.lost_ids() == []
    assert analyses.lost_ids(now=timezone.now() + timedelta(minutes=1)) == [row.pk]


def test_a_failure_says_why_and_keeps_the_old_result(experiment, analyse, monkeypatch):
    analyse(experiment)
    before = Analysis.objects.get().result

    def broken(*args, **kwargs):
        raise RuntimeError("row of ann@shop.example")

    monkeypatch.setattr(findings, "count_seen_twice", broken)
    row = analyses.ask(experiment, force=True)
    assert analyses.run(row.pk)
    row = Analysis.objects.get()
    assert (row.status, row.result) == (AnalysisStatus.FAILED, before)
    assert "RuntimeError" in row.told_error and "ann@" not in row.error
    with translation.override("zh-hans"):
        assert "RuntimeError" in row.told_error and "worker" not in row.told_error
    assert analyses.ask(experiment) is None, "merely looking does not try again at once"
    assert analyses.ask(experiment, force=True) is not None


def test_a_canceled_analysis_ends_after_its_step_and_keeps_the_old_result(experiment, analyse, monkeypatch):
    analyse(experiment)
    before = Analysis.objects.get().result

    def cancel_meanwhile(*args, **kwargs):
        assert call("post", "analysis/cancel").json()["status"] == "canceled"
        return 0

    monkeypatch.setattr(findings, "count_seen_twice", cancel_meanwhile)
    assert analyses.run(analyses.ask(experiment, force=True).pk)
    row = Analysis.objects.get()
    assert (row.status, row.result, row.error) == (AnalysisStatus.CANCELED, before, "")
    assert analyses.lost_ids(now=timezone.now() + timedelta(days=1)) == []
    assert analyses.ask(experiment) is None, "merely looking does not begin it again"
    assert call("post", "analysis/cancel").status_code == 409
    assert analyses.ask(experiment, force=True) is not None


def test_how_long_an_analysis_will_still_take_is_told(experiment):
    row = analyses.ask(experiment, force=True)
    assert call("get", "analysis").json()["seconds_left"] is None, "it only waits"
    began = timezone.now() - timedelta(seconds=30)
    Analysis.objects.filter(pk=row.pk).update(
        status=AnalysisStatus.RUNNING, started_at=began, steps_done=3, steps=9
    )
    assert 60 <= call("get", "analysis").json()["seconds_left"] <= 70


def test_a_costly_result_is_not_made_anew_for_every_look(experiment, analyse):
    analyse(experiment)
    now = timezone.now()
    Analysis.objects.update(as_of=now - timedelta(seconds=100), seconds=6.0)
    assert analyses.ask(experiment, now=now) is None
    Analysis.objects.update(as_of=now - timedelta(seconds=121))
    assert analyses.ask(experiment, now=now) is not None


def test_only_who_may_write_asks_for_a_result(experiment):
    assert call("post", "analysis", scopes=["campaigns:read"]).status_code == 403
    assert call("get", "analysis", scopes=["campaigns:read"]).json()["status"] == "idle"
