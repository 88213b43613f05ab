"""No word that a visitor sees is written into the page's code: all come from the words files."""

import ast
import re
import string
from pathlib import Path

import pytest
from sentence_sites import PACKAGE, VALUE, docstrings, template, variants

from ocrtune.ui.words import LANGUAGES
from ocrtune.ui.words_en import ENGLISH
from ocrtune.ui.words_zh import CHINESE

UI = PACKAGE / "ui"
FILES = sorted(path for path in UI.glob("*.py") if not path.name.startswith("words_"))
SHOWN = {  # arguments of gradio's parts that visitors read
    "label", "placeholder", "info", "title", "alt", "submit_btn", "stop_btn", "headers", "value",
}  # fmt: skip
FIRST = {  # parts whose first argument visitors read
    "Markdown", "Button", "Tab", "Accordion", "HTML", "DownloadButton", "Error", "Info", "Warning",
    "Textbox", "Radio", "Checkbox",
}  # fmt: skip
WORD = re.compile(r"[A-Za-z\u4e00-\u9fff]{2,}")
TEXT_NODE = re.compile(r">([^<>{}]*[A-Za-z\u4e00-\u9fff]{2,}[^<>{}]*)<")
READ_ALOUD = re.compile(r"""(?:alt|title|aria-label|placeholder)=["'][^"'{}]*[A-Za-z]{2,}""")
NAMES = {  # names of things, the same in every language
    "ocrtune", "ocr", "tune", "CER", "中文", "English",
}  # fmt: skip
EXAMPLE = re.compile(r"[\w.:/@-]*[/-][\w.:/@-]+")  # of an address or a name to type
SCRIPT = re.compile(r"<script>.*?</script>", re.S)
CODES = {"value"}  # arguments that hold a choice's code more often than words


def fields(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


def test_both_languages_have_the_same_keys_and_values():
    assert set(ENGLISH) == set(CHINESE)
    differing = {key for key in ENGLISH if fields(ENGLISH[key]) != fields(CHINESE[key])}
    assert differing == set()
    assert [key for words in LANGUAGES.values() for key in words if not words[key].strip()] == []


def test_the_chinese_words_are_chinese():
    plain = {key for key, words in CHINESE.items() if not re.search(r"[\u4e00-\u9fff]", words)}
    assert {key for key in plain if words_of(CHINESE[key]) - {"CER", "LoRA"}} <= {
        key for key in plain if CHINESE[key] == ENGLISH[key]
    }
    long = {key for key in CHINESE if len(re.findall(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", outside_code(
        CHINESE[key])))}  # fmt: skip
    assert long == set()


def words_of(words: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]{2,}", re.sub(r"\{.*?\}", "", words)))


def outside_code(words: str) -> str:
    return re.sub(r"```.*?```|`[^`]*`|\{.*?\}", "", words, flags=re.S)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_key_that_is_asked_for_by_name_exists(path):
    unknown = []
    for call in calls(path):
        name = ast.unparse(call.func).rsplit(".", 1)[-1]
        place = {"label": 0, "say": 1, "text": 1, "Refused": 0}.get(name)
        if place is None or len(call.args) <= place:
            continue
        key = call.args[place]
        constant = isinstance(key, ast.Constant) and isinstance(key.value, str)
        if constant and key.value not in ENGLISH and (name != "text" or len(call.args) == 2):
            unknown.append(f"{path.name}:{call.lineno} {key.value}")
    assert unknown == []


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_part_of_the_page_has_words_of_its_own(path):
    found = []
    for call in calls(path):
        name = ast.unparse(call.func)
        if not name.startswith("gr."):
            continue
        arguments = [one for one in call.keywords if one.arg in SHOWN - CODES]
        shown = [one.value for one in arguments]
        if name[3:] in FIRST and call.args:
            shown.append(call.args[0])
        if name[3:] in FIRST - {"Textbox", "Radio", "Checkbox"}:
            shown += [one.value for one in call.keywords if one.arg == "value"]
        found += [
            f"{path.name}:{call.lineno} {words}"
            for value in shown
            for words in map(plain, variants(value))
            if words_of(re.sub(r"<[^>]*>", " ", words)) - NAMES and not EXAMPLE.fullmatch(words)
        ]
    assert found == []


def plain(parts: tuple) -> str:
    return VALUE.sub("", template(parts)).strip()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_html_of_the_page_has_words_of_its_own(path):
    tree = ast.parse(path.read_text("utf-8"))
    bare = docstrings(tree)
    found = []
    for node in ast.walk(tree):
        if id(node) in bare or not isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
            continue
        for parts in variants(node):
            words = SCRIPT.sub("", "\0".join("" if part is None else part for part in parts))
            told = [one for one in TEXT_NODE.findall(words) if words_of(one) - NAMES]
            told += READ_ALOUD.findall(words)
            found += [f"{path.name}:{node.lineno} {one}" for one in told]
    assert found == []


def test_neither_styles_nor_scripts_have_words_of_their_own():
    css = (UI / "page.css").read_text("utf-8")
    told = re.findall(r"content:\s*([\"'])(.*?)\1", css)
    assert [words for _, words in told if WORD.search(words) and not words.startswith("\\")] == []
    script = re.sub(r"//[^\n]*", "", (UI / "page.js").read_text("utf-8"))
    shown = r"(?:textContent|innerText|innerHTML|alert|confirm|placeholder|document\.title)"
    written = re.findall(shown + r"\s*(?:=|\()\s*([\"'`])(.*?)\1", script)
    assert [words for _, words in written if WORD.search(words)] == []


def test_the_checks_see_words_where_there_are_some():
    assert TEXT_NODE.findall("<b>Stop</b>")
    assert not TEXT_NODE.findall("<b>\0</b>")
    assert READ_ALOUD.findall('<img alt="a cat">')
    call = ast.parse('gr.Button("Go" if x else f"Stop {y}")').body[0].value
    assert [plain(parts) for parts in variants(call.args[0])] == ["Go", "Stop"]
