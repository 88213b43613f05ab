"""What a button does: check what the browser sent, start or stop a job, remember its id.

A private endpoint is still an endpoint: every argument here may have been sent by a stranger.
"""

import functools
import random
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import gradio as gr

from ocrtune import jobs
from ocrtune.config import (
    BASES,
    PRESETS,
    USUAL_PRESET,
    BuildConfig,
    Config,
    Preset,
    ReadConfig,
    TrainConfig,
)
from ocrtune.dataset_files import read_build_report, rejects_path, report_path
from ocrtune.errors import DatasetError, JobError, OcrtuneError
from ocrtune.families import DEEPSEEK_OCR, FAMILIES, ModelFamily, get_family
from ocrtune.hub_layout import Place, find_place, is_hub_id
from ocrtune.limits import NO_LIMITS, Limits
from ocrtune.sample_index import SampleIndex
from ocrtune.sentences import translate
from ocrtune.ui.accounts import Lent, require_token
from ocrtune.ui.knobs import KNOBS, read_knobs, turn_knobs
from ocrtune.ui.looks import Look, clean, look, question
from ocrtune.ui.uploads import hand_out, keep, pass_on, require_kind
from ocrtune.ui.views import sentence
from ocrtune.ui.visitors import VISITOR, owner_of
from ocrtune.ui.words import Refused, label, language_of, said, say
from ocrtune.ui.words_en import ENGLISH

SAMPLE = Path(__file__).parent.parent / "assets" / "sample.zip"
LONGEST_WORDS = 200  # characters to be located
MOST_HUB_ROWS = 100_000
ARCHIVES = (".zip", ".pdf", ".parquet")  # what may be uploaded as pictures, and as texts
CONTENTS = (".md", ".txt", ".csv", ".tsv", ".jsonl", ".json")
GROUPINGS = ("", "folder", "page", "writer")  # what a split keeps together; or a pattern
HUB_ORDERS = ("first", "random")  # of the rows that are taken
HUB_NAMES = ("subset", "from_split", "image_column", "text_column")  # settings; may be empty
PROMPTS = ("own", *DEEPSEEK_OCR.prompts)
SHOWN_SECONDS = 12  # how long a refusal stays on the screen
ROOT = Path(__file__).parents[2]  # where workers run
STARTING = threading.Lock()  # who counts the jobs starts theirs before another one counts
REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def shown(action: Callable) -> Callable:
    """Show our own errors to the visitor as written; let anything else surface as a bug.

    The language is the last argument of every action.
    """

    @functools.wraps(action)
    def wrapper(*args: object) -> object:
        language = language_of(args[-1])
        try:
            return action(*args)
        except OcrtuneError as error:
            if isinstance(error, Refused):
                words = say(language, error.key, **error.values)
            else:
                words = " ".join(said(error, language)).strip()
            raise gr.Error(sentence(words), SHOWN_SECONDS, print_exception=False) from error
        except OSError as error:  # a full disk, no memory for a process
            why = translate(language, error.strerror or type(error).__name__)
            words = say(language, "machine_trouble", why=why)
            raise gr.Error(sentence(words), SHOWN_SECONDS) from error

    return wrapper


