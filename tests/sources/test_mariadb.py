"""Queries of a real MariaDB server (which is what MySQL's drivers speak to), where it is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from personalization.customers.models import Customer
from personalization.sources import pulling
from personalization.sources.models import Kind, Source, Way

SERVER = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
INSTALL = shutil.which("mariadb-install-db")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not (SERVER and INSTALL), reason="mariadb-server is not installed"),
]
PEOPLE = """
    CREATE TABLE people (nr INT PRIMARY KEY, mail VARCHAR(80), city VARCHAR(80), changed DATETIME);
    INSERT INTO people VALUES
        (1, '1@example.com', 'Łódź', '2026-01-01'), (2, '2@example.com', '北京', '2026-01-02')
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with (
        tempfile.TemporaryDirectory(prefix="mariadb") as name,
        socket.create_server(("127.0.0.1", 0)) as probe,
    ):
        number = probe.getsockname()[1]
        probe.close()
        plain = ["--no-defaults", f"--datadir={name}/data"]
        if os.getuid() == 0:
            plain.append("--user=root")
        subprocess.run(
            [str(INSTALL), *plain, "--skip-test-db", "--auth-root-authentication-method=normal"],
            check=True, capture_output=True,
        )  # fmt: skip
        process = subprocess.Popen(
            [str(SERVER), *plain, f"--socket={name}/sock", "--bind-address=127.0.0.1", f"--port={number}",
             f"--pid-file={name}/pid"],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _prepare(Path(name) / "sock")
            yield number
        finally:
            process.terminate()
            process.wait(timeout=60)


def _prepare(path: Path) -> None:
    for _ in range(300):
        try:
            server = pymysql.connect(unix_socket=str(path), user="root", charset="utf8mb4", autocommit=True)
        except pymysql.err.OperationalError:
            time.sleep(0.1)
        else:
            break
    else:
        raise AssertionError("mariadbd did not start")
    with server, server.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        cursor.execute("CREATE USER shop@'127.0.0.1' IDENTIFIED BY 'a-password'")
        cursor.execute("GRANT ALL ON shop.* TO shop@'127.0.0.1'")
        cursor.execute("USE shop")
        for statement in PEOPLE.split(";"):
            cursor.execute(statement)


def source_of(address: str, query: str = "SELECT * FROM people") -> Source:
    return Source.objects.create(
        name="crm", kind=Kind.CUSTOMERS, way=Way.SQL, address=address, query=query, cursor_column="changed",
        options={"columns": {"external_id": ["nr"], "email": ["mail"], "city": ["city"]}},
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_rows_come_in_and_later_only_what_changed(port, scheme):
    source = source_of(f"{scheme}://shop:a-password@127.0.0.1:{port}/shop")
    assert pulling.pull(source.pk).new == 2
    assert Customer.objects.get(external_id="2").city == "北京"
    again = pulling.pull(source.pk)
    assert (again.read, again.changed) == (1, 0)  # the one at the last value, as it was


def test_a_query_cannot_write(port):
    source = source_of(
        f"mysql://shop:a-password@127.0.0.1:{port}/shop", "SELECT 1) AS x; DELETE FROM people; -- "
    )
    assert pulling.pull(source.pk).status == "failed"
    source.query = "SELECT * FROM people"
    source.save()
    assert pulling.pull(source.pk).new == 2


def test_a_refusal_tells_what_the_database_said_but_no_password(port):
    wrong = source_of(f"mysql://shop:wrong-word@127.0.0.1:{port}/shop")
    told = pulling.pull(wrong.pk).error
    assert "Access denied for user 'shop'" in told
    assert "wrong-word" not in told
    missing = source_of(f"mysql://shop:a-password@127.0.0.1:{port}/shop", "SELECT nothing FROM people")
    assert "Unknown column 'nothing'" in pulling.pull(missing.pk).error
