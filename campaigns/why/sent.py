"""What exactly was sent to one person: a screen, a file, and one call."""

import base64
from email import policy
from email.parser import BytesParser
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Delivery
from campaigns.why.rerender import Gone, NeverSent, Sent, rerender
from personalization.access.models import Scope
from personalization.access.problems import CONTENT_TYPE
from personalization.access.schema import PROBLEM
from personalization.access.services import actor_name, audit
from personalization.access.shell import render_page, staff_page
from personalization.customers import reading


class SentSerializer(serializers.Serializer[Any]):
    delivery = serializers.IntegerField()
    status = serializers.CharField(help_text="sent, or unknown: handed over without an answer.")
    sent_at = serializers.DateTimeField()
    sha256 = serializers.CharField(help_text="Of `bytes`, stored when they were sent.")
    size = serializers.IntegerField()
    content_type = serializers.CharField()
    bytes = serializers.CharField(
        help_text="Base64. For SMTP what stood between DATA and the final dot, dots doubled (RFC 5321 4.5.2)."
    )


class SentView(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(responses={200: SentSerializer, (410, CONTENT_TYPE): PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        """The bytes that were sent, checked against the digest of that time. 410: erased or too old."""
        if not reading.may_see(request):
            raise PermissionDenied
        delivery = get_object_or_404(Delivery.everything.select_related("run", "variant"), pk=pk)
        found = rerender(delivery)
        if delivery.customer_id:
            reading.note_read(request, [delivery.customer_id], page="API: message")
        return Response(
            {
                "delivery": delivery.pk, "status": delivery.status, "sent_at": found.sent_at,
                "sha256": found.sha256, "size": len(found.data), "content_type": found.content_type,
                "bytes": base64.b64encode(found.data).decode(),
            }
        )  # fmt: skip


@staff_page("customers.view_customer")
def sent(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """`?file`: the message as a file that mail programs open."""
    delivery = get_object_or_404(
        Delivery.everything.select_related("run__campaign", "variant", "customer"), pk=delivery_id
    )
    context: dict[str, Any] = {"delivery": delivery, "run": delivery.run, "campaign": delivery.run.campaign}
    title = _("Exactly what was sent")
    if not reading.may_see(request):
        context["problem"] = _("A message shows personal data, which your role may not see.")
        return render_page(request, "campaigns/sent.html", context, title=title, status=403)
    audit(actor_name(request), "delivery.message_viewed", f"delivery:{delivery.pk}")
    if delivery.customer_id:
        reading.note_read(request, [delivery.customer_id], page="message")
    try:
        found = rerender(delivery)
    except (Gone, NeverSent) as error:
        context["problem"] = error.detail
        return render_page(request, "campaigns/sent.html", context, title=title, status=error.status)
    if "file" in request.GET:
        answer = HttpResponse(found.plain, content_type=found.content_type)
        answer["Content-Disposition"] = f'attachment; filename="message-{delivery.pk}{found.suffix}"'
        answer["Cache-Control"] = "no-store"
        return answer
    context |= {"sent": found, **_shown(found)}
    return render_page(request, "campaigns/sent.html", context, title=title)


def _shown(found: Sent) -> dict[str, Any]:
    if found.content_type != "message/rfc822":
        return {"source": found.plain.decode(errors="replace")}
    message = BytesParser(policy=policy.default).parsebytes(found.plain)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    return {
        "headers": [(name, str(value)) for name, value in message.items()],
        "html": html.get_content() if html else "",
        "text": text.get_content() if text else "",
    }
