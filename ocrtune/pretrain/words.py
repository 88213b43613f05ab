"""The word lists that lines are written from.

`export_words` needs Debian's wamerican, wbritish and wngerman and the jieba package, for the recipe
only; `load_words` reads the small files it wrote.
"""

import random
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy

from ocrtune.alphabet import HAN, INDEX

DICTIONARIES = Path("/usr/share/dict")
HAN_SET = frozenset(HAN)


def listed(words: str) -> list[str]:
    """Return the words of a text."""
    return words.split()


COMMON_ENGLISH = listed("""
the of and to a in is it that for was on are as with his they at be this from have or by one
had not but what all were when we there can an your which their said if do will each about how
up out them then she many some so these would other into has more her two like him see time
""")
COMMON_GERMAN = listed("""
der die das und in zu den ist nicht von mit es sich auch auf für an er so daß dass als sie ein
eine dem des im werden wird hat war wie bei nur noch nach über um aus sein einer durch kann
sind wenn man oder aber vor zur bis mehr wir ich ihr mir sehr schon wo alle was unter gegen vom
""")
ACCENTED = listed("""
été père très où être château garçon français île août déjà forêt œuvre cœur maïs naïve Noël
château élève première après même hôtel goût ça là élan año niño señor mañana corazón también
está aquí español Málaga camión inglés jóvenes perché città più può così università già né
lunedì São não coração você três português ação avó avô mães Ærø smørrebrød blåbær fjord åben
älv över på får hjärta öga Malmö København Tromsø Þór Ísland Reykjavík ýmis það Škoda Žižka
žena Ostende d’été l’île l’œil ÉTÉ ÎLE GARÇON SEÑOR MÜNCHEN STRAẞE ÇA À Úlfur Ÿ Œuvre Ñandú
señorita pingüino façade crêpe gâteau fenêtre bibliothèque première naïf haïr Bogotá Perú
""")
UNITS = listed("""
元 米 公里 公斤 克 吨 个 件 台 本 张 页 号 楼 室 栋 层 路 年 月 日 时 分 秒 次 人 名 岁 %
""")
FIELDS = listed("""
编号 电话 地址 日期 金额 合计 数量 单价 姓名 备注 税号 开户行 账号 发票号码 手机 传真 邮编
身份证号 总计 规格 型号 单位 时间 订单号 客户 联系人 收款人 复核 审核 开票人 购买方 销售方
""")
CITIES = listed("""
北京市 上海市 广州市 深圳市 杭州市 南京市 成都市 武汉市 西安市 长沙市 青岛市 天津市 重庆市
苏州市 郑州市 沈阳市 大连市 厦门市 福州市 昆明市 济南市 合肥市 南昌市 太原市 兰州市
""")


@dataclass(frozen=True)
class Words:
    """Word lists to write from; `han_weights` are cumulative."""

    han: list[str]
    han_weights: list[float]
    english: list[str]
    german: list[str]


def export_words(folder: Path, seed: int = 0) -> None:
    """Write compact word lists made from jieba's dictionary and Debian's word lists."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "han.txt").write_text("\n".join(frequent_han_words()), "utf-8")
    chooser = random.Random(seed)
    english = read_list("american-english") | read_list("british-english")
    for name, words, count in (
        ("english", english, 60_000),
        ("german", read_list("ngerman"), 110_000),
    ):
        chosen = chooser.sample(sorted(words), min(count, len(words)))
        (folder / f"{name}.txt").write_text("\n".join(chosen), "utf-8")


def frequent_han_words(count: int = 70_000) -> list[str]:
    """Return `word weight` lines of jieba's dictionary, words of known characters only."""
    path = Path(numpy.__file__).parents[1] / "jieba" / "dict.txt"
    rows = (line.split(" ") for line in path.read_text("utf-8").splitlines())
    known = [(row[0], int(row[1])) for row in rows if HAN_SET.issuperset(row[0])]
    known.sort(key=lambda row: (-row[1], row[0]))
    return [f"{word} {round((weight + 1) ** 0.6, 1)}" for word, weight in known[:count]]


def read_list(name: str) -> set[str]:
    """Return the words of one Debian list that the alphabet can write."""
    words = (DICTIONARIES / name).read_text("utf-8").split()
    return {word for word in words if all(c in INDEX for c in word) and len(word) < 30}


def load_words(folder: Path) -> Words:
    """Return the lists that `export_words` wrote."""
    rows = [row.split(" ") for row in (folder / "han.txt").read_text("utf-8").splitlines()]
    return Words(
        [row[0] for row in rows],
        list(accumulate(float(row[1]) for row in rows)),
        (folder / "english.txt").read_text("utf-8").split("\n"),
        (folder / "german.txt").read_text("utf-8").split("\n"),
    )
