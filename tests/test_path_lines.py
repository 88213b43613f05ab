import pytest

from ocrtune.content import parse

NAMES = ["img/1.jpg", "img/2.jpg", "img/3.jpg", "img/4.jpg"]


def read(text, names=NAMES):
    """Return the texts by picture, the reasons of the rejects by line, and the remarks' keys."""
    parsed = parse(text, names)
    return (
        {entry.name: entry.text for entry in parsed.entries},
        {one.line_number: str(one.reason) for one in parsed.rejects},
        [one.key for one in parsed.remarks],
    )


@pytest.mark.parametrize(
    "separator",
    ["\t", ",", ", ", ";", "|", " | ", ":", ": ", " : ", "->", " -> ", "=>", "→"]
    + ["，", "：", "；", "\u3000", " \t "],
)
def test_what_parts_path_and_text_everywhere_is_no_text(separator):
    lines = [f"img/{number}.jpg{separator}te, xt | {number}" for number in (1, 2, 3, 4)]
    texts, rejects, remarks = read("\n".join(lines))
    assert texts == {f"img/{number}.jpg": f"te, xt | {number}" for number in (1, 2, 3, 4)}
    assert rejects == {}
    assert remarks == ([] if separator == "\u3000" else ["separated"])


@pytest.mark.parametrize("sign", [",", ";", "；", "|", ":", "->"])
def test_a_sign_that_few_texts_begin_with_belongs_to_them(sign):
    text = f"img/1.jpg {sign}a\nimg/2.jpg b\nimg/3.jpg c\nimg/4.jpg d"
    assert read(text) == (dict(zip(NAMES, (f"{sign}a", "b", "c", "d"), strict=True)), {}, [])


def test_one_line_does_not_prove_that_a_comma_after_a_space_parts():
    assert read("img/1.jpg ,a")[0] == {"img/1.jpg": ",a"}
    assert read("img/1.jpg,a")[0] == {"img/1.jpg": "a"}


def test_a_line_with_another_separator_than_the_others_is_rejected_with_the_reason():
    texts, rejects, _ = read("img/1.jpg a\nimg/2.jpg,b\nimg/3.jpg c")
    assert texts == {"img/1.jpg": "a", "img/3.jpg": "c"}
    assert "ends at `,`" in rejects[2]


def test_separators_within_names_do_not_part():
    names = ["a, b.jpg", "c;d.jpg", "x: y.jpg"]
    texts, rejects, _ = read("a, b.jpg,eins\nc;d.jpg,zwei\nC:\\x: y.jpg,drei", names)
    assert (list(texts.values()), rejects) == (["eins", "zwei", "drei"], {})


def test_csv_quotes_are_taken_off_and_their_header_left_out():
    text = 'image,text\n"img/1.jpg","a ""b"", c"\nimg/2.jpg,"x, y"\nimg/3.jpg,z\nimg/4.jpg,"open'
    texts, rejects, remarks = read(text)
    assert texts == {"img/1.jpg": 'a "b", c', "img/2.jpg": "x, y", "img/3.jpg": "z"}
    assert list(rejects) == [5]
    assert "quotation mark" in rejects[5]
    assert remarks == ["separated", "header_line", "texts_unquoted"]


def test_quotation_marks_of_the_picture_stay():
    text = 'img/1.jpg "Ach!"\nimg/2.jpg b\nimg/3.jpg c'
    assert read(text)[0]["img/1.jpg"] == '"Ach!"'


