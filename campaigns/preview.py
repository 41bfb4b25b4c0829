"""What the editor asks while one writes: the message as a customer would get it, a test mail, the segment's size."""

from typing import Any, cast

from django.core.mail import EmailMultiAlternatives
from django.core.mail.utils import DNS_NAME  # noqa: F401
from django.db.models import Q, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
