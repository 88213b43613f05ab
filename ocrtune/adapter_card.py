"""The README of an adapter on the Hub, and what of a comparison's report goes there with it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ocrtune.adapter_words import (
    CHINESE,
    CODE,
    CODE_OF_OCRTUNE,
    CODE_OF_OUR_NETWORK,
    CODE_OF_TRANSFORMERS,
    NO_CODE,
    PAGE,
)
from ocrtune.families import FAMILIES, ModelFamily

TAG = "ocrtune"
EXAMPLES = 3
LONGEST_EXAMPLE = 400  # characters of a text that are shown
SHOWN_SETTINGS = (  # of a run, in this order
    *("steps", "batch_size", "learning_rate", "schedule", "lora_rank", "lora_alpha"),
    *("lora_dropout", "lora_experts", "lora_vision", "augment", "optimizer", "engine"),
    *("fraction", "seed", "start_from"),
)
# peft's own loader passes keys through renamings of transformers that lose every weight.
BY_OCRTUNE_ALONE = ("deepseek-ocr-2",)
REPO_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class AdapterFacts:
    """Everything an adapter's card tells."""

    repo_id: str
    contract: Mapping
    details: Mapping  # of the run, as `training` writes them; may be empty
    report: Mapping | None = None  # of a comparison
    examples: bool = False  # whether readings may be shown
    license: str = ""
    dataset: str = ""  # a repo id
    merged: str = ""  # the repo id of the merged model
    sizes: Mapping[str, int] = field(default_factory=dict)  # bytes of each file

    @property
    def base_repo(self) -> str:
        """The base model's repo id; empty if it is on no Hub."""
        base = str(self.contract["base_model"])
        return base if re.fullmatch(r"[\w.-]+/[\w.-]+", base) else ""

    @property
    def family(self) -> ModelFamily | None:
        return FAMILIES.get(str(self.contract["family"]))

    @property
    def command_base(self) -> str:
        """What `--base` takes for the base model."""
        base = str(self.contract["base_model"])
        for family in FAMILIES.values():
            if base.casefold() in (family.name, family.base_model.casefold()):
                return family.name
        return base

    @property
    def extra_base(self) -> str:
        """What has to be added to a command where the adapter does not tell its base model."""
        return "" if self.base_repo or self.command_base in FAMILIES else " --base FOLDER"


def adapter_card(facts: AdapterFacts) -> str:
    """Return the README, with what it says to machines in front."""
    metadata = json_yaml(card_metadata(facts))
    name, base = facts.repo_id.partition("/")[2], base_words(facts)
    parts = [
        PAGE["head"].format(name=name, base=base, family=facts.contract["family"]),
        result_words(facts),
        use_words(facts),
        *example_words(facts),
        recipe_words(facts),
        contract_words(facts),
        license_words(facts),
        chinese_words(facts),
    ]
    return f"---\n{metadata}---\n\n" + "\n\n".join(part.strip() for part in parts if part) + "\n"


def card_metadata(facts: AdapterFacts) -> dict:
    """Return what the card says to machines, in the Hub's own words."""
    base = facts.base_repo
    tags = [TAG, "lora", "ocr", f"{TAG}-{facts.contract['family']}"]
    values: dict = {"library_name": "peft", "pipeline_tag": "image-to-text", "tags": tags}
    if base:
        values |= {"base_model": base, "base_model_relation": "adapter"}
    if facts.license:
        values["license"] = facts.license
    if facts.dataset:
        values["datasets"] = [facts.dataset]
    if facts.report:
        values["metrics"] = ["cer"]
        values["model-index"] = [model_index(facts)]
    return values


def model_index(facts: AdapterFacts) -> dict:
    """Return the CER before and after, with the interval, as the Hub's `model-index` has it."""
    report = facts.report or {}
    low, high = (report["difference"].get(name) for name in ("low", "high"))
    between = "" if low is None else f", 95% interval {low:.4f} to {high:.4f}"
    metrics = [
        ("CER, this adapter", report["tuned"]["cer"]),
        ("CER, base model", report["base"]["cer"]),
        (f"CER difference{between}", report["difference"]["cer"]),
    ]
    named = facts.dataset or "own pictures"
    return {
        "name": facts.repo_id.partition("/")[2],
        "results": [
            {
                "task": {"type": "image-to-text", "name": "Optical character recognition"},
                "dataset": {
                    "name": f"{named}, {report['lines']} samples",
                    "type": facts.dataset or "own-pictures",
                    "split": str(report["split"]),
                },
                "metrics": [
                    {"type": "cer", "name": name, "value": round(value, 6)}
                    for name, value in metrics
                    if value is not None
                ],
            }
        ],
    }


