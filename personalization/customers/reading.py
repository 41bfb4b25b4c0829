"""Personal data as a caller may see it: whole, and then noted as read, or masked.

Every page and answer that shows a customer passes here. Staff need the permission `view_personal_data`; a
program's key says by its scope what it reads.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from personalization.access.models import ApiKey, PersonalRead, Scope
from personalization.access.services import actor_name
from personalization.customers.declarations import sensitive_declarations
from personalization.customers.declared import unseal
from personalization.customers.models import Customer

PERMISSION = "customers.view_personal_data"
SENSITIVE = "customers.view_sensitive_traits"
MASK = "•••"
# What is left of a masked profile: too coarse to tell who it is.
MASKED = ("external_id", "email", "phone", "first_name", "last_name", "city")


def may_see(request: HttpRequest | Request) -> bool:
    if isinstance(getattr(request, "auth", None), ApiKey):
        return True
    return bool(request.user.has_perm(PERMISSION))


def may_see_sensitive(request: HttpRequest | Request) -> bool:
    """Staff by permission, programs by the scope in which they could ask for everything anyway."""
    key = getattr(request, "auth", None)
    if isinstance(key, ApiKey):
        return Scope.PRIVACY in key.scopes
    return bool(request.user.has_perm(SENSITIVE))


def show(request: HttpRequest | Request, customers: Iterable[Customer], *, page: str) -> list[Customer]:
    """The customers for this caller's eyes, and for showing only: never save them."""
    found = list(customers)
    if may_see(request):
        show_traits(request, {customer.pk: customer.traits for customer in found})
        note_read(request, [customer.pk for customer in found], page=page)
        return found
    for customer in found:
        mask(customer)
    return found


def mask(customer: Customer) -> None:
    """In place, for showing only."""
    for name in MASKED:
        if getattr(customer, name):
            setattr(customer, name, MASK)
    customer.traits = {}
    customer.is_masked = True


def show_one(request: HttpRequest | Request, customer: Customer, *, page: str) -> Customer:
    return show(request, [customer], page=page)[0]


def show_profile(request: HttpRequest | Request, profile: Mapping[str, Any], *, page: str) -> dict[str, Any]:
    """The same for a dictionary of `selectors.profiles`."""
    if may_see(request):
        note_read(request, [profile["id"]], page=page)
        shown = {**profile, "traits": dict(profile["traits"])}
        show_traits(request, {profile["id"]: shown["traits"]})
        return shown
    return mask_profile(profile)


def show_traits(request: HttpRequest | Request, traits_by_customer: Mapping[int, dict[str, Any]]) -> None:
    """In place: encrypted values in clear and sensitive ones as they are for who may see them, masked for all
    others."""
    if may_see_sensitive(request):
        unseal(traits_by_customer)
        return
    hidden = set(sensitive_declarations().values_list("name", flat=True))
    for traits in traits_by_customer.values():
        for name in hidden & traits.keys():
            traits[name] = MASK


def mask_profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    masked = {name: MASK for name in MASKED if profile.get(name)}
    return {**profile, **masked, "traits": {}}


def note_read(request: HttpRequest | Request, customer_ids: Iterable[int], *, page: str) -> None:
    """Writes down that a member of staff was shown these customers. Programs are not staff."""
    ids = sorted(set(customer_ids))
    if ids and not isinstance(getattr(request, "auth", None), ApiKey):
        PersonalRead.objects.create(actor=actor_name(request)[:200], page=page, customer_ids=ids)
