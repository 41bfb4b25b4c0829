# ruff: noqa: S603
"""Who runs the engines: PostgreSQL refuses to run as root, so root hands it to an account without rights."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def popen_arguments(account: Account | None) -> dict[str, Any]:
    return account.popen_arguments() if account else {}


def choose_account(existing: Path | None = None) -> Account | None:
    """None for an ordinary user, who runs the engines himself.

    For root: the owner of an existing data folder, else `postgres`, else `nobody`; no account is ever added.
    """
    if os.geteuid() != 0:
        return None
    if existing is not None and existing.exists() and existing.stat().st_uid != 0:
        found = existing.stat()
        return Account(_name(found.st_uid), found.st_uid, found.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    return Account("65534", 65534, 65534)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def can_reach(path: Path, account: Account | None, *, execute: bool = False) -> bool:
    """Whether the account may enter the folder (or run the file); tried, so access lists count too."""
    test = "-x" if execute or path.is_dir() else "-r"
    return (
        subprocess.run(
            ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)],
            cwd="/",
            capture_output=True,
            **popen_arguments(account),
        ).returncode
        == 0
    )


def give(path: Path, account: Account | None) -> None:
    if account:
        os.chown(path, account.uid, account.gid)


def give_tree(folder: Path, account: Account | None) -> None:
    """Hands a folder and all below it to the account, without following links."""
    if account is None:
        return
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(root) / name, account.uid, account.gid, follow_symlinks=False)
    os.chown(folder, account.uid, account.gid)
