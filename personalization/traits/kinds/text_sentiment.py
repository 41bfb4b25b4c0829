"""Whether the newest text of a customer praises or complains."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from personalization.access.kept_words import keep
from personalization.traits.kind import Values
from personalization.traits.kinds._texts import TextKind, newest_texts, people_floor, texts_of, where
from personalization.traits.lifetime import TooLittleData
from personalization.traits.models import TraitDefinition
from personalization.traits.texts import TooFewTexts
from personalization.traits.texts.sentiment import LEAST_EACH, Sentiment, learn_sentiment


class TextSentiment(TextKind):
    name = "text_sentiment"
    label = gettext_lazy("Sentiment of texts")
    learns = True

    @property
    def too_little(self) -> str:
        sentence = gettext_noop(
            "No sentiment yet: it needs %(people)s customers who praise and as many who complain with stars, "
            "and words that tell the two apart better than chance on texts kept back."
        )
        return keep(sentence, people=LEAST_EACH)

    def formula(self, definition: TraitDefinition) -> str:
        return _(
            "positive, neutral or negative: the stars of the newest text in %(where)s; without stars "
            "positive or negative by a logistic regression learned from the texts that have some, "
            "and no value between 35 and 65 %%"
        ) % {"where": where(definition)}

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        try:
            return {
                "sentiment": learn_sentiment(newest_texts(definition, now=now), floor=people_floor()).stored()
            }
        except TooFewTexts:
            raise TooLittleData from None

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        sentiment = Sentiment.of(definition.state["sentiment"])
        found = texts_of(definition, customer_ids, now=now)
        told = {pk: sentiment.tell(texts[0]) for pk, texts in found.items()}
        return {pk: said for pk, said in told.items() if said}
