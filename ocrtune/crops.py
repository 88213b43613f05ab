"""Lines cut out of their pages: along a polygon, straightened where a box stands askew."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ocrtune.pictures import MIN_SIDE, Picture, PictureError, compact
from ocrtune.remarks import remark
from ocrtune.signatures import signature

MARGIN = 3  # pixels kept around an outline, plus a part of its height
MARGIN_PART = 0.04
LEAST_INSIDE = 0.5  # of the outline's box; with less the line does not belong to this page
SHADE = 60  # of 255, by which the paper's colour differs over a page
TILT = math.radians(1.0)  # boxes that lean more are straightened
PROPORTIONS = 0.04  # by which page and picture may differ in shape
Points = list[tuple[float, float]]


def read_outline(outline: str) -> Points:
    """Return the points of an Entry's outline."""
    return [tuple(map(float, point.split(","))) for point in outline.split()]


def cut_line(
    page: Image.Image, outline: str, frame: Sequence[int], part: str, turn: int = 1
) -> Picture:
    """Return the part of an upright page within an outline, as a dataset stores it.

    frame: width and height that the outline counts in, if not in pixels of the page; turn: the
    EXIF orientation that the page had. A PictureError when the outline lies outside of the page.
    """
    points = on_page(read_outline(outline), frame, page.size, part, turn)
    if len(points) == 4 and (quad := askew(points)):
        require_inside(points, page.size, part)
        return as_picture(straighten(page, quad))
    return as_picture(cut_polygon(page, points, part))


def on_page(
    points: Points, frame: Sequence[int], size: tuple[int, int], part: str, turn: int
) -> Points:
    """Return the points in pixels of the page; a PictureError when the page is another one."""
    if not frame or tuple(frame) == size:
        return points
    width, height = frame
    if turn in (5, 6, 7, 8) and (width > height) != (size[0] > size[1]):
        points = [turned(point, width, height, turn) for point in points]
        first = min(range(len(points)), key=lambda i: sum(points[i]))
        points = points[first:] + points[:first]  # a box begins at its upper left again
        width, height = height, width
    across, down = size[0] / width, size[1] / height
    if abs(across / down - 1) > PROPORTIONS:
        values = {"width": frame[0], "height": frame[1], "wide": size[0], "high": size[1]}
        raise PictureError(remark("other_proportions", part=part, **values))
    return [(x * across, y * down) for x, y in points]


def turned(point: tuple[float, float], width: int, height: int, turn: int) -> tuple[float, float]:
    """Return where a point of a page as stored lies when the page is turned upright."""
    x, y = point
    return {
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }[turn]


def require_inside(points: Points, size: tuple[int, int], part: str) -> tuple[int, int, int, int]:
    """Return the box of the points within the page; a PictureError when it is mostly outside."""
    xs, ys = zip(*points, strict=True)
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    inner = max(0.0, min(right, size[0]) - max(left, 0)) * max(
        0.0, min(bottom, size[1]) - max(top, 0)
    )
    if inner <= LEAST_INSIDE * max(1.0, (right - left) * (bottom - top)):
        raise PictureError(remark("line_outside", part=part))
    margin = margin_of(points)
    box = (
        max(0, math.floor(left - margin)),
        max(0, math.floor(top - margin)),
        min(size[0], math.ceil(right + margin)),
        min(size[1], math.ceil(bottom + margin)),
    )
    width, height = round(right - left), round(bottom - top)
    if min(box[2] - box[0], box[3] - box[1]) < MIN_SIDE or min(width, height) < 3:
        values = {"width": width, "height": height, "least": MIN_SIDE}
        raise PictureError(remark("line_small", part=part, **values))
    return box


def margin_of(points: Points) -> float:
    """Return how many pixels around an outline are kept."""
    xs, ys = zip(*points, strict=True)
    return MARGIN + MARGIN_PART * min(max(xs) - min(xs), max(ys) - min(ys))


def cut_polygon(page: Image.Image, points: Points, part: str) -> Image.Image:
    """Return the box around a polygon, what lies outside of it in the colour of the paper."""
    box = require_inside(points, page.size, part)
    line = page.crop(box)
    if is_box(points):
        return line
    corners = [(x - box[0], y - box[1]) for x, y in points]
    mask = Image.new("1", line.size)
    draw = ImageDraw.Draw(mask)
    draw.polygon(corners, fill=1)
    width = 2 * round(margin_of(points))
    draw.line([*corners, corners[0], corners[1]], fill=1, width=width, joint="curve")
    outside = ~np.asarray(mask)
    if not outside.any():
        return line
    paper = Image.new(line.mode, line.size, paper_colour(page, line))
    paper.paste(line, mask=mask)
    return paper


