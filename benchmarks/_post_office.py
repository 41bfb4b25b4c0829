"""django-post_office sends the reference message: `_post_office.py PORT MESSAGES`, in a Python that has it.

Its usual way: messages with a template and a context are queued in bulk, then the function of its own
command sends them until none is left. Prints messages a second of both steps together as the last line.
PostgreSQL, the SMTP server, the message and two processes are as ours; its six items come ready-made, no
address is signed, nobody is asked for consent.
"""

import os
import secrets
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from _reference_mail import BODY

BATCH = 1_000


def main() -> None:
    port, messages = int(sys.argv[1]), int(sys.argv[2])
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"bench_post_office_{secrets.token_hex(4)}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            set_up(f"{server}/{name}", port)
            seconds = send(messages)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    print(round(messages / seconds))


def set_up(url: str, port: int) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    parts = urlsplit(url)
    settings.configure(
        DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.lstrip("/"), "USER": parts.username,
            "PASSWORD": parts.password, "HOST": parts.hostname, "PORT": parts.port,
        }},
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        EMAIL_BACKEND="post_office.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, USE_TZ=True,
        POST_OFFICE={
            "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
            "BATCH_SIZE": BATCH, "LOG_LEVEL": 0, "CELERY_ENABLED": False,
        },
    )  # fmt: skip
    django.setup()
    call_command("migrate", verbosity=0)


def send(messages: int) -> float:
    """Seconds to queue and send; fails when one is left behind."""
    import mjml
    from django.db import connection
    from post_office import mail
    from post_office.models import STATUS, Email, EmailTemplate

    template = EmailTemplate.objects.create(
        name="reference", subject="For you, {{ customer.first_name }}",
        content="For you, {{ customer.first_name }}", html_content=mjml.mjml2html(BODY, fonts={}),
    )  # fmt: skip
    lock = str(Path(tempfile.mkdtemp()) / "lock")
    began = time.perf_counter()
    for first in range(0, messages, BATCH):
        mail.send_many([
            {"recipients": [f"c{n}@example.com"], "sender": "shop@shop.example", "template": template,
             "context": context(n)}
            for n in range(first, min(first + BATCH, messages))
        ])  # fmt: skip
    mail.send_queued_mail_until_done(lock, processes=2)
    seconds = time.perf_counter() - began
    sent = Email.objects.filter(status=STATUS.sent).count()
    connection.close()
    if sent != messages:
        sys.exit(f"django-post_office sent {sent} of {messages}.")
    return seconds


def context(number: int) -> dict[str, object]:
    """As what the others print: a customer and six items."""
    items = [
        {"name": f"Item {n}", "description": "Turned by hand from one piece of wood, oiled, 24 cm wide.",
         "reason": "Because you liked Item 7", "price": "24.50", "url": f"https://shop.example/items/{n}",
         "image_url": f"https://shop.example/pictures/{n}.png"}
        for n in range(number % 50, number % 50 + 6)
    ]  # fmt: skip
    customer = {
        "id": number, "first_name": f"Ann{number}", "last_name": "Smith", "city": "London", "country": "GB",
        "language": "en", "traits": {"points": number, "tier": "gold"},
    }  # fmt: skip
    return {
        "customer": customer, "items": items, "campaign": {"name": "Benchmark"},
        "unsubscribe_url": f"https://shop.example/u/{number}",
    }  # fmt: skip


if __name__ == "__main__":
    main()
