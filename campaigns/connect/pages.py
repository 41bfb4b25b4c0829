"""The Connect page: snippets with the own address, and a key made there and shown once."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns.connect.snippets import API_KEY, CLIENT_KEY, SCOPES, SNIPPETS
from campaigns.onsite.models import Placement
from experiments.models import ClientKey, Experiment
from experiments.traffic.client_keys import create_client_key
from personalization.access.authentication import is_test_token
from personalization.access.models import User
from personalization.access.services import actor_name, create_key
from personalization.access.shell import render_page, staff_page

MAY_MAKE_KEYS = ("access.add_apikey", "experiments.add_clientkey")


@never_cache
@require_http_methods(["GET", "POST"])
@staff_page("campaigns.view_campaign")
def connect(request: HttpRequest) -> HttpResponse:
    """POST makes an API key, and a client key when there is none; the API key stands on this answer alone."""
    may_make = request.user.has_perms(MAY_MAKE_KEYS)
    api_key = API_KEY
    if request.method == "POST":
        if not may_make:
            return HttpResponse(status=403)
        api_key = _make_keys(request)
    client_key = ClientKey.objects.filter(revoked_at=None).order_by("created_at").first()
    served = Experiment.objects.filter(is_served=True, ended_at=None).order_by("-pk").first()
    placement = Placement.objects.filter(archived_at=None).order_by("pk").first()
    values = {
        "site_url": settings.SITE_URL,
        "api_key": api_key,
        "client_key": client_key.key if client_key else CLIENT_KEY,
        "experiment": served.key if served else "banner",
        "placement": placement.key if placement else "hero",
    }
    missing = {name for name, found in (("experiment", served), ("placement", placement)) if not found}
    context = {
        "snippets": [(snippet, snippet.render(values), snippet.names in missing) for snippet in SNIPPETS],
        "made": api_key if api_key != API_KEY else "",
        "is_test": is_test_token(api_key),
        "may_make": may_make,
        "has_client_key": client_key is not None,
        "api_key": API_KEY,
    }
    return render_page(request, "connect/page.html", context, title=_("Connect"))


def _make_keys(request: HttpRequest) -> str:
    user = cast(User, request.user)
    if not ClientKey.objects.filter(revoked_at=None).exists():
        create_client_key(name=_("Connect page"), created_by=user, actor=actor_name(request))
    is_test = "test" in request.POST
    return create_key(name=_("Connect page"), scopes=SCOPES, created_by=user, is_test=is_test)[1]
