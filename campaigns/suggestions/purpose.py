"""An answer of the language model becomes drafts; what fails the checks is kept with the reasons."""

from typing import Any

from campaigns.models import Campaign
from campaigns.models.suggestions import Suggestion, SuggestionStatus
from campaigns.suggestions.brief import Brief
from campaigns.suggestions.checking import problems_of, read_answer
from personalization.catalog.choices import all_brands
from personalization.language_model.models import ONLY, BrandVoice, Call
from personalization.language_model.purposes import Purpose

# Of a text that is far too long nobody needs the whole.
LONGEST_KEPT = 5_000


class MessageText(Purpose):
    name = "message_text"

    def receive(self, call: Call) -> dict[str, Any]:
        brief = Brief.from_json(call.question)
        voice = BrandVoice.objects.filter(pk=ONLY).first()
        banned, names = voice.banned if voice else [], all_brands()
        campaign_id = call.question.get("campaign")
        if not Campaign.objects.filter(pk=campaign_id).exists():
            campaign_id = None
        rows = []
        for position, text in enumerate(read_answer(call.answer, most=brief.count)):
            problems = problems_of(text, brief, banned=banned, known_names=names)
            rows.append(
                Suggestion(
                    call=call, position=position, campaign_id=campaign_id, field=brief.field,
                    text=text[:LONGEST_KEPT], problems=problems,
                    status=SuggestionStatus.UNFIT if problems else SuggestionStatus.DRAFT,
                )
            )  # fmt: skip
        Suggestion.objects.bulk_create(rows)
        return {"drafts": sum(not row.problems for row in rows), "unfit": sum(bool(r.problems) for r in rows)}
