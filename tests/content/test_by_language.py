"""Texts by language, as both blocks and phrase sets check them."""

from personalization.content.by_language import MAX_LANGUAGES, check_texts, clean_texts


def pointers(name: str, texts: dict[str, object], **more: object) -> list[str]:
    given = {"description": None, "note": "", "mistakes": lambda text: []} | more
    return [one["pointer"] for one in check_texts(name, texts, **given)]  # type: ignore[arg-type]


def test_languages_have_one_spelling_and_empty_ones_are_left_out():
    assert clean_texts({"": "a\r\nb", "pt_BR": "x", "zh": ""}) == {"": "a\nb", "pt-br": "x"}


def test_every_part_that_cannot_be_saved_is_pointed_to():
    assert pointers("footer", {"": "Hi", "zh": "你好"}) == []
    assert pointers("No Name", {"": " "}, note="x" * 201, description="x" * 201) == [
        "/name", "/note", "/description", "/texts/",
    ]  # fmt: skip
    assert pointers("a", {"": "Hi", "english!": "x", "de": 5, "fr": "a\0b"}) == [
        "/texts/english!", "/texts/de", "/texts/fr",
    ]  # fmt: skip
    assert pointers("a", {"": "x"} | {f"a{chr(97 + n)}": "x" for n in range(MAX_LANGUAGES)}) == ["/texts"]


def test_mistakes_are_asked_for_each_text_also_for_a_blank_one_of_a_language():
    asked: list[str] = []

    def mistakes(text: str) -> list[str]:
        asked.append(text)
        return ["wrong"]

    assert pointers("a", {"": "x", "zh": " "}, mistakes=mistakes) == ["/texts/", "/texts/zh"]
    assert asked == ["x", " "]
