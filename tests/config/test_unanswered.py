"""Pages for what no view answered: in the language of who reads, with what to do; problems for programs."""

import pytest
from django.test import Client, RequestFactory
from django.utils import translation

from personalization.access.models import User
from personalization.config import unanswered


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "title", "advice"),
    [
        ("en", "Not found", "It was removed, or there is a slip in the address."),
        ("zh-hans", "未找到", "它已被删除，或者地址有误。"),
    ],
)
def test_a_page_that_is_not_there_says_what_to_do(client, language, title, advice):
    client.cookies["django_language"] = language
    answer = client.get("/app/nothing-here")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert f'<html lang="{language}"' in page
    assert f"<h1>{title}</h1>" in page
    assert advice in page
    assert 'href="/admin/"' in page


@pytest.mark.django_db
def test_who_may_not_is_told_who_can_change_that(client):
    client.force_login(User.objects.create_user("kim", is_staff=True))
    answer = client.get("/app/campaigns/")
    assert answer.status_code == 403
    assert "An administrator can change what you may do." in answer.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_secret_says_to_load_the_page_again():
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "kim"})
    assert answer.status_code == 403
    assert "load the page again and send it once more" in answer.content.decode()


def test_a_failure_gives_the_number_that_finds_it_in_the_logs(monkeypatch):
    bound = {"request_id": "0f" * 16}
    monkeypatch.setattr("structlog.contextvars.get_contextvars", lambda: bound)
    with translation.override("zh-hans"):
        answer = unanswered.failed(RequestFactory().get("/app/campaigns/"))
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "0f" * 16 in page
    assert 'lang="zh-hans"' in page


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/nothing-here", "/v1/nothing-here", "/hooks/whatsapp"])
def test_programs_get_problem_details(client, address):
    answer = client.post(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
