"""Anything while one types, from every page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from personalization.access.finding import find
from personalization.access.shell import any_staff_page


@require_POST
@any_staff_page
def found(request: HttpRequest) -> HttpResponse:
    """A fragment. Posted, because what is typed may be a person's name and addresses of pages are logged."""
    text = request.POST.get("words", "").strip()[:100]
    return render(request, "shell/found.html", {"kinds": find(request, text), "text": text})
