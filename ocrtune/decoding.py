"""The one decoder behind the page, the command line and every CER: greedy, many answers at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ocrtune.errors import ModelError
from ocrtune.families.cache_steps import CacheSteps
from ocrtune.families.experts import can_be_recorded
from ocrtune.families.image_text import Sight
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.recorded_steps import RecordedSteps
from ocrtune.families.text_steps import TextSteps
from ocrtune.records import OcrContract
from ocrtune.text import find_loop

ROWS_AT_ONCE = {"tiny": 64}  # by family: a small model is quick with large batches only
OTHER_ROWS_AT_ONCE = 16
ROWS_WITH_PICTURES = 8  # where whole pictures, not their features, go into the text model
# How sure a model must be that a picture holds no text, by family. A line lost in silence is worse
# than one read badly, and tiny takes busy paper for noise; true blanks it knows with 0.86 and more.
EMPTY_FROM = {"tiny": 0.6}
RENEWED_SHARE = 0.25  # of the rows have ended when it pays to fill or to close their places
CHECK_EVERY = 32  # tokens between two looks for a loop
# Where the right texts are known, an answer may be twice as long as the longest of them, and so
# many tokens longer: what lies beyond is no reading, and would only cost time.
CAP_FACTOR, CAP_MARGIN = 2, 32


@dataclass
class Row:
    """The answer to one picture while it is written."""

    ids: list[int] = field(default_factory=list)
    looped: bool = False
    ended: bool = False
    cut: bool = False  # it became as long as it may, without an end of its own


def ignore(row: Row) -> None:
    """The default listener: nobody."""


def length_cap(loaded: LoadedModel, texts: Iterable[str]) -> int:
    """Return how many tokens an answer may have when `texts` are the right ones.

    Never more than the contract says, and just that where a text cannot be written in tokens or
    there is none.
    """
    most = loaded.contract.max_new_tokens
    try:
        lengths = [len(loaded.completion_ids(text)) for text in texts]
    except ModelError:
        return most
    return min(most, CAP_FACTOR * max(lengths) + CAP_MARGIN) if lengths else most


def rows_at_once(loaded: LoadedModel) -> int:
    """Return how many answers the model writes together when nobody chooses."""
    if not loaded.keeps_features:
        return ROWS_WITH_PICTURES
    return ROWS_AT_ONCE.get(loaded.family.name, OTHER_ROWS_AT_ONCE)


@torch.inference_mode()
def decode(
    loaded: LoadedModel,
    features: Sequence[Tensor | Sight],
    at_once: int = 0,
    on_end: Callable[[], None] = lambda: None,
    on_token: Callable[[Row], None] = ignore,
) -> list[Row]:
    """Return the answers to pictures, given as [image tokens, width] or as sights; greedy.

    At most `at_once` answers are written together (0: what suits the model); a picture that waits
    takes the place of one whose answer has ended. `on_end` is called at the end of every answer,
    `on_token` with each row that has grown.
    """
    rows = [Row() for _ in features]
    if not rows:
        return rows
    at_once = at_once or rows_at_once(loaded)
    if not loaded.keeps_features and len(rows) > at_once:  # their rows cannot take turns
        portions = [features[i : i + at_once] for i in range(0, len(rows), at_once)]
        readings = [decode(loaded, portion, at_once, on_end, on_token) for portion in portions]
        return [row for reading in readings for row in reading]
    contract, head = loaded.contract, loaded.head
    active, waiting = rows[:at_once], list(range(at_once, len(rows)))
    steps, hidden = begin(loaded, features[:at_once])
    while True:
        logits = refuse_empty(head(hidden), active, contract, loaded.ends[0])
        tokens = choose_tokens(logits, active, contract)
        for row, token in zip(active, tokens, strict=True):
            if not row.ended:
                extend(loaded, row, token)
                on_token(row)
                if row.ended:
                    on_end()
        ended = [place for place, row in enumerate(active) if row.ended]
        if len(ended) == len(active) and not waiting:
            break
        many = len(ended) >= RENEWED_SHARE * len(active)
        if many and not waiting:
            left = [place for place, row in enumerate(active) if not row.ended]
            steps.keep(left)
            active, tokens = [active[i] for i in left], [tokens[i] for i in left]
        hidden = steps.write(torch.tensor(tokens, device=loaded.device))
        if many and waiting:
            next_ones, waiting = waiting[: len(ended)], waiting[len(ended) :]
            places = ended[: len(next_ones)]
            newcomers, beginnings = begin(loaded, [features[index] for index in next_ones])
            steps.replace(places, newcomers)
            hidden[places] = beginnings
            for place, index in zip(places, next_ones, strict=True):
                active[place] = rows[index]
    for row in rows:
        row.looped = row.looped or find_loop(loaded.text_of(row.ids))
    return rows


def begin(
    loaded: LoadedModel, features: Sequence[Tensor | Sight]
) -> tuple[TextSteps | CacheSteps, Tensor]:
    """Return the text model behind the pictures' prompts, and what it makes of them, [rows, width].

    features: of each picture, [image tokens, width], or what its lay_out gave.
    """
    if not loaded.keeps_features:
        return loaded.begin(features)
    model = loaded.network.model
    prompts = [loaded.prompt_ids(len(feature)) for feature in features]
    ids, mask = pad_left(prompts, loaded.network.config.pad_token_id)
    together = torch.cat([feature.to(loaded.device) for feature in features])
    recorded = loaded.device.type == "cuda" and loaded.engine is None
    recorded = recorded and RecordedSteps.is_trusted and can_be_recorded(model.language_model)
    kind = RecordedSteps if recorded else TextSteps
    steps = kind(model.language_model)
    inputs = model.embed(ids.to(loaded.device), together)
    return steps, steps.read(inputs, mask.to(loaded.device))


def pad_left(prompts: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """Return int64 ids and a bool mask, both [prompts, longest], real tokens on the right."""
    longest = max(map(len, prompts))
    ids = [[padding] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[False] * (longest - len(prompt)) + [True] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)


def refuse_empty(logits: Tensor, rows: Sequence[Row], contract: OcrContract, end: int) -> Tensor:
    """Return the logits without the end where an answer would be empty and that is not certain.

    logits: [rows, vocabulary], changed in place; certain: see EMPTY_FROM.
    """
    needed = EMPTY_FROM.get(contract.family, 0.0)
    first = [place for place, row in enumerate(rows) if not row.ids and not row.ended]
    if needed and first:
        places = torch.tensor(first, device=logits.device)
        doubtful = places[logits[places].float().softmax(-1)[:, end] < needed]
        logits[doubtful, end] = -torch.inf
    return logits


def choose_tokens(logits: Tensor, rows: Sequence[Row], contract: OcrContract) -> list[int]:
    """Return the likeliest token of each row that does not bring back an n-gram.

    logits: [rows, vocabulary], changed in place.
    """
    tokens = logits.argmax(-1).tolist()
    for index, row in enumerate(rows):
        while brings_back(row.ids, tokens[index], contract.no_repeat_ngram, contract.ngram_window):
            logits[index, tokens[index]] = -torch.inf
            tokens[index] = int(logits[index].argmax())
    return tokens


def brings_back(ids: Sequence[int], token: int, ngram: int, window: int) -> bool:
    """Return whether `token` would end an n-gram found in the last `window` of `ids`."""
    if not ngram or len(ids) < ngram:
        return False
    recent = list(ids[-window:])
    if token not in recent:
        return False
    ending = [*ids[len(ids) - ngram + 1 :], token]
    return any(recent[start : start + ngram] == ending for start in range(len(recent) - ngram + 1))


def extend(loaded: LoadedModel, row: Row, token: int) -> None:
    """Add a token to a row, and end it at the end token, in a loop or when it is long enough."""
    if token in loaded.ends:
        row.ended = True
        return
    row.ids.append(token)
    if len(row.ids) % CHECK_EVERY == 0 and find_loop(loaded.text_of(row.ids)):
        row.ended = row.looped = True
    if len(row.ids) >= loaded.contract.max_new_tokens and not row.ended:
        row.ended = row.cut = True
