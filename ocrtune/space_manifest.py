"""`space.yaml`: what a Space is made of, beside the card on top of its README.

It is read strictly: what is not understood is refused, because it would be silently left out of
the Space.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from ocrtune.errors import ConfigError, did_you_mean
from ocrtune.ignoring import glob_pattern, list_files

MANIFEST = "space.yaml"
VERSION = 1
MOST_BYTES = 100_000  # of a manifest
VISIBILITIES = ("public", "private")
VOLUME_TYPES = ("bucket", "dataset", "model")
KEYS = ("version", "repo", "hardware", "sleep_time", "volumes", "variables", "secrets", "files")
VOLUME_KEYS = ("type", "source", "mount_path", "read_only", "optional")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
REPO_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, kw_only=True)
class Volume:
    """Something of the Hub that the Space sees as a folder."""

    type: str  # one of VOLUME_TYPES
    source: str  # repo or bucket id
    mount_path: str
    read_only: bool | None = None  # None: as the Hub has it
    optional: bool = False  # the Space is of use without it

    def holds(self, path: str) -> bool:
        """Return whether a path of the Space lies within."""
        return path == self.mount_path or path.startswith(self.mount_path.rstrip("/") + "/")

    def is_like(self, other: "Volume") -> bool:
        """Return whether the other one already is what this one asks for."""
        same = (self.type, self.source, self.mount_path) == (
            other.type,
            other.source,
            other.mount_path,
        )
        return same and self.read_only in (None, other.read_only)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What `space.yaml` asks for; `{owner}` and `{name}` in it stand for the Space's own."""

    name: str
    include: tuple[str, ...]  # patterns of the files to send; `**` goes through folders
    visibility: str = "public"
    hardware: str = "cpu-basic"
    sleep_time: int | None = None  # seconds after the last request; -1: never; None: as it is
    volumes: tuple[Volume, ...] = ()
    variables: Mapping[str, str] = ()
    secrets: tuple[str, ...] = ()

    def filled(self, owner: str, name: str) -> "Manifest":
        """Return the manifest with the Space's own names put in."""
        known = {"owner": owner, "name": name}
        variables = {key: fill(value, key, known) for key, value in self.variables.items()}
        volumes = tuple(
            replace(one, source=fill(one.source, "source", known)) for one in self.volumes
        )
        return replace(self, name=name, variables=variables, volumes=volumes)


