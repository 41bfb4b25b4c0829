"""Asking for texts, and deciding about them. `actor` is the name in the audit log."""

from collections.abc import Sequence
from html import escape

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.errors import InvalidState, InvalidSuggestion
from campaigns.models import Campaign
from campaigns.models.suggestions import SuggestedField, Suggestion, SuggestionStatus
from campaigns.suggestions.brief import LIMITS, MOST, USUAL_LIMITS, WISHES, Brief, messages_of, tokens_of
from campaigns.suggestions.purpose import MessageText
from campaigns.suggestions.templating import PLACEHOLDER
from personalization.access.services import audit
from personalization.catalog.models import Item
from personalization.content.localized import LANGUAGE, normal
from personalization.language_model import calls
from personalization.language_model.models import ONLY, BrandVoice, Call
from personalization.segments.anonymous import describe_anonymously
from personalization.segments.definition import DefinitionError
from personalization.segments.models import Segment, SegmentVersion

MAX_ITEMS = 10
LENGTHS = {"source": 3_000, "notes": 1_000, "facts": 3_000, "tone": 200}


def ask_for_texts(
    *, field: str, wish: str, source: str, language: str, count: int = 4, limit: int = 0, tone: str = "",
    notes: str = "", facts: str = "", segment: Segment | None = None, items: Sequence[str] = (),
    turn: int = 0, campaign: Campaign | None = None, actor: str,
) -> Call:  # fmt: skip
    """A call to be carried out by a worker. Raises InvalidSuggestion, and what `calls.ask` raises."""
    language = normal(language)
    found = _items(items)
    errors = [
        *_wrong(field=field, wish=wish, language=language, count=count, tone=tone, segment=segment),
        *(_at(name, _("This is too long."))
          for name, text in (("source", source), ("notes", notes), ("facts", facts), ("tone", tone))
          if len(text) > LENGTHS[name]),
        *(_at("items", _("There is no item %(id)s.") % {"id": one}) for one in items if one not in found),
    ]  # fmt: skip
    if len(items) > MAX_ITEMS:
        errors.append(_at("items", _("Name at most %(n)s items.") % {"n": MAX_ITEMS}))
    if not source.strip() and not notes.strip():
        errors.append(_at("notes", _("Write what it shall say, or begin the text yourself.")))
    if errors:
        raise InvalidSuggestion(_("Correct the marked fields and try again."), errors=errors)
    brief = Brief(
        field=field, wish=wish, source=source.strip(), language=language, count=count,
        limit=min(limit or USUAL_LIMITS[SuggestedField(field)], LIMITS[SuggestedField(field)]), tone=tone,
        notes=notes.strip(), facts=facts.strip(), segment=_sentence(segment), items=list(found.values()),
        turn=turn,
    )  # fmt: skip
    voice = BrandVoice.objects.filter(pk=ONLY).first()
    messages = messages_of(brief, voice=voice.voice if voice else "", banned=voice.banned if voice else [])
    question = {**brief.to_json(), "campaign": campaign.pk if campaign else None}
    return calls.ask(
        MessageText.name, messages=messages, question=question, max_tokens=tokens_of(brief), actor=actor
    )


def _wrong(
    *, field: str, wish: str, language: str, count: int, tone: str, segment: Segment | None
) -> list[dict[str, str]]:
    errors = []
    if field not in SuggestedField.values:
        errors.append(_at("field", _("Choose subject, preheader or body.")))
    if wish not in WISHES:
        errors.append(_at("wish", _("Choose one of %(choices)s.") % {"choices": ", ".join(WISHES)}))
    if not LANGUAGE.fullmatch(language):
        errors.append(_at("language", _("Write a language like zh or pt-br.")))
    if not 1 <= count <= MOST:
        errors.append(_at("count", _("Ask for 1 to %(n)s texts.") % {"n": MOST}))
    if wish == "tone" and not tone.strip():
        errors.append(_at("tone", _("Say in which tone.")))
    if wish == "segment" and segment is None:
        errors.append(_at("segment", _("Choose a segment.")))
    return errors


def _at(name: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/{name}", "detail": detail}


def _sentence(segment: Segment | None) -> str:
    if segment is None:
        return ""
    try:
        return describe_anonymously(segment.current.definition)
    except (DefinitionError, SegmentVersion.DoesNotExist):
        detail = _("The segment refers to something that is gone.")
        raise InvalidSuggestion(detail, errors=[_at("segment", detail)]) from None


def _items(external_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    rows = Item.objects.filter(external_id__in=list(external_ids)[:MAX_ITEMS])
    facts = {
        row.external_id: {
            "name": row.name, "brand": row.brand, "category": ", ".join(row.categories),
            "price": f"{row.price} {row.currency}".strip() if row.price is not None else "",
        }
        for row in rows
    }  # fmt: skip
    return {key: {name: text for name, text in one.items() if text} for key, one in facts.items()}


def approve(suggestion: Suggestion, *, actor: str) -> Suggestion:
    """Raises InvalidState for one that failed the checks or was dismissed."""
    return _decide(suggestion, SuggestionStatus.APPROVED, actor=actor)


def dismiss(suggestion: Suggestion, *, actor: str) -> Suggestion:
    """Also one that was approved: messages launched before keep it. Raises InvalidState."""
    return _decide(suggestion, SuggestionStatus.DISMISSED, actor=actor)


@transaction.atomic
def _decide(suggestion: Suggestion, status: SuggestionStatus, *, actor: str) -> Suggestion:
    row = Suggestion.objects.select_for_update().get(pk=suggestion.pk)
    if row.status == status:
        return row
    if row.status == SuggestionStatus.UNFIT or (
        status == SuggestionStatus.APPROVED and row.status != SuggestionStatus.DRAFT
    ):
        raise InvalidState(_("This text cannot be approved any more: ask for new ones."))
    row.status, row.decided_by, row.decided_at = status, actor[:200], timezone.now()
    row.save(update_fields=["status", "decided_by", "decided_at"])
    audit(actor, f"suggestion.{status.value}", f"suggestion:{row.pk}")
    return row


def unapproved_in(campaign: Campaign, texts: dict[str, str]) -> list[tuple[str, Suggestion]]:
    """Which of the texts (by field) are, or hold, a suggestion that nobody approved."""
    # Those asked for before the campaign was first saved belong to none.
    asked = Suggestion.objects.filter(Q(campaign=campaign) | Q(campaign=None))
    waiting = asked.exclude(status=SuggestionStatus.APPROVED)
    approved = set(asked.filter(status=SuggestionStatus.APPROVED).values_list("text", flat=True))
    return [
        (field, one)
        for one in waiting.order_by("pk")
        for field, text in texts.items()
        if one.text not in approved and _is_used(one, field, text)
    ]


def _is_used(one: Suggestion, field: str, text: str) -> bool:
    if field != "body":
        return text.strip() == one.text
    # Short words stand in many messages by chance.
    return len(one.text) >= 20 and (one.text in text or as_markup(one.text) in text)


def as_markup(text: str) -> str:
    """Words as they stand in a message's MJML or HTML: escaped, Liquid kept."""
    parts, end = [], 0
    for match in PLACEHOLDER.finditer(text):
        parts += [escape(text[end : match.start()], quote=False), match[0]]
        end = match.end()
    parts.append(escape(text[end:], quote=False))
    return "".join(parts).replace("\n", "<br />\n")
