"""Lines of a page are broken once, when its template is compiled, and nothing else of it changes."""

from personalization.content.layout import break_lines
from personalization.content.messages import compile_message

ITEMS = [{"name": f"Item {n}", "url": f"https://shop.example/items/{n}" + "x" * 80} for n in range(20)]
BODY = """<mjml><mj-body>{% for item in items %}<mj-section><mj-column><mj-image src="{{ item.url }}"
href="{{ item.url }}" alt="{{ item.name }}" /><mj-text><a href="{{ item.url }}">{{ item.name }}</a></mj-text>
</mj-column></mj-section>{% endfor %}</mj-body></mjml>"""


def test_only_blanks_behind_names_of_tags_become_line_breaks() -> None:
    page = '<p>a b <table class="x y"><tr><td style="a: b">text with blanks</td></tr></table>' * 40
    broken = break_lines(page)
    assert broken != page and broken.replace("\n", " ") == page
    assert max(map(len, broken.split("\n"))) < 600


def test_a_page_with_short_lines_stays_as_it_is() -> None:
    page = '<p>\n<a href="x">y</a>\n' * 100
    assert break_lines(page) == page


def test_a_message_with_loops_and_a_preview_text_has_no_line_too_long_for_mail() -> None:
    compiled = compile_message(subject="Hi", preheader="Look inside", body=BODY)
    html = compiled.render({"items": ITEMS}).html
    assert html.count("Item 19") == 2 and max(map(len, html.split("\n"))) < 990
