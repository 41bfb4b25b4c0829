"""The language a customer writes in."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import Values
from personalization.traits.kinds._texts import TextKind, texts_of, where
from personalization.traits.models import TraitDefinition
from personalization.traits.texts.language import detect_language


class TextLanguage(TextKind):
    name = "text_language"
    label = gettext_lazy("Language of texts")

    def formula(self, definition: TraitDefinition) -> str:
        return _("language of the newest text in %(where)s that is long enough to tell, by py3langid") % {
            "where": where(definition)
        }

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        found = {}
        for pk, texts in texts_of(definition, customer_ids, now=now).items():
            code = next((code for text in texts if (code := detect_language(text.text))), None)
            if code:
                found[pk] = code
        return found
