"""A Space is made what `space.yaml` asks for: looked at, planned, changed where it differs.

Applying twice changes nothing the second time. Whatever fails, the same command goes on from
there: each step is done or not, and the Space itself says which.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from ocrtune.errors import ConfigError, HubBusyError, HubError, OcrtuneError, did_you_mean
from ocrtune.hub_spaces import SpaceRepo, SpaceState
from ocrtune.space_manifest import MANIFEST, Manifest, Volume, find_files, parse_manifest
from ocrtune.space_prices import FREE, PRICES, PRICES_DATE

CARD = "README.md"
OF_THE_HUB = (".gitattributes",)  # files that it makes itself, and keeps
NEW_SPACE = {*OF_THE_HUB, CARD}
GOES_ON = "What was done before stays: the same command goes on from there."
NEW_SECRET = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'


@dataclass(frozen=True)
class Step:
    """One thing that differs, and how it is changed."""

    words: str
    do: Callable[[], str]  # returns a note; empty if there is nothing to add
    consent: str = ""  # why somebody has to agree to it first, a sentence


@dataclass(frozen=True)
class Plan:
    """What a deployment does, in this order; `notes` are sentences on what it leaves alone."""

    address: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def consents(self) -> list[str]:
        return [step.consent for step in self.steps if step.consent]

    def apply(self, tell: Callable[[str], None]) -> None:
        """Do every step; `tell` hears of each one before it is done."""
        for number, step in enumerate(self.steps):
            tell(step.words)
            try:
                note = step.do()
            except HubError as error:
                fix = f"{error.fix} {GOES_ON}" if number else error.fix
                raise HubError(error.problem, fix) from error
            if note:
                tell(note)


def make_plan(
    space: SpaceRepo,
    manifest: Manifest,
    root: Path,
    environment: Mapping[str, str],
    replaced: bool = False,
) -> Plan:
    """Return what has to be done so that the Space is what the manifest asks for.

    manifest: with the Space's own names filled in; root: where its files are; environment: where
    the values of secrets are; replaced: whether the files of another program may go.
    """
    files = find_files(root, manifest.include)
    card = read_card(root, files)
    state = space.look()
    refuse_other_program(space.repo_id, state, replaced)
    before = manifest_before(space, state)
    planning = Planning(space, manifest, before, state, environment)
    machine = planning.machine()  # asked first: an unknown one is refused before anything is done
    steps = [
        *planning.creation(card),
        *planning.volumes(),
        *planning.variables(),
        *planning.secrets(),
        *planning.files(files),
        *machine,
        *planning.sleep(),
    ]
    return Plan(space.address, tuple(steps), tuple(planning.notes))


def read_card(root: Path, files: Mapping[str, Path]) -> dict:
    """Return the card on top of the README; refuse one that no Space could start with."""
    fix = f"Include it in `{MANIFEST}`."
    if CARD not in files:
        raise ConfigError(
            f"`{CARD}` is not among the files, and its card configures the Space.", fix
        )
    parts = (root / CARD).read_text("utf-8", "replace").split("---\n")
    try:
        card = yaml.safe_load(parts[1]) if len(parts) > 2 and not parts[0].strip() else None
    except yaml.YAMLError:
        card = None
    if not isinstance(card, dict) or not isinstance(card.get("sdk"), str):
        raise ConfigError(
            f"`{CARD}` does not begin with a card that names its `sdk`.",
            "Put lines such as `sdk: gradio` between two lines `---` on top of it.",
        )
    started = card.get("app_file", "app.py")
    if card["sdk"] == "gradio" and started not in files:
        raise ConfigError(f"`{started}`, which starts the Space, is not among the files.", fix)
    return card


def refuse_other_program(repo_id: str, state: SpaceState, replaced: bool) -> None:
    """Refuse a Space that holds something else: its files would be deleted."""
    other = sorted(set(state.files) - NEW_SPACE)
    if other and MANIFEST not in state.files and not replaced:
        raise ConfigError(
            f"`{repo_id}` holds another program ({len(other)} files, such as `{other[0]}`).",
            "Name another Space, or add `--replace` to put ocrtune in its place.",
        )


def manifest_before(space: SpaceRepo, state: SpaceState) -> Manifest | None:
    """Return the manifest that was deployed last; None if there is none that can be understood.

    What it asked for and the new one does not was ours, and goes. Everything else on the Space
    was set by hand, and stays.
    """
    if MANIFEST not in state.files:
        return None
    with tempfile.TemporaryDirectory(prefix="ocrtune-") as folder:
        data = space.read(MANIFEST, state.head, Path(folder))
    with suppress(OcrtuneError):
        return parse_manifest(data.decode("utf-8", "replace")).filled(*space.repo_id.split("/"))
    return None


@dataclass
class Planning:
    """The making of one plan."""

    space: SpaceRepo
    manifest: Manifest
    before: Manifest | None
    state: SpaceState
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        self.notes: list[str] = []

    def creation(self, card: Mapping) -> list[Step]:
        """Plan the Space itself, and who sees it."""
        space, visibility = self.space, self.manifest.visibility
        private = visibility == "private"
        if not self.state.exists:
            words = f"create the {visibility} Space {space.repo_id}"
            return [Step(words, told_nothing(space.create, private, card["sdk"]))]
        if self.state.private == private:
            return []
        words = f"make it {visibility}"
        consent = "" if private else "Everybody will see the Space and its files."
        return [Step(words, told_nothing(space.show_to, visibility), consent)]

    def volumes(self) -> list[Step]:
        """Plan the volumes, each with the variables that point into it."""
        wanted, there = self.manifest.volumes, self.state.volumes
        paths = {one.mount_path for one in wanted}
        ours = {one.mount_path for one in self.before.volumes} if self.before else set()
        by_hand = [one for one in there if one.mount_path not in paths | ours]
        self.notes += [f"{one.mount_path} was mounted by hand, and stays" for one in by_hand]
        mounted = list(by_hand)
        steps = []
        for one in wanted:
            same = next((other for other in there if one.is_like(other)), None)
            mounted.append(same or one)
            if same is None:
                words = f"mount the {one.type} {one.source} at {one.mount_path}"
                words += " (the Space is of use without it)" * one.optional
                steps.append(Step(words, self.mounting(one)))
        gone = [one for one in there if one.mount_path in ours - paths]
        if gone and not steps:
            names = ", ".join(one.mount_path for one in gone)
            steps.append(Step(f"unmount {names}", told_nothing(self.space.set_volumes, mounted)))
        return steps

    def mounting(self, volume: Volume) -> Callable[[], str]:
        """Return what mounts one more volume, and sets the variables that point into it."""

        def mount() -> str:
            paths = {one.mount_path for one in self.manifest.volumes} - {volume.mount_path}
            ours = {one.mount_path for one in self.before.volumes} if self.before else set()
            kept = [
                one
                for one in self.space.look().volumes
                if one.mount_path != volume.mount_path
                and (one.mount_path in paths or one.mount_path not in ours)
            ]
            try:
                if volume.type == "bucket":
                    self.space.make_bucket(volume.source)
                self.space.set_volumes([*kept, volume])
            except HubBusyError:
                raise
            except HubError as error:
                if not volume.optional:
                    raise
                names = ", ".join(self.variables_in(volume))
                left = f", and {names} is not set" if names else ""
                words = (
                    f"without {volume.mount_path}, what the Space keeps is lost when it restarts"
                )
                return f"{error.problem} It goes on {words}{left}."
            for name, value in self.variables_in(volume).items():
                if self.state.variables.get(name) != value:
                    self.space.set_variable(name, value)
            return ""

        return mount

    def variables_in(self, volume: Volume) -> dict[str, str]:
        """Return the variables that point into a volume: useless, or worse, without it."""
        return {name: one for name, one in self.manifest.variables.items() if volume.holds(one)}

    def variables(self) -> list[Step]:
        """Plan the variables, but for those that come with a volume."""
        space, wanted, there = self.space, self.manifest.variables, self.state.variables
        missing = [
            one
            for one in self.manifest.volumes
            if not any(one.is_like(other) for other in self.state.volumes)
        ]
        later = {name for one in missing for name in self.variables_in(one)}
        steps = []
        for name, value in wanted.items():
            if there.get(name) == value or name in later:
                continue
            was = f" (it is {there[name]!r})" if name in there else ""
            words = f"set the variable {name} to {value!r}{was}"
            steps.append(Step(words, told_nothing(space.set_variable, name, value)))
        ours = set(self.before.variables) if self.before else set()
        for name in sorted(set(there) - set(wanted)):
            if name in ours:
                words = f"remove the variable {name}"
                steps.append(Step(words, told_nothing(space.remove_variable, name)))
            else:
                self.notes.append(f"the variable {name} was set by hand, and stays")
        return steps

    def secrets(self) -> list[Step]:
        """Plan the secrets that are missing; the value of one that is there cannot be compared."""
        space, steps = self.space, []
        for name in self.manifest.secrets:
            if name in self.state.secrets:
                self.notes.append(f"the secret {name} is there, and stays as it is")
                continue
            value = self.environment.get(name, "")
            if not value:
                raise ConfigError(
                    f"The Space needs the secret `{name}`, which your environment does not hold.",
                    f"Set it and try again: `export {name}=…`. A new one can be made with "
                    f"`{NEW_SECRET}`.",
                )
            words = f"set the secret {name} to the value in your environment"
            steps.append(Step(words, told_nothing(space.set_secret, name, value)))
        return steps

    def files(self, files: Mapping[str, Path]) -> list[Step]:
        """Plan one commit of what is new, different or gone."""
        there = self.state.files
        fresh = {
            name: path
            for name, path in files.items()
            if name not in there or not is_same(path, there[name])
        }
        gone = sorted(set(there) - set(files) - set(OF_THE_HUB))
        if not fresh and not gone:
            return []
        size = sum(path.stat().st_size for path in fresh.values()) / 1e6
        words = f"send {len(fresh)} of {len(files)} files ({size:.1f} MB)"
        words += f": {some(sorted(fresh))}" if there and fresh else ""
        words += f"; delete {len(gone)}: {some(gone)}" if gone else ""

        def send() -> str:
            parent = self.state.head or self.space.look().head
            self.space.upload(fresh, gone, parent, "Deploy ocrtune")
            return ""

        return [Step(words, send)]

    def machine(self) -> list[Step]:
        """Plan the machine, with what it costs; one that cannot be had is refused."""
        wanted, is_now = self.manifest.hardware, self.state.hardware
        price, known = self.price(wanted)
        if known and wanted not in known:
            hint = did_you_mean(wanted, list(known)) or f"There are: {', '.join(known)}."
            raise ConfigError(f"Spaces have no machine `{wanted}`.", hint)
        if wanted == is_now:
            return []
        costs = (
            "at a price that could not be found out" if price is None else f"${price:.2f} an hour"
        )
        paid = price is None or price > 0
        words = f"run on {wanted} instead of {is_now}"
        words += f": {costs} while it runs" if paid else ", which costs nothing"
        consent = f"The machine {wanted} costs {costs} while the Space runs." if paid else ""
        return [Step(words, told_nothing(self.space.set_hardware, wanted), consent)]

    def price(self, hardware: str) -> tuple[float | None, dict[str, float]]:
        """Return dollars an hour, None if nobody knows; and all prices, if the Hub tells them."""
        try:
            known = self.space.prices()
        except HubError:
            self.notes.append(f"the Hub does not tell prices now; those of {PRICES_DATE} are used")
            known = {}
        return known.get(hardware, PRICES.get(hardware)), known

    def sleep(self) -> list[Step]:
        """Plan after how long it goes to sleep, which is fixed where nothing is paid."""
        wanted = self.manifest.sleep_time
        if wanted is None or wanted == self.state.sleep_time:
            return []
        if self.manifest.hardware in FREE:
            self.notes.append("free machines go to sleep when the Hub decides it")
            return []
        words = f"let it sleep {wanted / 60:g} minutes after its last visitor"
        words = "never let it sleep" if wanted < 0 else words
        return [Step(words, told_nothing(self.space.set_sleep_time, wanted))]


def told_nothing(do: Callable[..., None], *arguments: object) -> Callable[[], str]:
    """Return what does something and has nothing to add."""

    def done() -> str:
        do(*arguments)
        return ""

    return done


def is_same(path: Path, digest: str) -> bool:
    """Return whether a file is the one that the Hub tells by this digest."""
    data = path.read_bytes()
    if len(digest) == 64:
        return hashlib.sha256(data).hexdigest() == digest
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() == digest


def some(names: list[str], most: int = 4) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def with_choices(manifest: Manifest, hardware: str, private: bool) -> Manifest:
    """Return the manifest with what was typed in place of what it says."""
    manifest = replace(manifest, hardware=hardware) if hardware else manifest
    return replace(manifest, visibility="private") if private else manifest
