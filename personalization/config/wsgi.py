import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "personalization.config.settings")
# A decision changes hands between threads a dozen times, and each time may have to wait for this long.
sys.setswitchinterval(0.001)
application = get_wsgi_application()

from personalization.config import telemetry  # noqa: E402  (needs the settings)

telemetry.start("web")
