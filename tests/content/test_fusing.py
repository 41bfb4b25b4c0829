# ruff: noqa: E501
"""What is made into one function prints, costs and notes to the letter what its nodes do one by one."""

from decimal import Decimal
from typing import Any

import pytest
from markupsafe import Markup, escape

from personalization.content import fusing
from personalization.content.errors import RenderError
from personalization.content.fusing import FusedNode
from personalization.content.language import _EDITING, FUEL, HTML, TEXT, MessageContext
from personalization.content.messages import compile_message
from personalization.content.missing import collected

VALUES: list[Any] = [
    "Ann", "", "<b>O'Neil & \"Co\"</b>", "安", "x" * 65, "&" * 40, "zh", "javascript:alert(1)", "https://a.example/?a=1&b=2", "red",
    Markup("<i>safe?</i>"), 0, 7, -1, 3.5, float("nan"), Decimal("24.50"), Decimal("1E+9"), True, False, None, [], ["a", "<"], range(3), {}, {"k": "v"},
    {"k": {"k": "deep", "size": 9, "first": "f"}, "size": "s"}, [{"k": 1}], {"0": "zero", "k": ""},
]  # fmt: skip
BODIES = [
    "a{{ v }}b{{ v.k }}c{{ v.k.k }}d{{ none }}e{{ none.k }}f",
    "{{ v.size }} {{ v.first }} {{ v.last }} {{ v[0] }} {{ v['0'] }} {{ v.k.size }} {{ [v] }} {{ [w] }} {{ v[w] }} {{ now.x }}",
    "{{ v | default: 'd' }}{{ v | upcase | append: w }}{{ 'lit' }}{{ 5 }}{{ true }}{{ (1..3) }}",
    "<a href='{{ v }}'>{{ w }}</a><img src='{{ v }}'><p style='color: {{ v }}; margin: {{ w }}px'>.</p>",
    "{% if v %}T{{ v }}{% endif %}{% if v == 'zh' %}zh{% elsif v.k == 'v' %}k{{ v.k }}{% elsif none %}n{% else %}e{{ w }}{% endif %}",
    "{% unless v %}U{{ v }}{% elsif w %}W{% endunless %}{% unless v == 'red' %}not red{% else %}red{% endunless %}",
    "{% if v != 'zh' %}1{% endif %}{% if v contains 'a' or v == 7 %}2{% endif %}{% if 'zh' == v %}3{% endif %}{% if v == blank %}4{% endif %}{% if v == w %}5{% endif %}",
    "{% if v %}  {% endif %}{% if v %}{% if w %}{{ v }}{% if v.k %}!{% endif %}{% else %} {% endif %}{% endif %}{% if v %}{% endif %}.",
    "x{% assign v = 'changed' %}{{ v }}{% capture w %}<{{ v }}>{% endcapture %}{{ w }}{% increment v %}{{ v }}",
    "{% for i in many %}{{ i }}{{ i.k }}{{ forloop.index }}{{ forloop.last }}{% if i == 'Ann' %}{% continue %}{% endif %}{{ v }}{% if i == 7 %}{% break %}{% endif %}{% endfor %}|{{ i }}",
    "{% case v %}{% when 'zh', 7 %}{{ v }}{% else %}else {{ w }}{% endcase %}{% optional %}{{ v }}{{ v.k }}{% else %}{{ w }}{% endoptional %}",
    "{% localized %}Hi {{ v }}{% language 'zh' %}你好 {{ v }}{% endlocalized %}{% for i in many %}<a href='{{ i }}'>{% if i.k %}{{ i.k }}{% endif %}</a>{% endfor %}",
    "{{ v }}{% break %}{{ w }}",
    "{% tablerow i in many cols: 3 %}{{ i }}{{ v }}{% endtablerow %}{% ifchanged %}{{ v }}{% endifchanged %}{% liquid echo v %}",
]  # fmt: skip


def test_the_bare_escape_of_markupsafe_is_there_and_escapes_as_the_public_one_does() -> None:
    assert fusing.escape_text is not escape, (
        "markupsafe has no _escape_inner any more: rendering is right, and slower by a class for each value"
    )
    for text in ("", "Ann", "安", '<b>O\'Neil & "Co"</b>', "\0\ud83d\ude00", "&amp;"):
        assert type(fusing.escape_text(text)) is str and fusing.escape_text(text) == str(escape(text))


def told(language: Any, body: str, value: Any, *, must_print: bool) -> object:
    """What is printed or raised, the fuel it took, and what was noted as missing."""
    template = language.from_string(body)
    values = {"v": value, "w": "w'", "many": VALUES, "customer": {"language": "zh"}}
    seen: list[object] = []
    for _ in range(2):
        context, buffer = MessageContext(template, globals=values), MessageContext.get_buffer(None)  # type: ignore[arg-type]
        context.must_print = must_print
        with collected() as notes:
            try:
                for node in template.nodes:
                    node.render_to_output(context, buffer)
                printed: object = buffer.getvalue()
            except Exception as error:  # half a message is never used
                printed = type(error), str(error)
        seen.append((printed, FUEL - context.fuel, context.missed, list(notes)))
    assert seen[0] == seen[1]
    return seen[0]


@pytest.mark.parametrize("language", [HTML, TEXT, _EDITING], ids=["html", "text", "editing"])
@pytest.mark.parametrize("body", BODIES)
def test_a_function_does_what_its_nodes_do(monkeypatch: pytest.MonkeyPatch, body: str, language: Any) -> None:
    for value in VALUES:
        for must_print in (False, True):
            monkeypatch.setattr(fusing, "OFTEN", 10**9)
            expected = told(language, body, value, must_print=must_print)
            monkeypatch.setattr(fusing, "OFTEN", 0)
            assert told(language, body, value, must_print=must_print) == expected, value


def test_a_whole_message_stays_the_same_when_its_functions_are_made() -> None:
    message = compile_message(subject="{{ v }} {{ w }}", body="".join(BODIES[:6]))
    given = {"v": "<v>", "w": "w'", "many": VALUES}
    assert len({message.render(given) for _ in range(2 * fusing.OFTEN)}) == 1


def test_no_letter_of_a_template_stands_in_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    sources: list[str] = []
    monkeypatch.setattr(fusing, "compile", lambda source, *rest: sources.append(source) or compile(source, *rest), raising=False)  # fmt: skip
    monkeypatch.setattr(fusing, "OFTEN", 0)
    evil = """qq'''"\\\n\x00{{ qq["qq'] + __import__('os')"] }}{% if qq.qq == "qq\\" %}qq{% endif %}{{ qq.qq | default: "qq" }}"""
    HTML.from_string(evil).render_values({"qq": {"qq": "qq"}})  # type: ignore[attr-defined]
    assert sources and not any("qq" in one or "import" in one or '"' in one for one in sources)


def test_previews_make_no_functions_and_functions_stay_short() -> None:
    template = HTML.from_string("{{ a }} {{ b }}" * 200)
    fused = [node for node in template.nodes if isinstance(node, FusedNode)]
    template.render_values({})  # type: ignore[attr-defined]
    assert all(node._made is None for node in fused)
    assert max(len(node.nodes) for node in fused) <= fusing.LONGEST
    assert sum(len(node.nodes) for node in fused) == 600


def test_work_still_ends_when_the_fuel_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "OFTEN", 0)
    template = TEXT.from_string(
        "{% for a in (1..900) %}{% for b in (1..900) %}{{ v }}{% endfor %}{% endfor %}"
    )
    with pytest.raises(RenderError, match="too much work"):
        template.render_values({"v": "x" * 6400})  # type: ignore[attr-defined]
