"""Imports of uploaded files: drafts, runs, cancellation, continuation, and pages."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone, translation

from personalization.access.models import AuditEntry, User
from personalization.catalog.importing import ItemImporter
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.importing.values import RowError
from personalization.sources import running, services, tasks
from personalization.sources.errors import InvalidOptions, NotStartable
from personalization.sources.labels import say_fault
from personalization.sources.models import Import, ImportStatus

PEOPLE = "nr;mail;plan\n1;a@example.com;gold\n2;nonsense;\n3;;silver\n"
ROOT = Path(__file__).resolve().parents[2]


def started(upload, content=PEOPLE, *, dry_run=False, columns=None, **options) -> Import:
    job = services.take_file(upload(content), kind="customers", actor="user:ada")
    job.options = {"columns": columns or {"external_id": ["nr"], "email": ["mail"]}, **options}
    services.start(job, dry_run=dry_run, actor="user:ada")
    return job


@pytest.mark.django_db
def test_a_file_is_called_as_it_was_given(upload, client):
    client.force_login(User.objects.create_superuser("ada", password="x"))
    job = services.take_file(upload(PEOPLE), kind="customers", actor="user:ada")
    assert job.name[0].islower()
    page = client.get(f"/app/data/imports/{job.pk}/").content.decode()
    assert f">{job.name}</span>" in page
    assert job.name.capitalize() not in page


@pytest.mark.django_db
class TestRuns:
    def test_a_file_is_loaded_and_its_bad_rows_are_written_down(self, upload):
        job = started(upload)
        tasks.run_import(job.pk)
        job.refresh_from_db()
        assert (job.status, job.read, job.new, job.rejected) == ("done", 3, 2, 1)
        [refused] = map(json.loads, services.rejects_path(job.pk).read_text().splitlines())
        assert (refused["line"], refused["reason"]) == (3, "email: not an e-mail address")
        assert Customer.objects.get(external_id="1").traits == {"plan": "gold"}
        assert {entry.action for entry in AuditEntry.objects.all()} == {"import.uploaded", "import.started"}

    def test_the_reasons_are_in_the_language_of_who_started_it(self, upload):
        with translation.override("zh-hans"):
            job = started(upload)
        tasks.run_import(job.pk)
        assert "不是电子邮件地址" in services.rejects_path(job.pk).read_text()

    def test_the_page_says_why_rows_were_rejected_the_most_frequent_reason_first(self, upload, client):
        client.force_login(User.objects.create_superuser("ada", password="x"))
        content = "id,mail,since\n1,ada,\n2,bob,\n3,eve@example.com,someday\n"
        chosen = {"external_id": ["id"], "email": ["mail"], "created_at": ["since"]}
        job = started(upload, content, columns=chosen, dry_run=True)
        tasks.run_import(job.pk)
        job.refresh_from_db()
        assert job.reasons == [
            {"reason": "email: not an e-mail address", "rows": 2},
            {"reason": "created_at: not a date and time", "rows": 1},
        ]
        page = client.get(f"/app/data/imports/{job.pk}/").content.decode()
        assert '<td>E-mail: not an e-mail address</td><td class="b-right">2</td>' in page
        assert '<td>Customer since: not a date and time</td><td class="b-right">1</td>' in page
        assert "Other reasons" not in page
        Import.objects.filter(pk=job.pk).update(rejected=9)
        page = client.get(f"/app/data/imports/{job.pk}/").content.decode()
        assert '<td>Other reasons</td><td class="b-right">6</td>' in page
        services.start(job, dry_run=False, actor="user:ada")
        assert Import.objects.get(pk=job.pk).reasons == []

    def test_a_reason_names_the_field_as_the_page_does_in_each_language(self):
        assert say_fault("items", "stock: not a whole number") == "Stock: not a whole number"
        with translation.override("zh-hans"):
            assert say_fault("items", "stock：不是整数") == "库存：不是整数"
        assert say_fault("items", "stock") == "stock"

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [({"stock": "many"}, "stock: not a whole number"), ({"stock": "9e12"}, "stock: not a whole number"),
         ({"translations": "[1]"}, "translations: not a JSON object")],
    )  # fmt: skip
    def test_an_item_with_an_odd_cell_is_refused_with_what_is_odd_about_it(self, cells, reason):
        with pytest.raises(RowError, match=reason):
            ItemImporter().convert({"external_id": "1", "name": "Lamp", **cells}, {})

    def test_an_import_that_goes_on_counts_the_reasons_of_what_it_refused_before(self, upload):
        content = "id,mail\n" + "".join(f"{n},nobody\n" for n in range(6))
        job = started(upload, content, columns={"external_id": ["id"], "email": ["mail"]}, batch=2)
        path = services.rejects_path(job.pk)

        def cancel(counts):
            if counts.read == 2:
                services.cancel(job, actor="user:ada")

        running.run_import(job.pk, rejects=path, progress=cancel)
        job.refresh_from_db()
        assert [one["rows"] for one in job.reasons] == [2]
        services.resume(job, actor="user:ada")
        tasks.run_import(job.pk)
        job.refresh_from_db()
        assert [one["rows"] for one in job.reasons] == [6]

    def test_a_dry_run_counts_keeps_nothing_and_may_be_started_afterwards(self, upload):
        job = started(upload, dry_run=True)
        tasks.run_import(job.pk)
        job.refresh_from_db()
        assert (job.status, job.new, job.rejected, Customer.objects.count()) == ("done", 2, 1, 0)
        services.start(job, dry_run=False, actor="user:ada")
        tasks.run_import(job.pk)
        assert Customer.objects.count() == 2

    def test_a_canceled_import_ends_at_a_block_and_can_go_on(self, upload):
        content = "nr\n" + "".join(f"{n}\n" for n in range(10))
        job = started(upload, content, columns={"external_id": ["nr"]}, batch=2)

        def cancel(counts):
            if counts.read == 4:
                services.cancel(job, actor="user:ada")

        running.run_import(job.pk, progress=cancel)
        job.refresh_from_db()
        assert (job.status, job.read, Customer.objects.count()) == ("canceled", 4, 4)
        services.resume(job, actor="user:ada")
        tasks.run_import(job.pk)
        job.refresh_from_db()
        assert (job.status, job.read, job.new, Customer.objects.count()) == ("done", 10, 10, 10)

    def test_an_import_whose_worker_died_is_found_again_and_its_old_worker_cannot_write(self, upload):
        job = started(upload)
        stale = running.claim(job.pk)
        assert running.waiting_imports() == []
        Import.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert running.waiting_imports() == [job.pk]
        tasks.run_import(job.pk)
        with pytest.raises(running.Lost):
            running._load(stale, rejects=None, progress=None)
        assert Customer.objects.count() == 2

    def test_an_import_that_killed_three_workers_is_given_up_and_goes_on_when_somebody_asks(self, upload):
        with translation.override("zh-hans"):
            job = started(upload)
        dead = {"status": "running", "lease_until": timezone.now() - timedelta(seconds=1)}
        Import.objects.filter(pk=job.pk).update(**dead, attempts=3)
        tasks.run_import(job.pk)
        job.refresh_from_db()
        with translation.override("zh-hans"):
            why = translation.gettext("Each worker that tried it died. The operator knows more.")
        assert (job.status, job.read, job.error) == ("failed", 0, why) and "worker" not in why
        assert running.waiting_imports() == []
        services.resume(job, actor="user:ada")
        tasks.run_import(job.pk)
        job.refresh_from_db()
        assert (job.status, job.read) == ("done", 3)

    @pytest.mark.parametrize(("dry_run", "attempts"), [(False, 1), (True, 4)])
    def test_only_an_import_that_keeps_what_it_wrote_counts_its_workers_anew(
        self, upload, monkeypatch, dry_run, attempts
    ):
        job = started(upload, dry_run=dry_run, batch=1)
        dead = {"status": "running", "lease_until": timezone.now() - timedelta(seconds=1)}
        Import.objects.filter(pk=job.pk).update(**dead, attempts=2)

        class Killed(BaseException):
            """As a worker that is killed: nothing is written any more."""

        def kill(counts):
            raise Killed

        with pytest.raises(Killed):
            running.run_import(job.pk, progress=kill)
        Import.objects.filter(pk=job.pk).update(**dead)
        assert running.claim(job.pk).attempts == attempts

    def test_a_broken_file_says_why_it_failed(self, upload):
        job = started(upload)
        Path(job.path).write_bytes(b"nr;nr\n")
        tasks.run_import(job.pk)
        job.refresh_from_db()
        assert (job.status, job.error) == ("failed", "The first line must name every column once.")

    def test_what_cannot_be_is_refused_before_it_starts(self, upload):
        for name, kind in (("a.xls", "customers"), ("a.csv", "pets")):
            with pytest.raises(InvalidOptions):
                services.take_file(upload(PEOPLE, name), kind=kind, actor="x")
        with pytest.raises(InvalidOptions, match="external_id"):
            started(upload, columns={"city": ["mail"], "external_id": [], "email": []})
        with pytest.raises(InvalidOptions, match="no column"):
            started(upload, columns={"external_id": ["nope"]})
        assert not Import.objects.exclude(status="draft").exists()

    def test_files_are_deleted_after_their_time_and_the_counts_stay(self, upload, import_dir):
        job = started(upload)
        tasks.run_import(job.pk)
        services.delete_old_files()
        assert len(list(import_dir.iterdir())) == 2
        Import.objects.update(finished_at=timezone.now() - timedelta(days=8))
        services.delete_old_files()
        assert list(import_dir.iterdir()) == []
        assert Import.objects.get().new == 2
        with pytest.raises(NotStartable):
            services.resume(job, actor="x")


@pytest.mark.django_db(transaction=True)
def test_a_killed_load_goes_on_where_it_was_and_doubles_nothing(tmp_path):
    rows = 40_000
    path = tmp_path / "events.csv"
    # Equal lines on purpose: each is an event of its own, over all blocks and over the kill.
    path.write_text(
        "user_id,timestamp,n\n" + "".join(f"{n % 7},2026-01-01T00:00:00Z,x\n" for n in range(rows))
    )
    given = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format_map(given)
    arguments = ["load", "events", str(path), "--event", "Visit", "--batch", "1000"]
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    process = subprocess.Popen(
        command, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not Event.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = Import.objects.get()
    assert killed.status == ImportStatus.RUNNING and 0 < killed.read < rows
    assert Event.objects.count() == killed.new == killed.read
    call_command(*arguments)
    killed.refresh_from_db()
    assert (killed.status, killed.read, killed.new, killed.unchanged) == ("done", rows, rows, 0)
    assert Event.objects.count() == rows