def test_lists_and_links():
    text = (
        "- img/1.jpg eins\n- ![](img/2.jpg) zwei\n* [drei](<img/3.jpg>)\n"
        '1. <img alt="vier &amp; fünf" src="img/4.jpg">\n'
    )
    texts, rejects, remarks = read(text)
    assert list(texts.values()) == ["eins", "zwei", "drei", "vier & fünf"]
    assert (rejects, remarks) == ({}, ["as_list"])


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        ("![the words](img/1.jpg)", "the words", ""),
        ('![the words](img/1.jpg "title")', "the words", ""),
        ("![the \\[words\\]](img/1.jpg)", "the [words]", ""),
        ("![](img/1.jpg) the words", "the words", ""),
        ("![1.jpg](img/1.jpg) the words", "the words", ""),
        ("[![](img/1.jpg) words", "", "does not begin with the path"),
        ("![words](img/1.jpg) others", "", "`words`, differ from the text behind it, `others`"),
        ("![1](img/1.jpg)", "", "The only text, `1`, is the name of the picture."),
        ("![](img/1.jpg) ![](img/2.jpg) words", "", "shows several pictures"),
        ("![words](img/9.jpg)", "", "There is no picture `img/9.jpg`."),
    ],
)
def test_a_link_to_a_picture_may_carry_its_text(line, text, reason):
    texts, rejects, _ = read(line)
    assert texts == ({"img/1.jpg": text} if text else {})
    assert reason in "".join(rejects.values())
    assert bool(rejects) == bool(reason)


def test_numbers_before_words_of_a_text_do_not_make_a_list():
    names = ["1.jpg", "2.jpg", "3.jpg"]
    texts, rejects, _ = read("1.jpg a\n3.jpg b\n1. 2.jpg is better", names)
    assert texts == {"1.jpg": "a", "3.jpg": "b"}
    assert list(rejects) == [3]


def test_paths_without_a_suffix():
    texts, rejects, remarks = read("img/1 eins\nimg/2\tzwei\n3 drei\nimg/9 neun")
    assert texts == {"img/1.jpg": "eins", "img/2.jpg": "zwei", "img/3.jpg": "drei"}
    assert (list(rejects), remarks) == ([4], ["bare_paths"])


def test_a_word_is_no_path_in_a_file_whose_paths_are_whole():
    texts, rejects, _ = read("img/1.jpg eins\nimg/3.jpg drei\n2 more words")
    assert texts == {"img/1.jpg": "eins", "img/3.jpg": "drei"}
    assert list(rejects) == [3]


def test_a_stem_of_two_pictures_is_no_path():
    _, rejects, _ = read("a text", ["a.jpg", "a.png"])
    assert "fits 2 pictures" in rejects[1]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("my%20scan.jpg t", ["my scan.jpg"]),
        ("a%20b/%E5%9B%BE.jpg t", ["a b/图.jpg"]),
        ("100%25.jpg t", ["100%25.jpg"]),  # as it stands, where that is there
        ("file:///home/me/img/1.jpg t", ["img/1.jpg"]),
        ("file:///C:/me/my%20scan.jpg t", ["my scan.jpg"]),
        ("page\\_1.jpg t", ["page_1.jpg"]),
        ("img\\_1.jpg t", ["img/_1.jpg"]),
    ],
)
def test_escaped_paths(line, names):
    assert read(line, names) == ({names[0]: "t"}, {}, [])


def test_a_written_line_break_becomes_one():
    text = "img/1.jpg a\\nb\nimg/2.jpg c\\\\nd\nC:\\new\\img\\3.jpg e\\n"
    texts, _, remarks = read(text)
    assert texts == {"img/1.jpg": "a\nb", "img/2.jpg": "c\\nd", "img/3.jpg": "e"}
    assert remarks == ["breaks_made"]


@pytest.mark.parametrize("tex", [r"\alpha", r"x \neq y", r"\frac{a}{b}", r"\nu"])
def test_tex_keeps_its_backslashes(tex):
    texts, _, remarks = read(f"img/1.jpg a\\nb\nimg/2.jpg {tex}")
    assert texts == {"img/1.jpg": "a\\nb", "img/2.jpg": tex}
    assert remarks == ["breaks_kept"]


def test_a_second_text_for_a_picture_is_told_with_both_texts():
    _, rejects, _ = read("img/1.jpg eins\nimg/1.jpg zwei")
    assert "`eins`, not `zwei`" in rejects[2]
