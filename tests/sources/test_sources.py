"""Sources: a real PostgreSQL and SQLite, and a local web server."""

import http.server
import sqlite3
import threading
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.importing.reading import UnreadableFile
from personalization.sources import pulling
from personalization.sources.checking import check_source
from personalization.sources.databases import check_address
from personalization.sources.models import Kind, Source, Way

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path):
    """A shop's SQLite database with three orders; answers its connection and the source that reads it."""
    settings.SOURCE_SQLITE_DIR = tmp_path
    base = sqlite3.connect(tmp_path / "shop.db")
    base.execute("CREATE TABLE orders (id INTEGER, buyer TEXT, at TEXT, total NUMERIC)")
    base.executemany(
        "INSERT INTO orders VALUES (?, ?, ?, ?)",
        [(1, "ada", "2026-01-01", 10.5), (2, "bob", "soon", 3), (3, "ada", "2026-01-03", 4)],
    )
    base.commit()
    source = Source.objects.create(
        name="orders", kind=Kind.EVENTS, way=Way.SQL, address=f"sqlite:///{tmp_path}/shop.db",
        query="SELECT id, buyer, at, total FROM orders", cursor_column="id",
        options={
            "event": "Order Completed",
            "columns": {"customer": ["buyer"], "occurred_at": ["at"], "value": ["total"]},
        },
    )  # fmt: skip
    return base, source


def test_only_what_is_new_is_read_and_one_bad_row_loses_no_other(shop):
    base, source = shop
    first = pulling.pull(source.pk)
    assert (first.status, first.error, first.read, first.new, first.rejected) == ("done", "", 3, 2, 1)
    assert first.rejects == [{"line": 2, "reason": "occurred_at: not a date and time"}]
    base.execute("INSERT INTO orders VALUES (3, 'eve', '2026-01-03', 9)")  # the same cursor value, later
    base.execute("INSERT INTO orders VALUES (4, 'ada', '2026-01-04', 1)")
    base.commit()
    second = pulling.pull(source.pk)
    assert (second.read, second.new, second.unchanged) == (3, 2, 1)
    assert Event.objects.count() == 4
    source.refresh_from_db()
    assert source.cursor == {"value": 4} and source.next_at is not None
    assert pulling.due_sources() == []


def test_the_page_of_a_source_says_which_rows_were_rejected_and_why(shop, admin_client):
    _base, source = shop
    pulling.pull(source.pk)
    page = admin_client.get(reverse("admin:sources_source_change", args=[source.pk])).content.decode()
    assert "<div>2: Time: not a date and time</div>" in page


def test_the_address_is_encrypted_and_a_source_cannot_write(shop):
    base, source = shop
    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM sources_source")
        assert "shop.db" not in cursor.fetchone()[0]
    Source.objects.update(query="SELECT 1 AS id) AS x; DELETE FROM orders; --", cursor_column="")
    assert pulling.pull(source.pk).status == "failed"
    assert base.execute("SELECT count(*) FROM orders").fetchone() == (3,)


@pytest.mark.django_db(transaction=True)
def test_postgresql_is_read_by_a_growing_time():
    given = connection.settings_dict
    login = f"{given['USER']}:{quote(given['PASSWORD'], safe='')}@{given['HOST']}:{given['PORT']}"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE crm (nr int, mail text, changed timestamptz)")
        cursor.execute(
            "INSERT INTO crm SELECT n, n || '@example.com', '2026-01-01'::timestamptz + n * interval '1 day'"
            " FROM generate_series(1, 5) AS n"
        )
    try:
        source = Source.objects.create(
            name="crm", kind=Kind.CUSTOMERS, way=Way.SQL, address=f"postgresql://{login}/{given['NAME']}",
            query="SELECT nr, mail, changed FROM crm", cursor_column="changed",
            options={"columns": {"external_id": ["nr"], "email": ["mail"]}},
        )  # fmt: skip
        assert pulling.pull(source.pk).new == 5
        with connection.cursor() as cursor:
            cursor.execute("UPDATE crm SET mail = 'new@example.com', changed = '2026-02-01' WHERE nr = 2")
        again = pulling.pull(source.pk)
        assert (again.read, again.changed) == (2, 1)
        assert Customer.objects.get(external_id="2").email == "new@example.com"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE crm")


class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/people.csv")
        elif self.headers.get("If-None-Match") == '"1"':
            self.send_response(304)
        else:
            content = b"id,city\n1,Leeds\n2,York\n"
            self.send_response(200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_at_an_address_is_read_once_per_version_and_redirects_are_not_followed(web, settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    source = Source.objects.create(name="f", kind=Kind.CUSTOMERS, way=Way.URL, address=f"{web}/people.csv")
    assert pulling.pull(source.pk).new == 2
    again = pulling.pull(source.pk)
    assert (again.status, again.read) == ("done", 0)
    Source.objects.filter(pk=source.pk).update(cursor={})
    source.address = f"{web}/moved.csv"
    source.save()
    assert pulling.pull(source.pk).error == "The server answered 302."


def test_addresses_of_our_own_network_and_files_elsewhere_are_refused(web, settings, tmp_path):
    settings.OUTBOUND_ALLOWED_HOSTS = []
    source = Source.objects.create(
        name="f", kind=Kind.CUSTOMERS, way=Way.URL, address="https://127.0.0.1/people.csv"
    )
    assert "not called" in pulling.pull(source.pk).error
    settings.SOURCE_SQLITE_DIR = tmp_path
    for address in (
        "sqlite:////etc/passwd",
        "sqlite://",
        "oracle://x/y",
        "sqlite:///" + str(tmp_path / "../x.db"),
    ):
        with pytest.raises(UnreadableFile):
            check_address(address)
    with pytest.raises(UnreadableFile):
        check_source({"kind": "customers", "way": "url", "address": "https://example.com/x.xls"})


def test_the_api_adds_a_source_and_never_shows_its_address():
    headers = {"Authorization": f"Bearer {create_key(name='k', scopes=['imports'])[1]}"}
    data = {
        "name": "f",
        "kind": "customers",
        "way": "url",
        "address": "https://example.com/people.csv?key=secret",
    }
    answer = Client().post("/api/v1/sources", data, content_type="application/json", headers=headers)
    assert answer.status_code == 201 and "secret" not in answer.content.decode()
    pk = answer.json()["id"]
    assert Source.objects.get(pk=pk).address.endswith("key=secret")
    assert Client().get(f"/api/v1/sources/{pk}/runs", headers=headers).json()["results"] == []
    assert "secret" not in Client().get("/api/v1/sources", headers=headers).content.decode()
    bad = Client().post(
        "/api/v1/sources",
        data | {"address": "https://10.0.0.1:x/"},
        content_type="application/json",
        headers=headers,
    )
    assert bad.status_code == 400