def is_box(points: Points) -> bool:
    """Whether a polygon has only sides that run straight across or straight down."""
    following = [*points[1:], points[0]]
    return len(points) == 4 and all(
        x == a or y == b for (x, y), (a, b) in zip(points, following, strict=True)
    )


def paper_colour(page: Image.Image, line: Image.Image) -> int | tuple[int, ...]:
    """Return the colour of the paper around a line: the page's own, as light as it is there."""
    sheet = samples(page.resize((32, 32), Image.Resampling.NEAREST))
    paper = np.median(sheet, axis=0)
    pixels = samples(line)
    alike = pixels[np.abs(pixels - paper).max(axis=1) <= SHADE]
    if 10 * len(alike) >= len(pixels):
        paper = np.median(alike, axis=0)
    colour = [round(value) for value in paper.tolist()]
    return colour[0] if len(colour) == 1 else tuple(colour)


def samples(image: Image.Image) -> np.ndarray:
    """Return some pixels, spread over a picture: int [pixels, channels], 0 to 255."""
    pixels = np.asarray(image).reshape(image.width * image.height, -1)
    pixels = pixels[:: max(1, len(pixels) // 1_000)].astype(int)
    return 255 * pixels if image.mode == "1" else pixels


def askew(points: Points) -> Points | None:
    """Return the corners of a box that leans, clockwise from the text's upper left, else None."""
    following = [*points[1:], points[0]]
    area = sum(x * b - a * y for (x, y), (a, b) in zip(points, following, strict=True))
    if area == 0:
        return None
    corners = points if area > 0 else [points[0], points[3], points[2], points[1]]
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    angle = math.atan2(by - ay + cy - dy, bx - ax + cx - dx)
    width, height = math.dist(corners[0], corners[1]), math.dist(corners[0], corners[3])
    fits = width * height < 2 * abs(area) and abs(area) > 0  # corners that cross are no box
    return corners if abs(angle) > TILT and fits else None


def straighten(page: Image.Image, quad: Points) -> Image.Image:
    """Return the page's part within four corners as an upright box."""
    width = (math.dist(quad[0], quad[1]) + math.dist(quad[3], quad[2])) / 2
    height = (math.dist(quad[0], quad[3]) + math.dist(quad[1], quad[2])) / 2
    margin = MARGIN + MARGIN_PART * height
    wider, higher = margin / max(width, 1), margin / max(height, 1)
    corners = grown(quad, wider, higher)
    size = (max(MIN_SIDE, round(width + 2 * margin)), max(MIN_SIDE, round(height + 2 * margin)))
    xs, ys = zip(*corners, strict=True)
    box = (
        max(0, math.floor(min(xs))),
        max(0, math.floor(min(ys))),
        min(page.width, math.ceil(max(xs))),
        min(page.height, math.ceil(max(ys))),
    )
    part = page.crop(box)
    part = part.convert("L") if part.mode == "1" else part
    edges = np.asarray(part)[[0, -1]].reshape(-1, len(part.getbands()))
    paper = tuple(np.median(edges, axis=0).astype(int).tolist())
    a, b, c, d = ((x - box[0], y - box[1]) for x, y in corners)
    return part.transform(
        size,
        Image.Transform.QUAD,
        (*a, *d, *c, *b),
        Image.Resampling.BICUBIC,
        fillcolor=paper if len(paper) > 1 else paper[0],
    )


def grown(quad: Points, wider: float, higher: float) -> Points:
    """Return the corners moved outwards by parts of the box's width and height."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad

    def at(across: float, down: float) -> tuple[float, float]:
        upper = (ax + (bx - ax) * across, ay + (by - ay) * across)
        lower = (dx + (cx - dx) * across, dy + (cy - dy) * across)
        return (
            upper[0] + (lower[0] - upper[0]) * down,
            upper[1] + (lower[1] - upper[1]) * down,
        )

    left, right, top, bottom = -wider, 1 + wider, -higher, 1 + higher
    return [at(left, top), at(right, top), at(right, bottom), at(left, bottom)]


def as_picture(line: Image.Image) -> Picture:
    """Return the line as a file."""
    changes = ("line cut from its page",)
    return Picture(compact(line), line.size, changes, signature=signature(line))
