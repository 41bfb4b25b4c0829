"""Blocks: versions that never change, out of use and back, over pages and API."""

import pytest
from django.urls import reverse

from personalization.access.models import AuditEntry, Scope, User
from personalization.access.services import create_key
from personalization.content.models import BlockVersion, ContentBlock
from personalization.content.selectors import blocks, blocks_named
from personalization.content.services import InvalidBlock, archive_block, save_block

pytestmark = pytest.mark.django_db
SECTION = "<mj-section><mj-column><mj-text>{{ customer.first_name }}</mj-text></mj-column></mj-section>"


def test_another_text_is_another_version_and_the_same_text_is_none():
    first = save_block("footer", texts={"": "Ann"}, actor="test")
    assert save_block("footer", texts={"": "Ann"}, actor="test") == first
    second = save_block("footer", texts={"": "Ann", "ZH": "安"}, actor="test")
    assert (first.number, second.number, second.texts) == (1, 2, {"": "Ann", "zh": "安"})
    assert BlockVersion.objects.get(number=1).texts == {"": "Ann"}
    assert list(AuditEntry.objects.values_list("action", "detail__version")) == [
        ("block.saved", 2), ("block.saved", 1),
    ]  # fmt: skip


def test_blocks_in_blocks_are_found_with_their_versions():
    save_block("inner", texts={"": "x"}, actor="test")
    save_block("outer", texts={"": '<p>{% block "inner" %}</p>'}, actor="test")
    found = blocks_named('{% block "outer" %}')
    assert {name: one["version"] for name, one in found.items()} == {"outer": 1, "inner": 1}


def test_a_message_without_blocks_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert blocks_named("Hello {{ customer.first_name }}") == {}


@pytest.mark.parametrize(
    "name, texts, words",
    [
        ("Footer", {"": "x"}, "small letters"),
        ("a", {"zh": "x"}, "everybody without"),
        ("a", {"": "x", "not a language": "x"}, "language like"),
        ("a", {"": "x\n{{ y | nofilter }}"}, "Block “a”, line 2"),
        ("a", {"": '{% block "a" %}'}, "in itself"),
        ("a", {"": '{% block "none" %}'}, "no block"),
        ("a", {"": "<script>x</script>"}, "script"),
        ("a", {"": "<mj-section><mj-text>x</mj-text>"}, "not closed"),
        ("a", {"": 3}, "no text"),
        ("a", {"": "\0"}, "no text"),
    ],
)
def test_what_is_no_block_is_told_and_not_saved(name, texts, words):
    with pytest.raises(InvalidBlock) as caught:
        save_block(name, texts=texts, actor="test")
    assert any(words in error["detail"] for error in caught.value.errors), caught.value.errors
    assert not ContentBlock.objects.exists()


@pytest.mark.parametrize(
    "text", [SECTION, "<mj-column><mj-text>x</mj-text></mj-column>", "<mj-text>x</mj-text>", "<p>x</p>", "x"]
)
def test_a_block_may_be_sections_columns_elements_html_or_words(text):
    assert save_block("a", texts={"": text}, actor="test").number == 1


def test_an_archived_block_is_gone_until_it_is_saved_again():
    block = save_block("footer", texts={"": "x"}, actor="test").block
    archive_block(block, actor="test")
    assert not blocks().exists() and blocks_named('{% block "footer" %}') == {}
    assert save_block("footer", texts={"": "x"}, actor="test").number == 1
    assert blocks().get().name == "footer"


def test_the_api_reads_writes_and_lists_versions(client):
    _key, token = create_key(name="k", scopes=[Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE])
    head = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    url = "/api/v1/blocks/footer"
    for text in ("one", "two"):
        answer = client.put(url, {"texts": {"": text}}, content_type="application/json", **head)
        assert answer.status_code == 200, answer.content
    assert client.get(url, **head).json()["version"] == 2
    versions = client.get(url + "/versions", **head).json()["results"]
    assert [one["texts"][""] for one in versions] == [
        "two",
        "one",
    ]
    wrong = client.put(url, {"texts": {"": "{{ x"}}, content_type="application/json", **head)
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["pointer"] == "/texts/"
    assert client.delete(url, **head).status_code == 204
    assert client.get("/api/v1/blocks", **head).json()["results"] == []
    assert client.put(url, {"texts": {"": "x"}}, content_type="application/json").status_code == 401


def test_the_pages_save_compare_and_bring_back(client):
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))
    data = {
        "name": "footer",
        "language": ["", "zh"],
        "text": ["Hi\r\nold", "你好"],
        "description": "Below all",
    }
    assert client.get(reverse("content:new-block")).status_code == 200
    assert client.post(reverse("content:new-block"), data).status_code == 302
    url = reverse("content:block", args=["footer"])
    client.post(url, {"language": [""], "text": ["Hi\nnew"], "description": "Below all"})
    page = client.get(url).content.decode()
    assert (
        "<ins>+ new</ins>" in page
        and "<del>- old</del>" in page
        and "Hi\nnew</body>" in page.replace("&lt;", "<").replace("&gt;", ">")
    )
    assert 'value="Below all"' in page
    for name in ("restore", "archive"):
        arguments = ["footer", 1] if name == "restore" else ["footer"]
        assert reverse(f"content:{name}", args=arguments) in page
    client.post(reverse("content:restore", args=["footer", 1]))
    assert blocks().get().texts == {"": "Hi\nold", "zh": "你好"} and blocks().get().number == 3
    kept = client.post(url, {"language": [""], "text": ["{{ x"], "description": ""}).content.decode()
    assert "{{ x</textarea>" in kept and 'role="alert"' in kept
    assert "Below all" in client.get(reverse("content:blocks")).content.decode()


def test_who_may_only_look_cannot_save(client):
    user = User.objects.create_user("eve", "eve@example.com", "x", is_staff=True)
    client.force_login(user)
    assert client.get(reverse("content:blocks")).status_code == 403


@pytest.mark.django_db
def test_the_page_calls_who_wrote_a_version_by_name(admin_client):
    save_block("footer", texts={"": "Ann"}, actor="user:kim")
    page = admin_client.get(reverse("content:block", args=["footer"])).content.decode()
    assert "· kim" in page and "user:kim" not in page
