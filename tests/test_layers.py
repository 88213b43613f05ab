"""Who may know whom: the table of the house plan, read off the imports of every module."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ocrtune"

LAYERS = {
    0: {"__init__", "errors", "records", "config", "events", "home", "limits", "whole_files"}
    | {"redaction", "event_files", "crashes", "checkpoint_step", "hub_pages", "hub_words"}
    | {"event_lines", "flavors"}
    | {"space_prices", "host_memory", "nvidia"}
    | {"licenses"}
    | {"adapter_names"},
    1: {
        "text",
        "metrics",
        "archive",
        "archive_names",
        "picture_bombs",
        "content",
        "shapes",
        "cards",
        "augmenting",
    }
    | {"grounding", "pictures", "splits", "picture_store", "remarks", "remark_words"}
    | {"sentences", "sentences_zh_data", "sentences_zh_families", "sentences_zh_hub"}
    | {"sentences_zh_models", "sentences_zh_results"}
    | {"columns", "cells", "tables", "table_types", "table_truth", "row_choice"}
    | {"dataset_files", "ground_truth", "grouping", "hub_layout"}
    | {"crops", "pdf_files", "picture_sources", "reading_tables", "kept_pictures"}
    | {"edits", "editing", "sample_index", "rebuilding", "extending"}
    | {"old_encodings"}
    | {"encoding", "names", "links", "pieces", "path_lines", "markdown", "markdown_tables"}
    | {"signatures", "near_duplicates", "text_checks", "lookalikes", "pair_checks", "text_figures"}
    | {"advice", "advice_words", "alphabet", "spreadsheet"}
    | {"scores", "counting", "alignment", "bootstrap", "code_points", "unit_strings"}
    | {"misreadings", "word_counts", "number_tokens"}
    | {"seen", "other_engines", "ranking", "conditions", "power_law", "subsets"}
    | {"space_manifest", "ignoring", "checkup_words", "dataset_facts"},
    2: {"hub", "families", "features", "feature_store", "examples", "hardware", "fitting"}
    | {"engines", "hub_rows", "hub_tables", "hub_streams", "hub_writing", "hub_accounts"}
    | {"hub_jobs", "hub_spaces", "hub_greeting"}
    | {"hub_datasets", "hub_splits"}
    | {"hub_adapters", "shared_adapters"},
    3: {"dataset", "dataset_report", "sources"}
    | {"pushing", "pushing_adapters", "adapter_card", "adapter_words"}
    | {"training", "learner", "graphs", "ranks", "validation", "checkpoints", "preflight"}
    | {"decoding", "streaming", "reading", "comparing", "exporting"}
    | {"report", "report_page", "report_words", "suspects", "pretrain", "bench"}
    | {"comparisons", "verdicts", "breakdowns", "report_values", "report_schema"}
    | {"report_figures", "report_charts_svg", "report_tables", "report_filter"}
    | {"report_style", "report_lines", "report_pictures", "report_ranking", "report_conditions"}
    | {"report_drawings", "report_charts", "report_charts_png", "report_fonts", "report_png"}
    | {"learning_chart"}
    | {"label_check", "learning", "learning_curve", "learning_page", "learning_words"}
    | {"deploying", "doctor", "probes"},
    4: {"jobs", "turns", "keeping", "worker", "job_status", "waits", "resident"}
    | {"offsite", "offsite_files", "offsite_fetch", "copying"}
    | {"remote", "far_side", "remote_package"},
    5: {"cli", "arguments", "console", "__main__", "ui"}
    | {"read_command", "stopping", "jobs_command", "time_limit", "reader", "remote_command"},
}
LAYER = {unit: layer for layer, units in LAYERS.items() for unit in units}

# Which of our modules the upper ones may import; the others take everything below them.
ALLOWED = {
    "jobs": LAYERS[0] | {"turns", "worker", "job_status"},
    "worker": LAYERS[0] | {"turns", "job_status", "resident"},
    "job_status": LAYERS[0],
    "waits": LAYERS[0] | {"turns", "jobs", "job_status"},
    "resident": LAYERS[0] | {"turns"},
    "turns": LAYERS[0],
    "offsite": LAYERS[0] | {"jobs", "hub_writing", "offsite_files", "turns"},
    "offsite_files": LAYERS[0] | {"dataset_files", "edits"},
    "copying": LAYERS[0] | {"hub_writing", "offsite", "offsite_files"},
    "offsite_fetch": LAYERS[0] | {"jobs", "hub_writing", "offsite", "offsite_files"},
    "remote_package": LAYERS[0],
    "far_side": LAYERS[0] | {"jobs", "hub_writing", "offsite", "offsite_files", "offsite_fetch"},
    "remote": LAYERS[0]
    | {"hub_jobs", "hub_writing", "offsite", "offsite_files", "offsite_fetch"}
    | {"far_side", "remote_package"},
    "keeping": LAYERS[0] | {"jobs", "job_status"},
    "ui": LAYERS[0]
    | LAYERS[1]
    | LAYERS[4]
    | {"hub", "hub_writing", "hub_accounts", "families", "report", "report_page", "ui"}
    | {"hub_adapters"}
    | {"dataset_report", "suspects"}
    | {
        "report_charts_svg",
        "report_conditions",
        "report_drawings",
        "report_figures",
        "report_filter",
    }
    | {"report_ranking", "report_tables", "report_words"},
}

MODEL_WORLD = {"families", "features", "feature_store", "hardware", "engines", "preflight"}
MODEL_WORLD |= {"training", "learner", "graphs", "ranks", "validation", "checkpoints"}
MODEL_WORLD |= {"decoding", "reading", "exporting", "pretrain", "bench"}
NUMBERS = {"breakdowns", "learning_curve", "report_charts"}
MODEL_WORLD |= {"comparing", "probes"}
HOMES = {  # where a package from elsewhere may be imported
    "torch": MODEL_WORLD,
    "triton": {"families"},
    "transformers": MODEL_WORLD,
    "peft": MODEL_WORLD,
    "unsloth": MODEL_WORLD,
    "safetensors": MODEL_WORLD,
    "tokenizers": MODEL_WORLD,
    "huggingface_hub": {"hub", "hub_writing", "hub_accounts", "hub_jobs", "hub_spaces"}
    | {"hub_greeting", "hub_datasets", "hub_adapters"},
    "httpx": {"hub", "hub_writing", "hub_jobs", "hub_greeting", "hub_adapters"},
    "packaging": {"doctor"},
    "yaml": {"space_manifest", "deploying"},
    "gradio": {"ui"},
    "starlette": {"ui"},
    "anyio": {"ui"},
    "mcp": {"ui"},
    "pandas": {"ui"},
    "tqdm": {"console"},
    "playwright": {"bench"},
    "fontTools": {"pretrain"},
    "rapidfuzz": {"metrics", "names", "pretrain", "near_duplicates"}
    | {"alignment", "number_tokens"},
    "regex": {"text", "grouping", "word_counts"},
    "pyarrow": {"dataset_files", "tables", "table_types", "sample_index"} | {"pushing"},
    "datasets": {"dataset_files", "hub_streams"} | {"hub_splits"},
    "sklearn": {"dataset"},
    "numpy": LAYERS[1] | MODEL_WORLD | NUMBERS,
    "PIL": LAYERS[1] | LAYERS[2] | LAYERS[3] | {"ui"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def imported_modules(source: str) -> set[str]:
    """Return the full names of all modules that a source imports, within functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "Write the whole name: `from ocrtune.errors import …`."
            whole = node.module == "ocrtune"
            names |= {f"ocrtune.{alias.name}" if whole else node.module for alias in node.names}
    return names


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def may_import(unit: str, other: str) -> bool:
    """Return whether `unit` may import `other`, both being ours."""
    if unit in ALLOWED:
        return other in ALLOWED[unit]
    return LAYER[other] <= LAYER[unit]


