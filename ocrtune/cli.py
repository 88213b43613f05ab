"""The command line: one command per use case; the page starts the same commands as jobs."""

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocrtune import jobs
from ocrtune.arguments import make_config, make_parser
from ocrtune.config import (
    BuildConfig,
    CompareConfig,
    Config,
    DoctorConfig,
    ExportConfig,
    LearnConfig,
    PushAdapterConfig,
    PushDatasetConfig,
    ReadConfig,
    SuspectsConfig,
    TrainConfig,
)
from ocrtune.crashes import explain_crash, is_circumstance
from ocrtune.errors import (
    ArchiveError,
    ConfigError,
    DatasetError,
    MetricsError,
    OcrtuneError,
    QuestionError,
)
from ocrtune.events import Asked, Checked, Done, Emit, Event, Failed, Note, Read, Saved, silent
from ocrtune.limits import Limits
from ocrtune.resident import read_resident
from ocrtune.stopping import BUILD_STOPPING, Watcher, stopping_at_once, stopping_gently
from ocrtune.time_limit import TimeLimit

if TYPE_CHECKING:
    from ocrtune.records import Prediction
    from ocrtune.report import Comparison

# The token of a Space is its owner's: no client sends it where no other one is named.
NOT_IMPLIED = "HF_HUB_DISABLE_IMPLICIT_TOKEN"

SAMPLE = Path(__file__).parent / "assets" / "sample.zip"
TABLE_SETTINGS = ("image_column", "text_column", "subset", "revision", "from_split")
INTERRUPTED = 130  # the exit code of what Ctrl-C ended
SHOWN_READINGS = 3  # of the demo
SHOWN_SUSPECTS = 5
# Threads that wait for work without sleeping cost more than they gain as soon as the cores are
# shared, as on a Space: measured, reading a line took seven times as long.
WAITING = ("OMP_WAIT_POLICY", "passive")
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")
SUSPECTS_STOPPING = "\nStopping; what was found is kept. Ctrl-C again ends at once.\n"
KEEPING = (
    "train",
    "learn",
    "suspects",
    "remote",
)  # have something to save when they are asked to stop
STOPPED_EARLY = "Stopped before anything was finished."


@dataclass(frozen=True)
class Ending:
    """How a command ended: what its job says, and the exit code on a terminal."""

    text: str
    code: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 misused."""
    args = make_parser().parse_args(arguments)
    if os.environ.get("SYSTEM") == "spaces":
        os.environ[NOT_IMPLIED] = "1"  # read when the Hub's clients are imported
    os.environ.setdefault(*WAITING)  # read when torch is loaded
    try:
        if args.command in OTHERS:
            return OTHERS[args.command](args)
        return work(args) if args.job else run(args)
    except OcrtuneError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except ModuleNotFoundError as error:
        if not error.name or error.name.split(".")[0] == "ocrtune":
            raise
        print(
            f"The package `{error.name}` is not installed. Install what ocrtune needs with "
            "`python -m pip install -r requirements-cpu.txt`, or `requirements.txt` with a GPU.",
            file=sys.stderr,
        )
        return 1
    except Exception as error:
        if not is_circumstance(error):
            raise
        print(*explain_crash(error), file=sys.stderr)
        return 1


def run(args: argparse.Namespace) -> int:
    """Run a command for somebody at a terminal."""
    if str(vars(args).get("resume") or "").startswith("hf://"):
        fetch_resumed(args)
    config = make_config(args)
    if args.command == "doctor":  # which runs where packages are missing, the terminal's among them
        return doctor(config, Watcher(silent), args).code
    with watched_by_terminal() as watcher:
        config = settled(config, watcher, args)
        return JOBS[args.command](config, watcher, args).code


@contextmanager
def watched_by_terminal() -> Iterator[Watcher]:
    """Yield a watcher that shows the events on stderr."""
    from ocrtune.console import Console

    console = Console(sys.stderr)
    try:
        yield Watcher(console.emit if is_first_process() else silent)
    finally:
        console.close()


def work(args: argparse.Namespace) -> int:
    """Run a command as the worker of a job, which hears of everything, failure included."""
    worker = jobs.attach(args.job)
    if args.token_from_input:
        from ocrtune.hub import use_token

        use_token(sys.stdin.readline().strip())
    # A build will look for a wish to stop; it is given the time to say so in its own words.
    emit = also_logged(worker.emit)
    watcher = Watcher(emit, worker.stop_requested, looks=args.command == "build")
    try:
        limits = limits_of(args)
        with limited(worker, limits, args), stopping_at_once(watcher, args.command in KEEPING):
            config = settled(make_config(args), watcher, args)
            ending = JOBS[args.command](config, watcher, args)
        worker.emit(Done(ending.text, watcher.stopped))
        return 0
    except KeyboardInterrupt:
        worker.emit(Done(STOPPED_EARLY, stopped=True))
        return INTERRUPTED
    except OcrtuneError as error:
        if isinstance(error, QuestionError):
            worker.emit(Asked(error.problem, error.setting, error.choices))
        worker.emit(Failed.of(error))
        raise
    except Exception as error:
        worker.emit(Failed(*explain_crash(error)))
        raise
    finally:
        worker.close()


def settled(config: Config, watcher: Watcher, args: argparse.Namespace) -> Config:
    """Return the settings with adapters of the Hub fetched, and the base model that suits them."""
    if isinstance(config, BuildConfig | PushAdapterConfig) or vars(args).get("resume"):
        return config
    from ocrtune.shared_adapters import names_shared, settle_adapters

    return settle_adapters(config, watcher.emit) if names_shared(config) else config


def also_logged(emit: Emit) -> Emit:
    """Return what also writes the events into the job's log, as a terminal shows them."""
    from ocrtune.console import Console

    console = Console(sys.stderr)

    def both(event: Event) -> None:
        emit(event)
        with suppress(OSError):  # a full disk: the log is the least of it
            console.emit(event)

    return both


