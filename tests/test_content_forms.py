"""Content files in the forms that people write them: what each of them is understood as."""

import pytest

from ocrtune.content import parse

PICTURES = ("img/1.jpg", "img/2.jpg", "img/3.jpg", "img/4.jpg")
FORMS = {  # the file, then picture and text of each entry
    "comma csv": (
        'img/1.jpg,"a, b"\nimg/2.jpg,"c ""d"""\nimg/3.jpg,",e"',
        {"1.jpg": "a, b", "2.jpg": 'c "d"', "3.jpg": ",e"},
    ),
    "comma bare": (
        "img/1.jpg,a, b\nimg/2.jpg,c\nimg/3.jpg,e",
        {"1.jpg": "a, b", "2.jpg": "c", "3.jpg": "e"},
    ),
    "csv all quoted": (
        '"img/1.jpg","a, b"\n"img/2.jpg","c ""d"""\n"img/3.jpg",",e"',
        {"1.jpg": "a, b", "2.jpg": 'c "d"', "3.jpg": ",e"},
    ),
    "csv header": ("path,text\nimg/1.jpg,a\nimg/2.jpg,b", {"1.jpg": "a", "2.jpg": "b"}),
    "tab keeps comma": (
        'img/1.jpg\t,a\nimg/2.jpg\tb\nimg/3.jpg\t"q"',
        {"1.jpg": ",a", "2.jpg": "b", "3.jpg": '"q"'},
    ),
    "sep '|'": (
        "img/1.jpg|t1 x\nimg/2.jpg|t2 x\nimg/3.jpg|t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep ' | '": (
        "img/1.jpg | t1 x\nimg/2.jpg | t2 x\nimg/3.jpg | t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep ';'": (
        "img/1.jpg;t1 x\nimg/2.jpg;t2 x\nimg/3.jpg;t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep ' ; '": (
        "img/1.jpg ; t1 x\nimg/2.jpg ; t2 x\nimg/3.jpg ; t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep ' : '": (
        "img/1.jpg : t1 x\nimg/2.jpg : t2 x\nimg/3.jpg : t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep ': '": (
        "img/1.jpg: t1 x\nimg/2.jpg: t2 x\nimg/3.jpg: t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep ' -> '": (
        "img/1.jpg -> t1 x\nimg/2.jpg -> t2 x\nimg/3.jpg -> t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep '->'": (
        "img/1.jpg->t1 x\nimg/2.jpg->t2 x\nimg/3.jpg->t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep '\\u3000'": (
        "img/1.jpg\u3000t1 x\nimg/2.jpg\u3000t2 x\nimg/3.jpg\u3000t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep '，'": (
        "img/1.jpg，t1 x\nimg/2.jpg，t2 x\nimg/3.jpg，t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep '：'": (
        "img/1.jpg：t1 x\nimg/2.jpg：t2 x\nimg/3.jpg：t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep ' => '": (
        "img/1.jpg => t1 x\nimg/2.jpg => t2 x\nimg/3.jpg => t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "sep ' → '": (
        "img/1.jpg → t1 x\nimg/2.jpg → t2 x\nimg/3.jpg → t3 x",
        {"1.jpg": "t1 x", "2.jpg": "t2 x", "3.jpg": "t3 x"},
    ),
    "space keeps comma": (
        "img/1.jpg ,a\nimg/2.jpg b\nimg/3.jpg c",
        {"1.jpg": ",a", "2.jpg": "b", "3.jpg": "c"},
    ),
    "one line comma adj": ("img/1.jpg,a", {"1.jpg": "a"}),
    "one line |": ("img/1.jpg | a", {"1.jpg": "a"}),
    "two lines ' ,' kept": ("img/1.jpg ,a\nimg/2.jpg ,b", {"1.jpg": ",a", "2.jpg": ",b"}),
    "backslash n": (
        "img/1.jpg one\\ntwo\nimg/2.jpg a\\\\nb",
        {"1.jpg": "one\ntwo", "2.jpg": "a\\nb"},
    ),
    "win path text": ("img/1.jpg C:\\new\\notes", {"1.jpg": "C:\\new\\notes"}),
    "win path one, breaks other": (
        "img/1.jpg C:\\new\\notes\nimg/2.jpg one\\ntwo",
        {"1.jpg": "C:\\new\\notes", "2.jpg": "one\ntwo"},
    ),
    "latex \\nu": (
        "img/1.jpg E = h\\nu\nimg/2.jpg \\alpha",
        {"1.jpg": "E = h\\nu", "2.jpg": "\\alpha"},
    ),
    "one latex spoils many": (
        "img/1.jpg a\\nb\nimg/2.jpg \\alpha\nimg/3.jpg c\\nd",
        {"1.jpg": "a\nb", "2.jpg": "\\alpha", "3.jpg": "c\nd"},
    ),
    "nosuffix": ("img/1 a\nimg/2 b\nimg/3 c", {"1.jpg": "a", "2.jpg": "b", "3.jpg": "c"}),
    "nosuffix not in mixed": ("img/1.jpg a\nimg/2.jpg b\n3 apples", {"1.jpg": "a", "2.jpg": "b"}),
    "file uri": (
        "file:///C:/x/img/1.jpg a\nfile:///home/me/img/2.jpg b",
        {"1.jpg": "a", "2.jpg": "b"},
    ),
    "file localhost": ("file://localhost/x/img/1.jpg a", {"1.jpg": "a"}),
    "./": ("./img/1.jpg a\n.\\img\\2.jpg b", {"1.jpg": "a", "2.jpg": "b"}),
    "bidi in path": ("\u202aC:\\img\\1.jpg a", {"1.jpg": "a"}),
    "table": (
        (
            "| pic | text |\n|---|:--|\n"
            "| img/1.jpg | a \\| b |\n| ![](img/2.jpg) | c<br>d |\n| `img/3.jpg` | e |"
        ),
        {"1.jpg": "a | b", "2.jpg": "c\nd", "3.jpg": "e"},
    ),
    "table no outer": (
        "pic | text\n--- | ---\nimg/1.jpg | a\nimg/2.jpg | b",
        {"1.jpg": "a", "2.jpg": "b"},
    ),
    "table 3 cols": (
        "| # | 图片 | 文字 |\n|---|---|---|\n| 1 | img/1.jpg | a |\n| 2 | img/2.jpg | b |",
        {"1.jpg": "a", "2.jpg": "b"},
    ),
    "table number col unnamed": (
        (
            "| # | file | said |\n|---|---|---|\n| 1 | img/1.jpg | a |\n"
            "| 2 | img/2.jpg | b |\n| 3 | img/3.jpg | b |\n| 4 | img/4.jpg | b |"
        ),
        {"1.jpg": "a", "2.jpg": "b", "3.jpg": "b", "4.jpg": "b"},
    ),
    "table with title": (
        (
            "# My data\n\nSome words.\n\n"
            "| pic | text |\n|---|---|\n| img/1.jpg | a |\n| img/2.jpg | b |"
        ),
        {"1.jpg": "a", "2.jpg": "b"},
    ),
    "table no header": ("| img/1.jpg | a |\n| img/2.jpg | b |", {"1.jpg": "a", "2.jpg": "b"}),
    "two tables": (
        (
            "| pic | text |\n|---|---|\n| img/1.jpg | a |\n"
            "\n| text | pic |\n|---|---|\n| b | img/2.jpg |"
        ),
        {"1.jpg": "a", "2.jpg": "b"},
    ),
    "table alt": (
        "| picture |\n|---|\n| ![hello](img/1.jpg) |\n| ![you](img/2.jpg) |",
        {"1.jpg": "hello", "2.jpg": "you"},
    ),
    "table then lines": (
        "| pic | text |\n|---|---|\n| img/1.jpg | a |\n| img/2.jpg | b |\n\nimg/3.jpg c",
        {"1.jpg": "a", "2.jpg": "b", "3.jpg": "c"},
    ),
    "bullets": (
        "- img/1.jpg a\n- img/2.jpg b\n* img/3.jpg c",
        {"1.jpg": "a", "2.jpg": "b", "3.jpg": "c"},
    ),
    "numbered": (
        "1. img/1.jpg a\n2. img/2.jpg b\n10) img/3.jpg c",
        {"1.jpg": "a", "2.jpg": "b", "3.jpg": "c"},
    ),
    "bullet texts kept": ("img/1.jpg - a\nimg/2.jpg b", {"1.jpg": "- a", "2.jpg": "b"}),
    "bullets colon": ("- img/1.jpg: a\n- img/2.jpg: b", {"1.jpg": "a", "2.jpg": "b"}),
    "bold": ("- **img/1.jpg**: a\n- **img/2.jpg**: b", {"1.jpg": "a", "2.jpg": "b"}),
    "bold inside colon": ("**img/1.jpg:** a\n\n**img/2.jpg:** b", {"1.jpg": "a", "2.jpg": "b"}),
    "backtick colon": ("- `img/1.jpg`: a\n- `img/2.jpg`: b", {"1.jpg": "a", "2.jpg": "b"}),
    "quote": ("> img/1.jpg a\n> img/2.jpg b", {"1.jpg": "a", "2.jpg": "b"}),
    "img alt": ("![a b](img/1.jpg)\n\n![c](img/2.jpg)", {"1.jpg": "a b", "2.jpg": "c"}),
    "img text": ("![](img/1.jpg) a\n![](img/2.jpg) b", {"1.jpg": "a", "2.jpg": "b"}),
    "img title": ('![a](img/1.jpg "t")\n![b](<img/2.jpg>)', {"1.jpg": "a", "2.jpg": "b"}),
    "link": ("[a](img/1.jpg)\n[b](img/2.jpg)", {"1.jpg": "a", "2.jpg": "b"}),
    "html": (
        '<img src="img/1.jpg" alt="a &amp; b">\n<img alt=\'c\' src=img/2.jpg />',
        {"1.jpg": "a & b", "2.jpg": "c"},
    ),
    "html p": (
        (
            '<p align="center"><img src="img/1.jpg" alt="a"></p>\n'
            '<p><img src="img/2.jpg" alt="b"></p>'
        ),
        {"1.jpg": "a", "2.jpg": "b"},
    ),
    "generic alt text": (
        "![image](img/1.jpg) a\n![image](img/2.jpg) b",
        {"1.jpg": "a", "2.jpg": "b"},
    ),
    "bullet imgs": ("- ![a](img/1.jpg)\n- ![b](img/2.jpg)", {"1.jpg": "a", "2.jpg": "b"}),
    "img text multi": (
        "![](img/1.jpg)\na\nb\n\n![](img/2.jpg)\nc",
        {"1.jpg": "a\nb", "2.jpg": "c"},
    ),
    "generic img multi": (
        "![image](img/1.jpg)\na\nb\n\n![image](img/2.jpg)\nc",
        {"1.jpg": "a\nb", "2.jpg": "c"},
    ),
    "fence": ("```\nimg/1.jpg a\nimg/2.jpg b\n```", {"1.jpg": "a", "2.jpg": "b"}),
    "fence text": ("```text\nimg/1.jpg a\n```", {"1.jpg": "a"}),
    "front": ("---\ntitle: x\ndate: 2020\n---\nimg/1.jpg a", {"1.jpg": "a"}),
    "html comment": ("<!-- img/1.jpg x -->\n<!--\nimg/2.jpg b\n-->\nimg/3.jpg c", {"3.jpg": "c"}),
    "comment tail": ("<!-- x --> img/3.jpg c", {"3.jpg": "c"}),
    "unclosed comment": ("<!-- x\nimg/3.jpg c", {"3.jpg": "c"}),
    "comment ends mid": (
        "<!-- x\ny --> \nimg/3.jpg c\nimg/2.jpg uses --> here",
        {"3.jpg": "c", "2.jpg": "uses --> here"},
    ),
    "pages": (
        "# img/1.jpg\na\nb\n\n\nc\n## Chapter\nd\n\n# img/2.jpg\ne",
        {"1.jpg": "a\nb\n\nc\n## Chapter\nd", "2.jpg": "e"},
    ),
    "pages img": ("## ![](img/1.jpg)\na\nb\n## ![](img/2.jpg)\ne", {"1.jpg": "a\nb", "2.jpg": "e"}),
    "pages bare": ("# Book\n\n### img/1\na\nb\n### img/2\ne", {"1.jpg": "a\nb", "2.jpg": "e"}),
    "pages single line": ("# 1.jpg\na\n# 2.jpg\nb", {"1.jpg": "a", "2.jpg": "b"}),
    "pages missing": ("# 1.jpg\na\nb\n# 9.jpg\nb\n# 2.jpg\nc", {"1.jpg": "a\nb", "2.jpg": "c"}),
    "pages empty": ("# 1.jpg\n\n# 2.jpg\nc", {"2.jpg": "c"}),
    "pages chapter between": (
        "## 1.jpg\na\n\n# Part two\n\n## 2.jpg\nc",
        {"1.jpg": "a", "2.jpg": "c"},
    ),
    "pages rule": ("## 1.jpg\na\n\n---\n\n## 2.jpg\nc", {"1.jpg": "a", "2.jpg": "c"}),
    "pages title img": (
        "## Page 1\n![](img/1.jpg)\na\nb\n\n## Page 2\n![](img/2.jpg)\nc",
        {"1.jpg": "a\nb", "2.jpg": "c"},
    ),
    "pages head+img": (
        "## 1.jpg\n![](img/1.jpg)\n\na\nb\n\n## 2.jpg\n![](img/2.jpg)\nc",
        {"1.jpg": "a\nb", "2.jpg": "c"},
    ),
    "pages fenced": (
        "# 1.jpg\n```\na\nb\n```\n# 2.jpg\n```\nc\n```",
        {"1.jpg": "a\nb", "2.jpg": "c"},
    ),
    "pages with inner table": (
        "# 1.jpg\nx\n| a | b |\n|---|---|\n| c | d |\n\n# 2.jpg\nc",
        {"1.jpg": "x\n| a | b |\n|---|---|\n| c | d |", "2.jpg": "c"},
    ),
    "pages w inner rule": (
        "# 1.jpg\na\n\n---\n\nb\n# 2.jpg\nc",
        {"1.jpg": "a\n\n---\n\nb", "2.jpg": "c"},
    ),
    "pages w mention": (
        "# 1.jpg\nsee\n2.jpg shows more\nb\n# 2.jpg\nc\nd",
        {"1.jpg": "see\n2.jpg shows more\nb", "2.jpg": "c\nd"},
    ),
    "pages starting with number": (
        "# 1.jpg\n1. first\n2. second\n# 2.jpg\n- x\n- y",
        {"1.jpg": "1. first\n2. second", "2.jpg": "- x\n- y"},
    ),
    "path lines": ("img/1.jpg\na\nb\n\nimg/2.jpg\nc\nd", {"1.jpg": "a\nb", "2.jpg": "c\nd"}),
    "comments mixed": ("# about\nimg/1.jpg a\n# 2.jpg\nimg/3.jpg b", {"1.jpg": "a", "3.jpg": "b"}),
    "comment pic + broken": (
        "img/1.jpg a\n# 2.jpg\n9.jpg c\nimg/3.jpg b",
        {"1.jpg": "a", "3.jpg": "b"},
    ),
    "lines then pages": (
        "img/1.jpg a\nimg/2.jpg b\n\n# img/3.jpg\nc\nd",
        {"1.jpg": "a", "2.jpg": "b", "3.jpg": "c\nd"},
    ),
    "pages then a line": (
        "# img/1.jpg\na\nb\n# img/2.jpg\nc\nd\n# img/3.jpg\ne\n\nimg/4.jpg f",
        {"1.jpg": "a\nb", "2.jpg": "c\nd", "3.jpg": "e", "4.jpg": "f"},
    ),
    "setext": ("img/1.jpg\n=====\na\nb\n\nimg/2.jpg\n----\nc", {"1.jpg": "a\nb", "2.jpg": "c"}),
    "heading closing": ("## 1.jpg ##\na\n## 2.jpg ##\nb", {"1.jpg": "a", "2.jpg": "b"}),
    "heading colon": ("## 1.jpg:\na\nb\n## 2.jpg:\nb", {"1.jpg": "a\nb", "2.jpg": "b"}),
}
NAMES = {  # the same with other pictures in the archive
    "ne path": ("img\\new\\1.jpg a", ["img/new/1.jpg"], {"new/1.jpg": "a"}),
    "nosuffix two kinds": (
        "img/1 a\nimg/2 b",
        ["img/1.jpg", "img/1.png", "img/2.jpg", "img/2.png"],
        {},
    ),
    "url": ("img/my%20scan.jpg a", ["img/my scan.jpg"], {"my scan.jpg": "a"}),
    "url literal": (
        "img/my%20scan.jpg a",
        ["img/my scan.jpg", "img/my%20scan.jpg"],
        {"my%20scan.jpg": "a"},
    ),
    "img parens": ("![a](img/scan (1).jpg)", ["img/scan (1).jpg"], {"scan (1).jpg": "a"}),
    "escaped underscore": ("my\\_scan.jpg a", ["my_scan.jpg"], {"my_scan.jpg": "a"}),
}


def read(text, names):
    """Return the texts of a content file by the file names of their pictures."""
    return {entry.name.removeprefix("img/"): entry.text for entry in parse(text, names).entries}


@pytest.mark.parametrize(("text", "texts"), FORMS.values(), ids=FORMS)
def test_a_form_is_understood(text, texts):
    assert read(text, PICTURES) == texts


@pytest.mark.parametrize(("text", "names", "texts"), NAMES.values(), ids=NAMES)
def test_a_path_is_understood(text, names, texts):
    assert read(text, names) == texts


@pytest.mark.parametrize(("text", "texts"), FORMS.values(), ids=FORMS)
def test_no_form_depends_on_the_ends_of_its_lines(text, texts):
    assert read("\ufeff" + text.replace("\n", "\r\n") + "\r\n", PICTURES) == texts


def test_each_line_of_a_form_is_used_or_explained():
    for text, texts in FORMS.values():
        parsed = parse(text, PICTURES)
        assert len(parsed.entries) == len(texts)
        for one in parsed.rejects:
            assert str(one.reason).endswith((".", "…"))
            assert one.reason.say("zh") != one.reason.key
        for one in parsed.remarks:
            assert str(one) != one.key
            assert one.say("zh") != one.key
