"""The characters the embedded model knows: one token each, in an order that never changes."""

ASCII = "".join(map(chr, range(0x20, 0x7F)))
LATIN = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿſŒœŸŠšŽžẞ"
TYPOGRAPHIC = "–—„“”‚‘’«»‹›…•€£¥§°±×÷¹²³½¼¾†‡№©®™¿¡ªºµ·"
CJK_PUNCTUATION = "，。、；：？！（）《》〈〉【】「」『』～￥％"
ZERO = "〇"  # written in years, outside GB 2312's first level
RING_E = "\u0364"  # the small e above a, o, u that old prints have for the umlaut
OLD_PRINT = RING_E + "⸗ꝛ"
SIGNS = "①②③④⑤⑥⑦⑧⑨⑩○●□■△▲☆★→←↑↓℃≤≥≈≠√ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ〔〕"


def first_level_characters() -> str:
    """Return the 3,755 characters of GB 2312's first level (rows 16 to 55), in its order."""
    return "".join(
        bytes((0xA0 + row, 0xA0 + cell)).decode("gb2312")
        for row in range(16, 56)
        for cell in range(1, 95 if row < 55 else 90)
    )


HAN = first_level_characters() + ZERO
# New characters go to the end: weights made before them keep their rows.
ALPHABET: str = ASCII + LATIN + TYPOGRAPHIC + CJK_PUNCTUATION + HAN + OLD_PRINT + SIGNS
INDEX: dict[str, int] = {character: index for index, character in enumerate(ALPHABET)}
