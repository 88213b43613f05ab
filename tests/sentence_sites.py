"""Finds the sentences that ocrtune's programs can say, as templates, by reading their source.

`f"{count} of {name}."` is the template `{0} of {1}.`: numbers, so that a renamed variable changes
no key. Where a constant choice stands inside a sentence, each choice makes its own template.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "ocrtune"
TELLERS = {  # calls whose words somebody reads, beside those that make an error
    "Note", "Done", "Failed", "Asked", "Outcome", "refused", "require", "fail", "tell",
}  # fmt: skip
FOREIGN = {  # errors for developers, and those of which ours tell in their own words
    "AssertionError", "AttributeError", "KeyError", "LookupError", "NotImplementedError",
    "OSError", "RuntimeError", "TypeError", "ValueError",
}  # fmt: skip
MOST_CHOICES = 16  # templates of one literal
VALUE = re.compile(r"\{(\d+)\}")
FIELD = re.compile(r"(\{[a-z_]+\})")  # of words for `str.format`
Parts = tuple[str | None, ...]


def variants(node: ast.AST | None) -> list[Parts]:
    """Return what a literal may say: constant parts, and None for each value; empty if it is none.

    A choice between a literal and something else gives the literal.
    """
    match node:
        case ast.Constant(value=str(words)):
            parts = enumerate(FIELD.split(words))
            return [tuple(part if number % 2 == 0 else None for number, part in parts)]
        case ast.JoinedStr(values=values):
            return joined([inner_variants(one) for one in values])
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            sides = [variants(left), variants(right)]
            return joined([side or [(None,)] for side in sides]) if any(sides) else []
        case ast.IfExp(body=body, orelse=other):
            return variants(body) + variants(other)
    return []


def inner_variants(node: ast.AST) -> list[Parts]:
    """Return the variants of a part of an f-string; a value whose words are elsewhere is None."""
    if not isinstance(node, ast.FormattedValue):
        return variants(node)
    found = variants(node.value)
    whole = isinstance(node.value, ast.IfExp) and all(
        variants(side) for side in (node.value.body, node.value.orelse)
    )
    return found if whole else [(None,)]


def joined(sides: list[list[Parts]]) -> list[Parts]:
    """Return all ways to put parts behind each other, few at most."""
    ways = [sum(way, ()) for way in product(*sides)]
    return ways[:MOST_CHOICES]


def template(parts: Parts) -> str:
    """Return parts as a template with numbered values."""
    words, number = "", 0
    for part in parts:
        if part is None:
            words, number = f"{words}{{{number}}}", number + 1
        else:
            words += part.replace("{", "{{").replace("}", "}}")
    return words


def is_sentence(words: str) -> bool:
    """Return whether a template reads like a sentence to people."""
    plain = re.sub(r"\{\d+\}", "", words)
    ends = re.search(r"([.?!:…]|\{\d+\})\s*$", words)
    begins = re.match(r"\s*([A-Z`{“\"(]|ocrtune )", words)
    return bool(len(re.findall(r"[A-Za-z]{2,}", plain)) >= 2 and ends and begins)


def docstrings(tree: ast.AST) -> set[int]:
    """Return the ids of the nodes that are docstrings or other bare strings."""
    bare = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return {id(value) for value in bare}


def is_told(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether a literal is an argument of something that tells people."""
    above = parents.get(node)
    if isinstance(above, ast.keyword):
        above = parents.get(above)
    if not isinstance(above, ast.Call):
        return False
    name = ast.unparse(above.func).rsplit(".", 1)[-1]
    return name in TELLERS or (name.endswith("Error") and name not in FOREIGN)


@cache
def literals(path: Path) -> tuple[tuple[int, str, bool], ...]:
    """Return every template in a file: its line, its words, whether a call tells it to people."""
    tree = ast.parse(path.read_text("utf-8"))
    bare = docstrings(tree)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = []
    for node in ast.walk(tree):
        above = parents.get(node)
        inside = isinstance(above, ast.JoinedStr | ast.FormattedValue) or (
            isinstance(above, ast.BinOp) and isinstance(above.op, ast.Add)
        )
        if id(node) in bare or inside or (isinstance(above, ast.IfExp) and node is not above.test):
            continue
        told = is_told(node, parents)
        for parts in variants(node):
            found.append((node.lineno, template(parts), told))
    return tuple(found)


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every sentence in a file that people may read, with its line."""
    for line, words, told in literals(path):
        plain = re.sub(r"\{\d+\}", "", words)
        wordy = re.search(r"[A-Za-z]{3,}", plain) and " " in words.strip()
        if is_sentence(words) or (told and wordy):
            yield line, words
