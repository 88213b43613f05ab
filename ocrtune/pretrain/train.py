"""Train the embedded model on lines drawn on the fly, from nothing or from earlier weights.

    python -m ocrtune.pretrain.train --data DATA --output OUT --minutes 20 [--resume]
    python -m ocrtune.pretrain.train … --weights ocrtune/assets/tiny [--finish]
    torchrun --nproc-per-node 4 -m ocrtune.pretrain.train …          (several GPUs)
    python -m ocrtune.pretrain.train --init-only OUT                 (random weights, for tests)

DATA is what `python -m ocrtune.pretrain.gather` and then `prepare` wrote. The loss is next-token
prediction plus a connectionist temporal classification (CTC) loss on SAM's columns, which teaches
the encoder to see letters long before the decoder has learnt where to look: Kim, Hori and
Watanabe, "Joint CTC-attention based end-to-end speech recognition", ICASSP 2017. The CTC head is
thrown away.
"""

import argparse
import json
import logging
import math
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from ocrtune.alphabet import ALPHABET
from ocrtune.families.deepseek_ocr_model import IGNORE_INDEX
from ocrtune.families.loading import load_base
from ocrtune.families.tiny import TILE_COUNTS
from ocrtune.pretrain import evaluate
from ocrtune.pretrain.atlas import load_atlas
from ocrtune.pretrain.batches import STRIDE, TILE, BatchSource
from ocrtune.pretrain.model import (
    BOS,
    CONFIG,
    EOS,
    FIRST_CHARACTER,
    NEWLINE,
    PAD,
    build_network,
    export,
)
from ocrtune.pretrain.prepare import load_pool
from ocrtune.pretrain.render import HEIGHT

log = logging.getLogger("pretrain")

PATCH = 8
OVERLAP_COLUMNS = (TILE - STRIDE) // PATCH
TILES_PER_STEP = 1680  # divisible by all TILE_COUNTS, so that SAM always sees the same shape
# How often lines of TILE_COUNTS tiles come: few are cheap and teach letters, many endurance.
TILE_ODDS = (0.18, 0.18, 0.15, 0.12, 0.09, 0.08, 0.08, 0.07, 0.05)
INPUT_NOISE = 0.05  # share of decoder inputs replaced, so that it looks instead of guessing
EMA_DECAY = 0.999
EVALUATED_LINES = 300  # of each set; the bench reads them all
HEAD_STEPS = 300  # in which a new CTC head learns before it may change weights started from


class Recogniser(nn.Module):
    """The network with the CTC head it is trained with."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        width = CONFIG["vision_config"]["width"]["sam_vit_b"]["width"]
        rows = HEIGHT // PATCH
        self.columns = nn.Sequential(nn.Linear(rows * width, 256), nn.GELU(), nn.LayerNorm(256))
        self.ctc = nn.Linear(256, len(ALPHABET) + 1)  # the last class is the blank

    def encode(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """tiles: [views, 3, height, width]; returns features [views, 2, 12, text width] and
        SAM's columns [views, 48, rows * width]."""
        model, sam = self.network.model, self.network.model.sam_model
        hidden = sam.patch_embed(tiles) + sam.pos_embed
        for layer in sam.layers:
            hidden = layer(hidden)
        columns = hidden.permute(0, 2, 1, 3).flatten(2)
        patches = sam.proj(sam.neck(hidden))
        clip = model.vision_model(patches)
        both = torch.cat([clip, patches.flatten(2).transpose(1, 2)], dim=-1)
        return model.projector(both).unflatten(1, patches.shape[-2:]), columns

    def forward(
        self,
        pixels: Tensor,
        text: Tensor,
        lengths: Tensor,
        encode,
        head_only: bool = False,
        with_ctc: bool = True,
    ) -> tuple:
        """Return (next-token loss, CTC loss) of one batch of equally wide lines.

        pixels: [lines, 3, 48, width]; text: int64 [lines, longest], alphabet indices, -1 behind
        the end; lengths: int64 [lines]; encode: `self.encode`, perhaps compiled; head_only: the
        CTC loss teaches its own head and nothing below; with_ctc: otherwise its place holds 0.
        """
        model = self.network.model
        tiles = pixels.unfold(3, TILE, STRIDE).permute(0, 3, 1, 2, 4)
        lines, count = tiles.shape[:2]
        features, hidden = encode(tiles.flatten(0, 1).contiguous())
        columns = self.columns(hidden.detach() if head_only else hidden)
        image = sheets(model, features, lines, count)
        end = torch.full_like(text[:, :1], EOS)
        tokens = torch.where(text >= 0, text + FIRST_CHARACTER, PAD)
        completion = torch.cat([tokens, torch.full_like(end, PAD)], 1)
        completion.scatter_(1, lengths[:, None], end)
        given = torch.cat([torch.full_like(end, NEWLINE), completion[:, :-1]], 1)
        noise = torch.randint_like(given, FIRST_CHARACTER, FIRST_CHARACTER + len(ALPHABET))
        noisy = torch.rand(given.shape, device=given.device) < INPUT_NOISE
        noisy[:, 0] = False
        embed = model.language_model.embed_tokens
        start = embed(torch.full((lines, 1), BOS, device=pixels.device))
        inputs = torch.cat([start, image, embed(torch.where(noisy, noise, given))], 1)
        hidden = model.language_model(inputs_embeds=inputs, use_cache=False).last_hidden_state
        logits = self.network.lm_head(hidden[:, 1 + image.shape[1] :])
        labels = completion.masked_fill(completion == PAD, IGNORE_INDEX)
        token_loss = F.cross_entropy(
            logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORE_INDEX
        )
        if not with_ctc:
            return token_loss, torch.zeros_like(token_loss)
        return token_loss, self.ctc_loss(columns, text, lengths, lines, count)

    def ctc_loss(self, columns: Tensor, text: Tensor, lengths: Tensor, lines: int, count: int):
        """columns: [lines * count, 48, 256]; overlapping columns are left to one tile."""
        per_tile = columns.view(lines, count, columns.shape[1], -1)
        half = OVERLAP_COLUMNS // 2
        parts = [
            per_tile[:, i, half * (i > 0) : per_tile.shape[2] - half * (i < count - 1)]
            for i in range(count)
        ]
        scores = self.ctc(torch.cat(parts, 1)).float().log_softmax(-1).transpose(0, 1)
        steps = torch.full_like(lengths, scores.shape[0])
        blank = len(ALPHABET)
        losses = F.ctc_loss(
            scores, text.clamp(min=0), steps, lengths, blank, reduction="none", zero_infinity=True
        )
        return (losses / lengths.clamp(min=1)).mean()


