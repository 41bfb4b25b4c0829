import pytest

from personalization.traits.texts.language import detect_language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The parcel arrived three days late", "en"),
        ("Der Tee schmeckt sehr gut und kam schnell an", "de"),
        ("Me encanta este té, llegó muy rápido", "es"),
        ("快递送得太慢", "zh"),
        ("これはとても美味しいお茶です", "ja"),
        ("차가 정말 맛있어요", "ko"),
    ],
)
def test_the_language_of_a_sentence_is_told(text, code):
    assert detect_language(text) == code


@pytest.mark.parametrize("text", ["ok", "", "★★★★★", "12345 67890"])
def test_what_is_too_short_to_tell_is_not_told(text):
    assert detect_language(text) is None
