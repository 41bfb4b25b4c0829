# ruff: noqa: E501 (tables are easier to read in long lines)
"""A small drawing for each item: SVG, a few hundred bytes, always the same for the same four numbers."""

from personalization.demo.goods import DEPARTMENTS

# One silhouette per category, drawn in a box of 200 by 200; `F` is the body, `D` a darker, `L` a lighter tone.
SHAPES: tuple[tuple[str, str, str], ...] = (
    (
        '<path d="M100 38C158 66 158 132 100 164 42 132 42 66 100 38Z" fill="F"/><path d="M100 52V182M100 92l26-16'
        'M100 118l28-17M100 92 74 76M100 118 72 101" stroke="D" stroke-width="4" fill="none" stroke-linecap="round"/>',
        '<g transform="rotate(-32 100 100)"><ellipse cx="100" cy="100" rx="42" ry="60" fill="F"/><path d="M100 42c-22 '
        '34 22 82 0 116" stroke="D" stroke-width="7" fill="none" stroke-linecap="round"/></g>',
        '<path d="M52 84h86v34a40 40 0 0 1-40 40h-6a40 40 0 0 1-40-40Z" fill="F"/><path d="M138 94h10a18 18 0 0 1 0 36'
        'h-14" stroke="F" stroke-width="9" fill="none"/><path d="M78 66c-8-12 8-16 0-30M106 66c-8-12 8-16 0-30" '
        'stroke="L" stroke-width="5" fill="none" stroke-linecap="round"/><ellipse cx="95" cy="166" rx="56" ry="7" '
        'fill="D"/>',
    ),
    (
        '<rect x="46" y="86" width="108" height="66" rx="14" fill="F"/><rect x="28" y="96" width="20" height="12" rx="6" '
        'fill="D"/><rect x="152" y="96" width="20" height="12" rx="6" fill="D"/><path d="M50 80q50-40 100 0Z" fill="D"/>'
        '<circle cx="100" cy="54" r="8" fill="F"/>',
        '<g transform="rotate(38 100 100)"><path d="M88 20q34 34 26 92H88Z" fill="L"/><rect x="86" y="112" width="26" '
        'height="66" rx="11" fill="F"/><circle cx="99" cy="132" r="3.5" fill="D"/><circle cx="99" cy="156" r="3.5" '
        'fill="D"/></g>',
        '<path d="M36 88h128a64 64 0 0 1-44 62H80A64 64 0 0 1 36 88Z" fill="F"/><ellipse cx="100" cy="88" rx="64" ry="17" '
        'fill="D"/><ellipse cx="100" cy="89" rx="50" ry="11" fill="L"/><rect x="76" y="150" width="48" height="9" rx="4" '
        'fill="D"/>',
    ),
    (
        '<path d="M76 40h48l24 58H52Z" fill="F"/><rect x="95" y="98" width="10" height="58" fill="D"/><ellipse cx="100" '
        'cy="160" rx="36" ry="9" fill="D"/><path d="M56 104h88l18 44H38Z" fill="L" opacity=".35"/>',
        '<path d="M48 52q52 14 104 0 -14 48 0 96 -52-14-104 0 14-48 0-96Z" fill="F"/><path d="M66 70q34 8 68 0M66 130q34-8'
        ' 68 0" stroke="L" stroke-width="4" fill="none" stroke-dasharray="7 6"/><circle cx="100" cy="100" r="6" '
        'fill="D"/>',
        '<path d="M86 36h28v22q34 22 34 60 0 40-32 46H84q-32-6-32-46 0-38 34-60Z" fill="F"/><ellipse cx="100" cy="37" '
        'rx="18" ry="6" fill="D"/><path d="M70 96q-8 22 2 44" stroke="L" stroke-width="7" fill="none" '
        'stroke-linecap="round"/>',
    ),
    (
        '<g transform="rotate(40 100 100)"><rect x="92" y="20" width="16" height="68" rx="8" fill="F"/><path d="M78 92h44'
        'v34q0 34-22 52-22-18-22-52Z" fill="L"/><path d="M100 92v62" stroke="D" stroke-width="4"/></g>',
        '<path d="M60 104h80l-12 58H72Z" fill="F"/><rect x="54" y="94" width="92" height="15" rx="6" fill="D"/><path '
        'd="M100 94q-4-42-40-46 0 38 40 46ZM100 94q6-54 44-54 2 44-44 54ZM100 94q-10-46 2-66 14 30-2 66Z" fill="L"/>',
        '<g fill="F"><ellipse cx="100" cy="62" rx="19" ry="27"/><ellipse cx="136" cy="88" rx="19" ry="27" '
        'transform="rotate(72 136 88)"/><ellipse cx="122" cy="130" rx="19" ry="27" transform="rotate(144 122 130)"/>'
        '<ellipse cx="78" cy="130" rx="19" ry="27" transform="rotate(216 78 130)"/><ellipse cx="64" cy="88" rx="19" '
        'ry="27" transform="rotate(288 64 88)"/></g><circle cx="100" cy="99" r="18" fill="D"/><circle cx="100" cy="99" '
        'r="9" fill="L"/>',
    ),
    (
        '<path d="M78 52a22 22 0 0 1 44 0" stroke="D" stroke-width="9" fill="none"/><rect x="56" y="52" width="88" '
        'height="110" rx="28" fill="F"/><rect x="68" y="108" width="64" height="42" rx="10" fill="D"/><path d="M72 84h56" '
        'stroke="L" stroke-width="6" stroke-linecap="round"/>',
        '<path d="M100 42 172 156H28Z" fill="F"/><path d="M100 42 126 156H74Z" fill="D"/><path d="M100 76 114 156H86Z" '
        'fill="L"/><path d="M20 158h160" stroke="D" stroke-width="6" stroke-linecap="round"/>',
        '<g fill="none" stroke="D" stroke-width="8"><circle cx="58" cy="124" r="34"/><circle cx="142" cy="124" r="34"/>'
        '</g><path d="M58 124 86 74h44l12 50M86 74l18 50 26-50M58 124h46M78 66h18M130 74l-4-16h14" stroke="F" '
        'stroke-width="7" fill="none" stroke-linecap="round" stroke-linejoin="round"/>',
    ),
    (
        '<rect x="56" y="38" width="92" height="124" rx="9" fill="F"/><rect x="56" y="38" width="20" height="124" rx="6" '
        'fill="D"/><rect x="92" y="64" width="42" height="22" rx="4" fill="L"/><path d="M148 110h8v20h-8" fill="D"/>',
        '<g transform="rotate(45 100 100)"><rect x="88" y="20" width="24" height="108" rx="10" fill="F"/><rect x="88" '
        'y="62" width="24" height="7" fill="L"/><path d="M88 132h24l-12 44Z" fill="D"/><path d="M100 142v26" stroke="L" '
        'stroke-width="2"/></g>',
        '<rect x="40" y="112" width="120" height="42" rx="8" fill="D"/><rect x="54" y="58" width="20" height="58" rx="3" '
        'fill="F"/><rect x="78" y="46" width="24" height="70" rx="3" fill="L"/><rect x="106" y="66" width="16" '
        'height="50" rx="3" fill="F"/><path d="m126 66 16-5 16 50-16 5Z" fill="L"/>',
    ),
    (
        '<rect x="42" y="86" width="116" height="62" rx="26" fill="F"/><rect x="60" y="102" width="80" height="30" '
        'rx="14" fill="L" opacity=".6"/><circle cx="64" cy="62" r="13" fill="L"/><circle cx="92" cy="46" r="8" '
        'fill="L"/><circle cx="120" cy="64" r="10" fill="L"/>',
        '<rect x="66" y="74" width="68" height="92" rx="15" fill="F"/><rect x="84" y="52" width="32" height="22" '
        'fill="D"/><path d="M88 40h40v10H88Z" fill="D"/><rect x="76" y="100" width="48" height="38" rx="4" fill="L"/>',
        '<g><rect x="44" y="122" width="112" height="34" rx="15" fill="D"/><rect x="48" y="88" width="104" height="34" '
        'rx="15" fill="F"/><rect x="52" y="54" width="96" height="34" rx="15" fill="L"/></g><path d="M52 105h60M48 139h70" '
        'stroke="L" stroke-width="3" opacity=".6"/>',
    ),
    (
        '<circle cx="100" cy="58" r="24" fill="F"/><path d="M84 78h32q2 44 24 66H60q22-22 24-66Z" fill="F"/><rect x="52" '
        'y="144" width="96" height="19" rx="8" fill="D"/><rect x="76" y="76" width="48" height="10" rx="5" fill="D"/>',
        '<rect x="40" y="104" width="56" height="56" rx="7" fill="F"/><rect x="102" y="104" width="56" height="56" rx="7" '
        'fill="D"/><rect x="72" y="44" width="56" height="56" rx="7" fill="L"/><circle cx="68" cy="132" r="14" '
        'fill="L"/><path d="m130 116 16 30h-32Z" fill="F"/><path d="M86 72h28M100 58v28" stroke="D" stroke-width="7"/>',
        '<path d="M50 62h34q-9-26 16-26t16 26h34v34q26-9 26 16t-26 16v36H50v-36q22 9 22-16T50 96Z" fill="F"/><path '
        'd="M64 150h72" stroke="D" stroke-width="5" stroke-linecap="round" opacity=".5"/>',
    ),
)  # fmt: skip


