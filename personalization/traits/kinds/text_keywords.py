"""The telling words of what a customer wrote lately."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import Values
from personalization.traits.kinds._texts import TextKind, newest_texts, people_floor, texts_of, where
from personalization.traits.lifetime import TooLittleData
from personalization.traits.models import TraitDefinition
from personalization.traits.texts.vocabulary import Vocabulary, content_words

MOST_KEYWORDS = 5


class TextKeywords(TextKind):
    name = "text_keywords"
    label = gettext_lazy("Keywords of texts")
    learns = True

    def formula(self, definition: TraitDefinition) -> str:
        return _(
            "the five most telling words (TF-IDF) of the newest texts in %(where)s, of words that at least "
            "%(people)s customers used"
        ) % {"where": where(definition), "people": people_floor()}

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        texts = newest_texts(definition, now=now)
        bags = [content_words(text.text) for text in texts]
        vocabulary = Vocabulary.learn(texts, bags, floor=people_floor())
        if not vocabulary.words:
            raise TooLittleData
        return {"vocabulary": vocabulary.stored()}

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        vocabulary = Vocabulary.of(definition.state["vocabulary"])
        found = {}
        for pk, texts in texts_of(definition, customer_ids, now=now).items():
            words = vocabulary.keywords(content_words(" ".join(t.text for t in texts)), most=MOST_KEYWORDS)
            if words:
                found[pk] = ", ".join(words)
        return found
