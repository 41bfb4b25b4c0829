# ruff: noqa: E501
"""The message that sending and rendering are measured with: MJML, six recommended items, nine links, about 9 kB of
HTML once rendered. Its Liquid is Django's and Jinja2's language, too, so peers render the very same."""

BODY = """<mjml><mj-head><mj-attributes><mj-all font-family="Helvetica, Arial, 'PingFang SC', 'Microsoft YaHei', sans-serif" /></mj-attributes></mj-head><mj-body>
<mj-section><mj-column>
<mj-text>Hello {{ customer.first_name }} {{ customer.last_name }} from {{ customer.city }}, {{ customer.country }}</mj-text>
<mj-text>{% if customer.language == "zh" %}Points{% else %}You have {{ customer.traits.points }} points as {{ customer.traits.tier }}{% endif %}</mj-text>
<mj-table>{% for item in items %}<tr><td><img src="{{ item.image_url }}" width="80" /></td><td>
<a href="{{ item.url }}">{{ item.name }}</a><br />{{ item.description }}<br />{{ item.reason }}<br />{{ item.price }}</td></tr>{% endfor %}</mj-table>
<mj-text font-size="18px" color="#334155" line-height="1.5">Dear {{ customer.first_name }}, these six were chosen for you.</mj-text>
<mj-divider border-width="1px" /><mj-text color="#64748b" padding="0 32px">Prices include taxes; delivery within three days to {{ customer.city }}.</mj-text>
<mj-text color="#64748b">Every order helps a workshop near {{ customer.city }}; thank you for staying with us, {{ customer.first_name }}.</mj-text>
<mj-spacer height="12px" /><mj-button href="https://shop.example/c/{{ customer.id }}">To the shop</mj-button>
<mj-text><a href="https://shop.example/help">Help</a> {{ campaign.name }} <a href="{{ unsubscribe_url }}">Stop</a></mj-text>
</mj-column></mj-section>
<mj-section background-color="#eeeeee"><mj-column width="50%"><mj-text>Shop, 1 High Street</mj-text></mj-column><mj-column width="50%"><mj-text align="right">Mo to Fr, 9 to 17</mj-text></mj-column></mj-section></mj-body></mjml>"""
