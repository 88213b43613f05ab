"""What can be typed after `python -m ocrtune`, explained; and how it becomes a config."""

import argparse
import math
from dataclasses import MISSING, Field, asdict, fields, replace
from pathlib import Path

from ocrtune import __version__
from ocrtune.config import (
    BASES,
    CHOICES,
    HUB_ROWS,
    LEAVE_OUT_SEEN,
    PRESETS,
    SHAPES,
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
from ocrtune.families import get_family

COPY_MINUTES = 10.0  # as `offsite` has it, which knows the Hub's clients and is slow
PROFILES = ("strict", "raw", "grapheme", "no-space", "lenient")  # `text` knows them, but is slow
ADAPTER_HELP = "such as RUN/adapter, or one of the Hub: USER/NAME or USER/NAME@REVISION"
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
    adders = (
        add_build,
        add_columns,
        add_check,
        add_train,
        add_learn,
        add_read,
        add_compare,
        add_suspects,
        add_export,
        add_push_adapter,
        add_score,
        add_edit,
    )
    adders += (add_push_dataset,)
    others = (
        add_remote,
        add_far,
        add_copy,
        add_copies,
        add_demo,
        add_bench,
        add_jobs,
        add_app,
        add_reader,
        add_deploy,
        add_doctor,
    )
    for add in (*adders, *others):
        add(commands)
    return parser


def add_build(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "build",
        usage="%(prog)s SOURCE --output PREFIX [OPTION ...]",
        help="make a dataset from pictures and their texts",
        description="Make a dataset from pictures and their texts: a content.md with a line "
        "`path text` for each picture, a text file beside each picture, a table, a PaddleOCR label "
        "list, PAGE XML, ALTO, parquet files, or a dataset of the Hub. What it is, is recognised. "
        "Writes PREFIX_train.parquet, PREFIX_val.parquet, PREFIX_test.parquet, PREFIX_report.json, "
        "which names every rejected line with its reason, and those lines as PREFIX_rejects.csv.",
    )
    command.add_argument(
        "source",
        nargs="?",
        default=argparse.SUPPRESS,
        metavar="SOURCE",
        help="a zip, a folder, a content.md, a parquet file, or the id of a dataset of the Hub",
    )
    option(command, BuildConfig, "--output", "PREFIX", "where the files go, without `_train` etc.")
    words = "a content file kept apart from SOURCE, or the name of one within"
    option(command, BuildConfig, "--content", "FILE", words)
    words = "of the content file, such as gb18030 (default: as detected)"
    option(command, BuildConfig, "--encoding", "NAME", words)
    option(command, BuildConfig, "--seed", "N", "of the random split into 80/10/10")
    add_table(command)
    option(
        command,
        BuildConfig,
        "--group-by",
        "WHAT",
        "keep whole what belongs together, so that the test split is really unseen: folder, page, "
        "writer, or a regular expression that finds the group in a picture's name",
    )
    words = "of the ground truth: " + ", ".join(SHAPES[1:])
    option(command, BuildConfig, "--shape", "NAME", words)
    option(command, BuildConfig, "--extend", "OLD", "add to this dataset, whose splits stay")
    option(command, BuildConfig, "--edits", "OLD", "make the edits of this dataset, not of PREFIX")
    job_options(command, BuildConfig)


def add_table(command: argparse.ArgumentParser) -> None:
    """Add what is taken of a table."""
    group = command.add_argument_group("tables: parquet files and datasets of the Hub")
    option(group, BuildConfig, "--image-column", "NAME", "that holds the pictures")
    option(group, BuildConfig, "--text-column", "NAME", "that holds their texts")
    option(group, BuildConfig, "--rows", "N", f"at most so many; of the Hub 0 takes {HUB_ROWS:,}")
    group.add_argument(
        "--random-rows",
        action="store_true",
        default=argparse.SUPPRESS,
        help="take them at random instead of the first",
    )
    option(group, BuildConfig, "--subset", "NAME", "of a Hub dataset, where it has several")
    option(group, BuildConfig, "--revision", "NAME", "of a Hub dataset: branch, tag or commit")
    option(group, BuildConfig, "--from-split", "NAME", "take only this split")


def add_columns(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "columns",
        usage="%(prog)s SOURCE [OPTION ...]",
        help="show the columns of a table and what they would be used for",
        description="Show the columns of parquet files or of a dataset of the Hub with their types "
        "and an example of each, the splits and subsets, and which columns `build` would take for "
        "pictures and texts. Of the Hub only footers and the first rows are fetched.",
    )
    command.add_argument(
        "source", metavar="SOURCE", help="a parquet file, a folder or zip of them, or a Hub id"
    )
    option(command, BuildConfig, "--image-column", "NAME", "that holds the pictures")
    option(command, BuildConfig, "--text-column", "NAME", "that holds their texts")
    option(command, BuildConfig, "--subset", "NAME", "of a Hub dataset, where it has several")
    option(command, BuildConfig, "--revision", "NAME", "of a Hub dataset: branch, tag or commit")
    option(command, BuildConfig, "--from-split", "NAME", "look at this split")
    command.add_argument("--json", action="store_true", help="print everything known as JSON")


def add_check(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "check",
        usage="%(prog)s --data PREFIX [--base MODEL] [OPTION of train ...]",
        help="tell what fine-tuning would take, without doing it",
        description="Load the model, look at the pictures, try one step on the longest ones and "
        "tell: what is learned and what cannot be, the layout of the pictures, whether it fits "
        "into memory, how long the run takes and what it costs on a Space with this hardware. "
        "Takes the options of `train`.",
    )
    train_options(command)
    fraction_option(command)
    command.set_defaults(output="")


def add_train(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "train",
        usage="%(prog)s --data PREFIX --output RUN [--base MODEL] [--preset NAME] [OPTION ...]\n"
        "       %(prog)s --resume RUN [--steps N]\n"
        "       %(prog)s --resume hf://USER/REPO/RUN --output RUN [--steps N]",
        help="fine-tune a base model on a dataset",
        description="Fine-tune a base model with LoRA. The CER on the validation split is measured "
        "during training; the weights with the lowest one are kept in RUN/adapter. Ctrl-C stops "
        "after the current step and keeps what was learned. A run that was stopped or lost goes on "
        "from RUN/checkpoint with `--resume RUN`, as if it had never been interrupted. With "
        "`--copy-to` the run is copied to a private repository of the Hub, from where `--resume "
        "hf://USER/REPO/RUN --output RUN` goes on with it on any machine.",
    )
    command.add_argument(
        "--resume",
        metavar="RUN",
        type=run_or_address,
        help="go on with this run, settings included; more --steps than it had make it longer, and "
        "the learning rate then follows the longer run from there on",
    )
    add_copying(command)
    add_elsewhere(command)
    train_options(command)
    fraction_option(command)


def add_learn(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "learn",
        usage="%(prog)s --data PREFIX --output DIR [--fractions 0.25 0.5 1] [OPTION of train ...]",
        help="draw a learning curve: what more training samples would bring",
        description="Fine-tune on several shares of the train split, each contained in the next, "
        "read the test split with every result, and say what twice as many samples would bring, "
        "with its uncertainty. All runs take the same steps, unless --epochs is given. Writes "
        "DIR/learn.json, learn.html, learn.png and a run for each share. Ctrl-C stops after the "
        "current step; the same command goes on, and trains no finished share again. Takes the "
        "options of `train`.",
    )
    command.add_argument(
        "--fractions",
        nargs="+",
        type=float,
        metavar="SHARE",
        default=argparse.SUPPRESS,
        help="of the train split (default: 0.25 0.5 1)",
    )
    option(command, LearnConfig, "--split", "NAME", "to measure on: test or validation")
    option(command, LearnConfig, "--language", "CODE", "of the page: en or zh")
    train_options(command)
    command.set_defaults(kind=LearnConfig)


def add_copying(command: argparse.ArgumentParser) -> None:
    """Add whether a run is copied to the Hub."""
    group = command.add_argument_group("copies on the Hub")
    group.add_argument(
        "--copy-to",
        metavar="USER/REPO",
        help="copy checkpoint, adapter, log and dataset to this private repository, with the "
        "account of `hf auth login` or HF_TOKEN; it is made if there is none",
    )
    group.add_argument(
        "--copy-minutes",
        metavar="N",
        type=positive_minutes,
        default=COPY_MINUTES,
        help=f"between two copies (default: {COPY_MINUTES:g})",
    )


def add_elsewhere(command: argparse.ArgumentParser) -> None:
    """Add whether a run happens on a machine of the Hub."""
    group = command.add_argument_group("bigger hardware")
    group.add_argument(
        "--on",
        metavar="MACHINE",
        help="let the run happen on this machine of the Hugging Face Hub, such as t4-small, l4x1 "
        "or a10g-small, paid for by the minute by the account of `hf auth login` or HF_TOKEN; the "
        "cost is told first, and nothing starts without a yes",
    )
    group.add_argument(
        "--at-most",
        metavar="MINUTES",
        type=positive_minutes,
        default=0.0,
        help="end it there after so many minutes (default: by the estimate, with a margin)",
    )
    group.add_argument("--yes", action="store_true", help="agree to the cost without being asked")


def add_remote(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "remote",
        help="what the page and `train --on` start: watch over a run on a machine of the Hub",
        description="Watch over a run on a machine of the Hub, as a job: send it, start it there "
        "or find it again, tell what it tells, and bring back what it has learned. `train --on` "
        "and the page start this.",
    )
    job_options(command, TrainConfig)


def add_far(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "far",
        help="what a machine of the Hub starts: fetch a run, train it, send back what it learned",
        description="Fetch the run at this address, train it, copy it back while it learns, and "
        "write its events among the lines of this machine's log. `train --on` has this started.",
    )
    command.add_argument("address", metavar="hf://USER/REPO/RUN", help="where the run lies")
    command.add_argument(
        "--minutes",
        metavar="N",
        type=positive_minutes,
        required=True,
        help="after which it stops and keeps what it has learned",
    )


def run_or_address(text: str) -> Path | str:
    """Return the folder of a run, or the address of its copy on the Hub as it was typed."""
    return text if text.startswith("hf://") else Path(text)


def positive_minutes(text: str) -> float:
    """Return the minutes that were typed, more than 0."""
    minutes = float(text)
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError("use more than 0")
    return minutes


def add_copy(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "copy",
        usage="%(prog)s RUN --to USER/REPO",
        help="copy a run to a private repository of the Hub",
        description="Copy a run with all that another machine needs to go on with it: checkpoint, "
        "adapter, log, settings and dataset. The repository is made if there is none; one that is "
        "not private is refused. `train --copy-to USER/REPO` does so while the run learns.",
    )
    command.add_argument("run", metavar="RUN", type=Path, help="folder of a run")
    command.add_argument("--to", metavar="USER/REPO", required=True, help="where it goes")
    # How `train` starts it: told on stdout in events, until nobody holds stdin any more.
    command.add_argument("--minutes", type=float, default=0.0, help=argparse.SUPPRESS)


def add_copies(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "copies",
        usage="%(prog)s USER/REPO [--remove RUN]",
        help="list or remove the runs that a repository of the Hub holds",
        description="List the runs in a repository that `train --copy-to` or `copy` wrote, newest "
        "first, or remove one of them.",
    )
    command.add_argument("repo", metavar="USER/REPO", help="the repository")
    command.add_argument("--remove", metavar="RUN", help="remove the copies of this run")


def train_options(command: argparse.ArgumentParser) -> None:
    """Add the settings of a run."""
    option(command, TrainConfig, "--data", "PREFIX", "the dataset, as given to `build --output`")
    option(command, TrainConfig, "--output", "RUN", "folder of the run; RUN/adapter is the result")
    option(command, TrainConfig, "--base", "MODEL", BASE_HELP)
    option(command, TrainConfig, "--layout", "PRESET", "of MODEL; auto: what suits the pictures")
    option(command, TrainConfig, "--prompt", "TEXT", "what the model is asked: a name or a text")
    words = "go on from this adapter's weights: a folder, or USER/NAME of the Hub"
    option(command, TrainConfig, "--start-from", "ADAPTER", words)
    add_length(command)
    add_recipe(command)
    add_measuring(command)
    job_options(command, TrainConfig)


def fraction_option(command: argparse.ArgumentParser) -> None:
    """Add how much of the train split a single run learns from."""
    words = "of the train split to learn from; a smaller share is within a larger one"
    option(command, TrainConfig, "--fraction", "SHARE", words)


def add_length(command: argparse.ArgumentParser) -> None:
    """Add how long a run learns."""
    group = command.add_argument_group("how long")
    group.add_argument(
        "--preset",
        choices=PRESETS,
        metavar="NAME",
        help=f"{', '.join(PRESETS)}: steps, rank and experts that suit MODEL; what is given beside "
        "it wins (default: standard's settings)",
    )
    either = group.add_mutually_exclusive_group()
    option(either, TrainConfig, "--steps", "N", "optimizer steps")
    option(either, TrainConfig, "--epochs", "N", "passes over the train split, instead of steps")
    option(group, TrainConfig, "--batch-size", "N", "samples a step")
    option(group, TrainConfig, "--micro-batch", "N", "of these, together; 0: as memory allows")
    choice(group, TrainConfig, "--checkpointing", "WHEN", "compute twice to save memory")


def add_recipe(command: argparse.ArgumentParser) -> None:
    """Add what learns, and how."""
    group = command.add_argument_group("what learns, and how")
    option(group, TrainConfig, "--learning-rate", "RATE", "peak rate; 0 takes the model's own")
    choice(group, TrainConfig, "--schedule", "NAME", "how the rate falls")
    option(group, TrainConfig, "--warmup-steps", "N", "steps in which the rate grows")
    option(group, TrainConfig, "--weight-decay", "SHARE", "pull of the weights towards zero")
    choice(group, TrainConfig, "--optimizer", "NAME", "AdamW; auto saves memory on a GPU if it can")
    option(group, TrainConfig, "--lora-rank", "N", "size of the adapter")
    option(group, TrainConfig, "--lora-alpha", "N", "strength of the adapter")
    option(group, TrainConfig, "--lora-dropout", "SHARE", "of the adapter's inputs")
    choice(group, TrainConfig, "--lora-vision", "WHEN", "adapt vision too")
    choice(
        group,
        TrainConfig,
        "--lora-experts",
        "WHEN",
        "adapt the mixture of experts too, where there is one and memory allows; alone it is yes",
        nargs="?",
        const="yes",
    )
    group.add_argument(
        "--no-augment",
        dest="augment",
        action="store_false",
        default=argparse.SUPPRESS,
        help="do not vary the pictures where they are looked at anew each time",
    )
    option(group, TrainConfig, "--seed", "N", "of everything random")


def add_measuring(command: argparse.ArgumentParser) -> None:
    """Add how often a run is measured and saved, and what computes it."""
    group = command.add_argument_group("measuring, saving, computing")
    option(group, TrainConfig, "--evaluate-every", "N", "steps between measurements; 0: 4 a run")
    option(group, TrainConfig, "--validation-samples", "N", "read at most so many each time")
    words = "end after so many measurements in a row without a better CER; 0: never"
    option(group, TrainConfig, "--early-stop", "N", words)
    option(
        group,
        TrainConfig,
        "--checkpoint-every",
        "N",
        "steps between checkpoints; 0: one every two minutes",
    )
    choice(group, TrainConfig, "--engine", "NAME", "what trains; auto takes the faster one")
    choice(group, TrainConfig, "--compile", "WHEN", "compile; auto does if the run is long enough")


def add_read(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "read",
        usage="%(prog)s PICTURE ... [--base MODEL] [--adapter ADAPTER] [OPTION ...]",
        help="read pictures and print the text",
        description="Read pictures and print the text in them, with the picture's name in front "
        "when there are several. Folders and zips stand for the pictures and PDFs in them, PDFs "
        "and TIFFs for their pages. What cannot be read is told, and the exit code is 1 then; the "
        "others are read all the same.",
    )
    command.add_argument(
        "pictures",
        nargs="*",
        default=argparse.SUPPRESS,
        metavar="PICTURE",
        help="PNG, JPEG, TIFF, …; a folder, a zip or a PDF",
    )
    option(
        command, ReadConfig, "--pages", "LIST", "of PDFs and TIFFs, such as 1-3,7 (default: all)"
    )
    command.add_argument(
        "--most",
        metavar="N",
        type=int,
        default=argparse.SUPPRESS,
        help="read the first N pictures only",
    )
    command.add_argument(
        "--csv", metavar="FILE", type=Path, help="write a table of the texts, for spreadsheets"
    )
    command.add_argument(
        "--txt",
        metavar="FILE",
        type=Path,
        help="write the texts into one file; into a zip or a folder one for each picture",
    )
    option(command, ReadConfig, "--base", "MODEL", BASE_HELP)
    option(command, ReadConfig, "--layout", "PRESET", "of MODEL, or auto; adapters bring their own")
    command.add_argument(
        "--prompt",
        metavar="TEXT",
        default=argparse.SUPPRESS,
        help="what the model is asked: free, markdown, ocr, figure, extract, `locate: WORDS`, or a "
        "text of your own; an adapter brings its own",
    )
    command.add_argument(
        "--adapter",
        action=Adapters,
        metavar="ADAPTER",
        default=argparse.SUPPRESS,
        help=f"{ADAPTER_HELP}; several may be given, one after another",
    )
    command.add_argument(
        "--both",
        action="store_true",
        default=argparse.SUPPRESS,
        help="read with the base model and with the adapter",
    )
    command.add_argument(
        "--boxes",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="write the pictures with boxes there, where the prompt asks for places",
    )
    command.add_argument("--json", action="store_true", help="print everything known as JSON")
    job_options(command, ReadConfig)


def add_compare(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "compare",
        usage="%(prog)s --data PREFIX --adapter ADAPTER [--adapter ADAPTER ...] --output DIR "
        "[OPTION ...]",
        help="measure the base model against adapters and other engines",
        description="Read a split with the base model and with the adapter, under the same "
        "settings, and report both character error rates (CER) with the 95 % interval of their "
        "difference. More adapters, checkpoints and other engines' texts stand beside them in one "
        "ranking, each pair with its interval. Writes DIR/report.json, lines.csv, "
        "report.html and its charts as PNG.",
    )
    option(command, CompareConfig, "--data", "PREFIX", "the dataset, as given to `build --output`")
    command.add_argument(
        "--adapter",
        action=Adapters,
        metavar="ADAPTER",
        default=argparse.SUPPRESS,
        help=f"{ADAPTER_HELP}; the first is compared with the base model, further ones are ranked "
        "beside it",
    )
    command.add_argument(
        "--checkpoint",
        dest="checkpoints",
        action="append",
        metavar="RUN",
        default=argparse.SUPPRESS,
        help="rank the weights in the checkpoint of an unfinished run, too; may be repeated",
    )
    command.add_argument(
        "--texts",
        action="append",
        metavar="NAME=PATH",
        default=argparse.SUPPRESS,
        help="rank what another engine read, too: a folder of `picture-name.txt`, or a CSV, TSV, "
        "JSON or JSON lines with picture id and text, or a zip of either; may be repeated",
    )
    command.add_argument(
        "--leave-out-seen",
        nargs="?",
        const="all",
        choices=LEAVE_OUT_SEEN,
        metavar="WHAT",
        default=argparse.SUPPRESS,
        help="leave out samples that the train split holds too: `all` (if nothing is said), or "
        "`pictures`, which keeps those of which only the text is known (default: no)",
    )
    option(command, CompareConfig, "--output", "DIR", "where the report goes")
    option(command, CompareConfig, "--base", "MODEL", "the model the adapter was trained on")
    option(command, CompareConfig, "--split", "NAME", "train, validation or test")
    option(command, CompareConfig, "--language", "CODE", "of the report: en or zh")
    option(command, CompareConfig, "--draws", "N", "of the paired bootstrap")
    option(command, CompareConfig, "--seed", "N", "of these draws")
    option(
        command,
        CompareConfig,
        "--suspects",
        "N",
        "training lines read afterwards, to find wrong ground truth, in no more time than the "
        "comparison took; 0: none",
    )
    job_options(command, CompareConfig)


class Adapters(argparse.Action):
    """Makes the first one `adapter`, as it was when there was only one, and the rest `adapters`."""

    def __call__(self, parser, namespace, value, option_string=None) -> None:
        if hasattr(namespace, self.dest):
            namespace.adapters = (*namespace.adapters, value)
        else:
            namespace.adapter, namespace.adapters = value, ()


def add_suspects(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "suspects",
        usage="%(prog)s --data PREFIX --adapter ADAPTER --output DIR [--all] [OPTION ...]",
        help="find training texts that are probably wrong",
        description="Read lines of the train split with a tuned model. Those that it reads "
        "otherwise than they are written are listed, the worst first: look at their ground truth. "
        "Lines that were marked as checked are left alone. Writes DIR/suspects.csv and "
        "suspects.json; Ctrl-C ends it and keeps what was found.",
    )
    option(command, SuspectsConfig, "--data", "PREFIX", "as given to `build --output`")
    option(command, SuspectsConfig, "--adapter", "ADAPTER", ADAPTER_HELP)
    option(command, SuspectsConfig, "--output", "DIR", "where the lists go")
    option(command, SuspectsConfig, "--base", "MODEL", "the model the adapter was trained on")
    either = command.add_mutually_exclusive_group()
    option(either, SuspectsConfig, "--lines", "N", "read at most so many, drawn at random")
    either.add_argument(
        "--all",
        dest="lines",
        action="store_const",
        const=0,
        default=argparse.SUPPRESS,
        help="read all of them",
    )
    option(command, SuspectsConfig, "--seed", "N", "of the draw")
    job_options(command, SuspectsConfig)


def add_export(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "export",
        usage="%(prog)s RUN --merged DIR [OPTION ...]",
        help="merge an adapter into its base model, for other programs",
        description="Write one model of 16-bit weights in the authors' format, from an adapter and "
        "its base model, read it back, and print how to serve it with vLLM.",
    )
    command.add_argument(
        "run",
        nargs="?",
        default=argparse.SUPPRESS,
        metavar="RUN",
        help="folder of a run or an adapter, or USER/NAME of the Hub",
    )
    option(command, ExportConfig, "--merged", "DIR", "where the model goes; must be empty")
    option(command, ExportConfig, "--base", "MODEL", "what the adapter was trained on, if moved")
    option(command, ExportConfig, "--dtype", "TYPE", "bfloat16 or float16")
    job_options(command, ExportConfig)


def add_push_dataset(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "push-dataset",
        usage="%(prog)s DATA USER/NAME [--public] [--license NAME] [OPTION ...]",
        help="share a dataset on the Hub, private unless you say otherwise",
        description="Put a dataset on the Hugging Face Hub as `load_dataset` and `build` read it, "
        "with a card that says what is in it. Where it goes and who will see it is printed first. "
        "Pushed again, it takes the place of what was there, all at once; a push that failed is "
        "simply repeated. The account is the one of `hf auth login` or HF_TOKEN.",
    )
    for name, metavar, words in (
        ("data", "DATA", "the dataset, as given to `build --output`"),
        ("repo_id", "USER/NAME", "where it goes; NAME alone goes to your own account"),
    ):
        command.add_argument(
            name, nargs="?", default=argparse.SUPPRESS, metavar=metavar, help=words
        )
    command.add_argument(
        "--public",
        dest="private",
        action="store_false",
        default=argparse.SUPPRESS,
        help="let everybody see it, pictures and texts",
    )
    words = "under which others may use it, as the Hub calls it, such as cc-by-4.0"
    option(command, PushDatasetConfig, "--license", "NAME", words)
    command.add_argument(
        "--languages",
        nargs="+",
        metavar="CODE",
        default=argparse.SUPPRESS,
        help="of the texts, such as zh en (default: those that their scripts tell)",
    )
    option(command, PushDatasetConfig, "--run", "RUN", "name on the card what this run was made of")
    option(command, PushDatasetConfig, "--revision", "NAME", "a branch (default: main)")
    option(command, PushDatasetConfig, "--message", "TEXT", "of the commit")
    job_options(command, PushDatasetConfig)
    command.set_defaults(positional={"data": "DATA", "repo_id": "USER/NAME"})


def add_push_adapter(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "push-adapter",
        usage="%(prog)s RUN USER/NAME [--public] [--report DIR] [OPTION ...]",
        help="share an adapter on the Hub",
        description="Push a run's adapter to the Hub, with the account of `hf auth login` or "
        "HF_TOKEN: weights, config, contract, details, the figures of a comparison, and a card "
        "with the code to use it, in one commit. Private unless --public is said; where it goes "
        "and who sees it is printed first. Texts of your pictures stay here, but for three "
        "readings with --examples. The same command pushes anew, and goes on after a failure.",
    )
    command.add_argument(
        "run",
        nargs="?",
        default=argparse.SUPPRESS,
        metavar="RUN",
        help="folder of a run, or of its adapter",
    )
    command.add_argument(
        "repo_id",
        nargs="?",
        default=argparse.SUPPRESS,
        metavar="USER/NAME",
        help="the repository, which is made if there is none",
    )
    flags = {
        "--public": "let everybody see it",
        "--examples": "show three readings of the comparison, with their ground truth",
        "--merged": "push the merged model, too, to USER/NAME-merged",
    }
    for flag, words in flags.items():
        command.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=words)
    option(command, PushAdapterConfig, "--report", "DIR", "of `compare`: the CER before and after")
    words = "the Hub's name for it, such as mit or cc-by-4.0"
    option(command, PushAdapterConfig, "--license", "NAME", words)
    words = "the dataset it was trained on, linked on the card"
    option(command, PushAdapterConfig, "--dataset", "USER/NAME", words)
    option(
        command, PushAdapterConfig, "--base", "MODEL", "for --merged, if the base has been moved"
    )
    job_options(command, PushAdapterConfig)


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


