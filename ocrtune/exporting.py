"""A tuned model for other programs: merged, in the authors' format, read back and checked."""

import gc
import shlex
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ocrtune.adapter_names import shared_name
from ocrtune.config import ExportConfig, TrainConfig
from ocrtune.errors import ConfigError, ModelError
from ocrtune.events import Emit, Note, Progress, Saved, silent
from ocrtune.families import DEEPSEEK_OCR, FAMILIES
from ocrtune.families.adapter_files import ADAPTER_WEIGHTS, read_contract
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import TEXT_FILES, load_adapter, load_base
from ocrtune.families.merging import Merge, check_files, list_tensors, size_of, write_merged
from ocrtune.reading import use_cores
from ocrtune.records import OcrContract
from ocrtune.shared_adapters import base_of, folder_of

# Root of the mean squared difference of the logits, by their own spread: measured 0.004 in bfloat16
# and 0.0006 in float16 on small models, where another adapter's differ by more than 1.
LARGEST_SHARE = 0.05
LARGE_BYTES = 3_000_000_000  # a model above this is checked in 16 bits on a CPU
CHECKED_WORDS = "Straße 12, 价格 34.50"
LOGITS_PROCESSOR = "vllm.model_executor.models.deepseek_ocr:NGramPerReqLogitsProcessor"
CARD = """\
# {base}, tuned

Made by ocrtune: `{base}` with an adapter merged into it, as {dtype} weights under the original
names, with the original config and tokenizer.

{checked}

## Serving

From the folder in which this one lies:

```
{serving}
```
{served}
## The settings it was tuned under

| setting | value |
|---|---|
{settings}
"""
VLLM_WORDS = """
ocrtune's authors never ran vLLM; the line follows vLLM's recipe for DeepSeek-OCR (vLLM 0.11.1 or
newer, which has the model built in). Versions whose second model runner refuses the logits
processor need `VLLM_USE_V2_MODEL_RUNNER=0` in the environment.

Ask with the text {prompt!r} behind the picture, temperature 0, and
`"vllm_xargs": {{"ngram_size": {ngram}, "window_size": {window}}}`. vLLM lays out every picture as
`gundam`; this model was tuned with `{layout}`. Both are the same for pictures of at most 640 x 640
pixels in `base`; for others measure the difference before you rely on it.

The authors' own code (`trust_remote_code`, transformers 4.46) needs their Python files beside the
weights: ocrtune neither fetches nor writes code, so copy them from the base model's page.
"""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What became of an export."""

    tensors: int
    difference: float  # the largest between a logit of the adapter and of the export
    share: float  # root mean square of all differences, by the spread of the logits
    checked: str  # a sentence on both
    serving: str  # how to serve it, a line for a shell


def export_merged(config: ExportConfig, emit: Emit = silent) -> Exported:
    """Write the merged model to the folder `config.merged`, read it back and compare.

    An export whose files or logits are not what they must be is a ModelError.
    """
    use_cores()
    adapter, base = find_adapter(config)
    folder = Path(config.merged)
    refuse_used(folder)
    dtype = getattr(torch, config.dtype)
    loaded = load_for_check(base, "", dtype)
    load_adapter(loaded, adapter)
    contract, source = loaded.contract, loaded.folder
    expected = logits(loaded)
    merge = Merge(loaded)
    del loaded  # the model is gone before the files are written
    gc.collect()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        write_merged(merge, source, folder, dtype, lambda n, of: emit(Progress("export", n, of)))
        for pattern in TEXT_FILES:
            for file in source.glob(pattern):
                shutil.copyfile(file, folder / file.name)
    except OSError as error:
        raise ModelError(
            f"The model cannot be written to `{folder}`: {error.strerror or error}.",
            "Make room on the disk, or name another folder.",
        ) from error
    tensors = check_files(source, folder, dtype)
    emit(Note(f"The {tensors} tensors have the base model's names and shapes, in {config.dtype}."))
    again = load_for_check(str(folder), contract.layout, dtype)
    again.contract = contract
    exported = compare(expected, logits(again), tensors, folder, serving_line(contract, config))
    # The README may be shown to others: it tells the folder's name only.
    named = replace(config, merged=folder.resolve().name)
    words = card(contract, named, exported.checked)
    (folder / "README.md").write_text(words, "utf-8")
    emit(Saved("model", str(folder)))
    return exported


def find_adapter(config: ExportConfig) -> tuple[Path, str]:
    """Return the adapter's folder, and the base model to load for it."""
    run = folder_of(config.run)
    adapter = run / "adapter" if (run / "adapter").is_dir() else run
    if not (adapter / ADAPTER_WEIGHTS).is_file():
        raise ModelError(
            f"`{run}` holds no adapter.", "Name the folder of a finished run, or RUN/adapter."
        )
    if config.base:
        return adapter, config.base
    if shared_name(config.run):
        return adapter, base_of(config.run)
    settings = adapter.parent / "config.json"
    if adapter.name == "adapter" and settings.is_file():
        return adapter, TrainConfig.load(settings).base
    base = read_contract(adapter).base_model
    if base not in FAMILIES and "/" not in base:
        raise ConfigError(
            f"The adapter was trained on a folder `{base}`, which can be anywhere.",
            "Say where with `--base FOLDER`.",
        )
    return adapter, base