def load_manifest(path: Path) -> Manifest:
    """Return the manifest at `path`; a ConfigError says what it holds that is not understood."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"`{path}` cannot be read: {getattr(error, 'strerror', None) or 'it is no UTF-8'}.",
            f"Run the command where `{MANIFEST}` lies, or name it with `--manifest`.",
        ) from error
    return parse_manifest(text, path.name)


def parse_manifest(text: str, name: str = MANIFEST) -> Manifest:
    """Return what the text of a manifest asks for; name: of its file."""
    if len(text) > MOST_BYTES:
        raise ConfigError(f"`{name}` is far too long for a manifest.", "Write it again.")
    try:
        values = yaml.load(text, Loader=StrictLoader)  # a SafeLoader: it makes plain values only
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" in line {place.line + 1}" if place else ""
        why = getattr(error, "problem", None) or "no sound text"
        raise ConfigError(f"`{name}` is not YAML{where}: {why}.", "Correct it there.") from error
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"`{name}` is not YAML that a manifest can be.", "Correct it.") from error
    return Reading(name).manifest(values)


class StrictLoader(yaml.SafeLoader):
    """Reads plain values, and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Return a mapping; of two values under one key, none is the right one."""
        seen = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                problem = f"`{key.value}` stands there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Reading:
    """The reading of one manifest; every refusal names its file."""

    file: str

    def require(self, condition: bool, problem: str, fix: str) -> None:
        """Raise a ConfigError of these two sentences unless `condition` holds."""
        if not condition:
            raise ConfigError(f"{problem} in `{self.file}`.", fix)

    def mapping(self, value: object, place: str, known: tuple[str, ...] = ()) -> dict:
        """Return a mapping with names for keys, all of them known where `known` is given."""
        good = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        self.require(good, f"{place} holds no names with values", "Write lines like `name: value`.")
        for key in value if known else ():
            hint = did_you_mean(key, known) or f"Known are: {', '.join(known)}."
            self.require(key in known, f"{place} has an unknown key `{key}`", hint)
        return value

    def text(self, value: object, place: str) -> str:
        """Return a text; YAML takes unquoted numbers and `yes` for something else."""
        fix = f'Write it in quotes, as `{place}: "{value}"`.'
        self.require(isinstance(value, str), f"`{place}` is {value!r}, which is no text", fix)
        self.require(bool(value.strip()), f"`{place}` is empty", "Give it a value.")
        return value

    def listed(self, value: object, place: str) -> list:
        """Return a list; nothing at all is an empty one."""
        value = [] if value is None else value
        self.require(isinstance(value, list), f"`{place}` is no list", "Write it as `[A, B]`.")
        return value

    def manifest(self, values: object) -> Manifest:
        """Return the manifest that a file's values make."""
        told = self.mapping(values, "The manifest", KEYS)
        fix = f"This ocrtune reads version {VERSION}: write `version: {VERSION}`."
        version = told.get("version")
        right = version == VERSION and not isinstance(version, bool)
        self.require(right, f"`version` is {version!r}", fix)
        repo = self.mapping(told.get("repo"), "`repo`", ("name", "visibility"))
        name = self.text(repo.get("name"), "name")
        good = bool(REPO_NAME.fullmatch(name)) and ".." not in name and "--" not in name
        self.require(good, f"`{name}` cannot name a Space", "Use letters, digits, `-` and `_`.")
        visibility = repo.get("visibility", "public")
        words = f"`visibility` is {visibility!r}"
        self.require(visibility in VISIBILITIES, words, f"Use {' or '.join(VISIBILITIES)}.")
        files = self.mapping(told.get("files"), "`files`", ("include",))
        include = [
            self.text(one, "include") for one in self.listed(files.get("include"), "include")
        ]
        self.require(bool(include), "`include` names no file", "Name what the Space consists of.")
        return Manifest(
            name=name,
            visibility=visibility,
            hardware=self.text(told.get("hardware", "cpu-basic"), "hardware"),
            sleep_time=self.seconds(told.get("sleep_time")),
            volumes=self.volumes(told.get("volumes")),
            variables=self.variables(told.get("variables")),
            secrets=self.secrets(told.get("secrets"), told.get("variables")),
            include=tuple(include),
        )

    def seconds(self, value: object) -> int | None:
        """Return after how many seconds the Space goes to sleep."""
        good = isinstance(value, int) and not isinstance(value, bool) and (value == -1 or value > 0)
        fix = "Use whole seconds, or -1 for never."
        self.require(value is None or good, f"`sleep_time` is {value!r}", fix)
        return value

    def variables(self, value: object) -> dict[str, str]:
        """Return the variables of the Space."""
        told = self.mapping({} if value is None else value, "`variables`")
        return {self.variable(key): self.text(text, key) for key, text in told.items()}

    def variable(self, name: object) -> str:
        """Return a name that a variable can have."""
        good = isinstance(name, str) and bool(VARIABLE.fullmatch(name))
        fix = "Use letters, digits and `_`."
        self.require(good, f"{name!r} cannot name a variable", fix)
        return name

    def secrets(self, value: object, variables: object) -> tuple[str, ...]:
        """Return the names of the secrets; their values never stand in a manifest."""
        fix = "List only names: `secrets: [NAME]`. Values come from your environment."
        self.require(not isinstance(value, dict), "`secrets` holds values", fix)
        names = [self.variable(one) for one in self.listed(value, "secrets")]
        both = sorted(set(names) & set(variables or ()))
        words = f"`{both[0] if both else ''}` is a variable and a secret"
        self.require(not both, words, "Keep it as one of the two.")
        return tuple(dict.fromkeys(names))

    def volumes(self, value: object) -> tuple[Volume, ...]:
        """Return the volumes of the Space."""
        found = []
        for one in self.listed(value, "volumes"):
            told = self.mapping(one, "A volume", VOLUME_KEYS)
            kind, path = told.get("type"), self.text(told.get("mount_path"), "mount_path")
            fix = f"Use one of: {', '.join(VOLUME_TYPES)}."
            self.require(kind in VOLUME_TYPES, f"The type of a volume is {kind!r}", fix)
            good = path.startswith("/") and path.strip("/") and ".." not in path.split("/")
            self.require(bool(good), f"`mount_path` is `{path}`", "Use a path such as `/data`.")
            for key in ("read_only", "optional"):
                switch = told.get(key, False)
                self.require(isinstance(switch, bool), f"`{key}` is {switch!r}", "Use true.")
            source = self.text(told.get("source"), "source")
            self.require(source.count("/") == 1, f"`source` is `{source}`", "Use `OWNER/NAME`.")
            found.append(Volume(**{**told, "source": source, "mount_path": path}))
        paths = [one.mount_path for one in found]
        self.require(len(set(paths)) == len(paths), "Two volumes share a `mount_path`", "Move one.")
        return tuple(found)


def fill(text: str, place: str, known: Mapping[str, str]) -> str:
    """Return a text with the Space's own names in the place of `{owner}` and `{name}`."""
    for name in PLACEHOLDER.findall(text):
        if name not in known:
            listed = ", ".join(f"`{{{one}}}`" for one in known)
            raise ConfigError(
                f"`{place}` holds `{{{name}}}`, which means nothing.", f"Use {listed}."
            )
    return PLACEHOLDER.sub(lambda match: known[match[1]], text)


def find_files(root: Path, include: tuple[str, ...]) -> dict[str, Path]:
    """Return the files below `root` that a manifest includes, by their names in the Space.

    What `.gitignore` leaves out, caches and, unless they are named as they are, hidden files stay
    at home. A pattern that fits nothing is refused, and so is a link that leads elsewhere.
    """
    patterns = {words: glob_pattern(words.removeprefix("./")) for words in include}
    found: dict[str, Path] = {}
    unused = set(patterns)
    for name in list_files(root):
        hidden = any(part.startswith(".") for part in name.split("/"))
        fitting = {
            words
            for words, pattern in patterns.items()
            if (name == words if hidden else pattern.fullmatch(name))
        }
        if fitting:
            unused -= fitting
            found[name] = checked(root, name)
    if unused:
        words = next(one for one in include if one in unused)
        raise ConfigError(
            f"`include` names `{words}`, but no file below `{root}` is called so.",
            f"Correct it in `{MANIFEST}`; what `.gitignore` leaves out is never sent.",
        )
    return found


def checked(root: Path, name: str) -> Path:
    """Return the path of a file to send; refuse what is no file of the folder."""
    path = root / name
    try:
        real = path.resolve(strict=True)
        good = real.is_file() and real.is_relative_to(root.resolve())
    except OSError:
        good = False
    if not good:
        raise ConfigError(
            f"`{name}` is a link that leads to no file of this folder.",
            f"Remove it, or do not include it in `{MANIFEST}`.",
        )
    return path
