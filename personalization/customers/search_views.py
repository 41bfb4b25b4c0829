"""Customers while one types."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from personalization.access.shell import staff_page
from personalization.customers.reading import may_see, show
from personalization.customers.search import search

MOST = 10


@require_GET
@staff_page("customers.view_customer")
def suggestions(request: HttpRequest) -> HttpResponse:
    """A fragment: the customers whose name, address, phone or id begin with the words."""
    words = request.GET.get("q", "").strip()[:100]
    # Who may not see names may not find out by searching for them.
    found = show(request, search(words, limit=MOST), page="search") if words and may_see(request) else []
    return render(request, "customers/suggestions.html", {"found": found, "words": words})