@dataclass(frozen=True)
class Actions:
    """The buttons of the page, for one home of jobs."""

    home: Path
    worker: tuple[str, ...] = jobs.WORKER
    folders: bool = False  # whether visitors may name folders of this machine
    account: Callable[[], str] | None = None  # returns the token of who asks; empty: nobody
    limits: Limits = NO_LIMITS  # of what one visitor may take
    lent: Lent = field(default_factory=Lent)  # tokens that work goes on with

    def need(self, session: object, name: str, refusal: str) -> Look:
        """Return a job of the visitor that has made something; refuse if there is none."""
        found = look(self.home, session, name)
        if not found.usable:
            raise Refused(refusal)
        return found

    def token(self) -> str:
        """Return the token of the visitor who is being answered; refuse if nobody is signed in."""
        return require_token(self.account)

    def own_token(self) -> str:
        """Return the token of the visitor who is being answered; empty if nobody is signed in."""
        return (self.account() if self.account else "") or ""

    def launch(
        self, job: jobs.Job, command: str, config: object, session: object, token: str = ""
    ) -> str:
        """Start the worker for this visitor, with this token of theirs, and return the job's id."""
        with STARTING:
            try:
                self.refuse_too_many(session)
            except Refused:
                shutil.rmtree(job.folder, ignore_errors=True)
                raise
            return jobs.start(job, command, config, self.worker, owner_of(session), token).id

    def launch_once(
        self, command: str, settle: Callable[[Path], Config], session: object, token: str = ""
    ) -> str:
        """Return the id of a job of this visitor with these settings: a double click starts one."""
        owner = owner_of(session)

        def admit() -> None:
            self.refuse_too_many(session)

        with STARTING:
            known = (self.worker, owner, admit, token)
            return jobs.start_once(self.home, command, settle, *known).id

    def require_owner(self, session: object) -> None:
        """Refuse a training, which computes for long, to a stranger whom nothing can be told of."""
        if not owner_of(session):
            raise Refused("no_owner")

    def refuse_too_many(self, session: object) -> None:
        """Refuse another job where this visitor, or all of them, have as many as are allowed."""
        each, together = self.limits.max_jobs_each, self.limits.max_jobs
        if not each and not together:
            return
        active = jobs.active_owners(self.home)
        if each and active.count(owner_of(session)) >= each:
            raise Refused("too_many_yours", count=each)
        if together and len(active) >= together:
            raise Refused("too_many_jobs", count=together)

    def refuse_long(self, config: TrainConfig) -> None:
        """Refuse a run of more steps than are allowed here."""
        most = self.limits.max_steps
        if not most:
            return
        report = read_build_report(Path(config.data))
        samples = report["splits"].get("train", 0)
        steps = config.with_steps(min(samples, self.limits.max_samples or samples)).steps
        if steps > most:
            raise Refused("too_many_steps", wanted=steps, most=most)

    @shown
    def load_sample(self, session: object, language: str) -> dict:
        """Build the dataset of the sample."""
        again = earlier_dataset(look(self.home, session, "dataset"), str(SAMPLE))

        def settle(folder: Path) -> BuildConfig:
            return BuildConfig(source=str(SAMPLE), output=str(folder / "dataset"), edits=again)

        return clean(session) | {"dataset": self.launch_once("build", settle, session)}

    @shown
    def build(
        self,
        archive: object,
        content: object,
        carry: object,
        group_by: object,
        encoding: object,
        session: object,
        language: str,
    ) -> dict:
        """Build a dataset from what was uploaded; `carry` makes the edits of the last one again."""
        edits = earlier_dataset(look(self.home, session, "dataset")) if carry is True else ""
        told = {"group_by": plain(group_by), "encoding": plain(encoding)}
        return self.build_upload(archive, content, session, edits=edits, **told)

    @shown
    def extend(
        self, archive: object, content: object, encoding: object, session: object, language: str
    ) -> dict:
        """Add what was uploaded to the visitor's dataset."""
        before = earlier_dataset(look(self.home, session, "dataset"))
        if not before:
            raise Refused("no_dataset")
        return self.build_upload(archive, content, session, extend=before, encoding=plain(encoding))

    def build_upload(
        self, archive: object, content: object, session: object, **settings: str
    ) -> dict:
        """Start a build of an upload under these settings."""
        if not archive:
            raise Refused("no_archive")
        require_kind(archive, ARCHIVES)
        if content:
            require_kind(content, CONTENTS)
        job = jobs.create(self.home)
        source = keep(archive, job.folder / "upload")
        beside = str(keep(content, job.folder / "content")) if content else ""
        config = BuildConfig(
            source=str(source),
            output=str(job.folder / "dataset"),
            content=beside,
            confined=True,
            **settings,
        )
        return clean(session) | {"dataset": self.launch(job, "build", config, session)}

    @shown
    def build_from_hub(
        self, name: object, rows: object, order: object, *names_and_visitor: object
    ) -> dict:
        """Build a dataset from rows of one of the Hub.

        The names come in the order of HUB_NAMES; what is kept together, the visitor's session and
        the language follow.
        """
        *names, group_by, session, language = names_and_visitor
        place = hub_place(name)
        good = isinstance(rows, int | float) and not isinstance(rows, bool)
        if not good or not 1 <= rows <= MOST_HUB_ROWS:
            name = say(language_of(language), "hub_rows")
            raise Refused("bad_number", name=name, low=1, high=MOST_HUB_ROWS)
        given = zip(HUB_NAMES, map(plain, names), strict=False)
        given = {setting: value for setting, value in given if value}
        told = {"subset": place.subset, "from_split": place.split, "revision": place.revision}
        job = jobs.create(self.home)
        config = BuildConfig(
            source=f"hf://datasets/{place.repo_id}",  # which is never a path of this machine
            output=str(job.folder / "dataset"),
            rows=int(rows),
            random_rows=order == HUB_ORDERS[1],
            group_by=plain(group_by),
            **(told | given),
        )
        token = self.account() if self.account else ""  # it may be private to the visitor
        return clean(session) | {"dataset": self.launch(job, "build", config, session, token)}

    @shown
    def answer(self, choice: object, session: object, language: str) -> dict:
        """Build again with the answer to what the last build asked."""
        dataset = look(self.home, session, "dataset")
        asked = question(dataset)
        if asked is None:
            raise Refused("nothing_asked")
        if not isinstance(choice, str) or choice not in asked.choices:
            raise Refused("no_answer")
        before = BuildConfig.load(dataset.job.folder / "config.json")
        job = jobs.create(self.home)
        brought = {
            name: pass_on(getattr(before, name), dataset.job.folder, job.folder)
            for name in ("source", "content")
        }
        if asked.setting == "content":  # a file within the upload, never one of this machine
            choice = f"{brought['source']}/{choice}"
        settings = brought | {asked.setting: choice, "output": str(job.folder / "dataset")}
        config = replace(before, **settings)
        return clean(session) | {"dataset": self.launch(job, "build", config, session)}

    @shown
    def stop_build(self, session: object, language: str) -> dict:
        """Ask the build of the visitor's dataset to end."""
        dataset = look(self.home, session, "dataset")
        if dataset.active:
            dataset.job.stop()
        return clean(session)

    @shown
    def choose(
        self,
        base: object,
        other: object,
        preset: object,
        understood: object,
        session: object,
        language: str,
    ) -> list:
        """Return the choices, what they mean in words, and what they change in the settings.

        Settings that a visitor has turned stay as they are until another choice is made.
        """
        name = self.base_of(base, other)
        family = known_family(name)
        chosen = named_preset(family, preset)
        now = choice(name, chosen.name)
        if now == understood:
            return [gr.skip() for _ in range(2 + len(KNOBS))]
        words = gr.Markdown(label(recipe_key(family, chosen)))
        other_base = understood not in [choice(name, preset) for preset in PRESETS]
        return [now, words, *turn_knobs(chosen.settings(), family, other_base)]

    def base_of(self, base: object, other: object) -> str:
        """Return the base model that a visitor wants; refuse one that is not theirs to name."""
        name = other.strip() if isinstance(other, str) else ""
        if not name:
            return base if isinstance(base, str) and base in BASES else BASES[0]
        if name in FAMILIES:
            return name
        # The worker takes what is a folder where it runs for one, whatever it looks like.
        if REPO_ID.fullmatch(name) and not any((top / name).exists() for top in (ROOT, Path.cwd())):
            return name
        folder = Path(name).expanduser()
        if self.folders and folder.is_dir():
            return str(folder.resolve())
        raise Refused("bad_base")

    def run_settings(
        self, base: object, other: object, *settings_and_visitor: object, limited: bool = True
    ) -> TrainConfig:
        """Return what a run on the visitor's dataset depends on; it has no folder yet.

        The settings come in the order of KNOBS, the visitor's session and language last. limited:
        whether it takes its turn on this machine.
        """
        *settings, session, language = settings_and_visitor
        dataset = self.need(session, "dataset", "no_dataset")
        base = self.base_of(base, other)
        chosen = read_knobs(settings, known_family(base), language_of(language))
        config = TrainConfig(data=str(dataset.dataset), output="", base=base, **chosen)
        if limited:
            self.refuse_long(config)
        return config

    def begin_check(self, config: TrainConfig, session: object) -> dict:
        """Find out what a run with these settings would take."""
        if look(self.home, session, "check").active:
            raise Refused("already_checking")
        token = self.own_token() if config.start_from else ""
        check = self.launch_once("check", lambda _: config, session, token)
        return clean(session) | {"check": check}

    def begin(self, config: TrainConfig, session: object) -> dict:
        """Start a run with these settings."""
        self.require_owner(session)
        if look(self.home, session, "run").active:
            raise Refused("already_running")
        token = self.own_token() if config.start_from else ""

        def settle(folder: Path) -> TrainConfig:
            return replace(config, output=str(folder / "run"))

        kept = kept_ids(session, "dataset", "shared")
        return kept | {"run": self.launch_once("train", settle, session, token)}

    @shown
    def resume(self, session: object, language: str) -> dict:
        """Let the visitor's run go on from its checkpoint."""
        run = look(self.home, session, "run")
        if run.active:  # the second one of two clicks
            return clean(session)
        if not run.resumable:
            raise Refused("no_checkpoint")
        self.require_owner(session)
        with STARTING:
            self.refuse_too_many(session)
            jobs.resume(run.job, run.run, self.worker)
        # What was read and compared was so with weights that are about to change.
        return kept_ids(session, "dataset", "run", "shared")

    @shown
    def stop(self, session: object, language: str) -> dict:
        """Ask the visitor's run to end early."""
        run = look(self.home, session, "run")
        if run.active:
            run.job.stop()
        return clean(session)

    @shown
    def take_picture(self, session: object, language: str) -> tuple[str, str]:
        """Return a picture of the test split, and its ground truth; of a small set any other."""
        dataset = self.need(session, "dataset", "no_dataset")
        index = SampleIndex(dataset.dataset)
        whole = [one for one in index if one.split and not one.is_excluded]
        tests = [one for one in whole if one.split == "test"] or whole
        if not tests:
            raise Refused("no_test")
        sample = random.choice(tests)
        return str(hand_out(index.picture(sample), Path(sample.picture_id).name)), sample.text

    def ask_for_words(self, prompt: object) -> gr.Textbox:
        """Show where to say what shall be located, if it shall."""
        return gr.Textbox(visible=prompt == "locate")

    @shown
    def read(
        self,
        picture: object,
        reference: object,
        prompt: object,
        words: object,
        session: object,
        language: str,
    ) -> dict:
        """Read a picture with the base model and, if there is one, with the tuned model."""
        return self.read_own(picture, reference, prompt, words, session)

    def read_shared(
        self, picture: object, reference: object, adapter: str, session: object
    ) -> dict:
        """Read a picture with an adapter of the Hub and the base model that belongs to it."""
        if not picture:
            raise Refused("no_picture")
        job = jobs.create(self.home)
        path = keep(picture, job.folder / "upload")
        if isinstance(reference, str) and reference:
            (job.folder / "reference.txt").write_text(reference, "utf-8")
        config = ReadConfig(
            pictures=(str(path),),
            base="",
            adapter=adapter,
            both=True,
            boxes=str(job.folder / "boxes"),
        )
        token = self.own_token()
        return clean(session) | {"reading": self.launch(job, "read", config, session, token)}

    def read_own(
        self, picture: object, reference: object, prompt: object, words: object, session: object
    ) -> dict:
        """Read a picture with the base model and the tuned model of the visitor."""
        if not picture:
            raise Refused("no_picture")
        run = look(self.home, session, "run")
        asked = chosen_prompt(run, prompt, words)
        job = jobs.create(self.home)
        path = keep(picture, job.folder / "upload")
        if isinstance(reference, str) and reference:
            (job.folder / "reference.txt").write_text(reference, "utf-8")
        config = ReadConfig(
            pictures=(str(path),),
            base=trained(run).base if run.usable else BASES[0],
            adapter=str(run.adapter) if run.usable else "",
            both=run.usable,
            prompt=asked,
            boxes=str(job.folder / "boxes"),
        )
        return clean(session) | {"reading": self.launch(job, "read", config, session)}

    @shown
    def fetch_build_report(self, session: object, language: str) -> str:
        """Return a copy of the dataset's report."""
        return self.fetch_beside(session, report_path)

    @shown
    def fetch_rejects(self, session: object, language: str) -> str:
        """Return a copy of the table of the lines that were left out."""
        return self.fetch_beside(session, rejects_path)

    def fetch_beside(self, session: object, place: Callable[[Path], Path]) -> str:
        """Return the path of a copy of one of the dataset's own files."""
        path = place(self.need(session, "dataset", "no_dataset").dataset)
        try:
            return str(hand_out(path.read_bytes(), path.name))
        except OSError as error:
            raise JobError(f"`{path.name}` is missing.", "Build the dataset again.") from error

    def go_to_train(self) -> gr.Tabs:
        """Open the Fine-tune tab."""
        return gr.Tabs(selected="train")

    def go_to_try(self) -> gr.Tabs:
        """Open the Try OCR tab."""
        return gr.Tabs(selected="try")

    def name_base(self, base: object) -> gr.Markdown:
        """Say which base model is chosen, where the list of them is folded away."""
        name = base if isinstance(base, str) and base in BASES else BASES[0]
        return gr.Markdown(label(f"base_{name}"))