def sheets(model: nn.Module, features: Tensor, lines: int, count: int) -> Tensor:
    """Return [lines, image tokens, width]: what `model.arrange` makes of each line's tiles."""
    _, rows, columns, width = features.shape
    sheet = features.view(lines, count, rows, columns, width).permute(0, 2, 1, 3, 4)
    sheet = sheet.reshape(lines, rows, count * columns, width)
    newline = model.image_newline.to(sheet.dtype).expand(lines, rows, 1, width)
    separator = model.view_seperator.to(sheet.dtype).expand(lines, 1, width)
    return torch.cat([torch.cat([sheet, newline], 2).flatten(1, 2), separator], 1)


def learning_rate(done: float, peak: float, step: int, finish: bool = False) -> float:
    """Warm-up over 300 steps, constant until half of the time, then a cosine down to 1 %.

    A run that only finishes what others began warms up in 50 steps and falls from the start on.
    """
    warm = min(1.0, (step + 1) / (50 if finish else 300))
    falling = done if finish else max(0.0, 2 * done - 1)
    return peak * warm * max(0.01, 0.5 * (1 + math.cos(math.pi * falling)))


def ctc_weight(done: float) -> float:
    """The CTC loss leads while letters are learnt and fades while reading is."""
    return max(0.2, 1 - 1.6 * done)


def start_from(network: nn.Module, folder: Path) -> None:
    """Copy exported weights into the network; characters added since then keep fresh rows."""
    earlier = dict(load_base(str(folder)).network.named_parameters())
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            value = earlier[name].to(parameter)
            parameter[tuple(map(slice, value.shape))] = value


def average_gradients(parameters: list[nn.Parameter], world: int) -> None:
    """Average the gradients over all processes, in one message."""
    flat = torch.cat([p.grad.flatten() for p in parameters])
    dist.all_reduce(flat)
    flat.div_(world)
    start = 0
    for parameter in parameters:
        parameter.grad.copy_(flat[start : start + parameter.numel()].view_as(parameter))
        start += parameter.numel()


