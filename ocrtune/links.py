"""Pictures as Markdown and HTML link to them, with the text that such a link may carry."""

import html
import posixpath
import re
from dataclasses import dataclass

from ocrtune.names import Names, clean, fold, stem

LINK_CHARS = 8_192  # a longer link exists nowhere
LINK = re.compile(
    r"!?\[((?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]"
    r"\(\s*(?:<([^<>]{1,4096})>|((?:[^()]|\([^()]*\)){1,4096}?))(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)"
)
TAG = re.compile(r"<img\s[^<>]*>", re.I)
ATTRIBUTE = re.compile(r"\b(src|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.I)
ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|<>~-])")
PLACEHOLDERS = ("", "image", "img", "picture", "photo", "scan", "alt", "alt text", "图片", "图像")


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a picture, or to something else."""

    path: str
    label: str  # the words that stand for it
    end: int  # where it ends in the line

    @property
    def is_silent(self) -> bool:
        """Whether the label says nothing but the picture's own name."""
        path = clean(self.path)
        names = (fold(path), fold(posixpath.basename(path)), stem(path))
        return fold(self.label) in (*PLACEHOLDERS, *names)


def find_link(line: str) -> Link | None:
    """Return the link that the line begins with, or None."""
    if line.startswith(("![", "[")):
        found = LINK.match(line[:LINK_CHARS])
        if found:
            path = (found[2] or found[3]).strip()
            return Link(html.unescape(path), ESCAPE.sub(r"\1", found[1]).strip(), found.end())
    elif line.startswith("<") and (found := TAG.match(line[:LINK_CHARS])):
        values = {one[1].lower(): one[2] or one[3] or one[4] or "" for one in attributes(found[0])}
        if values.get("src"):
            words = {name: html.unescape(value).strip() for name, value in values.items()}
            return Link(words["src"], words.get("alt", ""), found.end())
    return None


def attributes(tag: str) -> list[re.Match[str]]:
    """Return the attributes of an `<img>` that matter."""
    return list(ATTRIBUTE.finditer(tag))


def has_link(text: str, known: Names) -> bool:
    """Whether the text links to a picture of the archive."""
    for start in re.finditer(r"!?\[|<img\s", text[:LINK_CHARS], re.I):
        link = find_link(text[start.start() :])
        if link and known.find(link.path):
            return True
    return False
