# ruff: noqa: E501
"""Tags of our own: what they ask for, what they print, and what is wrong with them."""

import time
from contextlib import suppress

import pytest

from personalization.content.errors import LeftOut, MissingValue, RenderError, TemplateError, UsedUp
from personalization.content.fragments import compile_fragment
from personalization.content.language import ask
from personalization.content.messages import check_message, compile_message
from personalization.content.needs import GIVENS, Givens
from personalization.content.texts import check_texts, compile_texts

ANN = {"customer": {"first_name": "Ann", "language": "en", "traits": {"favorite": "Shoes"}}}


def html(body, values=ANN, given=(), **options):
    message = compile_message(subject="s", body=body, **options)
    found = {need.key: given[n] for n, need in enumerate(message.needs) if n < len(given)}
    return message.render({**values, GIVENS: Givens(found)}).html


def problem(body, **options):
    found = check_message(subject="s", body=body, **options)
    errors = [one for one in found if one.level == "error"]
    assert errors, found
    return errors[0]


def test_a_tag_tells_what_it_asks_for_with_this_customers_arguments():
    message = compile_message(
        subject="s", body='{% recommend "for_you" count: 4, category: customer.traits.favorite as picks %}'
    )
    assert [(need.kind, need.name) for need in message.needs] == [("recommend", "for_you")]
    assert list(ask(message.needs, ANN).values()) == [{"count": 4, "category": "Shoes"}]


def test_an_argument_without_a_value_is_left_out():
    message = compile_message(subject="s", body='{% recommend "for_you" category: customer.traits.none %}')
    assert list(ask(message.needs, ANN).values()) == [{}]


def test_the_same_tag_in_subject_html_and_text_is_one_need():
    tag = '{% recommend "for_you" count: 1 as one %}{{ one.first.name }}'
    message = compile_message(subject=tag, body=f"<p>{tag}</p>")
    assert len(message.needs) == 1
    rendered = message.render({**ANN, GIVENS: Givens({message.needs[0].key: [{"name": "Mug"}]})})
    assert (rendered.subject, rendered.text.strip()) == ("Mug", "Mug")


def test_what_was_loaded_is_printed_escaped():
    body = '{% recommend "for_you" as picks %}<p>{% for item in picks %}{{ item.name }}{% endfor %}</p>'
    assert "<p>&lt;b&gt;</p>" in html(body, given=[[{"name": "<b>"}]])


def test_fewer_than_at_least_is_a_missing_value():
    body = '{% optional %}{% recommend "for_you" at_least: 2 as picks %}<p>many</p>{% else %}<p>few</p>{% endoptional %}'
    assert "<p>few</p>" in html(body, given=[[{"name": "Mug"}]])
    assert "<p>many</p>" in html(body, given=[[{"name": "Mug"}, {"name": "Bowl"}]])


@pytest.mark.parametrize(
    "tag, words",
    [
        ("{% recommend x %}", "name in quotes"),
        ('{% recommend "a" foo: 1 %}', "no argument “foo”"),
        ('{% recommend "a" count: items.size %}', "not of “items”"),
        ('{% recommend "a" count: customer[items] %}', "not of “items”"),
        ('{% recommend "a" count: 1, count: 2 %}', "twice"),
        ('{% recommend "a" as b.c %}', "path"),
        ("{% skip_customer %}", "expression"),
        ("{% skip_customer customer.first_name %}", "reason in quotes"),
        ('{% localized %}a{% language "x y" %}b{% endlocalized %}', "language in quotes"),
        ('{% localized %}a{% language "zh" %}b{% language "ZH" %}c{% endlocalized %}', "already"),
        ("{% optional %}a", ""),
        ("{% endoptional %}", ""),
        ("{% or %}", ""),
    ],
)
def test_a_wrong_tag_is_told_with_its_line(tag, words):
    found = problem(f"<p>\n</p>\n{tag}")
    assert words.lower() in found.message.lower()
    assert found.line in (3, None)


def test_an_optional_block_goes_whole_when_a_value_in_it_is_missing():
    body = "<p>{% optional %}Dear {{ customer.first_name }} of {{ customer.city }}{% else %}Hello{% endoptional %}</p>"
    assert "<p>Hello</p>" in html(body)
    assert "<p>Dear Ann of Cork</p>" in html(body, {"customer": {"first_name": "Ann", "city": "Cork"}})


def test_an_empty_text_is_missing_too_and_a_default_is_an_answer():
    body = "<p>{% optional %}{{ customer.a }}x{% endoptional %}{% optional %}{{ customer.a | default: '' }}y{% endoptional %}</p>"
    assert "<p>y</p>" in html(body, {"customer": {"a": ""}})


