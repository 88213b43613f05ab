import time

import pytest

from ocrtune.config import BuildConfig
from ocrtune.content import parse
from ocrtune.errors import QuestionError

NAMES = ["img/1.jpg", "img/2.jpg", "img/3.jpg", "img/4.jpg"]


def read(text, names=NAMES, **settings):
    """Return the texts by picture, the reasons of the rejects by line, and the remarks' keys."""
    config = BuildConfig(source="", output="", **settings)
    parsed = parse(text, names, config=config)
    return (
        {entry.name: entry.text for entry in parsed.entries},
        {one.line_number: str(one.reason) for one in parsed.rejects},
        [one.key for one in parsed.remarks],
    )


# Tables


def test_a_table_with_cells_of_all_kinds():
    text = """\
# My pictures

| Nr. | Bild | Text |
|:---:|------|-----:|
| 1 | `img/1.jpg` | a\\|b |
| 2 | ![x](img/2.jpg) | zwei<br>Zeilen |
| 3 | img/3.jpg | a | b |
| 4 | lost.jpg | x |
| 5 | img/4.jpg | |
"""
    texts, rejects, remarks = read(text)
    assert texts == {"img/1.jpg": "a|b", "img/2.jpg": "zwei\nZeilen"}
    assert "4 cells, the table only 3" in rejects[7]
    assert rejects[8] == "There is no picture `lost.jpg`."
    assert rejects[9] == "There is no text after the path."
    assert (list(rejects), remarks) == ([7, 8, 9], ["as_table"])


@pytest.mark.parametrize(
    "text",
    [
        "img | text\n--- | ---\nimg/1.jpg | eins\nimg/2.jpg | zwei",
        "|text|img|\n|-|-|\n|eins|img/1.jpg|\n|zwei|img/2.jpg|",
        "|img/1.jpg|eins|\n|---|---|\n|img/2.jpg|zwei|",  # the first row stands as the header
        "| img/1.jpg | eins |\n| img/2.jpg | zwei |",
        "## A\n|p|t|\n|-|-|\n|img/1.jpg|eins|\n\n## B\n\n|p|t|\n|-|-|\n|img/2.jpg|zwei|",
        "|picture|\n|-------|\n|![eins](img/1.jpg)|\n|![zwei](img/2.jpg)|",
        "|id|img|说明|文字|\n|-|-|-|-|\n|1|img/1.jpg|x|eins|\n|2|img/2.jpg|x|zwei|",
    ],
)
def test_other_tables(text):
    assert read(text) == ({"img/1.jpg": "eins", "img/2.jpg": "zwei"}, {}, ["as_table"])


UNCLEAR = "|img|left|right|\n|-|-|-|\n|img/1.jpg|a|b|\n"


def test_an_unclear_column_is_asked_about_and_can_be_named():
    with pytest.raises(QuestionError) as caught:
        read(UNCLEAR)
    assert (caught.value.setting, caught.value.choices) == ("text_column", ("left", "right"))
    assert read(UNCLEAR, text_column="Right")[0] == {"img/1.jpg": "b"}
    with pytest.raises(QuestionError):
        read(UNCLEAR, text_column="other")


def test_a_line_outside_of_the_table_is_told():
    _, rejects, _ = read("Read this.\n\n|img|text|\n|-|-|\n|img/1.jpg|a|")
    assert rejects == {1: "The line stands outside of the table."}


def test_a_bar_in_a_text_makes_no_table():
    texts, _, _ = read("img/1.jpg a | b\nimg/2.jpg |c|\nimg/3.jpg d")
    assert texts == {"img/1.jpg": "a | b", "img/2.jpg": "|c|", "img/3.jpg": "d"}


# Pages


