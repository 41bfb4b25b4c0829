# ruff: noqa: E501 (tables are easier to read in long lines)
"""Names, places and shares from which the shop's invented customers are drawn. Addresses live at the example
domains of RFC 2606, so that no mail of the demo can ever reach a person."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """`share` is relative to the other places of the same language; the offset is hours from UTC in winter."""

    country: str
    city: str
    time_zone: str
    utc_offset: float
    share: float = 1.0


@dataclass(frozen=True)
class Tongue:
    """One language: its share of the customers, and names as (written, spelled in an address)."""

    code: str
    share: float
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    places: tuple[Place, ...]


def _plain(names: str) -> tuple[tuple[str, str], ...]:
    table = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "ç": "c", "ï": "i",
                           "á": "a", "í": "i", "ó": "o", "ú": "u", "ñ": "n", "ë": "e", "ô": "o"})  # fmt: skip
    return tuple((name, name.lower().translate(table)) for name in names.split())


def _spelled(pairs: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, spelled) for name, _, spelled in (pair.partition(":") for pair in pairs.split()))


TONGUES = (
    Tongue(
        "en", 0.40,
        _plain("Olivia Amelia Isla Ava Ivy Freya Lily Florence Mia Willow Rosie Sophie Grace Emily Ella Noah George "
               "Oliver Arthur Leo Harry Oscar Archie Henry Theo Freddie Jack Charlie Thomas Alfie James Ethan Mason"),
        _plain("Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans Walker "
               "White Roberts Green Hall Wood Harris Martin Clarke Cooper Morgan Bailey Reed Murphy Kelly Brooks"),
        (Place("GB", "London", "Europe/London", 0, 3), Place("GB", "Manchester", "Europe/London", 0),
         Place("IE", "Dublin", "Europe/Dublin", 0), Place("US", "New York", "America/New_York", -5, 2),
         Place("US", "Portland", "America/Los_Angeles", -8), Place("AU", "Melbourne", "Australia/Melbourne", 11)),
    ),
    Tongue(
        "zh", 0.20,
        _spelled("伟:wei 芳:fang 娜:na 敏:min 静:jing 丽:li 强:qiang 磊:lei 洋:yang 艳:yan 勇:yong 杰:jie 娟:juan "
                 "涛:tao 明:ming 超:chao 秀英:xiuying 霞:xia 平:ping 刚:gang 桂英:guiying 思远:siyuan 雨桐:yutong "
                 "梓涵:zihan 欣怡:xinyi 子轩:zixuan 浩然:haoran 诗涵:shihan 宇航:yuhang"),
        _spelled("王:wang 李:li 张:zhang 刘:liu 陈:chen 杨:yang 赵:zhao 黄:huang 周:zhou 吴:wu 徐:xu 孙:sun 胡:hu "
                 "朱:zhu 高:gao 林:lin 何:he 郭:guo 马:ma 罗:luo 梁:liang 宋:song 郑:zheng 谢:xie 韩:han"),
        (Place("CN", "上海", "Asia/Shanghai", 8, 3), Place("CN", "北京", "Asia/Shanghai", 8, 2),
         Place("CN", "成都", "Asia/Shanghai", 8), Place("SG", "新加坡", "Asia/Singapore", 8)),
    ),
    Tongue(
        "de", 0.17,
        _plain("Emilia Mia Sophia Emma Hannah Lina Mila Ella Leni Clara Marie Anna Lea Jörg Noah Matteo Elias Leon "
               "Paul Emil Luca Felix Jonas Finn Anton Jürgen Käthe Sören Moritz Jakob"),
        _plain("Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter "
               "Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Lange Groß Köhler"),
        (Place("DE", "Berlin", "Europe/Berlin", 1, 2), Place("DE", "Hamburg", "Europe/Berlin", 1),
         Place("DE", "München", "Europe/Berlin", 1), Place("AT", "Wien", "Europe/Vienna", 1),
         Place("CH", "Zürich", "Europe/Zurich", 1)),
    ),
    Tongue(
        "fr", 0.13,
        _plain("Jade Louise Ambre Alba Emma Rose Alice Romy Anna Lina Léna Chloé Zoé Agathe Gabriel Raphaël Léo Louis "
               "Maël Noah Jules Adam Arthur Hugo Lucas Sacha Gaspard Étienne Benoît François"),
        _plain("Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel "
               "Garnier Roux Vincent Fournier Morel Girard André Mercier Dupont Lambert Bonnet François"),
        (Place("FR", "Paris", "Europe/Paris", 1, 2), Place("FR", "Lyon", "Europe/Paris", 1),
         Place("BE", "Bruxelles", "Europe/Brussels", 1), Place("CA", "Montréal", "America/Toronto", -5)),
    ),
    Tongue(
        "es", 0.10,
        _plain("Lucía Sofía Martina María Julia Paula Valeria Emma Daniela Carla Alma Olivia Sara Carmen Hugo Mateo "
               "Martín Lucas Leo Daniel Alejandro Manuel Pablo Álvaro Adrián Enzo Mario Diego"),
        _plain("García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández "
               "Díaz Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos"),
        (Place("ES", "Madrid", "Europe/Madrid", 1, 2), Place("ES", "Barcelona", "Europe/Madrid", 1),
         Place("MX", "Ciudad de México", "America/Mexico_City", -6)),
    ),
)  # fmt: skip

DOMAINS = ("example.com", "example.org", "example.net")
DEVICES = ("mobile", "desktop", "tablet")
DEVICE_SHARES = (0.62, 0.30, 0.08)
CHANNELS = ("search", "social", "friend", "newsletter", "store")
TIERS = ("basic", "silver", "gold")
