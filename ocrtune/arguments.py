"""What can be typed after `python -m ocrtune`, explained; and how it becomes a config."""

import argparse
from dataclasses import MISSING, Field, asdict, fields
from pathlib import Path

from ocrtune import __version__
from ocrtune.config import BASES, BuildConfig, CompareConfig, Config, ReadConfig, TrainConfig

PROFILES = ("strict", "raw", "grapheme", "no-space", "lenient")  # `text` knows them, but is slow
BASE_HELP = f"{', '.join(BASES)}, a folder or a Hub repo id"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m ocrtune",
        description="Bring pictures and the right text, get an OCR model that reads your pictures "
        "better, with proof.",
        epilog="Start with `python -m ocrtune demo`. `python -m ocrtune COMMAND --help` explains a "
        "command.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True
    )
    adders = (add_build, add_train, add_read, add_compare, add_score, add_demo, add_bench, add_app)
    for add in adders:
        add(commands)
    return parser


def add_build(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "build",
        usage="%(prog)s SOURCE --output PREFIX [OPTION ...]",
        help="make a dataset from pictures and a content.md",
        description="Make a dataset from pictures and a content.md with one line for each picture: "
        "`path text`. Lines that begin with # and blank lines are skipped. Writes "
        "PREFIX_train.parquet, PREFIX_val.parquet, PREFIX_test.parquet and PREFIX_report.json, "
        "which names every rejected line with its reason.",
    )
    command.add_argument(
        "source",
        nargs="?",
        default=argparse.SUPPRESS,
        metavar="SOURCE",
        help="a zip, a folder, or a content.md",
    )
    option(command, BuildConfig, "--output", "PREFIX", "where the files go, without `_train` etc.")
    option(command, BuildConfig, "--content", "FILE", "a content file kept apart from SOURCE")
    option(command, BuildConfig, "--seed", "N", "of the random split into 80/10/10")
    job_options(command, BuildConfig)


def add_train(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "train",
        usage="%(prog)s --data PREFIX --output RUN [--base MODEL] [--steps N] [OPTION ...]",
        help="fine-tune a base model on a dataset",
        description="Fine-tune a base model with LoRA. The CER on the validation split is measured "
        "during training; the weights with the lowest one are kept in RUN/adapter. Ctrl-C stops "
        "after the current step and keeps what was learned.",
    )
    option(command, TrainConfig, "--data", "PREFIX", "the dataset, as given to `build --output`")
    option(command, TrainConfig, "--output", "RUN", "folder of the run; RUN/adapter is the result")
    option(command, TrainConfig, "--base", "MODEL", BASE_HELP)
    option(
        command, TrainConfig, "--layout", "PRESET", "how pictures are laid out: a preset of MODEL"
    )
    option(command, TrainConfig, "--steps", "N", "optimizer steps")
    option(command, TrainConfig, "--batch-size", "N", "samples a step")
    option(command, TrainConfig, "--learning-rate", "RATE", "peak rate; 0 takes the model's own")
    option(command, TrainConfig, "--lora-rank", "N", "size of the adapter")
    option(command, TrainConfig, "--lora-alpha", "N", "strength of the adapter")
    option(command, TrainConfig, "--lora-dropout", "SHARE", "of the adapter's inputs")
    option(command, TrainConfig, "--lora-vision", "WHEN", "adapt vision too: yes, no or auto")
    command.add_argument(
        "--lora-experts",
        action="store_true",
        default=argparse.SUPPRESS,
        help="adapt the mixture-of-experts matrices too, where there are any",
    )
    command.add_argument(
        "--no-augment",
        dest="augment",
        action="store_false",
        default=argparse.SUPPRESS,
        help="do not vary the pictures where they are looked at anew each time",
    )
    option(command, TrainConfig, "--warmup-steps", "N", "steps in which the rate grows")
    option(command, TrainConfig, "--weight-decay", "SHARE", "pull of the weights towards zero")
    option(command, TrainConfig, "--evaluate-every", "N", "steps between measurements; 0: 4 a run")
    option(command, TrainConfig, "--validation-samples", "N", "read at most so many each time")
    option(command, TrainConfig, "--seed", "N", "of everything random")
    job_options(command, TrainConfig)


def add_read(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "read",
        usage="%(prog)s PICTURE ... [--base MODEL] [--adapter FOLDER] [OPTION ...]",
        help="read pictures and print the text",
        description="Read pictures and print the text in them, with the picture's name in front "
        "when there are several.",
    )
    command.add_argument(
        "pictures",
        nargs="*",
        default=argparse.SUPPRESS,
        metavar="PICTURE",
        help="PNG, JPEG, TIFF, …",
    )
    option(command, ReadConfig, "--base", "MODEL", BASE_HELP)
    option(command, ReadConfig, "--layout", "PRESET", "of MODEL; an adapter brings its own")
    option(command, ReadConfig, "--adapter", "FOLDER", "an adapter, such as RUN/adapter")
    command.add_argument(
        "--both",
        action="store_true",
        default=argparse.SUPPRESS,
        help="read with the base model and with the adapter",
    )
    command.add_argument("--json", action="store_true", help="print everything known as JSON")
    job_options(command, ReadConfig)