def json_yaml(values: Mapping) -> str:
    """Return values as YAML, which JSON is: a key a line, nothing that could be misread."""
    return "".join(f"{key}: {json.dumps(one, ensure_ascii=True)}\n" for key, one in values.items())


def base_words(facts: AdapterFacts) -> str:
    """Return the base model with its revision, as markdown."""
    base, revision = facts.contract["base_model"], str(facts.contract["revision"])
    if facts.base_repo:
        at = f"/tree/{revision}" if REPO_COMMIT.fullmatch(revision) else ""
        return f"[{base}](https://huggingface.co/{base}{at}) at `{revision}`"
    if base == "tiny":
        return f"ocrtune's embedded model `tiny` (weights `{revision}`)"
    return f"a model of its author, {code(str(base))} (weights `{revision}`)"


def percent(rate: float | None) -> str:
    """Return a rate for people."""
    return "–" if rate is None else f"{100 * rate:.2f} %"


def result_words(facts: AdapterFacts) -> str:
    """Return what the adapter brought, measured."""
    report = facts.report
    if not report:
        return PAGE["no_result"]
    data = f" of `{facts.dataset}`" if facts.dataset else ""
    difference = report["difference"]
    between = ""
    if difference.get("low") is not None:
        between = PAGE["interval"].format(
            low=points(difference["low"]), high=points(difference["high"])
        )
    rows = "\n".join(
        f"| {name} | {percent(one['cer'])} | {one['errors']:,} | "
        f"{one['reference_characters']:,} | {one['exact_lines']:,} of {one['lines']:,} |"
        for name, one in (("base model", report["base"]), ("**this adapter**", report["tuned"]))
    )
    few = PAGE["few"] if difference.get("few_lines") else ""
    return PAGE["result"].format(
        lines=report["lines"],
        split=report["split"],
        data=data,
        rows=rows,
        change=points(difference["cer"]),
        between=between,
        few=few,
        profile=report["contract"].get("profile", "strict"),
    )


def points(difference: float | None) -> str:
    """Return a difference of rates in percentage points, with its sign."""
    return "–" if difference is None else f"{100 * difference:+.2f}".replace("-", "−")


def use_words(facts: AdapterFacts) -> str:
    """Return the exact code to use the adapter, with ocrtune and without."""
    family, base = facts.family, facts.command_base
    fits = {"repo": facts.repo_id, "base": base}
    ours = CODE_OF_OCRTUNE.format(**fits, extra=facts.extra_base)
    if family is not None and family.native:
        other = CODE_OF_OUR_NETWORK.format(**fits)
    elif family is None or family.name in BY_OCRTUNE_ALONE or not family.chat:
        other = NO_CODE.format(**fits)
    else:
        other = CODE_OF_TRANSFORMERS.format(
            repo=facts.repo_id,
            base=facts.base_repo or base,
            revision=facts.contract["revision"],
            question=question(facts, family),
            tokens=facts.contract["max_new_tokens"],
        )
    merged = PAGE["merged"].format(repo=facts.merged) if facts.merged else ""
    return CODE.format(ours=ours, other=other, merged=merged).strip()


def question(facts: AdapterFacts, family: ModelFamily) -> str:
    """Return the text part of a message to the model, as a Python expression."""
    asked = str(facts.contract["prompt"])
    known = family.prompt if family.prompt and family.prompt in asked else ""
    if not known:  # the contract has the template around it: what lies behind the picture
        known = re.split(r"<[^<>]*>", asked)[-1] if family.prompt else ""
    said = {"type": "text", "text": known}
    return f", {json.dumps(said, ensure_ascii=False)}" if known else ""


def example_words(facts: AdapterFacts) -> list[str]:
    """Return readings of three samples, if they may be shown."""
    lines = chosen_lines(facts.report, facts.examples)
    if not lines:
        return []
    shown = [PAGE["examples"]]
    for number, line in enumerate(lines, start=1):
        fields = (("ground truth", "reference"), ("base model", "base"), ("adapter", "tuned"))
        texts = [f"{name}:\n\n{fenced(str(line.get(key, '')))}" for name, key in fields]
        shown.append(f"**{number}.** " + "\n\n".join(texts))
    return ["\n\n".join(shown)]


