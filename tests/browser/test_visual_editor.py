"""The visual editor of messages: no Liquid is lost, and what is added reaches the code and the preview."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns import services
from campaigns.editor.texts import snippets
from personalization.access.models import User
from personalization.content.starters import starters
from personalization.customers.models import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
ODD = """{% assign seen = "a" %}<mjml><mj-head><mj-title>{{ name }}</mj-title></mj-head>
<mj-body width="600px">
  <!-- kept & <b>whole</b> -->
  {% if 1 < 2 and customer.city == "Köln" %}
  <mj-section background-color="{{ color | default: "#fff" }}"><mj-column>
    <mj-text>5 &lt; 6 &amp; {{ a | default: "<b>&amp;</b>" }} it's "so"</mj-text>
    {% raw %}{{ not liquid }} <mj-text>{% endraw %}
    <mj-table><tr><td>{{ x }}</td></tr></mj-table>
    <mj-spacer height="8px" />
    <mj-image src="{{ item.image_url }}" alt='{{ item.name }}' href="https://shop.example/?a=1&amp;b=2" />
    <mj-text><a {% if x %}class="y"{% endif %}>odd</a></mj-text>
  </mj-column></mj-section>
  {% else %}{{ loose }} words{% endif %}
</mj-body></mjml>"""

KEPT = (
    "<!-- kept & <b>whole</b> -->", "{% raw %}{{ not liquid }} <mj-text>{% endraw %}", "{{ loose }}", "words",
    "<mj-table><tr><td>{{ x }}</td></tr></mj-table>", '<mj-spacer height="8px" />',
    """<mj-text>5 &lt; 6 &amp; {{ a | default: "<b>&amp;</b>" }} it's "so"</mj-text>""",
    '<mj-text><a {% if x %}class="y"{% endif %}>odd</a></mj-text>',
    'href="https://shop.example/?a=1&amp;b=2"', 'background-color="{{ color | default: "#fff" }}"',
    "<mj-head><mj-title>{{ name }}</mj-title></mj-head>",
)  # fmt: skip


@pytest.fixture
def editor(page: Page, live_server: object) -> Callable[[str], None]:
    User.objects.create_superuser("ada", password=PASSWORD)
    Customer.objects.create(external_id="1", first_name="Ada", email="a@b.example", created_at=timezone.now())

    def open_with(body: str) -> None:
        draft = services.MessageDraft(key="a", name="A", subject="Hi", body=body)
        campaign = services.save_campaign(
            None, name="Spring", segment=None, messages=[draft], actor="user:ada"
        )
        page.goto(f"/admin/login/?next=/app/campaigns/{campaign.pk}/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").first.fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="Edit visually")).to_be_visible()

    return open_with


def open_visual(page: Page) -> None:
    page.get_by_role("button", name="Edit visually").click()
    expect(page.get_by_text("Loading …")).to_be_hidden(timeout=20_000)


def body_of(page: Page) -> str:
    return str(page.get_by_label("Message (MJML").input_value())


def round_trip(page: Page, source: str) -> str:
    """What the editor makes of a source when nobody changed anything, as if somebody had."""
    return str(
        page.evaluate(
            """async (source) => {
              const data = JSON.parse(document.getElementById('campaign-data').textContent);
              const place = document.createElement('div');
              document.body.append(place);
              const options = { ...data.visual, texts: data.texts, source, onChange() {} };
              const opened = await visualEditor.open(place, options);
              const last = visualLiquid.close(visualLiquid.open(source), opened.editor.getHtml());
              opened.end();
              place.remove();
              return last;
            }""",
            source,
        )
    )


def test_nothing_of_liquid_is_lost_and_a_second_pass_changes_nothing(
    page: Page, editor: Callable[[str], None]
) -> None:
    editor(ODD)
    for source in [ODD, *(starter.body for starter in starters() if "<mjml" in starter.body)]:
        once = round_trip(page, source)
        tokens = "text => visualLiquid.tokens(text)"
        assert page.evaluate(tokens, once) == page.evaluate(tokens, source)
        assert round_trip(page, once) == once
    once = round_trip(page, ODD)
    for piece in KEPT:
        assert piece in once, piece


def test_a_block_is_added_seen_in_the_preview_and_taken_back(
    page: Page, editor: Callable[[str], None], shot: Callable[..., None]
) -> None:
    before = starters()[0].body
    editor(before)
    open_visual(page)
    page.get_by_role("dialog").get_by_title("1 column").click()
    preview = page.get_by_role("dialog").frame_locator("iframe[title='The message']")
    expect(preview.get_by_text("Content 1")).to_be_visible(timeout=10_000)
    shot(page, "visual-editor")
    page.get_by_role("button", name="Done").click()
    assert "Content 1" in body_of(page)
    assert body_of(page).count("{%") == before.count("{%")
    open_visual(page)
    page.get_by_role("button", name="Take all changes back").click()
    assert "Content 1" in body_of(page)


def test_opening_and_closing_changes_nothing(page: Page, editor: Callable[[str], None]) -> None:
    before = starters()[0].body
    editor(before)
    open_visual(page)
    page.get_by_role("button", name="Done").click()
    assert body_of(page) == before.replace("\r\n", "\n")


@pytest.mark.parametrize("body, sentence", [
    ("<p>Hi {{ unsubscribe_url }}</p>", "Only messages in MJML"),
    ("<mjml><mj-body><mj-section></mj-body></mjml>", "Only messages in MJML"),
])  # fmt: skip
def test_what_cannot_be_edited_visually_says_so(
    page: Page, editor: Callable[[str], None], body: str, sentence: str
) -> None:
    editor(body)
    page.get_by_role("button", name="Edit visually").click()
    expect(page.get_by_text(sentence)).to_be_visible(timeout=20_000)
    assert body_of(page) == body


def test_our_own_pieces_are_blocks_too(page: Page, editor: Callable[[str], None]) -> None:
    editor(starters()[0].body)
    open_visual(page)
    for snippet in snippets()[:3]:
        expect(page.get_by_role("dialog").get_by_title(snippet["label"], exact=True)).to_be_visible()
