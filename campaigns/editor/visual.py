"""What the visual editor of messages needs of us: its files, its words, and blocks of our own."""

from typing import Any

from django.templatetags.static import static
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _


def visual_editor() -> dict[str, Any]:
    """`assets` are loaded when the editor is first opened."""
    is_chinese = (get_language() or "").startswith("zh")
    scripts = ["grapes.min.js", "grapesjs-mjml.min.js", *(["zh.js"] if is_chinese else [])]
    return {
        "locale": "zh" if is_chinese else "en",
        "assets": {
            "css": static("vendor/grapesjs/grapes.min.css"),
            "scripts": [static(f"vendor/grapesjs/{name}") for name in scripts],
        },
    }


def visual_texts() -> dict[str, Any]:
    return {
        "kept": _("Kept as it is"),
        "visualOurs": _("Personal"),
        "visualNotMjml": _("Only messages in MJML can be edited visually. This one is edited as code."),
        "visualNotWhole": _("This message holds something the visual editor would lose. Edit it as code."),
        "visualButtons": {
            "sw-visibility": _("Show the borders"), "open-sm": _("Style"), "open-tm": _("Settings"),
            "open-layers": pgettext("page builder", "Layers"), "open-blocks": _("Blocks"),
        },
        "visualNames": {
            "category": _("Layout"),
            "panels": {
                "buttons": {
                    "undo": _("Undo"), "redo": _("Redo"), "desktop": _("Desktop"), "tablet": _("Tablet"),
                    "mobile": _("Phone"), "import": "",
                }
            },
            "components": {
                "names": {
                    "body": _("Message"), "button": _("Button"), "column": _("Column"),
                    "oneColumn": _("1 column"), "twoColumn": _("2 columns"), "threeColumn": _("3 columns"),
                    "divider": _("Line"), "group": _("Group"), "hero": _("Hero image"), "image": _("Image"),
                    "section": _("Section"), "spacer": _("Space"), "text": _("Text"), "wrapper": _("Frame"),
                }
            },
        },
    }  # fmt: skip