def test_optional_blocks_stand_in_each_other_and_in_loops():
    body = "{% for n in (1..2) %}{% optional %}a{% optional %}{{ x }}{% else %}b{% endoptional %}{{ y }}{% else %}c{% endoptional %}{% endfor %}z"
    assert "ccz" in html(body)
    assert "abYabYz" in html(body, {"y": "Y"})


def test_a_message_may_refuse_customers_with_missing_values():
    body = "<p>{{ customer.first_name }} {{ customer.city }}</p>"
    assert "<p>Ann </p>" in html(body)
    with pytest.raises(MissingValue, match=r"customer\.city"):
        html(body, missing="skip")
    with pytest.raises(MissingValue):
        compile_texts({"body": "{{ customer.city }}"}, missing="skip").render(ANN)


def test_the_editor_is_told_of_values_without_an_answer_only():
    body = (
        "<p>{{ customer.city }}{% optional %}{{ customer.nick }}{% endoptional %}</p>\n{{ unsubscribe_url }}"
    )
    found = check_message(subject="s", body=body, context={**ANN, "unsubscribe_url": "https://x"})
    assert [(p.line, p.level) for p in found] == [(1, "warning")]
    assert "customer.city" in found[0].message


def test_the_author_may_leave_somebody_out():
    body = '{% if customer.traits.favorite == "Shoes" %}{% skip_customer "has shoes" %}{% endif %}<p>x</p>'
    with pytest.raises(LeftOut, match="has shoes"):
        html(body)
    assert "<p>x</p>" in html(body, {"customer": {"traits": {}}})
    found = check_message(
        subject="s", body=body + "{{ unsubscribe_url }}", context={**ANN, "unsubscribe_url": "u"}
    )
    assert [(p.level, "has shoes" in p.message) for p in found] == [("warning", True)]
    assert [p.level for p in check_texts({"body": body}, ANN)] == ["warning"]


def test_what_ran_out_drops_an_optional_block_but_no_other():
    body = '{% recommend "for_you" as picks %}<p>x</p>'
    with pytest.raises(UsedUp):
        html(body, given=[UsedUp("none left")])
    optional = "{% optional %}" + body + "{% else %}<p>y</p>{% endoptional %}"
    assert "<p>y</p>" in html(optional, given=[UsedUp("none left")])


@pytest.mark.parametrize(
    "language, expected",
    [
        ("en", "Hello"),
        ("zh", "你好"),
        ("zh-Hans-CN", "你好"),
        ("pt_BR", "Oi"),
        ("pt", "Olá"),
        ("", "Hello"),
        (None, "Hello"),
    ],
)
def test_a_localized_text_falls_back_from_region_to_language_to_the_first(language, expected):
    body = '<p>{% localized %}Hello{% language "zh" %}你好{% language "pt" %}Olá{% language "pt-BR" %}Oi{% endlocalized %}</p>'
    assert f"<p>{expected}</p>" in html(body, {"customer": {"language": language}})


def test_the_first_version_is_shown_as_long_as_nothing_was_drawn():
    body = '<p>{% vary "a" %}one{% or %}two {{ customer.first_name }}{% endvary %}</p>'
    assert "<p>one</p>" in html(body) and "<p>two Ann</p>" in html(body, given=[1])


def test_tags_may_stand_between_mjml_sections_and_in_addresses():
    section = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"
    body = (
        "<mjml><mj-body>{% localized %}" + section.format("English") + '{% language "zh" %}' + section.format("中文")
        + "{% endlocalized %}" + section.format('<a href="{% localized %}https://x/en{% language \'zh\' %}javascript:x{% endlocalized %}">x</a>')
        + "</mj-body></mjml>"
    )  # fmt: skip
    english, chinese = html(body), html(body, {"customer": {"language": "zh"}})
    assert "English" in english and "中文" not in english and 'href="https://x/en"' in english
    assert "中文" in chinese and 'href="#"' in chinese


def test_a_block_must_begin_and_end_inside_of_an_attribute():
    problem('<p title="{% optional %}x">y{% endoptional %}</p>')


BLOCKS = {
    "footer": {"": "<p>\n{{ unsubscribe_url }}</p>", "zh": "<p>退订</p>"},
    "sign": {"": "Ann\n{{ x | nofilter }}"},
    "loop": {"": '{% block "loop" %}'},
    "outer": {"": '<div>{% block "footer" %}</div>'},
}


def test_a_block_is_put_in_with_its_languages():
    body = 'a{% block "outer" %}b'
    assert "<p>退订</p></div>b" in html(body, {"customer": {"language": "zh"}}, blocks=BLOCKS)
    assert "<p>\nU</p></div>b" in html(body, {"unsubscribe_url": "U"}, blocks=BLOCKS)