@contextmanager
def limited(worker: jobs.Worker, limits: Limits, args: argparse.Namespace) -> Iterator[None]:
    """Let a job be asked to stop when its time is over, and say that this was why."""
    with TimeLimit(60 * limits.max_minutes, jobs.Job(worker.folder).stop) as limit:
        try:
            yield
        finally:
            if limit.reached:
                worker.emit(Note(limits.over_words(keeps_result(args.command, worker.folder))))


def keeps_result(command: str, folder: Path) -> bool:
    """Return whether a job that was stopped has something to show for it."""
    return (
        command in ("train", "remote") and (folder / "run" / "adapter" / "contract.json").is_file()
    )


def limits_of(args: argparse.Namespace) -> Limits:
    """Return what a job may take here; who works at a terminal takes what they want."""
    here = bool(vars(args).get("job")) and args.command != "remote"  # which takes nothing here
    return Limits.from_environment() if here else Limits()


def is_first_process() -> bool:
    """Return whether this process is the one of its run that talks to people."""
    return os.environ.get("RANK", "0") == "0"


def work_offline(base: str) -> None:
    """Keep the model libraries off the network, where they need nothing from it."""
    if base == "tiny":
        os.environ.update(dict.fromkeys(OFFLINE, "1"))


def build(config: BuildConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Build a dataset and print its statistics."""
    from ocrtune.dataset import build_dataset
    from ocrtune.dataset_files import report_path
    from ocrtune.dataset_report import statistics_text
    from ocrtune.picture_store import BuildStoppedError

    with stopping_gently(watcher, BUILD_STOPPING):
        try:
            report = build_dataset(config, watcher.emit, watcher.stop_requested)
        except BuildStoppedError as error:
            print(error.problem)
            return Ending(error.problem, INTERRUPTED)
    watcher.emit(Saved("dataset", config.output))
    lines = statistics_text(report)
    print("\n".join(lines))
    print(f"Dataset: {config.output}_*.parquet, report: {report_path(config.output)}")
    return Ending(lines[0])


def fetch_resumed(args: argparse.Namespace) -> None:
    """Fetch the run that goes on from its copy, as if `--resume` had named a folder."""
    if not hasattr(args, "output"):
        args.usage_error("still needed: --output, the new folder of the run")
    with watched_by_terminal() as watcher:
        from ocrtune.hub_writing import local_token
        from ocrtune.offsite import find_place
        from ocrtune.offsite_fetch import fetch_run

        place, folder = find_place(args.resume), Path(args.output)
        args.resume = fetch_run(place, folder, local_token(), watcher.emit)
    del args.output


@contextmanager
def copying(config: TrainConfig, watcher: Watcher, args: argparse.Namespace) -> Iterator[None]:
    """Copy the run to the Hub meanwhile, if that is asked for, in a process of its own."""
    repo_id = vars(args).get("copy_to")
    if repo_id and args.job:
        args.usage_error("the page copies its jobs itself; leave out --copy-to")
    if not repo_id or not is_first_process():
        yield
        return
    from ocrtune.copying import copied

    with copied(Path(config.output), repo_id, args.copy_minutes, watcher.emit):
        yield


def train(config: TrainConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Fine-tune and print where the adapter lies."""
    if vars(args).get("on"):
        return train_elsewhere(config, watcher, args)
    with copying(config, watcher, args):
        return train_watched(config, watcher, args)


def train_elsewhere(config: TrainConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Fine-tune on a machine of the Hub, once somebody has agreed to the cost."""
    from ocrtune.remote_command import train_on

    if args.job or args.copy_to:
        args.usage_error("--on goes without --job and --copy-to; the run is copied there anyway")
    folder = train_on(config, args.on, round(args.at_most), args.yes, watcher.emit)
    print(f"Adapter: {folder}")
    return Ending("The adapter is saved.")


def remote(config: TrainConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Watch over a run on a machine of the Hub."""
    from ocrtune.hub_writing import local_token
    from ocrtune.remote import supervise

    if not args.job:
        args.usage_error("this is what `train --on MACHINE` starts; type that")
    watcher.looks = True

    def leaving() -> bool:
        return watcher.interrupted

    outcome = supervise(args.job, config, local_token(), watcher.emit, watcher.asked, leaving)
    watcher.stopped = outcome.stopped
    return Ending(outcome.text)


def far(args: argparse.Namespace) -> int:
    """Be the machine of the Hub on which a run happens."""
    from ocrtune.far_side import Teller, run_here
    from ocrtune.home import home_folder
    from ocrtune.hub_writing import local_token
    from ocrtune.offsite import find_place

    place = find_place(args.address)
    return run_here(place, args.minutes, home_folder(), local_token(), Teller())


def train_watched(config: TrainConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Fine-tune; whoever copies the run is told by what it leaves on the disk."""
    work_offline(config.base)
    with stopping_gently(watcher):
        from ocrtune.engines import UNSLOTH, start_unsloth

        if config.engine == UNSLOTH:
            start_unsloth(config)
        from ocrtune.ranks import leave_ranks
        from ocrtune.training import train_adapter

        resume = bool(vars(args).get("resume"))  # the demo has no such option
        limits = limits_of(args)
        try:
            folder = train_adapter(config, watcher.emit, watcher.stop_requested, resume, limits)
        finally:
            leave_ranks()
    if is_first_process():
        print(f"Adapter: {folder}")
    return Ending("The adapter is saved.")


def check(config: TrainConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Tell what a run would take."""
    work_offline(config.base)
    from ocrtune.engines import UNSLOTH, start_unsloth

    if config.engine == UNSLOTH:
        start_unsloth(config)
    from ocrtune.training import check_run

    check_run(config, watcher.emit, limits_of(args))
    return Ending("The run can start.")


def read(config: ReadConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Read pictures and print the text; what cannot be read is told on stderr."""
    if args.job:
        home, offline = args.job.resolve().parent.parent, config.base == "tiny"
        if (readings := read_resident(home, config, watcher.emit, offline)) is not None:
            print_predictions(readings, config)
            return ending_of(readings)
    from ocrtune.read_command import require_output, write_output

    require_output(config, args)
    work_offline(config.base)
    from ocrtune.console import Typewriter
    from ocrtune.reading import read_pictures

    emit, growing = watcher.emit, is_watched(config, args)
    if growing:
        emit = Typewriter(sys.stdout, watcher.emit, has_many_models(config)).emit
    finished: list[Read] = []

    def note(event: Event) -> None:
        if isinstance(event, Read):
            finished.append(event)
        emit(event)

    try:
        predictions = read_pictures(config, note)
    except BaseException:  # what was read until then is kept
        if not growing and not args.json:
            print_predictions(finished, config)
        write_output(finished, args)
        raise
    if growing:
        print_predictions([prediction for prediction in predictions if prediction.failed], config)
    elif args.json:
        print(json.dumps([asdict(p) for p in predictions], indent=2, ensure_ascii=False))
    else:
        print_predictions(predictions, config)
    write_output(predictions, args)
    return ending_of(predictions)


def ending_of(predictions: "Sequence[Prediction | Read]") -> Ending:
    """Return how a reading ended."""
    failed = sum(bool(prediction.failed) for prediction in predictions)
    return Ending(f"{len(predictions) - failed} of {len(predictions)} readings.", code=failed > 0)


def is_watched(config: ReadConfig, args: argparse.Namespace) -> bool:
    """Return whether somebody sees the text of one picture grow."""
    from ocrtune.read_command import has_many_pictures

    alone = not has_many_pictures(config) and sys.stdout.isatty()
    return alone and not (args.json or args.job)


def has_many_models(config: ReadConfig) -> bool:
    """Return whether several models read the same pictures."""
    return config.both or len(config.all_adapters) > 1


def print_predictions(predictions: "Sequence[Prediction | Read]", config: ReadConfig) -> None:
    """Print each text, with as much in front of it as is needed to tell them apart."""
    from ocrtune.read_command import has_many_pictures

    named = has_many_pictures(config)
    for prediction in predictions:
        labels = [prediction.picture_id] * named
        labels += [prediction.model] * has_many_models(config)
        if prediction.failed:
            print(f"{prediction.picture_id}: {prediction.failed}", file=sys.stderr)
        else:
            print(": ".join([*labels, prediction.text]))


def compare(config: CompareConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Compare base model and adapter; print both CERs and where the report lies."""
    work_offline(config.base)
    from ocrtune.comparing import compare_models
    from ocrtune.report import verdict

    comparison = compare_models(config, watcher.emit)
    print_comparison(comparison)
    print_ranking(comparison)
    print_suspects(Path(config.output), config.data)
    print(f"Report: {Path(config.output) / 'report.html'}")
    print_charts(Path(config.output))
    return Ending(verdict(comparison, config.language))


def print_charts(folder: Path) -> None:
    """Print which files lie beside a report: its values, all lines, its charts as pictures."""
    from ocrtune.report_charts_png import FILES

    charts = [name for name in FILES if (folder / name).is_file()]
    print(f"Beside it: {', '.join(['report.json', 'lines.csv', *charts])}")


def learn(config: LearnConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Draw a learning curve and print its points and what they say."""
    work_offline(config.base)
    with stopping_gently(watcher):
        from ocrtune.engines import UNSLOTH, start_unsloth

        if config.engine == UNSLOTH:
            start_unsloth(config)
        from ocrtune.learning import learn_curve
        from ocrtune.learning_page import curve_lines

        limits = limits_of(args)
        values = learn_curve(config, watcher.emit, watcher.stop_requested, limits)
    if values is None:
        told = "Stopped before the first point; the same command goes on."
        print(told)
        return Ending(told, INTERRUPTED)
    print("\n".join(curve_lines(values)))
    print(f"Page: {Path(config.output) / 'learn.html'}, as a picture: learn.png")
    return Ending(values["verdict"][config.language], 0 if values["finished"] else INTERRUPTED)


def suspects(config: SuspectsConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Read training lines with a tuned model; print those to check first."""
    work_offline(config.base)
    with stopping_gently(watcher, SUSPECTS_STOPPING):
        from ocrtune.label_check import check_labels

        found = check_labels(config, watcher.emit, watcher.stop_requested)
    print_suspects(Path(config.output), config.data)
    told = f"{len(found.suspects)} of {found.read} training lines were read otherwise."
    print(told)
    return Ending(told)


def print_suspects(folder: Path, data: str) -> None:
    """Print the training lines whose ground truth is most likely wrong, if any were found."""
    from ocrtune.report_page import percent
    from ocrtune.suspects import load_suspects

    found = load_suspects(folder)
    if not found.suspects:
        return
    print(f"\nTraining lines to check first ({len(found.suspects)} of {found.read} read):")
    for one in found.suspects[:SHOWN_SUSPECTS]:
        print(f"{one.picture_id}  CER {percent(one.cer)}")
        print(f"  text     {one.reference}\n  reading  {one.hypothesis}")
    print(f"All of them: {folder / 'suspects.csv'}")
    print(f"Correct one: python -m ocrtune edit {data} --picture ID --text T\n")


def print_ranking(comparison: "Comparison") -> None:
    """Print all models that took part as a table, if there are more than two."""
    from ocrtune.console import ranking_lines

    ranking = comparison.ranking
    if ranking and len(ranking.models) > 2:
        print("\n".join(["", *ranking_lines(ranking)]))


def print_comparison(comparison: "Comparison") -> None:
    """Print both models' figures as a table, and what they say."""
    from ocrtune.report import verdict
    from ocrtune.report_page import percent

    print(f"{'':12}{'CER':>9}{'errors':>9}{'characters':>12}{'exact lines':>13}")
    for name, summary in (("base model", comparison.base), ("tuned model", comparison.tuned)):
        exact = f"{summary.exact_lines} of {summary.lines}"
        print(
            f"{name:12}{percent(summary.cer):>9}{summary.errors:>9}"
            f"{summary.reference_characters:>12}{exact:>13}"
        )
    print(verdict(comparison))


def export(config: ExportConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Merge an adapter into its base model; print what was checked and how to serve it."""
    from ocrtune.exporting import export_merged

    exported = export_merged(config, watcher.emit)
    print(exported.checked)
    print(f"Model: {config.merged}")
    print(exported.serving)
    return Ending(exported.checked)


def push_dataset(config: PushDatasetConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Say where a dataset goes and who will see it, then put it on the Hub."""
    from ocrtune.hub_writing import local_token
    from ocrtune.pushing import plan_push, push_dataset

    plan = plan_push(config, local_token(), watcher.emit)
    print("\n".join(plan.lines()), flush=True)
    for line in plan.lines() if args.job else ():
        watcher.emit(Note(line))
    pushed = push_dataset(plan, watcher.emit)
    watcher.emit(Saved(f"shared_{pushed.changed}", pushed.address))
    told = {
        "data": "Shared",
        "card": "The data are there already; the card is new",
        "nothing": "Everything is there already",
    }
    print(f"{told[pushed.changed]}: {pushed.address}")
    return Ending(f"{told[pushed.changed]}.")


def push_adapter(config: PushAdapterConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Push a run's adapter to the Hub; print where it goes before, and where it is."""
    from tempfile import TemporaryDirectory

    from ocrtune.hub_writing import local_token
    from ocrtune.pushing_adapters import push_adapter

    with TemporaryDirectory(prefix="ocrtune-") as folder:
        merged = None
        if config.merged:
            from ocrtune.exporting import export_merged

            merged = Path(folder) / "merged"
            wanted = ExportConfig(run=config.run, merged=str(merged), base=config.base)
            export_merged(wanted, watcher.emit)
        made = push_adapter(config, local_token(), watcher.emit, merged)
    print(f"Adapter: {made.address} (commit {made.commit[:7]})")
    print(f"Use it: python -m ocrtune read PICTURE --adapter {config.repo_id}")
    return Ending(made.address)


def columns(args: argparse.Namespace) -> int:
    """Print what is in the columns of a table."""
    from ocrtune.columns import Column
    from ocrtune.sources import describe_source

    settings = {name: vars(args)[name] for name in TABLE_SETTINGS if name in vars(args)}
    about = describe_source(BuildConfig(source=args.source, output="", **settings))
    if args.json:
        print(json.dumps(asdict(about), indent=2, ensure_ascii=False))
        return 0

    def use(column: Column) -> str:
        uses = ("image", "text", "split", "group")
        return next((word for word in uses if getattr(about, word) == column.name), "")

    wide = max(len(column.name) for column in about.columns)
    broad = max(len(column.type) for column in about.columns)
    print(about.source)
    for one in about.columns:
        print(f"{use(one):6}{one.name:{wide + 2}}{one.type:{broad + 2}}{one.example}".rstrip())
    for split, rows in about.rows.items():
        counted = "rows not counted" if rows is None else f"{rows:,} rows"
        print(f"{split or 'all'}: {counted}")
    if about.subsets:
        print(f"Subsets: {', '.join(about.subsets)}")
    if about.question:
        print(about.question)
    return 0


def score(args: argparse.Namespace) -> int:
    """Count the errors of pairs of texts and print them."""
    from ocrtune.metrics import pool, score_pairs, summarise

    rows = load_pairs(args.pairs)
    pairs = [(row["reference"], row["hypothesis"] or "") for row in rows]
    scores = score_pairs(pairs, args.profile)
    names = [row.get("id", number) for number, row in enumerate(rows, start=1)]
    failed = [row["hypothesis"] is None for row in rows]
    pooled = pool(scores)
    summary = summarise(scores, failed=failed)
    if args.json:
        listed = [
            {"id": name, "errors": one.errors, "reference_length": one.reference_length}
            for name, one in zip(names, scores, strict=True)
        ]
        figures = {"reference_length": pooled.reference_length, **asdict(summary)}
        values = {"profile": args.profile, "rows": listed, "pooled": figures}
        print(json.dumps(values, indent=2, ensure_ascii=False))
        return 0
    from ocrtune.report_page import percent

    print(f"{'errors':>8}{'characters':>12}{'CER':>10}  line")
    for name, one in zip([*names, "all, pooled"], [*scores, pooled], strict=True):
        print(f"{one.errors:>8}{one.reference_length:>12}{percent(one.cer):>10}  {name}")
    print(
        f"Profile {args.profile}: {summary.lines} lines, {summary.exact_lines} exact, median line "
        f"CER {percent(summary.median_line_cer)}; {pooled.substitutions} substitutions, "
        f"{pooled.deletions} deletions, {pooled.insertions} insertions"
    )
    return 0


def load_pairs(path: Path) -> list[dict]:
    """Return the rows of a file of JSON lines; blank lines are skipped."""
    form = 'Write one object a line: {"reference": "right text", "hypothesis": "what was read"}.'
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise MetricsError(
            f"`{path}` cannot be read: {error.strerror}.", "Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise MetricsError(f"`{path}` is not UTF-8 text.", form) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise MetricsError(f"Line {number} of `{path}` is not JSON: {error}.", form) from error
        texts = [row.get("reference"), row.get("hypothesis", 0)] if isinstance(row, dict) else []
        if not texts or not isinstance(texts[0], str) or not isinstance(texts[1], str | None):
            raise MetricsError(f"Line {number} of `{path}` has no pair of texts.", form)
        rows.append(row)
    if not rows:
        raise MetricsError(f"`{path}` holds no pair.", form)
    return rows


def edit(args: argparse.Namespace) -> int:
    """Change samples of a dataset, add one, or list what was changed."""
    from ocrtune.editing import edit_samples, keep_picture, list_edits, read_changes
    from ocrtune.edits import Change

    text = None if args.text is None else args.text.replace("\\n", "\n")
    flags = args.exclude or args.include or args.checked
    if args.list or args.table:
        if flags or text is not None:
            args.usage_error("--list and --from take no other options")
    elif args.add and (flags or text is None):
        args.usage_error("--add needs --text, and nothing else")
    elif args.picture and text is None and not flags:
        args.usage_error("say what to change: --text, --exclude, --include or --checked")
    if args.list:
        print("\n".join(list_edits(args.prefix)) or "There are no edits.")
        return 0
    if args.add:
        try:
            data = args.add.read_bytes()
        except OSError as error:
            raise DatasetError(
                f"`{args.add}` cannot be read: {error.strerror}.", "Check the path."
            ) from error
        done, sample = keep_picture(args.prefix, args.add.name, data, text, "command")
        split = getattr(sample, "split", "train")
        print(f"{sample.picture_id}: {done}, in the {split or 'train'} split")
        return 0
    change = Change(
        text=text,
        excluded=True if args.exclude else False if args.include else None,
        checked=args.checked or None,
        origin="command",
    )
    changes = read_changes(args.table) if args.table else [(args.picture, change)]
    made = edit_samples(args.prefix, changes)
    print(f"Edited: {len(made)}. The next training uses it, the next build makes it again.")
    return 0


def copy(args: argparse.Namespace) -> int:
    """Copy a run to the Hub, once, or until the process that trains it has ended."""
    from ocrtune.copying import copy_along, copy_once

    if args.minutes:
        copy_along(args.run, args.to, args.minutes)
        return 0
    print(copy_once(args.run, args.to))
    return 0


def copies(args: argparse.Namespace) -> int:
    """List the runs that a repo holds, or remove one."""
    from ocrtune.hub_writing import local_token
    from ocrtune.offsite import Place
    from ocrtune.offsite_fetch import list_copies, remove_copy

    if args.remove:
        remove_copy(Place(args.repo, args.remove), local_token())
        print(f"Removed: {args.remove}")
        return 0
    for place, manifest in list_copies(args.repo, local_token()):
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.copied))
        size = sum(one.size for one in manifest.files.values()) / 1e6
        where = f"step {manifest.step} of {manifest.total}"
        print(f"{when}  {where:20} {manifest.base:16} {size:8.1f} MB  {place.address}")
    return 0


def demo(args: argparse.Namespace) -> int:
    """Build, fine-tune and compare on the sample; print what changed."""
    if not SAMPLE.is_file():
        raise ArchiveError(f"The sample `{SAMPLE}` is missing.", "Install ocrtune again.")
    data, run = str(args.output / "dataset"), args.output / "run"
    configs: dict[str, Config] = {
        "build": BuildConfig(source=str(SAMPLE), output=data),
        "train": TrainConfig(data=data, output=str(run), steps=args.steps),
    }
    comparing = CompareConfig(
        data=data, adapter=str(run / "adapter"), output=str(args.output / "report")
    )
    with watched_by_terminal() as watcher:
        for name, config in configs.items():
            print(f"\n{name.upper()}", flush=True)
            JOBS[name](config, watcher, args)
        print("\nCOMPARE", flush=True)
        from ocrtune.comparing import compare_models

        comparison = compare_models(comparing, watcher.emit)
    for line in comparison.lines[:SHOWN_READINGS]:
        print(f"{line.picture_id}\n  right  {line.reference}")
        print(f"  before {line.base}\n  after  {line.tuned}\n")
    print_comparison(comparison)
    print(f"Report: {Path(comparing.output) / 'report.html'}")
    return 0


def bench(args: argparse.Namespace) -> int:
    """Measure the embedded model, or DeepSeek-OCR's speed, and print the report."""
    work_offline("tiny")
    kinds = {"embedded": bench_embedded, "build": bench_build, "scores": bench_scores}
    kinds["page"] = bench_page
    return kinds.get(args.what, bench_big)(args)


def bench_build(args: argparse.Namespace) -> int:
    """Measure what building a dataset takes."""
    with watched_by_terminal() as watcher:
        from ocrtune.bench.building import run_build_bench

        path = run_build_bench(args.output, args.lines or 10_000, args.script, watcher.emit)
    print(path.read_text("utf-8"))
    return 0


def bench_scores(args: argparse.Namespace) -> int:
    """Measure what counting the errors of many lines takes."""
    with watched_by_terminal() as watcher:
        from ocrtune.bench.scores import LINES, run_scores_bench

        path = run_scores_bench(args.output, args.lines or LINES, watcher.emit)
    text = path.read_text("utf-8")
    if args.readme:
        from ocrtune.bench.big import put_into_readme

        put_into_readme(args.readme, args.what, text.strip())
    print(text)
    return 0


def bench_page(args: argparse.Namespace) -> int:
    """Measure how fast the page starts, and whether it grows."""
    with watched_by_terminal() as watcher:
        from ocrtune.bench.big import put_into_readme
        from ocrtune.bench.page import run_page_bench

        path = run_page_bench(args.output, args.loads, args.runs, watcher.emit)
    text = path.read_text("utf-8")
    if args.readme:
        put_into_readme(args.readme, args.what, text.strip())
    print(text)
    return 0


def bench_big(args: argparse.Namespace) -> int:
    """Measure how fast a model of DeepSeek-OCR's size is trained, or reads."""
    with watched_by_terminal() as watcher:
        from ocrtune.bench.big import put_into_readme, run_big_bench

        path = run_big_bench(
            args.what, args.output, args.size, args.samples, args.unsloth, watcher.emit
        )
    text = path.read_text("utf-8")
    if args.readme:
        put_into_readme(args.readme, args.what, text.strip())
    print(text)
    print(f"Report: {path}, figures: {path.with_suffix('.json')}")
    return 0


def bench_embedded(args: argparse.Namespace) -> int:
    """Measure the embedded model beside Tesseract."""
    sets = args.sets or args.output / "sets"
    with watched_by_terminal() as watcher:
        from ocrtune.bench.embedded import BenchSettings, run_bench
        from ocrtune.bench.lines import SETS

        settings = BenchSettings(
            sets=sets,
            output=args.output,
            scans=args.scans,
            adapter=args.adapter,
            limit=args.limit,
            speed=args.speed,
        )
        if not all((sets / name / "content.md").is_file() for name in SETS):
            draw_sets(sets, watcher)
        run_bench(settings, watcher.emit)
    print((args.output / "report.md").read_text("utf-8"))
    print(f"Report: {args.output / 'report.md'}, figures: {args.output / 'report.json'}")
    return 0


def draw_sets(folder: Path, watcher: Watcher) -> None:
    """Draw the evaluation sets, which takes a few minutes."""
    try:
        from ocrtune.pretrain.pictures import make_evaluation_sets
    except ImportError as error:
        raise DatasetError(
            f"Drawing the evaluation sets needs {error.name}, which is not installed.",
            "Type `pip install fonttools`, or give a folder of sets with `--sets`.",
        ) from error
    make_evaluation_sets(folder, watcher.emit)


def manage_jobs(args: argparse.Namespace) -> int:
    """List, show, follow, stop, resume or delete what runs beside the page."""
    from ocrtune.jobs_command import jobs_command

    return jobs_command(args, sys.stdout)


def reader(args: argparse.Namespace) -> int:
    """Keep a model in memory for the workers of a home."""
    if args.offline:
        work_offline("tiny")
    from ocrtune.reader import serve

    serve(args.home.resolve(), args.offline)
    return 0


def app(args: argparse.Namespace) -> int:
    """Serve the page until it is ended."""
    on_space = os.environ.get("SYSTEM") == "spaces"
    if args.share and on_space:
        raise ConfigError("A Space has an address already.", "Leave `--share` away.")
    with without_collecting():
        from ocrtune.ui.page import launch

        page = launch(args.host, args.port, wait=False, share=args.share)
    if args.share:
        print(shared_words(page.share_url), flush=True)
    elif is_colab():
        print("On Colab nobody can open that address: add `--share` for a public one.", flush=True)
    print(f"The page is at {page.local_url} (Ctrl-C ends it)", flush=True)
    page.block_thread()
    return 0


@contextmanager
def without_collecting() -> Iterator[None]:
    """Look for no garbage while a program starts: hardly any is made, and looking took a sixth.

    What is there at the end stays, and is never looked through again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def is_colab() -> bool:
    """Return whether this is a machine of Google Colab, of which the browser sees no port."""
    return bool(os.environ.get("COLAB_RELEASE_TAG") or os.environ.get("COLAB_BACKEND_VERSION"))


def shared_words(address: str | None) -> str:
    """Return what to know of the public address; empty or None: there is none."""
    if not address:
        return (
            "No public address could be made: gradio's servers cannot be reached from here. Check "
            "the connection and start again; meanwhile only this machine can open the page."
        )
    return (
        f"Open {address}\n"
        "Whoever knows this address can use this machine until you end the page; pictures and "
        "texts pass through gradio's servers. Visitors do not see each other's jobs. For limits "
        "on each of them, set OCRTUNE_SHARED_SPACE=yes first."
    )


def doctor(config: DoctorConfig, watcher: Watcher, args: argparse.Namespace) -> Ending:
    """Check this machine and print what was found, line by line as it is found."""
    from ocrtune.checkup_words import summary
    from ocrtune.doctor import examine

    def emit(event: Event) -> None:
        watcher.emit(event)
        if isinstance(event, Checked) and not args.json:
            print(*checked_lines(event), sep="\n", flush=True)

    found = examine(config, emit)
    told = summary([one.state for one in found])
    if args.json:
        from ocrtune.checkup_words import found_and_fix

        rows = [
            {
                "check": one.check,
                "state": one.state,
                **dict(zip(("found", "fix"), words, strict=True)),
            }
            for one in found
            for words in [found_and_fix(one.words, one.values)]
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        print(told)
    return Ending(told, code=any(one.state == "problem" for one in found))


def checked_lines(one: Checked) -> list[str]:
    """Return a finding as lines for a terminal."""
    from ocrtune.checkup_words import found_and_fix, state_of, title_of

    found, fix = found_and_fix(one.words, one.values)
    line = f"{state_of(one.state):9}{title_of(one.check):18}{found}"
    return [line, f"{'':27}{fix}"] if fix else [line]


def deploy(args: argparse.Namespace) -> int:
    """Make a Space what the manifest asks for, or only say what differs."""
    from ocrtune.deploying import make_plan, with_choices
    from ocrtune.hub_spaces import SpaceRepo
    from ocrtune.hub_writing import local_token
    from ocrtune.space_manifest import MANIFEST, load_manifest

    path = args.manifest or Path(__file__).parent.parent / MANIFEST
    manifest = with_choices(load_manifest(path), args.hardware, args.private)
    space = SpaceRepo.find(args.space, manifest.name, local_token())
    manifest = manifest.filled(*space.repo_id.split("/"))
    plan = make_plan(space, manifest, path.resolve().parent, os.environ, args.replace)
    print(f"{plan.address}")
    for note in plan.notes:
        print(f"  {note}")
    if not plan.steps:
        print("Nothing differs: the Space is what the manifest asks for.")
        return 0
    if args.dry_run:
        for step in plan.steps:
            print(f"- {step.words}")
        print("Nothing was changed. Without --dry-run, this would be done in this order.")
        return 0
    agree(plan.consents, args.yes)
    plan.apply(lambda words: print(f"- {words}", flush=True))
    print(f"Done. The Space builds itself now, which takes minutes: {plan.address}")
    return 0


def agree(consents: Sequence[str], yes: bool) -> None:
    """Ask whoever sits at the terminal to agree; raise if nobody does."""
    for words in consents:
        print(words, flush=True)
    if not consents or yes:
        return
    asked = sys.stdin.isatty() and sys.stdout.isatty()
    if not asked or input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ConfigError("Nothing was changed: this needs your consent.", "Agree with `--yes`.")


JOBS: dict[str, Callable[..., Ending]] = {
    "build": build,
    "check": check,
    "train": train,
    "read": read,
    "compare": compare,
    "suspects": suspects,
    "learn": learn,
    "export": export,
    "remote": remote,
    "doctor": doctor,
    "push-dataset": push_dataset,
    "push-adapter": push_adapter,
}
OTHERS: dict[str, Callable[[argparse.Namespace], int]] = {
    "columns": columns,
    "score": score,
    "edit": edit,
    "far": far,
    "copy": copy,
    "copies": copies,
    "demo": demo,
    "bench": bench,
    "jobs": manage_jobs,
    "app": app,
    "deploy": deploy,
    "reader": reader,
}
