"""Which files of a folder git would leave out, told from its `.gitignore` files alone."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NEVER = {".git", "__pycache__", ".venv", "node_modules"}  # whatever a `.gitignore` says


@dataclass(frozen=True)
class Rule:
    """One line of a `.gitignore`."""

    pattern: re.Pattern  # of the path below the folder in which the file lies
    folder: str  # that folder, with `/` at its end; empty for the top
    only_folders: bool
    keeps: bool  # a line that begins with `!`

    def fits(self, path: str, is_folder: bool) -> bool:
        """Return whether the line speaks of this path."""
        if self.only_folders and not is_folder:
            return False
        inside = path.startswith(self.folder)
        return inside and bool(self.pattern.fullmatch(path[len(self.folder) :]))


def list_files(root: Path) -> Iterator[str]:
    """Yield the files below a folder that are not ignored, as `a/b.txt`, in order of name.

    Links are yielded like files, wherever they lead; what lies behind a linked folder is not.
    """
    yield from below(root, "", ())


def below(root: Path, folder: str, rules: tuple[Rule, ...]) -> Iterator[str]:
    """Yield the files of one folder, and of those within; `rules` come from the folders above."""
    with os.scandir(root / folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    if any(entry.name == ".gitignore" for entry in entries):
        rules += tuple(read_rules(root / folder / ".gitignore", folder))
    for entry in entries:
        path, is_folder = folder + entry.name, entry.is_dir(follow_symlinks=False)
        if entry.name in NEVER or is_ignored(path, is_folder, rules):
            continue
        if is_folder:
            yield from below(root, f"{path}/", rules)
        else:
            yield path


def is_ignored(path: str, is_folder: bool, rules: tuple[Rule, ...]) -> bool:
    """Return what the last line says that speaks of a path."""
    fitting = [rule for rule in rules if rule.fits(path, is_folder)]
    return bool(fitting) and not fitting[-1].keeps


def read_rules(path: Path, folder: str) -> Iterator[Rule]:
    """Yield the rules of a `.gitignore`."""
    for line in path.read_text("utf-8-sig", "replace").splitlines():
        words = re.sub(r"(?<!\\)\s+$", "", line)
        if not words or words.startswith("#"):
            continue
        keeps = words.startswith("!")
        words = words[1:] if keeps else words
        only_folders = words.endswith("/")
        words = words.rstrip("/")
        anywhere = "/" not in words
        pattern = glob_pattern(f"**/{words}" if anywhere else words.removeprefix("/"))
        yield Rule(pattern, folder, only_folders, keeps)


def glob_pattern(words: str) -> re.Pattern:
    """Return a glob as an expression for whole paths; `**` stands for any number of folders."""
    parts, at = [], 0
    while at < len(words):
        rest = words[at:]
        if rest.startswith("**/"):
            parts.append("(?:.*/)?")
            at += 3
        elif rest == "**":
            parts.append(".+")
            at += 2
        elif rest[0] == "*":
            parts.append("[^/]*")
            at += 1
        elif rest[0] == "?":
            parts.append("[^/]")
            at += 1
        elif match := re.match(r"\[([!^]?)(\]?[^\]/]*)\]", rest):
            inner = match[2].replace("\\", r"\\").replace("[", r"\[")
            inner = r"\]" + inner[1:] if inner.startswith("]") else inner
            parts.append(f"(?!/)[{'^' if match[1] else ''}{inner}]")
            at += match.end()
        else:
            escaped = rest[0] == "\\" and len(rest) > 1
            parts.append(re.escape(rest[1] if escaped else rest[0]))
            at += 2 if escaped else 1
    return re.compile("".join(parts), re.DOTALL)