def add_compare(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "compare",
        usage="%(prog)s --data PREFIX --adapter FOLDER --output DIR [OPTION ...]",
        help="measure the base model against an adapter",
        description="Read a split with the base model and with the adapter, under the same "
        "settings, and report both character error rates (CER) with the 95 % interval of their "
        "difference. Writes DIR/report.json, lines.csv and report.html.",
    )
    option(command, CompareConfig, "--data", "PREFIX", "the dataset, as given to `build --output`")
    option(command, CompareConfig, "--adapter", "FOLDER", "an adapter, such as RUN/adapter")
    option(command, CompareConfig, "--output", "DIR", "where the report goes")
    option(command, CompareConfig, "--base", "MODEL", "the model the adapter was trained on")
    option(command, CompareConfig, "--split", "NAME", "train, validation or test")
    option(command, CompareConfig, "--language", "CODE", "of the report: en or zh")
    option(command, CompareConfig, "--draws", "N", "of the paired bootstrap")
    option(command, CompareConfig, "--seed", "N", "of these draws")
    job_options(command, CompareConfig)


def add_score(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "score",
        help="count the errors of texts you already have",
        description="Count character errors. FILE has one JSON object a line, with `reference` "
        "(the right text), `hypothesis` (what was read) and, if you like, `id`.",
    )
    command.add_argument("--pairs", metavar="FILE", type=Path, required=True, help="JSON lines")
    command.add_argument(
        "--profile",
        default="strict",
        metavar="NAME",
        help=f"what counts as an error: {', '.join(PROFILES)} (default: strict)",
    )
    command.add_argument("--json", action="store_true", help="print the counts as JSON")


def add_demo(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "demo",
        help="do everything once, on the sample that comes along",
        description="Build the dataset of the sample, fine-tune the embedded model on it, read "
        "unseen pictures before and after, and report both CERs. Needs no network and no GPU, and "
        "a few minutes.",
    )
    command.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("ocrtune-demo"),
        help="where everything goes (default: ocrtune-demo)",
    )
    command.add_argument(
        "--steps", metavar="N", type=int, default=60, help="optimizer steps (default: 60)"
    )


def add_bench(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "bench",
        usage="%(prog)s embedded [--scans ZIP [--adapter FOLDER]] [OPTION ...]",
        help="measure the embedded model beside Tesseract",
        description="Read the same lines with the embedded model and, if it is installed, with "
        "Tesseract: print, long lines, degraded ones, nothing at all, handwritten digits, real "
        "scans. Measure speed and memory on two cores. Writes DIR/report.md and report.json.",
    )
    command.add_argument("what", choices=("embedded",), help="the model that comes along")
    command.add_argument(
        "--sets",
        metavar="FOLDER",
        type=Path,
        help="the evaluation sets; drawn there first if they are missing, from fonts and texts of "
        "Debian packages (default: DIR/sets)",
    )
    command.add_argument("--scans", metavar="ZIP", type=Path, help="real scans with a content.md")
    command.add_argument(
        "--adapter",
        metavar="FOLDER",
        type=Path,
        help="an adapter, such as RUN/adapter, tuned on a dataset of these scans; the test split "
        "of that dataset is read with it",
    )
    command.add_argument(
        "--limit", metavar="N", type=at_least_one, default=0, help="read about N lines of each set"
    )
    command.add_argument(
        "--no-speed", dest="speed", action="store_false", help="leave out speed and memory"
    )
    command.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("ocrtune-bench"),
        help="where the report goes (default: ocrtune-bench)",
    )


def at_least_one(text: str) -> int:
    """Return the number that was typed, which must be 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("use 1 or more")
    return number


def add_app(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "app", help="open the page", description="Serve the page for the browser."
    )
    command.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    command.add_argument("--port", type=int, help="port (default: the first free one from 7860)")


def option(
    command: argparse.ArgumentParser, kind: type[Config], flag: str, metavar: str, words: str
) -> None:
    """Add the option that sets one field of a config, with the field's type and default."""
    name = flag.removeprefix("--").replace("-", "_")
    field = next(field for field in fields(kind) if field.name == name)
    if not is_required(field) and field.default != "":
        words += f" (default: {field.default})"
    command.add_argument(
        flag, metavar=metavar, type=field.type, default=argparse.SUPPRESS, help=words
    )


def job_options(command: argparse.ArgumentParser, kind: type[Config]) -> None:
    """Add how a worker process gets its settings and tells of its progress."""
    group = command.add_argument_group("as the page starts it")
    group.add_argument("--config", metavar="FILE", type=Path, help="settings saved as JSON")
    group.add_argument("--job", metavar="FOLDER", type=Path, help="job folder to report to")
    command.set_defaults(kind=kind, usage_error=command.error)


def make_config(args: argparse.Namespace) -> Config:
    """Return the settings of `--config`, if given, with what else the command line sets."""
    given, known = vars(args), fields(args.kind)
    values = asdict(args.kind.load(args.config)) if args.config else {}
    values |= {field.name: given[field.name] for field in known if field.name in given}
    missing = [field.name for field in known if is_required(field) and field.name not in values]
    if missing:
        args.usage_error(f"still needed: {', '.join(map(spell, missing))}")
    return args.kind(**values)


def is_required(field: Field) -> bool:
    """Return whether a setting has no default."""
    return field.default is MISSING


def spell(name: str) -> str:
    """Return how a setting is given on the command line."""
    return {"source": "SOURCE", "pictures": "PICTURE"}.get(name, "--" + name.replace("_", "-"))
