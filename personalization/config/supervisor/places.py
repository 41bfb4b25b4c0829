"""Folders and files of one installation: data folder, lock, keys, the addresses of what runs."""

import fcntl
import hashlib
import os
import secrets
import shutil
from pathlib import Path

from personalization.config.supervisor.accounts import Account, can_reach
from personalization.config.supervisor.console import Console
from personalization.config.supervisor.problems import StartError

CHECKOUT = Path(__file__).resolve().parents[3]
NEEDED_MB = 300
GENERATED = ("SECRET_KEY", "LINK_KEY", "ADDRESS_KEY", "DATABASE_PASSWORD", "REDIS_PASSWORD")


def data_dir() -> Path:
    """The same folder as settings.DATA_DIR."""
    return Path(os.environ.get("BESPOKE_DATA_DIR") or CHECKOUT / "var").resolve()


def make_data_dir(folder: Path) -> None:
    """Raises StartError when the folder cannot be made or written by us, or the disk is nearly full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free_mb = shutil.disk_usage(folder).free // 2**20
    except OSError as error:
        raise StartError(
            f"The data folder {folder} cannot be made ({error.strerror}). "
            "Choose another: BESPOKE_DATA_DIR=/some/folder bin/run."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK) or not _may_write(folder / "up.lock"):
        raise StartError(
            f"The data folder {folder} belongs to another user. Start as that user, "
            "or choose another folder: BESPOKE_DATA_DIR=$HOME/bespoke-data bin/run."
        )
    if free_mb < NEEDED_MB:
        raise StartError(
            f"The disk of {folder} is full: {free_mb} MB are free, {NEEDED_MB} MB are needed. Free some "
            "space, or choose a folder on another disk: BESPOKE_DATA_DIR=/other/disk/bespoke bin/run."
        )


def _may_write(path: Path) -> bool:
    return not path.exists() or os.access(path, os.W_OK)


def lock(folder: Path) -> int:
    """Holds the data folder for this process; answers the descriptor, which the kernel frees even on kill -9.

    Raises StartError when another copy holds it.
    """
    descriptor = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        raise StartError(
            f"Bespoke is already running with the data folder {folder} (process {holder or 'unknown'}). "
            "Use that one, or stop it with Ctrl-C first. A second copy of its own needs its own folder and "
            "ports: BESPOKE_DATA_DIR=/some/folder bin/run --port 8001 --smtp-port 1026 --inbox-port 8026."
        ) from error
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def engine_dir(folder: Path, *, account: Account | None, console: Console) -> Path:
    """Where PostgreSQL and Redis keep their files: the data folder where their account can reach it.

    A checkout below /root cannot be reached by another account; we rather move than open /root to everybody.
    """
    if account is None or can_reach(folder, account):
        return folder
    mark = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    elsewhere = Path("/var/lib/bespoke") / mark
    elsewhere.mkdir(parents=True, exist_ok=True, mode=0o755)
    console.say(f"{folder} cannot be reached by the account {account.name}: the database is in {elsewhere}.")
    return elsewhere


def read_values(path: Path) -> dict[str, str]:
    """NAME=value lines; an empty dict when the file is not there."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write_values(path: Path, values: dict[str, str]) -> None:
    """Replaces the file in one step; readable by its owner alone from its first byte."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    fresh.rename(path)


def keys(folder: Path) -> dict[str, str]:
    """Random keys and passwords, made once and kept in `secrets.env`."""
    path = folder / "secrets.env"
    known = read_values(path)
    missing = {name: secrets.token_urlsafe(48) for name in GENERATED if not known.get(name)}
    if missing:
        known |= missing
        write_values(path, known)
    return known