def add_edit(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "edit",
        usage="%(prog)s PREFIX --picture ID [--text T] [--exclude | --include] [--checked]\n"
        "       %(prog)s PREFIX --add PICTURE --text T\n"
        "       %(prog)s PREFIX --from FILE.csv\n"
        "       %(prog)s PREFIX --list",
        help="correct texts of a dataset, exclude samples, add new ones",
        description="Correct a dataset. What is changed is kept in PREFIX_edits.json: training and "
        "comparing use it from then on, and the next build of PREFIX makes it again.",
    )
    command.add_argument("prefix", metavar="PREFIX", help="the dataset, as `build --output` had it")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--picture", metavar="ID", help="the sample to change, by its picture's id")
    what.add_argument("--add", metavar="PICTURE", type=Path, help="a picture to learn from, too")
    what.add_argument(
        "--from", dest="table", metavar="FILE", type=Path, help="a CSV with columns id and text"
    )
    what.add_argument("--list", action="store_true", help="print all edits")
    command.add_argument("--text", metavar="T", help="the right text; `\\n` breaks the line")
    either = command.add_mutually_exclusive_group()
    either.add_argument("--exclude", action="store_true", help="leave the sample out")
    either.add_argument("--include", action="store_true", help="take it in again")
    command.add_argument("--checked", action="store_true", help="picture and text belong together")
    command.set_defaults(usage_error=command.error)


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
        usage="%(prog)s embedded|build|scores|page|train|read [OPTION ...]",
        help="measure quality and speed on this machine",
        description="embedded: read the same lines with the embedded model and, if it is "
        "installed, with Tesseract: print, long lines, degraded ones, nothing at all, handwritten "
        "digits, real scans; measure speed and memory on two cores. build: what a dataset of many "
        "drawn lines takes, beside another script. scores: what counting the errors of many lines "
        "takes. page: how fast the page starts, its memory, and whether it grows while pages are "
        "opened and runs come and go. train, read: how fast "
        "DeepSeek-OCR is tuned and reads on this GPU, with random weights of its size under the "
        "memory of a T4. Writes a report and its figures into DIR.",
    )
    command.add_argument(
        "what",
        choices=("embedded", "build", "scores", "page", "train", "read"),
        help="what is measured",
        metavar="WHAT",
    )
    command.add_argument(
        "--readme",
        metavar="FILE",
        type=Path,
        help="put the tables between their marks there; not of embedded and build",
    )
    building = command.add_argument_group("build and scores")
    building.add_argument(
        "--lines",
        metavar="N",
        type=at_least_one,
        default=0,
        help="lines (default: 10,000; for scores 50,000, each read twice)",
    )
    building.add_argument(
        "--script",
        metavar="FILE",
        type=Path,
        help="a program that makes a dataset too, called with content.md and --output PREFIX",
    )
    page = command.add_argument_group("page")
    page.add_argument(
        "--loads", metavar="N", type=at_least_one, default=500, help="page loads (default: 500)"
    )
    page.add_argument(
        "--runs", metavar="N", type=int, default=50, help="trainings of one step (default: 50)"
    )
    big = command.add_argument_group("train and read")
    big.add_argument(
        "--size",
        choices=("full", "small"),
        default="full",
        help="small only shows that everything runs (default: full)",
    )
    big.add_argument(
        "--samples", metavar="N", type=at_least_one, default=1024, help="pictures (default: 1024)"
    )
    big.add_argument("--no-unsloth", dest="unsloth", action="store_false", help="leave it out")
    embedded = command.add_argument_group("embedded")
    embedded.add_argument(
        "--sets",
        metavar="FOLDER",
        type=Path,
        help="the evaluation sets; drawn there first if they are missing, from fonts and texts of "
        "Debian packages (default: DIR/sets)",
    )
    embedded.add_argument("--scans", metavar="ZIP", type=Path, help="real scans with a content.md")
    embedded.add_argument(
        "--adapter",
        metavar="FOLDER",
        type=Path,
        help="an adapter, such as RUN/adapter, tuned on a dataset of these scans; the test split "
        "of that dataset is read with it",
    )
    embedded.add_argument(
        "--limit", metavar="N", type=at_least_one, default=0, help="read about N lines of each set"
    )
    embedded.add_argument(
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
    words = "make a public address too, which lasts a week at most: whoever knows it can use this "
    words += "machine, and what is sent goes through gradio's servers (for Google Colab)"
    command.add_argument("--share", action="store_true", help=words)


def add_deploy(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "deploy",
        help="make a Space on the Hugging Face Hub, or bring one up to date",
        description="Make a Space what `space.yaml` and the files beside it say: the Space itself, "
        "volumes, variables, secrets (by name; their values come from your environment), files, "
        "machine, sleep time. Only what differs is changed. What costs money, or makes a private "
        "Space public, needs your consent. Whatever fails, the same command goes on.",
    )
    words = "of the Space (default: you, and the name in the manifest)"
    command.add_argument("space", nargs="?", default="", metavar="USER/NAME", help=words)
    words = "only say what differs and would be changed"
    command.add_argument("--dry-run", action="store_true", help=words)
    command.add_argument("--yes", action="store_true", help="agree to what needs consent")
    command.add_argument("--private", action="store_true", help="let only you see the Space")
    words = "instead of the manifest's, such as cpu-basic, which costs nothing"
    command.add_argument("--hardware", default="", metavar="NAME", help=words)
    words = "put ocrtune in the place of another program that the Space holds"
    command.add_argument("--replace", action="store_true", help=words)
    words = "the manifest (default: space.yaml beside the package); files are looked for beside it"
    command.add_argument("--manifest", type=Path, metavar="FILE", help=words)


def add_doctor(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "doctor",
        help="check this machine before you wait for it",
        description="Check driver, GPU, memory, disk, versions, a small computation, the Hub and a "
        "reading. Each line is ok, a warning or a problem, with what to do. The exit code is 1 "
        "where there is a problem.",
    )
    command.add_argument("--json", action="store_true", help="write JSON")
    words = "leave out the computations and the reading, which take half a minute"
    command.add_argument("--quick", action="store_true", default=argparse.SUPPRESS, help=words)
    job_options(command, DoctorConfig)


def add_reader(commands: argparse._SubParsersAction) -> None:
    # Not listed: workers start it, and it ends by itself.
    command = commands.add_parser("reader", description="Keep a model in memory for workers.")
    command.add_argument("--home", type=Path, required=True, help="whose workers it reads for")
    command.add_argument("--offline", action="store_true", help="the model needs no network")


JOB_ACTIONS = {
    "list": "show all jobs: id, command, state, progress, age and owner",
    "show": "show the settings of a job, its last events and the end of its log",
    "follow": "show what a job tells until it has ended; Ctrl-C ends only the watching",
    "stop": "ask a job to end early; a training keeps what it has learned",
    "resume": "let a training go on that has ended before its time",
    "delete": "end a job if it runs, and remove everything of it",
}


def add_jobs(commands: argparse._SubParsersAction) -> None:
    words = "What the page has started, or an earlier page: it goes on without one. An ID may be "
    command = commands.add_parser(
        "jobs",
        help="list, follow, stop, resume or delete what the page has started",
        description=f"{words}shortened to its beginning where that is clear. The exit code is 0 "
        "where it went well, 1 where it did not, and for `follow` where the job did not.",
    )
    actions = command.add_subparsers(title="actions", dest="action", metavar="ACTION")
    actions.required = True
    for name, words in JOB_ACTIONS.items():
        action = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        if name != "list":
            action.add_argument("id", metavar="ID", help="of the job, or its beginning")
        action.add_argument("--json", action="store_true", help="write JSON")
        if name == "resume":
            words = "agree to pay for another start of a run on a machine of the Hub"
            action.add_argument("--yes", action="store_true", help=words)
        words = "where the jobs are (default: OCRTUNE_HOME, or ~/.cache/ocrtune)"
        action.add_argument("--home", metavar="DIR", type=Path, help=words)


def option(
    command: argparse._ActionsContainer,
    kind: type[Config],
    flag: str,
    metavar: str,
    words: str,
    **more: object,
) -> None:
    """Add the option that sets one field of a config, with the field's type and default."""
    name = flag.removeprefix("--").replace("-", "_")
    field = next(field for field in fields(kind) if field.name == name)
    if not is_required(field) and field.default != "":
        words += f" (default: {field.default})"
    command.add_argument(
        flag, metavar=metavar, type=field.type, default=argparse.SUPPRESS, help=words, **more
    )


def choice(
    command: argparse._ActionsContainer,
    kind: type[Config],
    flag: str,
    metavar: str,
    words: str,
    **more: object,
) -> None:
    """Add the option that sets a field to one of the words in CHOICES, and name them."""
    *most, last = CHOICES[flag.removeprefix("--").replace("-", "_")]
    option(command, kind, flag, metavar, f"{words}: {', '.join(most)} or {last}", **more)


def job_options(command: argparse.ArgumentParser, kind: type[Config]) -> None:
    """Add how a worker process gets its settings and tells of its progress."""
    group = command.add_argument_group("as the page starts it")
    group.add_argument("--config", metavar="FILE", type=Path, help="settings saved as JSON")
    group.add_argument("--job", metavar="FOLDER", type=Path, help="job folder to report to")
    group.add_argument(
        "--token-from-input",
        action="store_true",
        help="the first line of the input is the token of the Hub to use",
    )
    command.set_defaults(kind=kind, usage_error=command.error)


def make_config(args: argparse.Namespace) -> Config:
    """Return the settings of `--config`, if given, with what else the command line sets.

    A preset stands between the two; a resumed run brings all settings along.
    """
    given, known = vars(args), fields(args.kind)
    if given.get("resume"):
        return resumed_config(args)
    values = asdict(args.kind.load(args.config)) if args.config else {}
    typed = {field.name: given[field.name] for field in known if field.name in given}
    if given.get("preset"):
        base = typed.get("base") or values.get("base") or TrainConfig.base
        values |= get_family(base).preset(args.preset).settings()
    if "steps" in typed:
        values["epochs"] = 0.0  # of the file: the one that is typed counts
    values |= typed
    if "adapter" in values and "base" not in values:
        values["base"] = ""  # what the adapter was trained on
    missing = [field.name for field in known if is_required(field) and field.name not in values]
    if missing:
        words = [given.get("positional", {}).get(name) or spell(name) for name in missing]
        args.usage_error(f"still needed: {', '.join(words)}")
    return args.kind(**values)


def resumed_config(args: argparse.Namespace) -> TrainConfig:
    """Return the settings of the run that goes on, with more steps if they are given."""
    given = vars(args)
    named = [field.name for field in fields(TrainConfig) if field.name in given]
    named += [name for name in ("preset", "config") if given[name]]
    others = [spell(name) for name in named if name != "steps"]
    if others:
        args.usage_error(
            f"a resumed run keeps its settings; leave out {', '.join(others)} (only --steps can "
            "be given, to make it longer)"
        )
    config = TrainConfig.load(args.resume / "config.json")
    return replace(config, output=str(args.resume), steps=given.get("steps", config.steps))


def is_required(field: Field) -> bool:
    """Return whether a setting has no default."""
    return field.default is MISSING


def spell(name: str) -> str:
    """Return how a setting is given on the command line."""
    return {"source": "SOURCE", "pictures": "PICTURE", "run": "RUN", "repo_id": "USER/NAME"}.get(
        name, "--" + name.replace("_", "-")
    )