def refuse_used(folder: Path) -> None:
    """Raise a ConfigError unless the folder is new or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"`{folder}` is not an empty folder.", "Name a new one with `--merged`.")


def load_for_check(base: str, layout: str, dtype: torch.dtype) -> LoadedModel:
    """Return a base model, on a CPU in fp32 if it is small enough for the memory of any."""
    if torch.cuda.is_available():
        return load_base(base, layout)
    folder = Path(base)
    small = base == "tiny" or (
        folder.is_dir() and sum(map(size_of, list_tensors(folder).values())) < LARGE_BYTES
    )
    return load_base(base, layout, dtype=None if small else dtype)


@torch.inference_mode()
def logits(loaded: LoadedModel) -> Tensor:
    """Return the logits about a drawn picture and some words, fp32 [tokens, vocabulary]."""
    loaded.model.eval()
    picture = Image.new("RGB", (600, 48), "white")
    ImageDraw.Draw(picture).text((10, 8), "Strasse 12, 34.50", fill=0, font_size=28)
    views = loaded.lay_out(picture)
    if not loaded.keeps_features:
        inputs = loaded.collate([views], [loaded.completion_ids(CHECKED_WORDS)])
        return loaded.network(**inputs, use_cache=False).logits[0].float().cpu()
    features = loaded.encode([views])[0]
    prompt = loaded.prompt_ids(loaded.image_tokens(views))
    ids = torch.tensor([prompt + loaded.completion_ids(CHECKED_WORDS)], device=loaded.device)
    return loaded.model(input_ids=ids, picture_features=features).logits[0].float().cpu()


def compare(expected: Tensor, found: Tensor, tensors: int, folder: Path, serving: str) -> Exported:
    """Return what the check says; a ModelError if the export reads otherwise than the adapter."""
    difference = (found - expected).abs().max().item()
    share = ((found - expected).pow(2).mean().sqrt() / expected.std()).item()
    agreed = (found.argmax(-1) == expected.argmax(-1)).float().mean().item()
    if not share <= LARGEST_SHARE:
        raise ModelError(
            f"The export in `{folder}` does not read as the adapter does: its logits differ "
            f"by {difference:.3g}, {share:.0%} of their spread.",
            "Do not use it; report this with the base model and the adapter's details.json.",
        )
    checked = (
        f"Read back: {tensors} tensors, names and shapes as in the base model; logits differ by at "
        f"most {difference:.2g} ({share:.2%} of their spread), and {agreed:.0%} of the likeliest "
        "tokens are the same."
    )
    return Exported(
        tensors=tensors,
        difference=difference,
        share=share,
        checked=checked,
        serving=serving,
    )


def serving_line(contract: OcrContract, config: ExportConfig) -> str:
    """Return the command that serves the export: our own where vLLM has no such model."""
    if contract.family != DEEPSEEK_OCR.name:
        return shlex.join(["python", "-m", "ocrtune", "read", "PICTURE", "--base", config.merged])
    parts = ["vllm", "serve", config.merged, "--logits_processors", LOGITS_PROCESSOR]
    parts += ["--no-enable-prefix-caching", "--mm-processor-cache-gb", "0", "--dtype", config.dtype]
    return shlex.join(parts)


def card(contract: OcrContract, config: ExportConfig, checked: str) -> str:
    """Return the README of an export, as markdown."""
    settings = "\n".join(f"| {name} | `{value!r}` |" for name, value in asdict(contract).items())
    served = VLLM_WORDS if contract.family == DEEPSEEK_OCR.name else ""
    return CARD.format(
        base=contract.base_model,
        dtype=config.dtype,
        checked=checked,
        serving=serving_line(contract, config),
        served=served.format(
            ngram=contract.no_repeat_ngram,
            window=contract.ngram_window,
            layout=contract.layout,
            prompt=contract.prompt.removeprefix("<image>").lstrip("\n"),
        ),
        settings=settings,
    )