def test_a_block_may_hold_mjml_sections():
    blocks = {
        "s": {
            "": "<mj-section><mj-column><mj-text>Hi {{ customer.first_name }}</mj-text></mj-column></mj-section>"
        }
    }
    assert "Hi Ann" in html('<mjml><mj-body>\n{% block "s" %}\n</mj-body></mjml>', blocks=blocks)


@pytest.mark.parametrize(
    "body, line, words",
    [
        ('\n{% block "none" %}', 2, "no block “none”"),
        ('\n\n{% block "loop" %}', None, "in itself"),
        ("\n{% block footer %}", 2, "in quotes"),
        ('a\n{% block "sign" %}\nb', None, "Block “sign”, line 2"),
        ('{% block "footer" %}\n\n{{ x | nofilter }}', 3, "nofilter"),
    ],
)
def test_errors_name_the_line_of_the_author_or_of_the_block(body, line, words):
    found = problem(body, blocks=BLOCKS)
    assert words in found.message
    assert line is None or found.line == line


def test_a_block_in_a_comment_or_between_raw_is_no_block():
    assert '{% block "none" %}' in html(
        '{% raw %}{% block "none" %}{% endraw %}{% comment %}{% block "no" %}{% endcomment %}'
    )


def test_a_page_takes_no_tag_that_asks_for_something():
    with pytest.raises(TemplateError):
        compile_fragment('{% recommend "for_you" %}')