def hub_place(name: object) -> Place:
    """Return the dataset of the Hub that a visitor named; refuse what is none."""
    words = name.strip() if isinstance(name, str) else ""
    if not words:
        raise Refused("no_hub_id")
    try:
        place = find_place(BuildConfig(source=words, output=""))
    except DatasetError as error:
        raise Refused("bad_hub_id") from error
    if not is_hub_id(place.repo_id):
        raise Refused("bad_hub_id")
    return place


def earlier_dataset(dataset: Look, source: str = "") -> str:
    """Return the prefix of the dataset that a new build goes on from; empty if there is none.

    A build that failed made nothing: the one before it counts. source: it has to be made from this.
    """
    if dataset.job is None or dataset.active:
        return ""
    config = BuildConfig.load(dataset.job.folder / "config.json")
    if source and config.source != source:
        return ""
    return str(dataset.dataset) if dataset.usable else config.extend or config.edits


def plain(value: object) -> str:
    """Return a short text that a visitor wrote; empty if it is none."""
    return value.strip()[:LONGEST_WORDS] if isinstance(value, str) else ""


def kept_ids(session: object, *names: str) -> dict[str, str]:
    """Return the ids of these jobs, and who the visitor is; the other jobs are forgotten."""
    return {name: key for name, key in clean(session).items() if name in (*names, VISITOR)}


