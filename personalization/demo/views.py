"""The shop window: the page a link in a mail leads to, and the drawn pictures. Public, read only."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from personalization.catalog.models import Item
from personalization.demo.pictures import draw
from personalization.demo.world import PREFIX

MORE = 4
SHELF = 24


@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    """A shelf of every department."""
    shown = Item.objects.filter(external_id__startswith=PREFIX, is_hidden=False).order_by("categories", "pk")
    every = list(shown)
    step = max(1, len(every) // SHELF)
    return render(request, "demo/shop.html", {"items": [_words(one) for one in every[::step][:SHELF]]})


@require_safe
def item(request: HttpRequest, external_id: str) -> HttpResponse:
    """In the language of the reader's browser, as a real shop would."""
    shop = Item.objects.filter(external_id__startswith=PREFIX, is_hidden=False)
    shown = get_object_or_404(shop, external_id=external_id)
    more = shop.filter(categories__0_2=shown.categories[:2]).exclude(pk=shown.pk).order_by("pk")[:MORE]
    context = {"item": _words(shown), "more": [_words(other) for other in more]}
    return render(request, "demo/item.html", context)


@require_safe
@cache_control(public=True, max_age=86_400)
def picture(request: HttpRequest, department: int, category: int, thing: int, finish: int) -> HttpResponse:
    try:
        svg = draw(department=department, category=category, thing=thing, finish=finish)
    except IndexError as error:
        raise Http404 from error
    return HttpResponse(svg, content_type="image/svg+xml")


def _words(shown: Item) -> dict[str, object]:
    """What the page shows; texts in the active language where the catalog has them."""
    language = (get_language() or "en").partition("-")[0]
    texts = shown.translations.get(language, {})
    return {
        "url": f"/demo/items/{shown.external_id}/",
        "image_url": shown.image_url,
        "name": texts.get("name", shown.name),
        "description": texts.get("description", shown.description),
        "categories": texts.get("categories", shown.categories),
        "brand": shown.brand,
        "price": shown.price,
        "currency": shown.currency,
        "in_stock": shown.stock is None or shown.stock > 0,
    }