HOSTILE = [
    *(f'{{% recommend "{name}" %}}' for name in ("a" * 61, "'", "\x00", "../x", "{{ x }}", "%}{% raw %}")),
    *(f'{{% recommend "a" count: {value} %}}' for value in ("-1", "1e99", "99999999999999999999", "customer", "(1..999999999)", "nil", "true", "now", "customer.traits", "'x'", "customer.__class__", "customer['__init__']", "empty", "blank")),
    *(f'{{% last_orders count: {value} as x %}}{{{{ x }}}}' for value in ("0", "-5", "100000", "customer.first_name", "(1..9)", "1.5")),
    *(f'{{% connected_content "{name}" as c %}}{{{{ c }}}}' for name in ("https://127.0.0.1/", "file:///etc/passwd", "//x", "a" * 61, "{{ x }}", "", "..")),
    "{% connected_content https://127.0.0.1/ as c %}", '{% connected_content "a" url: "http://169.254.169.254/" as c %}', '{% connected_content "a" q: customer.__class__ as c %}', '{% connected_content "a" q: customer.traits as c %}',
    *(f'{{% coupon "{name}" as c %}}{{{{ c }}}}' for name in ("../x", "' OR 1=1 --", "a\x00b", "{{ x }}", "a" * 61, "", "__class__", "😀")),
    "{% coupon x %}", '{% coupon "a" free: true %}{% coupon "a" n: customer.__class__ %}', '{% for i in (1..99) %}{% coupon "a" as c %}{{ c }}{% endfor %}' * 50, '<a href="{% coupon "a" as c %}{{ c }}">x</a>', "{% coupon 'a' as __class__ %}{{ __class__ }}",
    *(f"{{% optional %}}{body}{{% endoptional %}}" for body in ("{% break %}", "{% continue %}", "{% cycle 'a' %}" * 2000, "{% for i in (1..99999999) %}x{% endfor %}", "{% capture a %}{{ x }}{% endcapture %}{{ a }}", "{% raw %}{% endraw %}", "{{ customer.__class__ }}", "{% tablerow i in (1..9999999) %}{% endtablerow %}")),
    *(f'{{% localized %}}x{{% language "{code}" %}}y{{% endlocalized %}}' for code in ("__class__", "zh'", "a" * 500, "../../etc", "{{ x }}", "\u202e", "zh-" * 50)),
    *(f'{{% vary "{name}" %}}x{{% or %}}y{{% endvary %}}' for name in ("__class__", "A", "a" * 31, "../x", "{{ x }}", "", "a b", "\u202e", "a'b")),
    '{% vary "a" %}' + "x{% or %}" * 5000 + "{% endvary %}", '{% vary "a" %}' * 40 + "x{% or %}y{% endvary %}" * 40, '{% vary "a" %}' * 20000,
    '{% vary "a" %}{% vary "a" %}x{% or %}y{% endvary %}{% or %}z{% endvary %}', '{% vary "a" %}{% for i in (1..999999999) %}x{% endfor %}{% or %}y{% endvary %}',
    '<a href="{% vary "a" %}javascript:x{% or %}vbscript:x{% endvary %}">x</a>', '<p onclick="{% vary "a" %}x{% or %}y{% endvary %}">z</p>', '<{% vary "a" %}script{% or %}p{% endvary %}>x',
    '<p style="color:{% vary "a" %}url(x){% or %}red{% endvary %}">x</p>', '<p title="{% vary "a" %}x">{% or %}y{% endvary %}</p>', '{% vary "a" learn: customer.__class__ %}x{% or %}y{% endvary %}',
    "{% optional %}" * 40 + "{% endoptional %}" * 40, "{% localized %}" * 40 + "{% endlocalized %}" * 40,
    "{% optional %}" * 20000, "{% localized %}" * 20000, "{% block " * 20000, '{% block "a" %}' * 5000, "{% raw %}" * 20000 + '{% block "a" %}',
    "{% comment %}{% block " * 9000, "{%-" + " " * 50000 + 'block "a" %}', '{% block "' + "a" * 100000 + '" %}', '{% block "a\n" %}', "{% block 'a\" %}",
    *(f'{{% block "{name}" %}}' for name in ("../x", "A", "__init__", "a b", "", "é", "a/../b", "%7b", "big", "deep1", "self", "sections", "unclosed", "opens")),
    '{% block "unclosed" %}x{% endif %}', '{% block "big" %}{% block "big" %}{% block "big" %}', '<a href="{% block "script" %}">x</a>', '<p title={% block "quote" %}>x</p>', '<{% block "script" %}>',
    '{% block "bomb" %}', '{% block "bomb" %}' * 50, '{% block "escape" %}', '<p style="color:{% block "style" %}">x</p>',
    '{% skip_customer "' + "x" * 100000 + '" %}', "{% skip_customer \"{{ customer.first_name }}\" %}", "{% skip_customer '<script>' %}",
    "{% assign items = 1 %}{% recommend 'a' as items %}{{ items }}", "{% for i in (1..9) %}{% recommend 'a' as i %}{{ i }}{% endfor %}" * 500,
    "{% recommend 'a' as forloop %}{{ forloop }}", "{% recommend 'a' as customer %}{{ customer.first_name }}", "{{ ['\x00givens'] }}", "{{ [nil] }}", "{{ givens }}",
    "{% guard_url link %}javascript:x{% endguard_url %}", "{% guard_style %}url(x){% endguard_style %}", "{% endguard_url %}", "<a href=\"{% endguard_url %}javascript:x{% guard_url link %}\">x</a>",
    "<a href=\"{% optional %}javascript:{{ customer.first_name }}{% endoptional %}\">x</a>", "<a href='{% localized %}java{% language \"en\" %}javascript:x{% endlocalized %}'>x</a>",
    "<img src='{% optional %}data:text/html,{{ customer.first_name }}{% endoptional %}'>", "<p onclick=\"{% optional %}x{% endoptional %}\">y</p>", "<p {% optional %}onclick='x'{% endoptional %}>y</p>",
]  # fmt: skip
NESTED = {
    "a": {"": "a"}, "big": {"": "x" * 150_000}, "self": {"": '{% block "self" %}'}, "deep1": {"": '{% block "deep2" %}'},
    "deep2": {"": '{% block "deep3" %}'}, "deep3": {"": '{% block "deep4" %}'}, "deep4": {"": "x"}, "unclosed": {"": "{% if a %}"},
    "opens": {"": "<!-- "}, "script": {"": "javascript:alert(1)"}, "quote": {"": '" onload="x'}, "escape": {"": "{{ customer.first_name }}<script>x</script>"},
    "style": {"": "red;background:url(https://x)"}, "sections": {"": "<mj-section>"}, "bomb": {"": "{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}"},
}  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_tags_end_soon_and_reach_nothing(body):
    values = {
        "customer": {"first_name": "<script>x</script>javascript:", "language": "en", "traits": {"a": object}}
    }
    started = time.thread_time()
    out = ""
    try:
        message = compile_message(subject="s", body=body, blocks=NESTED)
        with suppress(RenderError):
            ask(message.needs, values)
        out = message.render({**values, GIVENS: Givens({})}).html
    except (TemplateError, RenderError):
        pass
    assert time.thread_time() - started < 2
    assert len(out) < 2_000_000
    lowered = out.lower().replace("&lt;", "<")
    for word in (
        "<class",
        "built-in method",
        "<bound",
        "object at 0x",
        'href="javascript',
        "href='javascript",
        "onclick",
        "<script>x",
    ):
        assert word not in lowered or (
            word == "<script>x" and "&lt;script&gt;x" in out and "<script>x" not in out
        )
