"""The inbox as HTML. Every value goes through `escape`; a message's own HTML is only shown in a sandbox."""

import gettext
from html import escape
from pathlib import Path
from urllib.parse import quote

from personalization.config.supervisor.mail_catcher.store import CaughtMessage

LOCALE_DIR = Path(__file__).resolve().parents[4] / "locale"
STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; --accent: #7c3aed }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem }
a { color: var(--accent) } h1 { font-size: 1.3rem } .soft { color: var(--soft) }
table { border-collapse: collapse; width: 100% } td, th { border-bottom: 1px solid var(--line);
padding: .45rem .5rem; text-align: start; overflow-wrap: anywhere }
td.number { text-align: end; white-space: nowrap }
form { display: flex; gap: .5rem; margin: 1rem 0 } input { flex: 1; font: inherit; padding: .4rem }
button { font: inherit } iframe { background: #fff; border: 1px solid var(--line); height: 75vh; width: 100% }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); padding: 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem }
dd { margin: 0; overflow-wrap: anywhere }
nav a { margin-inline-end: 1rem }
"""


class Pages:
    """Pages in one language; English where no catalog is there."""

    def __init__(self, accept_language: str) -> None:
        chinese = accept_language.strip().lower().startswith("zh")
        self.language = "zh-hans" if chinese else "en"
        catalog = gettext.translation(
            "django", localedir=LOCALE_DIR, languages=["zh_Hans"] if chinese else [], fallback=True
        )
        self._ = catalog.gettext

    def _page(self, title: str, body: str) -> str:
        return (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
        )

    def inbox(self, messages: list[CaughtMessage], *, recipient: str, accepted: int, kept: int) -> str:
        _ = self._
        rows = "".join(self._row(message) for message in messages)
        count = _("%(accepted)s messages accepted since the start, the newest %(kept)s kept.") % {
            "accepted": accepted,
            "kept": kept,
        }
        heads = "".join(
            f'<th scope="col">{escape(name)}</th>'
            for name in (_("To"), _("Subject"), _("Received"), _("Size"))
        )
        empty = f'<p class="soft">{escape(_("No message yet."))}</p>' if not messages else ""
        return self._page(
            _("Caught mail"),
            f"<h1>{escape(_('Caught mail'))}</h1>"
            f'<p class="soft">{escape(count)} {escape(_("Nothing leaves this machine."))}</p>'
            f'<form method="get" role="search"><input type="search" name="to" value="{escape(recipient)}" '
            f'aria-label="{escape(_("Recipient"))}" placeholder="{escape(_("Recipient"))}">'
            f"<button>{escape(_('Search'))}</button></form>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{empty}",
        )

    def _row(self, message: CaughtMessage) -> str:
        subject = message.header("Subject") or self._("(no subject)")
        return (
            f"<tr><td>{escape(', '.join(message.recipients))}</td>"
            f'<td><a href="/messages/{message.number}">{escape(subject)}</a></td>'
            f"<td>{message.received_at:%H:%M:%S} UTC</td>"
            f'<td class="number">{len(message.raw) / 1024:.1f} KB</td></tr>'
        )

    def message(self, message: CaughtMessage) -> str:
        _ = self._
        base = f"/messages/{message.number}"
        subject = message.header("Subject") or _("(no subject)")
        facts = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
            for name, value in (
                (_("From"), message.header("From") or message.sender),
                (_("To"), ", ".join(message.recipients)),
                (_("Received"), f"{message.received_at:%Y-%m-%d %H:%M:%S} UTC"),
                (_("Size"), f"{len(message.raw) / 1024:.1f} KB"),
            )
        )
        search = quote(message.recipients[0]) if message.recipients else ""
        text = message.body("plain")
        shown = ""
        if message.body("html") is not None:
            shown = (
                '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" '
                f'title="{escape(_("The message"))}" src="{base}/html"></iframe>'
            )
        if text is not None:
            shown += f"<h2>{escape(_('Plain text'))}</h2><pre>{escape(text)}</pre>"
        return self._page(
            subject,
            f'<nav><a href="/">{escape(_("All messages"))}</a>'
            f'<a href="/?to={search}">{escape(_("To this recipient"))}</a>'
            f'<a href="{base}/raw">{escape(_("Source"))}</a></nav>'
            f"<h1>{escape(subject)}</h1><dl>{facts}</dl>{shown}",
        )

    def missing(self) -> str:
        _ = self._
        title = _("This message is no longer kept.")
        return self._page(
            title, f'<h1>{escape(title)}</h1><p><a href="/">{escape(_("All messages"))}</a></p>'
        )
