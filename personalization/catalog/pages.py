"""The pictures of the catalog: what is there twice, what cannot be read, and previews of videos."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from personalization.access.shell import render_page, staff_page
from personalization.catalog.looking import groups
from personalization.catalog.models import ItemPicture

PER_PAGE, MOST_LISTED = 30, 100


@staff_page("catalog.view_item")
def pictures(request: HttpRequest) -> HttpResponse:
    given = request.GET.get("page", "1")
    page = int(given) if given.isdecimal() and 0 < int(given) < 10**6 else 1
    shown, total = groups(offset=(page - 1) * PER_PAGE, limit=PER_PAGE)
    looked = ItemPicture.objects.select_related("item").order_by("-pk")
    return render_page(
        request,
        "catalog/pictures.html",
        {
            "groups": shown, "total": total, "page": page, "has_next": page * PER_PAGE < total,
            "unreadable": looked.exclude(error="")[:MOST_LISTED],
            "n_unreadable": looked.exclude(error="").count(),
            "videos": looked.exclude(preview="")[:MOST_LISTED],
            "n_seen": looked.filter(steps__isnull=False).count(),
            "n_elsewhere": looked.filter(stamp="").count(),
        },
        title=_("Pictures of items"),
    )  # fmt: skip
