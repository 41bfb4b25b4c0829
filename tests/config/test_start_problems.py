"""What can be wrong at the start: each a clear sentence and a way out."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personalization.config.supervisor import places, ports, postgres
from personalization.config.supervisor.accounts import choose_account
from personalization.config.supervisor.console import Console
from personalization.config.supervisor.postgres import Postgres
from personalization.config.supervisor.problems import StartError
from personalization.config.supervisor.processes import Spec
from personalization.config.supervisor.watch import Watch


def test_a_busy_port_is_named_with_a_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            StartError, match=rf"Port {port} .* taken .*bin/run --port \d+ \(or PORT=\d+ bin/run\)"
        ):
            ports.demand_free(port, host="127.0.0.1", what="the web", option="--port", variable="PORT")


def test_a_second_copy_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    held = places.lock(tmp_path)
    with pytest.raises(StartError, match=f"already running .* \\(process {os.getpid()}\\)"):
        places.lock(tmp_path)
    os.close(held)
    os.close(places.lock(tmp_path))


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        places.shutil, "disk_usage", lambda _: type(usage)(usage.total, usage.total, 5 * 2**20)
    )
    with pytest.raises(StartError, match=r"is full: 5 MB are free, 300 MB are needed.*BESPOKE_DATA_DIR="):
        places.make_data_dir(tmp_path / "data")


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="cannot be made"):
        places.make_data_dir(tmp_path / "file" / "data")


@pytest.fixture
def server(reachable_folder: Path) -> Postgres:
    return Postgres(
        reachable_folder,
        port=ports.free_port(),
        password="secret",
        account=choose_account(),
        console=Console(),
        lasting=False,
    )


def test_what_an_interrupted_start_left_half_made_is_removed(server: Postgres, capsys) -> None:
    left = server.engine_dir / "postgres.new-123"
    (left / "base").mkdir(parents=True)
    server.make()
    assert not left.exists()
    assert server.is_new
    assert (server.data / "PG_VERSION").is_file()
    assert "left half made by an interrupted start" in capsys.readouterr().out
    assert sorted(path.name for path in server.engine_dir.iterdir()) == ["postgres"]


def test_a_damaged_database_folder_is_explained_and_left_alone(reachable_folder: Path) -> None:
    data = reachable_folder / "postgres"
    (data / "base").mkdir(parents=True)
    with pytest.raises(StartError, match=rf"{data} is not whole.*mv {data} {data}.broken"):
        postgres.existing_major(data)
    assert (data / "base").is_dir()


def test_a_database_of_another_version_names_what_to_install() -> None:
    with pytest.raises(StartError, match=r"made by PostgreSQL 99, .*apt-get install postgresql-99"):
        postgres.find(needed=99)


def test_a_stale_process_number_is_forgotten(server: Postgres) -> None:
    server.make()
    with subprocess.Popen(["sleep", "60"]) as other:
        (server.data / "postmaster.pid").write_text(f"{other.pid}\n{server.data}\n")
        server.clear_stale_pid()
        assert not (server.data / "postmaster.pid").exists()
        assert other.poll() is None
        other.kill()


def test_a_server_left_behind_is_ended_before_the_new_one_starts(server: Postgres) -> None:
    server.make()
    watch = Watch(Console())
    left = watch.start(server.spec(), stage=0)
    watch.wait_until(server.is_ready, what="no answer", timeout_seconds=20)
    server.clear_stale_pid()
    assert left.process.wait(timeout=5) == 0
    watch.stop()


def test_a_crashing_child_is_started_again_with_longer_and_longer_pauses(capsys) -> None:
    watch = Watch(Console())
    watch.start(Spec("crasher", ["sh", "-c", "echo I fall; exit 3"]), stage=0)
    deadline = time.monotonic() + 10
    said = ""
    while "in 2 s." not in said and time.monotonic() < deadline:
        watch.look()
        time.sleep(0.02)
        said += capsys.readouterr().out
    watch.stop()
    assert "crasher  | I fall" in said
    for pause in ("0.5", "1", "2"):
        assert f"crasher ended (exit code 3); starting it again in {pause} s." in said


def test_a_child_that_will_not_end_is_killed_with_all_it_started(find_processes) -> None:
    watch = Watch(Console())
    stubborn = Spec("stubborn", ["sh", "-c", "trap '' TERM; sleep 77.125 & wait; wait"], grace_seconds=0.2)
    child = watch.start(stubborn, stage=0)

    def is_deaf() -> bool:
        return any(command.startswith("sleep") for command in find_processes("77.125").values())

    watch.wait_until(is_deaf, what="The child does not sleep", timeout_seconds=20)
    watch.stop()
    assert child.exit_code == -signal.SIGKILL
    watch.wait_until(lambda: not find_processes("77.125"), what="Not all were killed", timeout_seconds=20)


# Two signals at once, at every place that a round of watching comes by, the library's own lines included.
SIGNALS_ANYWHERE = """
import signal, sys
from personalization.config.supervisor.console import Console
from personalization.config.supervisor.watch import Watch

def interrupt(frame, event, argument):
    if event == "line":
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
    return interrupt

for place in range(1, 25):
    watch, left = Watch(Console()), [place]
    watch.listen_to_signals()
    sys.settrace(interrupt)
    watch.run()
    sys.settrace(None)
"""


def test_a_signal_ends_the_watch_wherever_it_comes() -> None:
    subprocess.run([sys.executable, "-c", SIGNALS_ANYWHERE], timeout=60, check=True)


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    first = places.keys(tmp_path)
    assert places.keys(tmp_path) == first
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == len(places.GENERATED)
    assert all(len(value) >= 50 for value in first.values())


def test_a_set_up_that_takes_long_is_waited_for_and_that_is_said() -> None:
    heard = io.StringIO()
    watch = Watch(Console(heard))
    migration = watch.start(Spec("setup", ["sleep", "0.2"], once=True), stage=0)
    watch.wait_until(
        lambda: migration.exit_code is not None, what="Not set up", timeout_seconds=0.05, patient=True
    )
    watch.stop()
    assert "Not set up yet" in heard.getvalue()
