from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

PAGE_SIZE = {"type": "integer", "minimum": 1}


class CursorPagination(pagination.CursorPagination):
    """Opaque cursors: stable under inserts, and page 10,000 costs what page 1 costs."""

    ordering = "pk"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500

    def get_page_size(self, request: Request) -> int | None:
        text = request.query_params.get("page_size")
        if text is not None and not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
            raise ValidationError({"page_size": [f"A number from 1 to {self.max_page_size}."]})
        return super().get_page_size(request)

    def decode_cursor(self, request: Request) -> pagination.Cursor | None:
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise ValidationError(
                {"cursor": [_("Not a cursor of this list: take `next` or `previous` of an answer as it is.")]}
            ) from error

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """As above: more than the largest page is answered with the largest."""
        parameters = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == "page_size":
                parameter["schema"] = PAGE_SIZE
        return parameters


class NewestFirst(CursorPagination):
    ordering = "-pk"


class ByName(CursorPagination):
    ordering = "name"


def answer_page(view: APIView, request: Request, found: QuerySet[Any], serializer: Any) -> Response:
    """For views that are no ListAPIView; their `pagination_class` is in the OpenAPI document too."""
    paginator = view.pagination_class()  # type: ignore[attr-defined]
    page: Any = paginator.paginate_queryset(found, request, view=view)
    return paginator.get_paginated_response(serializer(page, many=True, context={"request": request}).data)
