"""Keys of sealed backups: a file for each backup, in a folder of its own, so that destroying it makes the
backup unreadable, wherever copies of it lie."""

import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

SUFFIX = ".key"
KEY_BYTES = 32


class NoKey(Exception):
    """It was destroyed, or lies in another folder."""


def folder() -> Path | None:
    """None when backups are not sealed."""
    return Path(settings.BACKUP_KEY_DIR) if settings.BACKUP_KEY_DIR else None


def new_key() -> tuple[str, bytes]:
    """Its name, which stands in the backup, and the key. On the disk before this returns."""
    place = folder()
    assert place is not None
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    name, key = secrets.token_hex(16), secrets.token_bytes(KEY_BYTES)
    descriptor = os.open(place / f"{name}{SUFFIX}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return name, key


def read_key(name: str) -> bytes:
    """Raises NoKey."""
    place = folder()
    # The name comes from a file somebody hands in.
    if place is None or not name.isalnum():
        raise NoKey
    try:
        return (place / f"{name}{SUFFIX}").read_bytes()
    except FileNotFoundError as error:
        raise NoKey from error


def take_back(name: str) -> None:
    """The key of a backup that was never finished."""
    if place := folder():
        (place / f"{name}{SUFFIX}").unlink(missing_ok=True)


def destroy_keys(*, before: datetime) -> list[str]:
    """Those made before that time, overwritten and removed; their names."""
    place = folder()
    destroyed = []
    for path in sorted(place.glob(f"*{SUFFIX}")) if place else ():
        if path.stat().st_mtime < before.timestamp():
            with path.open("r+b") as file:
                file.write(bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            destroyed.append(path.name.removesuffix(SUFFIX))
    return destroyed


def destroy_old_keys() -> list[str]:
    """Those older than `BACKUP_RETENTION_DAYS`."""
    return destroy_keys(before=timezone.now() - timedelta(days=settings.BACKUP_RETENTION_DAYS))


def readable_until() -> datetime | None:
    """When the last of today's backups can no longer be read; None where none is sealed."""
    return timezone.now() + timedelta(days=settings.BACKUP_RETENTION_DAYS + 1) if folder() else None
