# ruff: noqa: E501 (tables are easier to read in long lines)
"""What the shop sells: departments, categories, things and finishes, in English and Chinese."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    en: str
    zh: str


@dataclass(frozen=True)
class Category:
    """`things` are (name, usual price in EUR); `line` is the first sentence of each description."""

    name: Words
    line: Words
    things: tuple[tuple[Words, float], ...]


@dataclass(frozen=True)
class Department:
    """`season` holds the interest of the twelve months, January first; `hue` (0-360) colors the pictures."""

    name: Words
    hue: int
    season: tuple[float, ...]
    finishes: tuple[tuple[Words, Words], ...]
    categories: tuple[Category, ...]


def _things(text: str) -> tuple[tuple[Words, float], ...]:
    """`Teapot/茶壶/38, …`"""
    rows = (row.strip().split("/") for row in text.split(","))
    return tuple((Words(en, zh), float(price)) for en, zh, price in rows)


def _finishes(*rows: str) -> tuple[tuple[Words, Words], ...]:
    """`Walnut/胡桃木/Warm walnut, oiled by hand./温润胡桃木，手工上油。`"""
    parts = (row.split("/") for row in rows)
    return tuple((Words(en, zh), Words(line_en, line_zh)) for en, zh, line_en, line_zh in parts)


def _category(name: str, line: str, things: str) -> Category:
    return Category(Words(*name.split("/")), Words(*line.split("/")), _things(things))


WINTER = (1.2, 1.0, 0.8, 0.7, 0.6, 0.5, 0.5, 0.6, 0.8, 1.0, 1.4, 1.7)
SUMMER = (0.4, 0.5, 0.9, 1.4, 1.7, 1.6, 1.4, 1.1, 0.9, 0.7, 0.5, 0.4)
GIFTS = (0.7, 0.7, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.9, 1.0, 1.5, 2.0)
STEADY = (1.0, 1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 1.0, 1.1, 1.0, 1.1, 1.2)

DEPARTMENTS = (
    Department(
        Words("Tea & Coffee", "茶与咖啡"), 28, WINTER,
        _finishes(
            "Spring/春摘/From the first picking of the year./取自当年头春。",
            "Highland/高山/Grown slowly, above the clouds./云雾之上，慢慢生长。",
            "Smoked/烟熏/With a breath of pinewood smoke./带一缕松烟香。",
            "House/本店/The one we drink ourselves./我们自己每天喝的那一款。",
            "Reserve/珍藏/A small lot, numbered by hand./小批量，手工编号。",
        ),
        (
            _category("Tea/茶叶", "Loose leaves for quiet afternoons./散装茶叶，陪你安静的下午。",
                      "Green Tea/绿茶/14, Oolong/乌龙茶/19, Black Tea/红茶/13, Jasmine Pearls/茉莉龙珠/22"),
            _category("Coffee/咖啡", "Roasted the week it leaves the house./出库当周烘焙。",
                      "Espresso Beans/意式咖啡豆/15, Filter Roast/手冲咖啡豆/16, Cold Brew Pack/冷萃咖啡包/12, "
                      "Decaf Beans/低因咖啡豆/15"),
            _category("Teaware/茶具", "Made to be used every day./为每天使用而做。",
                      "Teapot/茶壶/42, Gaiwan/盖碗/29, Pour-over Set/手冲套装/48, Travel Tumbler/随行杯/26"),
        ),
    ),
    Department(
        Words("Kitchen", "厨房"), 8, STEADY,
        _finishes(
            "Enameled/珐琅/Enamel that forgives a hurried cook./珐琅面层，忙乱也不怕。",
            "Cast-iron/铸铁/Heavy, patient, for a lifetime./厚重、耐心，用一辈子。",
            "Olive-wood/橄榄木/No two grains are alike./每一块木纹都不相同。",
            "Copper/紫铜/Quick to heat, lovely to look at./导热快，也好看。",
            "Stoneware/炻器/Fired twice, with a soft glaze./两次烧成，釉色柔和。",
        ),
        (
            _category("Cookware/锅具", "Dinner starts here./晚餐从这里开始。",
                      "Casserole/炖锅/89, Frying Pan/煎锅/54, Saucepan/奶锅/46, Wok/炒锅/59"),
            _category("Tools/厨具", "It lies well in the hand./握在手里刚刚好。",
                      "Chef's Knife/主厨刀/72, Cutting Board/砧板/34, Pepper Mill/胡椒研磨器/31, Mortar/研钵/28"),
            _category("Tableware/餐具", "For two, or for the whole street./两个人用，或整条街一起用。",
                      "Bowl Set/碗套装/38, Dinner Plates/餐盘/44, Serving Platter/大盘/36, Pitcher/水壶/29"),
        ),
    ),
    Department(
        Words("Home", "家居"), 262, WINTER,
        _finishes(
            "Linen/亚麻/Washed until it is soft./水洗至柔软。",
            "Smoky Glass/烟色玻璃/Mouth-blown, each a little different./人工吹制，各有细微不同。",
            "Ash-wood/白蜡木/Pale ash with a clear finish./浅色白蜡木，清漆饰面。",
            "Wool/羊毛/Spun from undyed wool./未染色羊毛纺成。",
            "Brass/黄铜/Solid brass that ages with you./实心黄铜，与你一同变老。",
        ),
        (
            _category("Lighting/灯具", "Light that flatters a room./让房间更好看的光。",
                      "Table Lamp/台灯/79, Pendant/吊灯/110, Candle Holder/烛台/24, Reading Light/阅读灯/64"),
            _category("Textiles/布艺", "Something soft for the long evening./漫长夜晚里的柔软。",
                      "Throw/盖毯/69, Cushion/靠垫/35, Table Runner/桌旗/28, Curtain/窗帘/85"),
            _category("Decor/摆件", "A small thing that changes the shelf./小小一件，书架焕然一新。",
                      "Vase/花瓶/39, Picture Frame/相框/27, Mirror/镜子/95, Wall Clock/挂钟/58"),
        ),
    ),
    Department(
        Words("Garden", "园艺"), 118, SUMMER,
        _finishes(
            "Terracotta/红陶/Breathes, so that roots can too./透气，根也能呼吸。",
            "Galvanized/镀锌/Left outside, it only gets better./放在户外，越来越有味道。",
            "Heritage/传统/Made the way it was a century ago./沿用百年前的做法。",
            "Balcony/阳台/Sized for the smallest balcony./再小的阳台也放得下。",
            "Meadow/草甸/Chosen with bees in mind./为蜜蜂而选。",
        ),
        (
            _category("Garden Tools/园艺工具", "For an hour that smells of earth./带着泥土气息的一小时。",
                      "Hand Trowel/小铲/18, Pruner/修枝剪/32, Watering Can/洒水壶/36, Hoe/锄头/29"),
            _category("Planters/花盆", "A good home for something green./给绿植一个好家。",
                      "Pot/花盆/16, Window Box/窗台花箱/33, Hanging Planter/吊盆/24, Raised Bed/种植箱/98"),
            _category("Seeds/种子", "Sow, wait, be surprised./播种，等待，惊喜。",
                      "Herb Seeds/香草种子/7, Flower Mix/花种混合装/8, Tomato Seeds/番茄种子/6, Bulbs/种球/12"),
        ),
    ),
    Department(
        Words("Outdoors", "户外"), 205, SUMMER,
        _finishes(
            "Featherlight/轻羽/Every gram was argued about./每一克都斤斤计较。",
            "Storm/风暴/Tested on a very wet island./在多雨的海岛上测试过。",
            "Canvas/帆布/Waxed canvas that can be mended./可修补的蜡帆布。",
            "Night-sky/夜空/Deep blue, with a little reflector./深蓝色，带一点反光。",
            "Basecamp/大本营/For those who stay another night./为多住一晚的人准备。",
        ),
        (
            _category("Hiking/徒步", "For the path behind the last house./走上最后一栋房子后面的小路。",
                      "Daypack/双肩包/84, Trekking Poles/登山杖/62, Bottle/水壶/22, Rain Jacket/雨衣/119"),
            _category("Camping/露营", "Four walls are not everything./不必总在四面墙里。",
                      "Tent/帐篷/229, Sleeping Bag/睡袋/129, Camp Stove/炉具/74, Lantern/营灯/39"),
            _category("Cycling/骑行", "The long way home./绕远路回家。",
                      "Saddle Bag/鞍包/49, Bike Bell/车铃/19, Helmet/头盔/79, Gloves/手套/28"),
        ),
    ),
    Department(
        Words("Paper & Desk", "文具"), 46, (1.3, 1.0, 0.9, 0.9, 0.8, 0.8, 0.9, 1.4, 1.4, 1.0, 1.1, 1.4),
        _finishes(
            "Recycled/再生纸/From paper that has been read before./由读过的纸再造。",
            "Cotton/棉浆/Cotton paper that takes ink kindly./棉浆纸，善待墨水。",
            "Midnight/午夜蓝/Ink-blue from edge to edge./通体墨蓝。",
            "Cork/软木/Bound in soft cork./软木装帧。",
            "Archive/典藏/Acid-free: still there in a hundred years./无酸纸，百年如新。",
        ),
        (
            _category("Notebooks/笔记本", "A place for what should not be lost./留住不该丢的念头。",
                      "Pocket Notebook/口袋本/11, Sketchbook/速写本/19, Weekly Planner/周计划本/24, Journal/日记本/22"),
            _category("Writing/书写", "It makes one want to write./让人想提笔。",
                      "Fountain Pen/钢笔/58, Pencil Set/铅笔套装/14, Brush Pen/软头笔/12, Ink/墨水/16"),
            _category("Desk/桌面", "A tidy desk, most days./大多数日子里整洁的书桌。",
                      "Desk Tray/收纳盘/34, Bookends/书挡/37, Desk Mat/桌垫/42, Letter Opener/拆信刀/21"),
        ),
    ),
    Department(
        Words("Bath & Care", "沐浴与护理"), 172, STEADY,
        _finishes(
            "Lavender/薰衣草/Lavender from a windy hill./来自风中山坡的薰衣草。",
            "Unscented/无香/Nothing added that need not be there./不添加任何多余的东西。",
            "Cedar/雪松/Smells like a forest after rain./像雨后的森林。",
            "Citrus/柑橘/Bright as a Saturday morning./像周六早晨一样明亮。",
            "Oat/燕麦/Kind to winter skin./善待冬天的皮肤。",
        ),
        (
            _category("Soap/香皂", "Cured for six weeks./静置熟成六周。",
                      "Hand Soap/手工皂/8, Shampoo Bar/洗发皂/11, Bath Salts/浴盐/15, Shower Oil/沐浴油/18"),
            _category("Skin Care/护肤", "Short list of ingredients, long effect./成分很短，效果很长。",
                      "Hand Cream/护手霜/13, Face Oil/面油/29, Lip Balm/润唇膏/6, Body Lotion/身体乳/19"),
            _category("Towels/毛巾", "Thick where it matters./该厚的地方足够厚。",
                      "Bath Towel/浴巾/32, Hand Towel/手巾/16, Bathrobe/浴袍/88, Bath Mat/浴室垫/27"),
        ),
    ),
    Department(
        Words("Toys & Games", "玩具与游戏"), 330, GIFTS,
        _finishes(
            "Beechwood/榉木/Solid beech with rounded corners./实心榉木，圆角处理。",
            "Travel/旅行装/Fits into a coat pocket./放得进外套口袋。",
            "Family/家庭装/From six to ninety-nine./从六岁到九十九岁。",
            "Classic/经典/The rules everyone knows./人人都懂的规则。",
            "Starlight/星光/Painted with water colors./水彩上色。",
        ),
        (
            _category("Board Games/桌游", "Telephones stay in the other room./手机留在隔壁房间。",
                      "Chess Set/国际象棋/49, Strategy Game/策略桌游/39, Card Game/纸牌游戏/15, Mahjong Set/麻将/65"),
            _category("Wooden Toys/木制玩具", "Made to be inherited./值得传下去。",
                      "Train Set/小火车/54, Building Blocks/积木/36, Pull-along Dog/拖拉小狗/24, Xylophone/木琴/29"),
            _category("Puzzles/拼图", "One more piece before bed./睡前再拼一块。",
                      "Jigsaw 1000/千片拼图/22, Map Puzzle/地图拼图/19, Brain Teaser/益智锁/14, Cube/魔方/12"),
        ),
    ),
)  # fmt: skip

BRANDS = ("Alder & Ash", "Bluebell", "Cloudpeak", "Dovetail", "Emberlane", "Fieldnote", "Hearthside", "Juniper",
          "Larkspur", "Moonjar", "Northquay", "Plumtree")  # fmt: skip
