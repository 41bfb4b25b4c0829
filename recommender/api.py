"""`POST /api/v1/recommendations`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.models import Scope
from personalization.catalog.selectors import items as catalog_items
from personalization.customers.selectors import find
from recommender import selectors
from recommender.rules import ALLOW, EXCLUDE, Rules

MAX_CUSTOMERS = 100
MAX_COUNT = 100


class RecommendationRequest(serializers.Serializer[Any]):
    customers = serializers.ListField(
        child=serializers.CharField(max_length=200), min_length=1, max_length=MAX_CUSTOMERS,
        help_text="Customer ids of your own shop; an unknown one gets popular items.",
    )  # fmt: skip
    count = serializers.IntegerField(min_value=1, max_value=MAX_COUNT, default=6)
    exclude_bought = serializers.BooleanField(default=True, help_text="Leave out what was bought already.")


class RecommendedItem(serializers.Serializer[Any]):
    item = serializers.CharField(help_text="Item id of your own shop.")
    name = serializers.CharField()
    score = serializers.FloatField(help_text="Comparable within one customer and one kind of reason.")
    reason_kind = serializers.ChoiceField(
        choices=[selectors.MODEL, selectors.BECAUSE, selectors.SIMILAR, selectors.POPULAR, selectors.PINNED],
        help_text="because: of reason_item. model: personal. similar_customers: popular with those who share "
        "traits. popular: not personal. pinned: by the rules.",
    )
    reason = serializers.CharField(help_text="A sentence in the language of Accept-Language.")
    reason_item = serializers.CharField(allow_null=True, help_text="Item id, with the kind because.")

    reason_event = serializers.ChoiceField(
        choices=["", selectors.BOUGHT, selectors.VIEWED],
        help_text="What the customer did with reason_item; empty without one.",
    )


class CustomerRecommendations(serializers.Serializer[Any]):
    customer = serializers.CharField()
    items = RecommendedItem(many=True)


class ServingModel(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    algorithm = serializers.CharField()


class RecommendationResponse(serializers.Serializer[Any]):
    model = ServingModel(allow_null=True, help_text="Null before the first model was promoted.")
    recommendations = CustomerRecommendations(many=True)


class RecommendationsView(APIView):
    required_scope = Scope.RECOMMENDATIONS

    @extend_schema(
        operation_id="recommendations_create",
        request=RecommendationRequest,
        responses={200: RecommendationResponse},
        tags=["recommendations"],
    )
    def post(self, request: Request) -> Response:
        """The items each customer will most likely want now, with the reason for each."""
        body = RecommendationRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        customers = {external_id: find(external_id) for external_id in dict.fromkeys(asked["customers"])}
        known = {external_id: found.pk for external_id, found in customers.items() if found is not None}
        rules = Rules(bought=EXCLUDE if asked["exclude_bought"] else ALLOW)
        lists = selectors.recommend(set(known.values()), k=asked["count"], rules=rules)
        if len(known) < len(customers):
            popular = selectors.recommend_popular(k=asked["count"], rules=rules)
        by_customer = {
            external_id: lists[known[external_id]] if external_id in known else popular
            for external_id in customers
        }
        champion = selectors.champion()
        return Response(
            {
                "model": champion and {"id": champion.pk, "algorithm": champion.algorithm},
                "recommendations": _answer(by_customer),
            }
        )


def _answer(by_customer: dict[str, list[selectors.Recommendation]]) -> list[dict[str, Any]]:
    wanted = {
        item_id
        for recommendations in by_customer.values()
        for found in recommendations
        for item_id in (found.item_id, found.reason_item_id)
        if item_id is not None
    }
    items = catalog_items(wanted)
    return [
        {
            "customer": external_id,
            "items": [_item(found, items) for found in recommendations if found.item_id in items],
        }
        for external_id, recommendations in by_customer.items()
    ]


def _item(found: selectors.Recommendation, items: dict[int, dict[str, Any]]) -> dict[str, Any]:
    because = items.get(found.reason_item_id) if found.reason_item_id is not None else None
    return {
        "item": items[found.item_id]["external_id"],
        "name": items[found.item_id]["name"],
        "score": found.score,
        "reason_kind": found.reason_kind,
        "reason": _sentence(found, because),
        "reason_item": because["external_id"] if because else None,
        "reason_event": found.reason_event if because else "",
    }


def _sentence(found: selectors.Recommendation, because: dict[str, Any] | None) -> str:
    if because is not None:
        if found.reason_event == selectors.BOUGHT:
            return _("Because you bought %(item)s") % {"item": because["name"]}
        return _("Because you looked at %(item)s") % {"item": because["name"]}
    if found.reason_kind == selectors.SIMILAR:
        return _("Popular with customers like you")
    if found.reason_kind == selectors.POPULAR:
        return _("Popular with other customers")
    return _("Chosen for you")
