"""Short files in old encodings: which one they are in."""

import random

import pytest

from ocrtune.encoding import decode
from ocrtune.old_encodings import guess_old_encoding

PHRASES = {
    "gb18030": "剧情跌宕起伏|好的特效嘛也算是良心了|谁也不讨厌谁|是|你好|北京|第一页|"
    "《红楼梦》第三回|饕餮盛宴|魑魅魍魉|朱镕基|价格：￥35.00元|妳好嗎|"
    "頭髮|龍飛鳳舞|繁體中文測試|踟蹰彳亍|犄角旮旯|第 3 回",
    "cp1252": "Für die schöne Müllerin|„Ach!“ — weiß|Größe|Öl|Äpfel, Öl|GRÖßE|MÜNCHEN|5 €|§ 5|"
    "20 °C|façade, œuvre|Été|créée|À Noël|"
    "ÉCOLE|« oui »|ça|¿Qué tal?|¡Hola!|AÑO|coração|São João|não|"
    "blåbærsyltetøy|ÆØÅ|æøå|ÁÉÍÓÚ|smörgåsbord",
    "cp932": "こんにちは|吾輩は猫である|東京都|カタカナ|日本語のテスト|名前はまだ無い",
    "big5": "繁體中文測試|你好嗎|國語|臺北市|中華民國|這是一個測試|龍飛鳳舞",
}
LONGER = {
    "cp1251": "Привет, мир|Война и мир|Анна Каренина|не знаю|Глава первая|Москва",
    "cp949": "안녕하세요|대한민국|서울 특별시|나는 학생입니다|한국어 시험",
}


def file_of(texts):
    """Return the content file of these texts."""
    return "".join(f"img/{number}.jpg {text}\n" for number, text in enumerate(texts))


@pytest.mark.parametrize("encoding", PHRASES)
def test_one_line_is_enough(encoding):
    for phrase in PHRASES[encoding].split("|"):
        text = file_of([phrase])
        assert guess_old_encoding(text.encode(encoding)) == encoding, phrase


@pytest.mark.parametrize("encoding", [*PHRASES, *LONGER])
def test_a_few_lines_are_told_apart(encoding):
    chance = random.Random(0)
    phrases = (PHRASES | LONGER)[encoding].split("|")
    for _ in range(60):
        text = file_of(chance.choices(phrases, k=6))
        assert decode(text.encode(encoding)) == (text, encoding)


def test_cut_characters_do_not_change_the_verdict():
    data = file_of(PHRASES["gb18030"].split("|")).encode("gb18030")
    cut = data.replace("北京".encode("gb18030"), "北京".encode("gb18030")[:3])
    assert guess_old_encoding(cut) == "gb18030"


@pytest.mark.parametrize("data", [b"", b"plain", b"\xff", b"\x80" * 100_000, bytes(range(256))])
def test_any_bytes_have_a_verdict(data):
    assert "x".encode(guess_old_encoding(data)) == b"x"
