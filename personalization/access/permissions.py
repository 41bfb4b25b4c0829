"""What a caller of the API may do: programs by the scopes of their key, staff by their permissions."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from personalization.access.models import ApiKey, Scope

if TYPE_CHECKING:  # rest_framework.views imports this module through the settings
    from rest_framework.views import APIView

# Staff use the same API from the browser; each scope asks for the matching Django permission.
STAFF_PERMISSION = {
    Scope.INGEST: "events.add_event",
    Scope.CUSTOMERS_READ: "customers.view_customer",
    Scope.CUSTOMERS_WRITE: "customers.change_customer",
    Scope.PRIVACY: "privacy.add_privacyrequest",
    Scope.IMPORTS: "sources.add_import",
    Scope.SEGMENTS_READ: "segments.view_segment",
    Scope.SEGMENTS_WRITE: "segments.change_segment",
    Scope.RECOMMENDATIONS: "recommender.view_modelrun",
    Scope.MODELS_READ: "recommender.view_modelrun",
    Scope.MODELS_WRITE: "recommender.change_modelrun",
    Scope.DECIDE: "onsite.view_offer",
    Scope.CAMPAIGNS_READ: "campaigns.view_campaign",
    Scope.CAMPAIGNS_WRITE: "campaigns.change_campaign",
    Scope.SENDERS_READ: "campaigns.view_senderaccount",
    Scope.SENDERS_WRITE: "campaigns.change_senderaccount",
}


class HasScope(BasePermission):
    """Each view names its `required_scope`: one Scope, or a mapping of HTTP method to Scope.

    A view that names none is closed.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        scope = scope_of(view, request.method or "GET")
        if scope is None:
            return False
        if isinstance(request.auth, ApiKey):
            return scope in request.auth.scopes
        return bool(request.user and request.user.is_staff and request.user.has_perm(STAFF_PERMISSION[scope]))


def scope_of(view: "APIView", method: str) -> Scope | None:
    required = getattr(view, "required_scope", None)
    if isinstance(required, dict):
        return required.get(method if method not in ("HEAD", "OPTIONS") else "GET")
    return required