def chosen_lines(report: Mapping | None, may_be_shown: bool) -> list[Mapping]:
    """Return three lines of a report that nobody picked: at equal steps from worst to best."""
    lines = list((report or {}).get("worst") or ()) if may_be_shown else []
    if len(lines) <= EXAMPLES:
        return lines
    return [lines[(number * len(lines)) // (EXAMPLES + 1)] for number in range(1, EXAMPLES + 1)]


def fenced(text: str) -> str:
    """Return a text as a block that nothing in it can end, cut if it is long."""
    cut = text if len(text) <= LONGEST_EXAMPLE else text[:LONGEST_EXAMPLE] + " …"
    longest = max((len(run) for run in re.findall("`+", cut)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{cut}\n{fence}"


def code(text: str) -> str:
    """Return a short text as code within a line; nothing in it is markup."""
    inner = " ".join(text.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", inner)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{inner}{space}{fence}"


def table(rows: Sequence[tuple[str, object]]) -> str:
    """Return a markdown table of two columns."""
    listed = "\n".join(f"| {name} | {code(str(value))} |" for name, value in rows)
    return f"| | |\n|---|---|\n{listed}"


def recipe_words(facts: AdapterFacts) -> str:
    """Return how it was trained, on what, and how long that took."""
    details = facts.details
    if not details:
        return PAGE["no_recipe"]
    settings = details.get("settings") or {}
    settings = settings | {"start_from": details.get("start_from", "")}
    rows = [
        (name, settings[name]) for name in SHOWN_SETTINGS if settings.get(name) not in ("", None)
    ]
    rows += [
        (words, details[key])
        for key, words in (
            ("train_samples", "samples learned from"),
            ("kept_step", "step of these weights"),
            ("trainable_parameters", "weights that learned"),
        )
        if details.get(key) is not None
    ]
    if details.get("validation_cer") is not None:
        rows.append(("CER on the validation split", percent(details["validation_cer"])))
    versions = ", ".join(f"{k} {v}" for k, v in (details.get("versions") or {}).items())
    data = PAGE["on_dataset"].format(dataset=facts.dataset) if facts.dataset else PAGE["on_own"]
    return PAGE["recipe"].format(
        data=data,
        hardware=hardware_words(details.get("hardware")),
        minutes=f"{float(details.get('seconds') or 0) / 60:.1f}",
        versions=versions or "unknown versions",
        table=table(rows),
    )


def hardware_words(hardware: object) -> str:
    """Return what computed the run."""
    if isinstance(hardware, Mapping):
        return ", ".join(f"{value}" for value in hardware.values() if value)
    return str(hardware or "unknown hardware")


def contract_words(facts: AdapterFacts) -> str:
    """Return under what the adapter reads."""
    return PAGE["contract"] + table([(key, repr(one)) for key, one in facts.contract.items()])


def license_words(facts: AdapterFacts) -> str:
    """Return the licence, and that the base model has its own."""
    told = PAGE["license"].format(license=facts.license) if facts.license else PAGE["no_license"]
    return f"{told} {PAGE['base_license'].format(base=facts.contract['base_model'])}"


def chinese_words(facts: AdapterFacts) -> str:
    """Return the short part in Chinese."""
    report = facts.report
    result = CHINESE["no_result"]
    if report:
        result = CHINESE["result"].format(
            lines=report["lines"],
            base=percent(report["base"]["cer"]),
            tuned=percent(report["tuned"]["cer"]),
        )
        low, high = (report["difference"].get(name) for name in ("low", "high"))
        if low is not None:
            result += CHINESE["interval"].format(low=points(low), high=points(high))
    return CHINESE["page"].format(
        base=facts.contract["base_model"],
        result=result,
        repo=facts.repo_id,
        extra=facts.extra_base,
    )


def shared_report(report: Mapping, repo_id: str, examples: bool) -> dict:
    """Return a comparison's values as they may be shown to others.

    Texts, picture ids and names of folders stay here, but for the three examples where these may
    be shown; figures and misread characters go.
    """
    values = json.loads(json.dumps(report))
    kept = [line["picture_id"] for line in chosen_lines(report, examples)]
    values["worst"] = [line for line in values["worst"] if line["picture_id"] in kept]
    base = values["models"].get("base", "")
    values["models"] = {"base": last_part(base), "tuned": f"{last_part(base)} + {repo_id}"}
    values["contract"]["base_model"] = last_part(values["contract"]["base_model"])
    if isinstance(values.get("groups"), dict):
        values["groups"]["rows"] = []
    seen = (values.get("conditions") or {}).get("seen") or {}
    if "listed" in seen:
        seen["listed"] = []
    values["ranking"] = None  # it names what else was compared
    return values


def last_part(name: str) -> str:
    """Return a model's name without the folders of this machine; repo ids stay whole."""
    return name.rstrip("/").rpartition("/")[2] if name.startswith(("/", ".", "~")) else name