class Run:
    """One pretraining, resumable from `OUT/state.pt`."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.rank = int(os.environ.get("RANK", 0))
        self.world = int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device("cpu")
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(self.device)
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.backends.cudnn.allow_tf32 = True
        if self.world > 1:
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        self.output = Path(arguments.output)
        self.output.mkdir(parents=True, exist_ok=True)
        self.model = Recogniser(build_network(arguments.seed)).to(self.device)
        if arguments.weights:
            start_from(self.model.network, Path(arguments.weights))
        self.parameters = [
            parameter
            for name, parameter in self.model.named_parameters()
            if "patch_embedding" not in name  # exists for strict loaders only
            and (name.startswith("network.") or not arguments.finish)
        ]
        matrices = [p for p in self.parameters if p.dim() >= 2]
        vectors = [p for p in self.parameters if p.dim() < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}],
            lr=arguments.learning_rate,
            betas=(0.9, 0.98),
            fused=self.device.type == "cuda",
        )
        self.average = [p.detach().clone() for p in self.model.network.parameters()]
        self.step, self.seconds = 0, 0.0
        if arguments.resume and (self.output / "state.pt").exists():
            state = torch.load(self.output / "state.pt", map_location=self.device)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.average = [value.detach() for value in state["average"]]
            self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        """Write the state to resume from."""
        if self.rank:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, self.output / "state.part")
        (self.output / "state.part").rename(self.output / "state.pt")

    def averaged(self) -> nn.Module:
        """Return a new network that holds the averaged weights."""
        network = build_network().to(self.device)
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), self.average, strict=True):
                parameter.copy_(value)
        return network

    def train(self) -> None:
        """Train until the minutes are over; log a line every 50 steps."""
        arguments = self.arguments
        started = time.monotonic()
        data = Path(arguments.data)
        seed = (self.step + 1) * 7919 + self.rank * 104729
        source = BatchSource(load_atlas(data), load_pool(data), self.device, seed)
        log.info("ready to draw after %.0f s", time.monotonic() - started)
        encode = self.model.encode
        if arguments.compile:
            encode = torch.compile(self.model.encode)
        buckets = torch.Generator().manual_seed(self.step)  # the same on every process
        before, stop = self.seconds, arguments.session_minutes * 60
        next_evaluation = arguments.evaluate_minutes * 60
        window, since = [], time.monotonic()
        while True:
            elapsed = time.monotonic() - started
            self.seconds = before + elapsed
            done = self.seconds / (arguments.minutes * 60)
            finished = torch.tensor(float(done >= 1 or elapsed >= stop), device=self.device)
            if self.world > 1:
                dist.broadcast(finished, 0)  # clocks differ; one process decides for all
            if finished.item():
                break
            window.append(self.one_step(source, buckets, encode, done))
            if self.step % 50 == 0 and not self.rank:
                token, ctc, lines = (sum(x) for x in zip(*window, strict=True))
                log.info(
                    "step %d, %.0f s, loss %.4f, ctc %.4f, %.0f lines/s",
                    self.step,
                    self.seconds,
                    token / len(window),
                    ctc / len(window),
                    lines * self.world / (time.monotonic() - since),
                )
                window, since = [], time.monotonic()
            if elapsed >= next_evaluation:
                next_evaluation += arguments.evaluate_minutes * 60
                self.evaluate()
                since = time.monotonic()
        self.save()
        self.evaluate()

    def one_step(self, source, buckets: torch.Generator, encode, done: float) -> tuple:
        """One optimizer step; returns (token loss, CTC loss, lines)."""
        odds = torch.tensor(TILE_ODDS)
        started = bool(self.arguments.weights)
        if self.step < 400 and not started:
            odds[2:] = 0  # short lines first: the decoder finds its place sooner
        count = TILE_COUNTS[int(torch.multinomial(odds, 1, generator=buckets))]
        lines = self.arguments.tiles // count
        with torch.no_grad():
            pixels, text, lengths, _ = source.batch(count, lines)
        for group in self.optimizer.param_groups:
            peak, finish = self.arguments.learning_rate, self.arguments.finish
            group["lr"] = learning_rate(done, peak, self.step, finish)
        with torch.autocast(self.device.type, torch.bfloat16):
            head_only = started and self.step < HEAD_STEPS
            token, ctc = self.model(pixels, text, lengths, encode, head_only, not finish)
        loss = token + ctc_weight(done) * ctc
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.world > 1:
            average_gradients(self.parameters, self.world)
        norm = nn.utils.clip_grad_norm_(self.parameters, 1.0)
        if torch.isfinite(norm):  # the same on every process: the gradients are averaged
            self.optimizer.step()
        decay = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.model.network.parameters()), 1 - decay)
        self.step += 1
        logged = self.step % 10 == 0
        return (token.item() if logged else 0.0) * 10, (ctc.item() if logged else 0.0) * 10, lines

    def evaluate(self) -> None:
        """Write the averaged weights and log their CER on some of the evaluation lines."""
        if self.rank:
            return
        export(self.averaged(), self.output / "tiny")
        for page in sorted(Path(self.arguments.data).glob("evaluation/*/content.md")):
            folder = page.parent
            result = evaluate.measure(self.output / "tiny", folder, EVALUATED_LINES)
            text = json.dumps(result, ensure_ascii=False)
            log.info("step %d, %s: %s", self.step, folder.name, text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--init-only", metavar="FOLDER", help="write random weights and end")
    parser.add_argument("--data", help="folder written by ocrtune.pretrain.gather and prepare")
    parser.add_argument("--output", help="folder for the state and the weights")
    parser.add_argument("--minutes", type=float, default=20, help="of the whole training")
    parser.add_argument("--session-minutes", type=float, default=1e9, help="of this call")
    parser.add_argument("--evaluate-minutes", type=float, default=4)
    parser.add_argument("--tiles", type=int, default=TILES_PER_STEP, help="per step and GPU")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument(
        "--finish", action="store_true", help="without the CTC loss, at a rate that only falls"
    )
    parser.add_argument("--weights", metavar="FOLDER", help="exported weights to start from")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)8d %(message)s")
    if arguments.init_only:
        export(build_network(arguments.seed), Path(arguments.init_only))
        return
    Run(arguments).train()


if __name__ == "__main__":
    main()