def offered_prompts(run: Look) -> tuple[str, ...]:
    """Return the names of the prompts that the visitor's model understands beside its own."""
    return tuple(get_family(trained(run).base).prompts) if run.usable else ()


def chosen_prompt(run: Look, prompt: object, words: object) -> str:
    """Return what to ask the models, as `ReadConfig.prompt`; empty for their own prompt."""
    if not isinstance(prompt, str) or prompt not in offered_prompts(run):
        return ""
    if "{}" not in DEEPSEEK_OCR.prompts[prompt]:
        return prompt
    if not isinstance(words, str) or not words.strip():
        raise Refused("no_words")
    return f"{prompt}: {words.strip()[:LONGEST_WORDS]}"


def trained(run: Look) -> TrainConfig:
    """Return the settings of a run."""
    return TrainConfig.load(run.job.folder / "config.json")


def choice(base: str, preset: str) -> str:
    """Return what tells one choice from another."""
    return f"{base} {preset}"


def known_family(base: str) -> ModelFamily | None:
    """Return what is known about a base model without asking the Hub; None if that is nothing."""
    for family in FAMILIES.values():
        if base in (family.name, family.base_model):
            return family
    return get_family(base) if Path(base).is_dir() else None


def named_preset(family: ModelFamily | None, name: object) -> Preset:
    """Return the preset of that name for a kind of model, the usual one for any other name."""
    wanted = name if isinstance(name, str) and name in PRESETS else USUAL_PRESET
    return (family or DEEPSEEK_OCR).preset(wanted)


def recipe_key(family: ModelFamily | None, preset: Preset) -> str:
    """Return which words explain a preset."""
    own = f"recipe_{family.name}_{preset.name}" if family else ""
    return own if own in ENGLISH else f"recipe_{preset.name}"
