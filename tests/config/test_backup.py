"""A backup is worth what can be put back from it: written, put into an empty database, compared."""

import io
import json
import os
import tarfile
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections
from django.utils import timezone

from campaigns.models import Run, RunStatus
from personalization.config import backup
from personalization.config.management.commands.restore import pause_what_was_sent
from personalization.customers.models import Customer
from personalization.privacy import backup_keys, requests
from tests.privacy.making import make_row

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def empty_database():
    """A connection to another database of the same server."""
    settings = dict(connection.settings_dict)
    name = f"{settings['NAME']}_put_back"
    server = psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], password=settings["PASSWORD"],
        dbname="postgres", autocommit=True,
    )  # fmt: skip
    server.execute(f'DROP DATABASE IF EXISTS "{name}"')
    server.execute(f'CREATE DATABASE "{name}"')
    other = connections.create_connection(connection.alias)
    other.settings_dict = settings | {"NAME": name}
    try:
        yield other
    finally:
        other.close()
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.close()


def rows(cursor) -> list[tuple]:
    cursor.execute("SELECT external_id, first_name FROM customers_customer ORDER BY id")
    return cursor.fetchall()


def test_what_was_backed_up_is_put_back_whole_and_a_damaged_file_changes_nothing(tmp_path: Path) -> None:
    Customer.objects.create(external_id="ada", first_name="阿达", created_at=timezone.now())
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "1.npz").write_bytes(b"weights")
    file = tmp_path / "bespoke.tar"
    backup.write_backup(file, folders={"models": tmp_path / "models"})
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    with empty_database() as other:
        with other.cursor() as cursor:
            cursor.execute("CREATE TABLE left_over (id int)")
        backup.put_back(file, folders={"models": tmp_path / "back"}, database=other)
        with other.cursor() as cursor:
            assert rows(cursor) == [("ada", "阿达")]
            cursor.execute("SELECT to_regclass('left_over')")
            assert cursor.fetchone() == (None,)
            cursor.execute("SELECT count(*) FROM django_migrations")
            restored = cursor.fetchone()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations")
            assert cursor.fetchone() == restored
        assert (tmp_path / "back" / "1.npz").read_bytes() == b"weights"
        _refuses_what_is_damaged(tmp_path, file, other)


def _refuses_what_is_damaged(folder: Path, file: Path, other) -> None:
    cases = {
        "damaged": lambda manifest: manifest | {"sha256": "0" * 64},
        "newer version": lambda manifest: manifest | {"migrations": ["customers.9999_future"]},
        "no backup": lambda manifest: {},
    }
    for sentence, change in cases.items():
        broken = folder / "broken.tar"
        with tarfile.open(file) as old, tarfile.open(broken, "w") as new:
            manifest = json.load(old.extractfile("manifest.json"))
            backup._add_text(new, "manifest.json", json.dumps(change(manifest)))
            new.addfile(old.getmember("database.dump"), old.extractfile("database.dump"))
        with pytest.raises(backup.BackupError, match=sentence):
            backup.put_back(broken, folders={}, database=other)
    with other.cursor() as cursor:
        assert rows(cursor) == [("ada", "阿达")]


@pytest.mark.parametrize("name", ["models/../../out", "models//etc/out"])
def test_a_file_that_leads_out_of_its_folder_is_not_written(tmp_path: Path, name: str) -> None:
    file = tmp_path / "hostile.tar"
    with tarfile.open(file, "w") as tar:
        backup._add_text(tar, name, "x")
    with tarfile.open(file) as tar, pytest.raises(backup.BackupError, match="leads out"):
        backup._put_folder_back(tar, "models", tmp_path / "deep" / "models")
    assert not (tmp_path / "out").exists()


def test_folders_are_put_back_without_what_only_newer_pythons_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tarfile, "data_filter")
    monkeypatch.delattr(tarfile.TarFile, "extract")
    file = tmp_path / "some.tar"
    with tarfile.open(file, "w") as tar:
        backup._add_text(tar, "models/deep/1.json", "{}")
    with tarfile.open(file) as tar:
        backup._put_folder_back(tar, "models", tmp_path / "models")
    assert (tmp_path / "models" / "deep" / "1.json").read_text() == "{}"


def test_without_anybody_who_types_yes_nothing_is_put_back(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="give --yes"):
        call_command("restore", str(tmp_path / "none.tar"))


def test_a_destroyed_key_leaves_nothing_of_an_erased_person_in_an_older_backup(
    tmp_path: Path, settings
) -> None:
    settings.BACKUP_KEY_DIR, settings.BACKUP_RETENTION_DAYS = str(tmp_path / "keys"), 30
    customer = Customer.objects.create(
        external_id="zelda-4711", first_name="Zelda", created_at=timezone.now()
    )
    file = tmp_path / "backups" / "monday.tar"
    file.parent.mkdir()
    backup.write_backup(file, folders={})
    assert b"zelda" not in file.read_bytes().lower()
    assert b"PGDMP" not in file.read_bytes()
    erased = requests.ask_erasure(customer.pk, actor="user:kim")
    requests.carry_out(erased.pk)
    erased.refresh_from_db()
    until = datetime.fromisoformat(erased.certificate["sealed_backups_readable_until"])
    with empty_database() as other:
        backup.put_back(file, folders={}, database=other)
        with other.cursor() as cursor:  # until then the backup is one that can be put back
            assert rows(cursor) == [("zelda-4711", "Zelda")]
        [key] = (tmp_path / "keys").glob("*.key")
        assert key.stat().st_mode & 0o777 == 0o600
        assert backup_keys.destroy_old_keys() == []
        made = (until - timedelta(days=62)).timestamp()
        os.utime(key, (made, made))
        assert backup_keys.destroy_old_keys() == [key.stem]
        assert [one.name for one in (tmp_path / "keys").iterdir()] == ["erased.jsonl"]
        with pytest.raises(backup.BackupError, match="nobody can read"):
            backup.put_back(file, folders={}, database=other)


def test_it_is_not_put_back_while_somebody_works_with_the_database(tmp_path: Path) -> None:
    file = tmp_path / "bespoke.tar"
    backup.write_backup(file, folders={})
    with empty_database() as other:
        settings = other.settings_dict
        with (
            psycopg.connect(
                host=settings["HOST"], port=settings["PORT"], user=settings["USER"],
                password=settings["PASSWORD"], dbname=settings["NAME"],
            ),
            pytest.raises(backup.BackupError, match="Stop the web"),
        ):  # fmt: skip
            backup.put_back(file, folders={}, database=other)


def test_after_a_restore_nothing_goes_on_sending_by_itself() -> None:
    sending = make_row(Run, {}, "plain")
    Run.objects.filter(pk=sending.pk).update(status=RunStatus.SENDING)
    assert pause_what_was_sent() == 1
    assert Run.objects.get(pk=sending.pk).status == RunStatus.PAUSED
