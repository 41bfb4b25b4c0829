"""Which language a text is in, by py3langid (Lui and Baldwin 2012, langid.py): offline, a model of 1 MB."""

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from personalization.words import UNSPACED

# A few words say little: shorter texts are told by their script or not at all.
SHORTEST_LETTERS = 20
SUREST = 0.8
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_LETTER = re.compile(rf"[^\W\d_]|[{UNSPACED}]")


def detect_language(text: str) -> str | None:
    """Its ISO 639-1 code; None when the text is too short to tell or in several languages."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return None
    # Kana are only Japanese; of Han alone, a Chinese text holds as good as nothing else.
    if len(_KANA.findall(text)) >= 0.2 * letters:
        return "ja"
    if len(_HANGUL.findall(text)) >= 0.5 * letters:
        return "ko"
    if len(_HAN.findall(text)) >= 0.5 * letters:
        return "zh"
    if letters < SHORTEST_LETTERS:
        return None
    code, sure = _identifier().classify(text.casefold())
    return str(code) if sure >= SUREST else None


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
