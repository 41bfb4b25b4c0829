"""Rendering one personal e-mail per customer: ours beside bare python-liquid and Django templates.

The message is the reference one: MJML, about 9 kB once rendered, six recommended items, nine links. Ours
escapes, guards every address and style, and counts work; `html` is the HTML part alone, as the others
render it, `whole` also the subject and the plain-text part. `chunk` is the whole message as it is sent:
500 customers with six of 400 items each, some shown more often than others, and what is printed for an
item kept from one customer to the next; each chunk begins with nothing kept. Jinja2 and minijinja take
part where they are installed.
"""

import random
import time
from collections.abc import Callable
from decimal import Decimal

from _reference_mail import BODY
from _run import parse_args, report, setup_django

ITEMS = 6
CHUNK, CATALOG = 500, 400
Contexts = list[dict[object, object]]


def context(number: int) -> dict[object, object]:
    return {
        "customer": {
            "id": number, "first_name": f"Ann {number}", "last_name": "O'Neil", "city": "Cork",
            "country": "IE", "language": "en", "traits": {"points": number, "tier": "gold"},
        },
        "items": [item(i) for i in range(ITEMS)],
        "campaign": {"name": "Spring"}, "unsubscribe_url": f"https://shop.example/u/{number}",
    }  # fmt: skip


def item(number: int) -> dict[str, object]:
    return {
        "name": f"Bowl {number}", "description": "Turned by hand from one piece of wood, oiled, 24 cm wide.",
        "reason": "Because you liked Mug & Co", "price": Decimal("24.50"),
        "url": f"https://shop.example/i/{number}?a=1&b=2", "image_url": f"https://shop.example/{number}.png",
    }  # fmt: skip


def chunks() -> Callable[[], Contexts]:
    """One chunk's customers again and again, each time with nothing kept."""
    from personalization.content.remembering import FRAGMENTS, Fragments

    draw, catalog = random.Random(5), [item(number) for number in range(CATALOG)]
    shown = [[catalog[int(CATALOG * draw.random() ** 2)] for _ in range(ITEMS)] for _ in range(CHUNK)]

    def chunk() -> Contexts:
        kept = Fragments()
        return [{**context(n), "items": items, FRAGMENTS: kept} for n, items in enumerate(shown)]

    return chunk


def renderers() -> dict[str, object]:
    """Name → function of a context. All render the same HTML, compiled from MJML once."""
    import mjml
    from django.template import Context, Engine
    from liquid import Environment

    from personalization.content.messages import compile_message

    message = compile_message(subject="Hello {{ customer.first_name }}", body=BODY)
    source = mjml.mjml2html(BODY, fonts={})
    bare = Environment(autoescape=True).from_string(source)
    django_template = Engine().from_string(source)
    found = {
        "ours_html": message.html.render_values,
        "ours_whole": message.render,
        "ours_chunk": message.render,
        "python_liquid": lambda values: bare.render(**values),
        "django_templates": lambda values: django_template.render(Context(values)),
    }
    try:
        from jinja2 import Environment as Jinja

        found["jinja2"] = Jinja(autoescape=True).from_string(source).render
    except ImportError:
        pass
    try:
        import minijinja

        environment = minijinja.Environment(templates={"m.html": source})
        found["minijinja"] = lambda values: environment.render_template("m.html", **values)
    except ImportError:
        pass
    return found


def rate(render, contexts: Callable[[], Contexts], *, seconds: float) -> float:
    """Messages a second of one core's own time: others on the machine do not count."""
    done, spent = 0, 0.0
    while spent < seconds:
        given = contexts()
        start = time.process_time()
        for values in given:
            render(values)
        spent += time.process_time() - start
        done += len(given)
    return done / spent


def main() -> None:
    options = parse_args(__doc__)
    setup_django()
    contexts, chunk = [context(number) for number in range(50)], chunks()
    works = renderers()
    seconds, rounds = (0.4, 3) if options.quick else (1.5, 5)
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):  # in turn, so that a drifting machine touches all alike
        for name, render in works.items():
            given = chunk if name == "ours_chunk" else lambda: contexts
            rates[name].append(rate(render, given, seconds=seconds))
    figures = {f"{name}_per_second": round(sorted(found)[rounds // 2]) for name, found in rates.items()}
    figures["html_bytes"] = len(works["ours_html"](contexts[0]).encode())
    ours = figures["ours_html_per_second"]
    ratios = {"chunk_to_whole": round(figures["ours_chunk_per_second"] / figures["ours_whole_per_second"], 2)}
    ratios |= {
        f"html_to_{name}": round(ours / figures[f"{name}_per_second"], 2)
        for name in works
        if not name.startswith("ours")
    }
    report("render", figures, ratios, args=options, packages=("python-liquid", "mjml-python"))


if __name__ == "__main__":
    main()
