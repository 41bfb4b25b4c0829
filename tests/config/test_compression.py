"""Pages and assets go out compressed, whole, and are not sent again to who has them."""

import gzip
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

GZIP = {"HTTP_ACCEPT_ENCODING": "gzip, br"}
SCRIPT = "/static/bespoke/report.js"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def source() -> bytes:
    with open(str(finders.find("bespoke/report.js")), "rb") as file:
        return file.read()


def test_an_asset_goes_out_compressed_and_whole_each_time(client: Client) -> None:
    for _ in range(2):
        answer = client.get(SCRIPT, **GZIP)
        sent = body(answer)
        assert answer["Content-Encoding"] == "gzip"
        assert int(answer["Content-Length"]) == len(sent) < len(source()) / 2
        assert gzip.decompress(sent) == source()
        assert "Accept-Encoding" in answer["Vary"]


def test_who_does_not_take_gzip_gets_the_file_itself(client: Client) -> None:
    answer = client.get(SCRIPT)
    assert not answer.has_header("Content-Encoding")
    assert body(answer) == source()
    assert "Accept-Encoding" in answer["Vary"]


def test_who_has_the_compressed_asset_is_not_sent_it_again(client: Client) -> None:
    etag = client.get(SCRIPT, **GZIP)["ETag"]
    assert client.get(SCRIPT, HTTP_IF_NONE_MATCH=etag, **GZIP).status_code == 304


def test_a_part_of_an_asset_is_a_part_of_the_file(client: Client) -> None:
    answer = client.get(SCRIPT, HTTP_RANGE="bytes=0-9", **GZIP)
    assert answer.status_code == 206
    assert body(answer) == source()[:10]


def test_asking_for_the_head_of_an_asset_spoils_no_later_answer(client: Client) -> None:
    client.head(SCRIPT, **GZIP)
    assert gzip.decompress(body(client.get(SCRIPT, **GZIP))) == source()


def test_a_font_is_compressed_already(client: Client) -> None:
    answer = client.get("/static/unfold/fonts/inter/inter-latin-wght-normal.woff2", **GZIP)
    assert not answer.has_header("Content-Encoding")


@pytest.mark.django_db
def test_a_page_goes_out_compressed_and_an_answer_of_the_api_does_not(client: Client) -> None:
    page = client.get("/admin/login/", **GZIP)
    assert page["Content-Encoding"] == "gzip"
    assert b"<html" in gzip.decompress(page.content)
    assert not client.get("/api/schema", **GZIP).has_header("Content-Encoding")
