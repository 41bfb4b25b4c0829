"""Customers while one types."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from personalization.access.shell import staff_page
from personalization.customers.reading import may_see, show
from personalization.customers.search import search

MOST = 10


@require_POST
@staff_page("customers.view_customer")
def suggestions(request: HttpRequest) -> HttpResponse:
    """A fragment: the customers whose name, address, phone or id begin with the words.

    Posted, because what is typed may be a person's name and addresses of pages are logged.
    """
    words = request.POST.get("words", "").strip()[:100]
    # Who may not see names may not find out by searching for them.
    found = show(request, search(words, limit=MOST), page="search") if words and may_see(request) else []
    return render(request, "customers/suggestions.html", {"found": found, "words": words})
