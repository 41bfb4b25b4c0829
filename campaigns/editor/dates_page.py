"""What the editor shows of a repetition while one writes it: in words, and the next five dates."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_POST

from campaigns.editor.forms import read_json, send_at, timing_fields
from campaigns.editor.pages import answers_problems
from campaigns.schedule.words import describe_repeat, next_dates, read_timing
from campaigns.schedule.zones import zone_of
from personalization.access.shell import staff_page


@require_POST
@staff_page("campaigns.view_campaign")
@answers_problems
def dates(request: HttpRequest) -> HttpResponse:
    """Without a first date and time yet, the words alone."""
    data = read_json(request)
    timing = read_timing(timing_fields(data)["timing"])
    if data.get("at"):
        zone = zone_of(str(data.get("time_zone") or "") or timing.zone)
        wall = send_at(data).astimezone(zone).replace(tzinfo=None)
        timing = replace(timing, starts=wall.isoformat(timespec="minutes"), zone=str(zone))
    found = next_dates(timing, now=timezone.now())
    local = [at.astimezone(zone_of(timing.zone)) for at in found]
    return JsonResponse(
        {
            "words": describe_repeat(timing),
            "dates": [f"{date_format(at, 'DATE_FORMAT')}, {at:%H:%M}" for at in local],
        }
    )
