"""What cannot be undone is asked first: a page of its own, with what it does and to how many people."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Journey, JourneyStatus, Passage, PassageStatus
from personalization.access.shell import render_page, staff_page


@staff_page("campaigns.view_journey")
def sure(request: HttpRequest, journey_id: int, action: str) -> HttpResponse:
    """The question before a journey is ended."""
    journey = get_object_or_404(Journey, pk=journey_id)
    if not request.user.has_perm("campaigns.change_journey"):
        raise PermissionDenied
    if action == "end" and journey.status in (JourneyStatus.ACTIVE, JourneyStatus.PAUSED):
        if not request.user.has_perm("campaigns.launch_campaign"):
            raise PermissionDenied
        asked = _end(journey)
    else:
        raise Http404
    context = {"journey": journey, "action": action, **asked}
    return render_page(request, "journeys/sure.html", context, title=asked["question"])


def _end(journey: Journey) -> dict[str, Any]:
    inside = Passage.objects.filter(journey=journey, status=PassageStatus.INSIDE).count()
    text = ngettext(
        "%(n)s customer is inside and leaves where they stand: no more messages, no more steps.",
        "%(n)s customers are inside and leave where they stand: no more messages, no more steps.",
        inside,
    ) % {"n": number_format(inside, force_grouping=True)}
    return {
        "question": _("End “%(name)s” for everybody?") % {"name": journey.name},
        "what": [
            text if inside else _("Nobody is inside now."),
            _("Nobody comes in any more, and an ended journey cannot be started again."),
        ],
        "instead": _("To let nobody in or on for a while, pause it instead."),
        "do": _("End for everybody"),
    }