def draw(*, department: int, category: int, thing: int, finish: int) -> str:
    """The picture of one kind of item as SVG text. Raises IndexError for numbers the shop does not have."""
    if min(department, category, thing, finish) < 0 or thing > 3 or finish > 4:
        raise IndexError("no such item")
    hue = (DEPARTMENTS[department].hue + 13 * (finish - 2)) % 360
    body = SHAPES[department][category]
    tones = {
        '"F"': f'"hsl({hue},48%,{44 + 3 * thing}%)"',
        '"D"': f'"hsl({(hue + 12) % 360},52%,{26 + 2 * finish}%)"',
        '"L"': f'"hsl({(hue + 24) % 360},70%,80%)"',
    }
    for tone, color in tones.items():
        body = body.replace(tone, color)
    turn, size = (thing - 1.5) * 5, 1.0 + 0.05 * (finish - 2)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" width="400" height="300">'
        f'<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="hsl({hue},62%,95%)"/>'
        f'<stop offset="1" stop-color="hsl({(hue + 30) % 360},52%,82%)"/></linearGradient></defs>'
        '<rect width="400" height="300" fill="url(#g)"/>'
        f'<circle cx="{150 + 35 * thing}" cy="{130 + 10 * finish}" r="{112 + 6 * finish}" fill="#fff" opacity=".42"/>'
        f'<ellipse cx="200" cy="252" rx="92" ry="11" fill="hsl({hue},40%,30%)" opacity=".16"/>'
        f'<g transform="translate(200 148) rotate({turn:g}) scale({1.3 * size:g}) translate(-100 -100)">{body}</g></svg>'
    )