def test_pages_under_headings():
    text = """\
---
title: Two pages
---
<!-- img/4.jpg is not ready:
# img/4.jpg
-->
# img/1.jpg

line 1


line 2
## a heading of the page
img/3.jpg is mentioned
---

## ![](img/2.jpg)
```text
code
```
# img/9.jpg
lost
lines
### 3.jpg
"""
    texts, rejects, remarks = read(text)
    assert texts == {
        "img/1.jpg": "line 1\n\nline 2\n## a heading of the page\nimg/3.jpg is mentioned",
        "img/2.jpg": "code",
    }
    assert list(rejects) == [21, 24]
    assert rejects[21] == "There is no picture `img/9.jpg`."
    assert "no text below" in rejects[24]
    assert remarks == ["as_pages"]
    lost = parse(text, NAMES).rejects[0]
    assert lost.original == "# img/9.jpg\nlost\nlines"


@pytest.mark.parametrize(
    "text",
    [
        "# img/1.jpg\na\nb\n# img/2.jpg\nc",
        "## `1.jpg`\na\nb\n## **2.jpg**:\nc",
        "### img/1\na\nb\n### img/2\nc",
        "![](img/1.jpg)\n\na\nb\n\n![](img/2.jpg)\n\nc",
        "# Page 1\n![](img/1.jpg)\na\nb\n\n# Page 2\n![](img/2.jpg)\nc",
        "# img/1.jpg\n![](img/1.jpg)\n\na\nb\n# img/2.jpg\n![](img/2.jpg)\nc",
        "img/1.jpg\na\nb\n\nimg/2.jpg\nc",
    ],
)
def test_pages_in_other_forms(text):
    assert read(text) == ({"img/1.jpg": "a\nb", "img/2.jpg": "c"}, {}, ["as_pages"])


def test_pages_of_a_book():
    names = ["book.pdf", "book.pdf#page=3", "book.pdf#page=4"]
    texts, _, _ = read("# book.pdf#page=3\na\nb\n# book.pdf#page=4\nc", names)
    assert texts == {"book.pdf#page=3": "a\nb", "book.pdf#page=4": "c"}


def test_a_heading_of_a_missing_page_ends_the_page_before_it():
    texts, rejects, _ = read("## img/1\na\n## img/2\nb\n## img/7\nc\n# Part\nd")
    assert texts == {"img/1.jpg": "a", "img/2.jpg": "b"}
    assert rejects == {5: "There is no picture `img/7`."}


def test_lines_above_the_first_page_are_told():
    _, rejects, _ = read("Some words\n# img/1.jpg\na")
    assert "belongs to no page" in rejects[1]


def test_comments_do_not_make_pages():
    text = "# my lines\nimg/1.jpg a\n# img/2.jpg old\n# img/3.jpg\nimg/4.jpg b"
    assert read(text) == ({"img/1.jpg": "a", "img/4.jpg": "b"}, {}, [])


def test_a_path_without_a_text_makes_no_page_of_the_lines_below():
    texts, rejects, _ = read("img/1.jpg\nimg/2.jpg a\nimg/3.jpg b")
    assert texts == {"img/2.jpg": "a", "img/3.jpg": "b"}
    assert rejects == {1: "There is no text after the path."}


def test_fences_and_comments_around_lines_are_no_lines():
    text = "```\nimg/1.jpg a\nimg/2.jpg b\n```\n<!-- img/3.jpg c -->\n***\nimg/4.jpg -->"
    assert read(text) == ({"img/1.jpg": "a", "img/2.jpg": "b", "img/4.jpg": "-->"}, {}, [])


@pytest.mark.parametrize(
    "text",
    ["<!--\n" * 3_000, "|" * 100_000, "![" * 50_000, "[" * 50_000, "<img " * 20_000]
    + ["# " * 50_000, "![](" + "(" * 20_000, "![a](x" + ' "' * 20_000, "|-" * 50_000 + "\n|a|"]
    + ["\\" * 100_000, "img/1.jpg " + "\\n" * 100_000, "`" * 100_000, "- " * 50_000],
)
def test_absurd_markdown_costs_little(text):
    started = time.process_time()
    parse(text, NAMES)
    assert time.process_time() - started < 2
