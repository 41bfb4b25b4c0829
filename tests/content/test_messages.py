# ruff: noqa: E501
"""What an author writes, and what a customer gets."""

from decimal import Decimal

import pytest

from personalization.content.errors import RenderError, TemplateError
from personalization.content.messages import check_message, compile_message
from personalization.content.starters import starters

PAGE = "<mjml><mj-body><mj-section><mj-column>\n{}\n</mj-column></mj-section></mj-body></mjml>"
BODY = """<mjml>
<mj-body>
  {% for item in items %}
  <mj-section><mj-column>
    <mj-image src="{{ item.image_url }}" alt="{{ item.name }}" href="{{ item.url }}" />
    <mj-text color="{{ customer.traits.color }}"><a href="{{ item.url }}" title='{{ item.name }}'>{{ item.name }}</a> {{ item.price | money: item.currency }}</mj-text>
  </mj-column></mj-section>
  {% endfor %}
  <mj-section><mj-column>
    <mj-text>Dear {{ customer.first_name }}, {% if customer.traits.age < 30 %}young{% else %}wise{% endif %}</mj-text>
    <mj-text><a href="{{ unsubscribe_url }}">Stop</a></mj-text>
  </mj-column></mj-section>
</mj-body></mjml>"""


def context(**changes):
    customer = {"first_name": "Ann", "language": "en", "traits": {"age": 20, "color": "#ff0000"}}
    item = {
        "name": "Mug", "price": Decimal("1234.5"), "currency": "EUR",
        "url": "https://shop.example/mug?a=1&b=2", "image_url": "https://shop.example/mug.png",
    }  # fmt: skip
    return {
        "customer": customer,
        "items": [item, item],
        "unsubscribe_url": "https://shop.example/u",
        **changes,
    }


def compiled(body, subject="Hello"):
    return compile_message(subject=subject, body=body)


def test_a_loop_may_stand_plainly_between_mjml_elements():
    html = compiled(BODY).render(context()).html
    assert html.count(">Mug</a>") == 2


def test_the_text_part_keeps_loops_conditions_and_links():
    text = compiled(BODY).render(context()).text
    assert text.count("[Mug](https://shop.example/mug?a=1&b=2) €1,234.50") == 2
    assert "Dear Ann, young" in text
    assert "[Stop](https://shop.example/u)" in text


def test_no_font_server_is_called():
    html = compiled(BODY).render(context()).html
    assert "fonts." not in html
    assert "@import" not in html
    with pytest.raises(TemplateError):
        compiled('<mjml><mj-head><mj-font name="R" href="https://f.example/r.css" /></mj-head></mjml>')


def test_plain_html_is_taken_as_it_is():
    html = compiled("<p>Hi {{ customer.first_name }}</p>").render(context()).html
    assert "<p>Hi Ann</p>" in html


def test_the_subject_is_one_line_without_header_injection():
    subject = "Hi {{ customer.first_name }}\r\nBcc: a@b.example"
    rendered = compiled("<p>x</p>", subject).render(
        context(customer={"first_name": "Ann\r\nTo: c@d.example\x00\u2028!"})
    )
    assert rendered.subject == "Hi Ann To: c@d.example ! Bcc: a@b.example"


def test_the_preview_text_is_hidden_and_escaped():
    message = compile_message(subject="s", preheader="<b>{{ customer.first_name }}", body="<p>x</p>")
    html = message.render(context(customer={"first_name": "<i>"})).html
    assert "&lt;b&gt;&lt;i&gt;" in html
    assert "display:none" in html


@pytest.mark.parametrize("body, line, words", [
    ("<mjml>\n<mj-body>\n<mj-section>\n</mj-body>\n</mjml>", 4, "mj-section"),
    ("<mjml>\n<mj-body>\n<mj-foo />\n</mj-body></mjml>", 3, "mj-foo"),
    ("<mjml><mj-body>\n\n<mj-include path='/etc/passwd' /></mj-body></mjml>", 3, "mj-include"),
    ("<mjml><mj-body>\n{% if a\n == 1 %}\nlost text\n{% endif %}</mj-body></mjml>", 4, "dropped"),
    (PAGE.format("<mj-text><b>x</mj-text>"), 2, "<b>"),
    (PAGE.format("<mj-text>{% if x %}</mj-text>"), None, "endif"),
    (PAGE.format("<mj-text>{{ x | nofilter }}</mj-text>"), 2, "nofilter"),
    (PAGE.format("<mj-text>ok</mj-text>\n{{ x | }}"), 3, ""),
    ("<p>\n{{ x ", None, ""),
])  # fmt: skip
def test_errors_name_the_authors_line(body, line, words):
    with pytest.raises(TemplateError) as caught:
        compiled(body)
    problems = [p for p in caught.value.problems if words in p.message]
    assert problems, caught.value.problems
    assert line is None or problems[0].line == line


def test_missing_values_are_named_while_editing_and_empty_while_sending():
    body = "<p>a</p>\n<p>{{ customer.nick }}{{ customer.other | default: 'x' }}</p>{{ unsubscribe_url }}"
    found = check_message(subject="{{ shop }}", body=body, context=context())
    assert [(p.field, p.line, p.level) for p in found] == [("subject", 1, "warning"), ("body", 2, "warning")]
    assert "<p>x</p>" in compiled(body).render(context()).html


def test_a_message_without_unsubscribe_link_is_warned_about():
    assert any("unsubscribe" in p.message for p in check_message(subject="s", body="<p>x</p>"))
    assert not any("unsubscribe" in p.message for p in check_message(subject="s", body=BODY))


def test_a_filter_that_cannot_work_fails_for_this_customer_only():
    message = compiled("<p>{{ customer.first_name | money }}</p>")
    with pytest.raises(RenderError):
        message.render(context())
    assert "<p>3.00</p>" in message.render(context(customer={"first_name": 3})).html


@pytest.mark.parametrize(
    "language, expected", [("en", "€1,234.50"), ("zh", "€1,234.50"), ("de", "1.234,50\u00a0€")]
)
def test_money_follows_the_customers_language(language, expected):
    values = context(customer={"language": language})
    assert expected in compiled("<p>{{ items[0].price | money: 'EUR' }}</p>").render(values).html


@pytest.mark.parametrize(
    "language, expected", [("en", "3 February 2026"), ("zh", "2026年2月3日"), ("de", "3. Februar 2026")]
)
def test_dates_follow_the_customers_language(language, expected):
    values = context(customer={"language": language}, day="2026-02-03")
    assert expected in compiled("<p>{{ day | date }}</p>").render(values).html


@pytest.mark.parametrize("language", ["en", "zh"])
def test_starters_compile_render_and_lack_nothing(language):
    values = context(customer={"first_name": "Ann", "language": language})
    for item in values["items"]:
        item.update(reason="Because", description="Good")
    for starter in starters():
        parts = {"subject": starter.subject, "preheader": starter.preheader, "body": starter.body}
        assert check_message(**parts, context={**values, "now": "2026-01-01"}) == []
