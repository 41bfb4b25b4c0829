{% autoescape off %}BESPOKE="{{ site_url }}"
KEY="{{ api_key }}"

curl --fail-with-body -sS "$BESPOKE/v1/track" -H "Authorization: Bearer $KEY" \
     -H "Content-Type: application/json" \
     -d '{"userId": "ada", "event": "Order Completed", "messageId": "order-1",
          "properties": {"revenue": 42, "currency": "EUR"}}'

curl --fail-with-body -sS "$BESPOKE/api/v1/customers/ada" -H "Authorization: Bearer $KEY"

curl --fail-with-body -sS "$BESPOKE/api/v1/decide" -H "Authorization: Bearer $KEY" \
     -H "Content-Type: application/json" \
     -d '{"customer": "ada", "placements": ["{{ placement }}"]}'{% endautoescape %}
