"""A message of each channel over HTTP, as a campaign is made of."""

from typing import Any

DRAFTS: dict[str, dict[str, Any]] = {
    "sms": {"subject": "", "body": "Hello {{ customer.first_name }}. STOP to end"},
    "whatsapp": {"subject": "", "body": "{{ customer.first_name }}\nSpring",
                 "fields": {"template": "hello_1"}},
    "webhook": {"subject": "", "body": "hello: {{ customer.first_name }}"},
    "webpush": {"subject": "Hi", "body": "Hello {{ customer.first_name }}",
                "fields": {"link": "https://shop.example/sale"}},
    "mobilepush": {"subject": "Hi", "body": "Hello {{ customer.first_name }}"},
}  # fmt: skip