def faults(path: Path, source: str) -> list[str]:
    """Return a sentence for each import that the table forbids."""
    unit, found = unit_of(path), []
    for name in sorted(imported_modules(source)):
        package, _, rest = name.partition(".")
        other = rest.split(".")[0]
        if package == "ocrtune":
            if other and other in LAYER and not may_import(unit, other):
                found.append(f"{unit} must not import {name}")
            if unit == "ui" and name.startswith("ocrtune.families."):
                found.append(f"the page knows the facts of families only, not {name}")
        elif package not in sys.stdlib_module_names and unit not in HOMES.get(package, ()):
            found.append(f"{unit} must not import {package}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_layer_may_know(path):
    assert unit_of(path) in LAYER, f"Say in LAYERS where `{unit_of(path)}` belongs."
    assert faults(path, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("unit", "source"),
    [
        ("dataset", "import torch"),
        ("dataset", "def late():\n    from torch.nn import Linear"),
        ("text", "from ocrtune import training"),
        ("metrics", "from ocrtune.reading import read_pictures"),
        ("jobs", "from ocrtune.dataset import load_samples"),
        ("ui", "from ocrtune.training import train_adapter"),
        ("ui", "from ocrtune.families.tiny import TINY"),
        ("ui", "import torch"),
        ("training", "import gradio as gr"),
        ("comparing", "from huggingface_hub import snapshot_download"),
        ("errors", "import requests"),
        ("config", "from ocrtune.text import normalise"),
    ],
)
def test_the_table_notices_what_is_forbidden(unit, source):
    assert len(faults(PACKAGE / f"{unit}.py", source)) == 1
