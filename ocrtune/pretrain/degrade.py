"""What paper, ink, camera and scanner do to a line: from ink coverage to a picture, on any device.

All functions take [lines, HEIGHT, width] tensors and draw one random number per line, so that a
batch holds clean and poor lines side by side.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

LUMINANCE_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)  # the JPEG standard's example table
LOW_HEIGHTS = (20, 25, 32)  # rows left of 48 when a line was scanned too small


class Degrader:
    """Draws papers and flaws; `clean_share` of the lines stay nearly clean."""

    def __init__(self, generator: torch.Generator, clean_share: float = 0.35) -> None:
        self.generator = generator
        self.device = generator.device
        self.clean_share = clean_share
        cells = torch.arange(8, dtype=torch.float32)
        cosines = torch.cos((2 * cells[None] + 1) * cells[:, None] * math.pi / 16) / 2
        cosines[0] /= math.sqrt(2)
        self.cosines = cosines.to(self.device)
        self.steps = torch.tensor(LUMINANCE_STEPS, device=self.device) / 255

    def photograph(
        self, ink: Tensor, sizes: Tensor, widths: Tensor, blank: Tensor | None = None
    ) -> Tensor:
        """Return float32 [lines, 3, height, width] in [-1, 1]; 0 beyond each line's width.

        ink: coverage in [0, 1]; sizes: pixels per em, which bound what a line can bear; blank: bool
        [lines], which lines have no text: half of these show strong noise or blots.
        """
        dirty = self.uniform(ink, 0, 1) >= self.clean_share
        ink = self.press(ink, sizes, dirty)
        ink = self.add_neighbours(ink, dirty)
        rules = self.draw_rules(ink, widths, dirty)
        paper, ink_tone = self.choose_tones(ink, dirty)
        paper = paper - self.show_through(ink, dirty)
        coverage = self.blur(torch.maximum(ink, rules), sizes, dirty)
        coverage = self.scan_small(coverage, sizes, dirty)
        grey = paper * (1 - coverage) + ink_tone * coverage
        grey = self.binarise(grey, paper, ink_tone, dirty)
        grey = self.add_noise(grey, dirty)
        if blank is not None:
            grey = self.add_chaos(grey, blank[:, None, None])
        grey = self.compress(grey.clamp(0, 1), dirty)
        grey = torch.where(self.uniform(ink, 0, 1) < 0.04, 1 - grey, grey).clamp(0, 1)
        pixels = self.colour(grey, coverage)
        beyond = torch.arange(ink.shape[2], device=self.device) >= widths[:, None]
        return (pixels * 2 - 1).masked_fill(beyond[:, None, None], 0.0)

    def uniform(self, like: Tensor, low: float, high: float) -> Tensor:
        """Return one number per line, [lines, 1, 1]."""
        random = torch.rand(len(like), 1, 1, generator=self.generator, device=self.device)
        return low + (high - low) * random

    def some(self, dirty: Tensor, share: float) -> Tensor:
        """Return which dirty lines get a flaw that `share` of all dirty lines have."""
        return dirty & (self.uniform(dirty, 0, 1) < share)

    def noise(self, like: Tensor, rows: int, cell: float) -> Tensor:
        """Return smooth noise in about [-1, 1], one value every `cell` columns, like `like`."""
        lines, height, width = like.shape
        columns = max(2, round(width / cell))
        coarse = torch.randn(
            lines, 1, rows, columns, generator=self.generator, device=self.device
        ).clamp(-2, 2)
        size = (height, width)
        return functional.interpolate(coarse, size, mode="bilinear")[:, 0] / 1.5

    def press(self, ink: Tensor, sizes: Tensor, dirty: Tensor) -> Tensor:
        """Thicken, thin and fade the ink."""
        thick = self.some(dirty, 0.2) * self.uniform(ink, 0.1, 0.8)
        thin = self.some(dirty, 0.12) * self.uniform(ink, 0.1, 0.35) * (sizes > 28)[:, None, None]
        wider = functional.max_pool2d(ink[:, None], 3, 1, 1)[:, 0]
        ink = ink + thick * (wider - ink)
        narrower = -functional.max_pool2d(-ink[:, None], 3, 1, 1)[:, 0]
        ink = ink + thin * (narrower - ink)
        fade = self.some(dirty, 0.25) * self.uniform(ink, 0.1, 0.55)
        ink = ink * (1 - fade * (0.5 + 0.5 * self.noise(ink, 2, 60)).clamp(0, 1))
        grain = self.some(dirty, 0.15) * self.uniform(ink, 0.2, 0.6)
        speckle = torch.rand(ink.shape, generator=self.generator, device=self.device)
        return ink * (1 - grain * speckle)

    def add_neighbours(self, ink: Tensor, dirty: Tensor) -> Tensor:
        """Let the lines above and below reach a few pixels into some pictures."""
        height = ink.shape[1]
        rows = torch.arange(height, device=self.device)[None, :, None]
        above = torch.roll(ink, 1, 0)
        depth = self.uniform(ink, 36, 45).round().long()
        shifted = torch.roll(ink, 2, 0).gather(1, (rows - depth).clamp(0).expand_as(ink))
        below = shifted * (rows >= depth) * self.some(dirty, 0.1)
        depth = self.uniform(ink, 37, 45).round().long()
        shifted = above.gather(1, (rows + depth).clamp(max=height - 1).expand_as(ink))
        shifted = shifted * (rows + depth < height) * self.some(dirty, 0.1)
        return torch.maximum(ink, torch.maximum(below, shifted))

    def draw_rules(self, ink: Tensor, widths: Tensor, dirty: Tensor) -> Tensor:
        """Return the coverage of ruled lines, underlines and table borders."""
        rows = torch.arange(ink.shape[1], device=self.device)[None, :, None]
        columns = torch.arange(ink.shape[2], device=self.device)[None, None, :]
        slope = self.uniform(ink, -0.004, 0.004) * (columns - widths[:, None, None] / 2)

        def bar(distance: Tensor, share: float, low: float) -> Tensor:
            thickness = self.uniform(ink, 0.5, 1.4)
            strength = self.uniform(ink, low, 1) * self.some(dirty, share)
            return (thickness + 0.5 - distance.abs()).clamp(0, 1) * strength

        underline = bar(rows - self.uniform(ink, 41, 47) - slope, 0.08, 0.4)
        top = bar(rows - self.uniform(ink, 0, 3) - slope, 0.06, 0.4)
        ruled = bar((rows - self.uniform(ink, 0, 47)) - slope, 0.05, 0.15) * 0.5
        left = bar(columns - self.uniform(ink, 0, 4) + 0 * rows, 0.05, 0.4)
        right = bar(columns - widths[:, None, None] + self.uniform(ink, 1, 4), 0.05, 0.4)
        return torch.stack(torch.broadcast_tensors(underline, top, ruled, left, right)).amax(0)

    def choose_tones(self, ink: Tensor, dirty: Tensor) -> tuple[Tensor, Tensor]:
        """Return the paper's brightness per pixel and the ink's brightness per line."""
        white = self.uniform(ink, 0, 1) < 0.4
        paper = torch.where(white, 1.0, self.uniform(ink, 0.85, 1))
        paper = torch.where(self.some(dirty, 0.5), self.uniform(ink, 0.6, 1), paper)
        tone = self.uniform(ink, 0, 1) ** 2 * 0.4
        tone = torch.where(self.some(dirty, 0.2), self.uniform(ink, 0.3, 0.5), tone)
        tone = torch.minimum(tone, paper - 0.35)
        lines, height, width = ink.shape
        across = torch.linspace(-0.5, 0.5, width, device=self.device)[None, None]
        down = torch.linspace(-0.5, 0.5, height, device=self.device)[None, :, None]
        slope = self.some(dirty, 0.35) * self.uniform(ink, -0.25, 0.25)
        light = 1 + slope * across + self.some(dirty, 0.3) * self.uniform(ink, -0.2, 0.2) * down
        rough = self.some(dirty, 0.4) * self.uniform(ink, 0.01, 0.06)
        stain = self.some(dirty, 0.18) * self.uniform(ink, 0.1, 0.35)
        blots = (self.noise(ink, 3, 40) * 3 - 1.2).clamp(0, 1)
        texture = rough * (self.noise(ink, 24, 2) + self.noise(ink, 6, 8))
        return paper * light * (1 - stain * blots) + texture, tone

    def show_through(self, ink: Tensor, dirty: Tensor) -> Tensor:
        """Return how much another line, mirrored on the back, darkens the paper."""
        back = functional.avg_pool2d(torch.roll(ink, 3, 0).flip(2)[:, None], 3, 1, 1)[:, 0]
        return back * self.some(dirty, 0.12) * self.uniform(ink, 0.05, 0.22)

    def blur(self, ink: Tensor, sizes: Tensor, dirty: Tensor) -> Tensor:
        """Blur by a Gaussian of its own shape per line: round for focus, long for motion."""
        reach = torch.arange(-3.0, 4.0, device=self.device)
        y, x = reach[None, :, None], reach[None, None, :]
        room = (sizes / 34).clamp(0.6, 1.1)[:, None, None]
        sigma = torch.where(self.some(dirty, 0.5), self.uniform(ink, 0.3, 1.15) * room, 0.05)
        longer = torch.where(self.some(dirty, 0.15), self.uniform(ink, 1, 1.7), 1.0)
        angle = self.uniform(ink, 0, math.pi)
        along = x * angle.cos() + y * angle.sin()
        beside = y * angle.cos() - x * angle.sin()
        kernel = torch.exp(-((along / (sigma * longer)) ** 2 + (beside / sigma) ** 2) / 2)
        kernel = kernel / kernel.sum((1, 2), keepdim=True)
        lines = len(ink)
        return functional.conv2d(ink[None], kernel[:, None], padding=3, groups=lines)[0]

    def scan_small(self, ink: Tensor, sizes: Tensor, dirty: Tensor) -> Tensor:
        """Shrink some lines and bring them back, as small scans are."""
        small = self.some(dirty, 0.25)
        choice = self.uniform(ink, 0, len(LOW_HEIGHTS)).floor()
        height, width = ink.shape[1:]
        for index, low in enumerate(LOW_HEIGHTS):
            shape = (low, round(width * low / height))
            shrunk = functional.interpolate(ink[:, None], shape, mode="area")
            back = functional.interpolate(shrunk, (height, width), mode="bilinear")[:, 0]
            bearable = (sizes * low / height >= 14)[:, None, None]
            ink = torch.where(small & (choice == index) & bearable, back, ink)
        return ink

    def binarise(self, grey: Tensor, paper: Tensor, tone: Tensor, dirty: Tensor) -> Tensor:
        """Turn some lines into black and white; rather too much ink than broken strokes."""
        threshold = tone + (paper - tone) * self.uniform(grey, 0.55, 0.8)
        return torch.where(self.some(dirty, 0.1), (grey > threshold).float(), grey)

    def add_noise(self, grey: Tensor, dirty: Tensor) -> Tensor:
        """Add sensor noise, and salt and pepper."""
        shape, generator, device = grey.shape, self.generator, self.device
        level = self.some(dirty, 0.35) * self.uniform(grey, 0.01, 0.09)
        grey = grey + level * torch.randn(shape, generator=generator, device=device)
        rate = self.some(dirty, 0.06) * self.uniform(grey, 0.001, 0.02)
        dice = torch.rand(shape, generator=generator, device=device)
        return torch.where(dice < rate, 0.0, torch.where(dice > 1 - rate, 1.0, grey))

    def add_chaos(self, grey: Tensor, blank: Tensor) -> Tensor:
        """Cover blank pictures with noise of any strength and size of grain, or with blots."""
        fine = torch.randn(grey.shape, generator=self.generator, device=self.device)
        coarse = self.noise(grey, 12, 4)
        blots = (self.noise(grey, 6, 10) * 4).clamp(-1, 1)
        kind = self.uniform(grey, 0, 1)
        grain = torch.where(kind < 0.4, fine, torch.where(kind < 0.7, coarse, blots))
        strength = self.uniform(grey, 0, 1) ** 2 * 0.6 * self.some(blank, 0.5)
        return grey + strength * grain

    def compress(self, grey: Tensor, dirty: Tensor) -> Tensor:
        """Quantise some lines as JPEG does, block by block."""
        lines, height, width = grey.shape
        quality = self.uniform(grey, 18, 85)
        scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
        steps = self.steps * scale
        blocks = grey.view(lines, height // 8, 8, width // 8, 8).permute(0, 1, 3, 2, 4)
        waves = self.cosines @ (blocks - 0.5) @ self.cosines.T
        steps = steps[:, None, None]
        waves = (waves / steps).round() * steps
        back = (self.cosines.T @ waves @ self.cosines + 0.5).permute(0, 1, 3, 2, 4)
        return torch.where(self.some(dirty, 0.3), back.reshape(lines, height, width), grey)

    def colour(self, grey: Tensor, coverage: Tensor) -> Tensor:
        """Return three channels: grey for most lines, tinted paper and ink for the others."""
        tinted = (self.uniform(grey, 0, 1) < 0.4)[..., None]
        shape = (len(grey), 3, 1, 1)
        random = torch.rand(2, *shape, generator=self.generator, device=self.device)
        warm = torch.tensor([0.0, 0.06, 0.2], device=self.device)[None, :, None, None]
        paper_tint = (1 - warm * random[0, :, :1]) * (1 - 0.06 * random[0])
        ink_tint = 0.4 * random[1] * (random[1, :, :1] < 0.35)
        pixels = (
            grey[:, None] * paper_tint + ink_tint * coverage[:, None] * (1 - grey[:, None]) ** 2
        )
        return torch.where(tinted, pixels, grey[:, None]).clamp(0, 1)
