"""One file with everything that cannot be made again: the database, trained models, uploaded pictures.

A tar of `database.dump` (pg_dump's own format), `models/…`, `media/…` and `manifest.json`, readable by its
owner alone, and sealed with a key of its own where `BACKUP_KEY_DIR` says where keys are kept. Journals are
not in it: they tell what was handed to the mail server after the backup, and stay where they are. Putting it
back replaces the whole database in one transaction, or changes nothing.
"""

import hashlib
import io
import json
import os
import shutil
import signal
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from personalization.access.jobs.work import Tell, nobody_listens, part_of
from personalization.config.backup_server import BackupError, Server
from personalization.config.sealing import Damaged, SealedWriter, name_of_key, unseal
from personalization.privacy import backup_keys

__all__ = ["BackupError", "put_back", "write_backup"]
FORMAT = 1
DUMP, MANIFEST = "database.dump", "manifest.json"
# Of the whole: reading the database, before all is packed; and unpacking it, before it is put back.
DUMPED, OPENED = 0.8, 0.1


def write_backup(
    file: Path,
    *,
    folders: Mapping[str, Path],
    database: BaseDatabaseWrapper = connection,
    tell: Tell = nobody_listens,
) -> dict[str, Any]:
    """Answers the manifest. The file appears whole or not at all, and no key stays without one. Raises
    BackupError."""
    target = Server.of(database)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
            dump = Path(folder) / DUMP
            target.dump(dump, database=database, tell=part_of(tell, 0, DUMPED))
            manifest = {
                "format": FORMAT, "made_at": datetime.now(UTC).isoformat(), "sha256": _sha256(dump),
                "migrations": _applied(database),
            }  # fmt: skip
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out, _tar_into(out) as tar:
                _add_text(tar, MANIFEST, json.dumps(manifest, indent=1))
                _add_files(tar, {DUMP: dump, **folders}, tell=part_of(tell, DUMPED, 1))
        fresh.rename(file)
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        fresh.unlink(missing_ok=True)
    return manifest


@contextmanager
def _tar_into(out: IO[bytes]) -> Iterator[tarfile.TarFile]:
    if backup_keys.folder() is None:
        with tarfile.open(fileobj=out, mode="w") as tar:
            yield tar
        return
    name, key = backup_keys.new_key()
    sealed = SealedWriter(out, name=name, key=key)
    try:
        with tarfile.open(fileobj=sealed, mode="w|") as tar:  # type: ignore[call-overload]  # it only writes
            yield tar
        sealed.close()
    except BaseException:
        backup_keys.take_back(name)
        raise


@contextmanager
def _tar_of(file: Path, folder: str) -> Iterator[tarfile.TarFile]:
    """Of a sealed file the opened one lies in `folder` for so long. Raises BackupError."""
    name = name_of_key(file)
    if name is not None:
        opened = Path(folder) / "opened.tar"
        try:
            with opened.open("xb") as out:
                unseal(file, out, key=backup_keys.read_key(name))
        except backup_keys.NoKey as error:
            raise BackupError(
                f"The key {name} of this backup is not in BACKUP_KEY_DIR: where it was destroyed, nobody can "
                "read the backup any more."
            ) from error
        except Damaged as error:
            raise BackupError("The file is damaged: it cannot be opened with its key.") from error
        file = opened
    with tarfile.open(file) as tar:
        yield tar


def read_manifest(tar: tarfile.TarFile) -> dict[str, Any]:
    """Raises BackupError for what is no backup of ours."""
    try:
        part = tar.extractfile(MANIFEST)
        manifest = json.load(part) if part else {}
    except (KeyError, ValueError):
        manifest = {}
    if manifest.get("format") != FORMAT:
        raise BackupError("The file is no backup that this version can read.")
    return dict(manifest)


def put_back(
    file: Path,
    *,
    folders: Mapping[str, Path],
    database: BaseDatabaseWrapper = connection,
    tell: Tell = nobody_listens,
) -> dict[str, Any]:
    """Replaces the database and the folders; answers the manifest. Raises BackupError before anything
    changed, or when PostgreSQL refuses, which takes back what it did. Ctrl-C does so too; once the database
    is replaced it is ignored, here and afterwards."""
    target = Server.of(database)
    try:
        with tempfile.TemporaryDirectory(prefix="restore-") as folder, _tar_of(file, folder) as tar:
            manifest = read_manifest(tar)
            _must_know(manifest["migrations"], database)
            dump = Path(folder) / DUMP
            _write_out(tar, tar.getmember(DUMP), dump)
            if _sha256(dump) != manifest["sha256"]:
                raise BackupError("The file is damaged: its database is not the one that was written.")
            _must_be_alone(database)
            database.close()
            tell(OPENED)
            target.replace(dump, tell=part_of(tell, OPENED, 1))
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for name, place in folders.items():
                _put_folder_back(tar, name, place)
    except (OSError, tarfile.TarError, KeyError) as error:
        raise BackupError(f"{file} cannot be read: {error}.") from error
    return manifest


def _applied(database: BaseDatabaseWrapper) -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(database).applied_migrations())


def _must_know(migrations: list[str], database: BaseDatabaseWrapper) -> None:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if newer := sorted(set(migrations) - known):
        raise BackupError(
            f"The backup was made by a newer version: {newer[0]} is unknown here. Install that one."
        )


def _must_be_alone(database: BaseDatabaseWrapper) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        if others := cursor.fetchone()[0]:
            raise BackupError(
                f"{others} other connections use the database. Stop the web, the workers and beat first."
            )


def _put_folder_back(tar: tarfile.TarFile, name: str, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for member in tar.getmembers():
        if not member.isfile() or not member.name.startswith(f"{name}/"):
            continue
        to = (place / member.name.removeprefix(f"{name}/")).resolve()
        if not to.is_relative_to(place.resolve()):
            raise BackupError(f"The file is damaged: {member.name} leads out of its folder.")
        _write_out(tar, member, to)


def _write_out(tar: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    """By hand: the filters with which tarfile makes this safe are not in the Python 3.11 of Debian 12."""
    part = tar.extractfile(member)
    assert part is not None  # no folder and no link
    to.parent.mkdir(parents=True, exist_ok=True)
    with part, to.open("wb") as file:
        shutil.copyfileobj(part, file)


def _add_files(tar: tarfile.TarFile, files: Mapping[str, Path], *, tell: Tell) -> None:
    """Files, and folders with all that is in them, under their names."""
    every = [(name, source, file) for name, source in files.items() for file in (source, *source.rglob("*"))]
    sizes = [file.stat().st_size for _name, _source, file in every if file.is_file()]
    done, whole = 0, max(sum(sizes), 1)
    for name, source, file in every:
        if file.exists():  # models go while we write
            tar.add(file, str(Path(name) / file.relative_to(source)), recursive=False)
            done += file.stat().st_size if file.is_file() else 0
            tell(min(done / whole, 1.0))


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    part = tarfile.TarInfo(name)
    part.size = len(text.encode())
    tar.addfile(part, io.BytesIO(text.encode()))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
