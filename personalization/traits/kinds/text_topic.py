"""What the newest text of a customer is about."""

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
from personalization.traits.texts.topics import LEAST_TEXTS, Topics, learn_topics


class TextTopic(TextKind):
    name = "text_topic"
    label = gettext_lazy("Topic of texts")
    learns = True

    @property
    def too_little(self) -> str:
        sentence = gettext_noop(
            "Too few texts: topics need %(texts)s with words that at least %(people)s customers used."
        )
        return keep(sentence, texts=LEAST_TEXTS, people=people_floor())

    def formula(self, definition: TraitDefinition) -> str:
        return _(
            "topic of the newest text in %(where)s: non-negative factors of TF-IDF, as many as are stable "
            "(Greene et al. 2014), each named by its words"
        ) % {"where": where(definition)}

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        texts = newest_texts(definition, now=now)
        before = definition.state.get("topics")
        try:
            topics = learn_topics(texts, floor=people_floor(), before=Topics.of(before) if before else None)
            return {"topics": topics.stored(), "texts": len(texts)}
        except TooFewTexts:
            raise TooLittleData from None

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        topics = Topics.of(definition.state["topics"])
        names = topics.names
        newest = {pk: texts[0] for pk, texts in texts_of(definition, customer_ids, now=now).items()}
        told = topics.assign([text.text for text in newest.values()])
        return {pk: names[topic] for pk, topic in zip(newest, told, strict=True) if topic is not None}
