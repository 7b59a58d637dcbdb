"""The faxed page with the evidence drawn on it: a box in the colour of its kind, its code on a label above."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageStat

from server.demo.fax import Font, font
from server.demo.table import Mark, Row

COLOURS = {
    "Condition": ("Diagnosis", (190, 40, 60)),
    "Observation": ("Vital sign, result", (25, 95, 190)),
    "MedicationStatement": ("Medication", (20, 125, 75)),
    "Procedure": ("Service", (125, 60, 165)),
    "AllergyIntolerance": ("Allergy", (185, 105, 0)),
    "Immunization": ("Vaccine", (0, 125, 140)),
}
INK = (70, 70, 75)
LEGEND = 110  # pixels added at the foot
Rectangle = tuple[float, float, float, float]


def annotate(tiff: bytes, rows: Iterable[Row], folder: Path, name: str = "fax") -> list[Path]:
    """One PNG for each page of `tiff`, in `folder`; every mark of every row is drawn."""
    marks = [(row, mark) for row in rows for mark in row.marks]
    paths = []
    with Image.open(BytesIO(tiff)) as pages:
        for index in range(getattr(pages, "n_frames", 1)):
            pages.seek(index)
            drawn = _draw(pages.convert("L"), [(row, mark) for row, mark in marks if mark.page == index + 1])
            paths.append(folder / f"{name}-page-{index + 1}.png")
            drawn.save(paths[-1], optimize=True)
    return paths


def _draw(page: Image.Image, marks: list[tuple[Row, Mark]]) -> Image.Image:
    """The page with a tint over each box, a frame around it and labels that keep clear of each other."""
    paper = page.convert("RGB").point(lambda level: INK[0] + level * (255 - INK[0]) // 255)
    tint = Image.new("RGB", paper.size, "white")
    brush, boxes = ImageDraw.Draw(tint), [(row, _pixels(mark, paper.size)) for row, mark in marks]
    for row, box in boxes:
        brush.rectangle(box, fill=_pale(COLOURS[row.kind][1]))
    sheet = Image.new("RGB", (paper.width, paper.height + LEGEND), "white")
    sheet.paste(ImageChops.multiply(paper, tint))
    pen, face, taken = ImageDraw.Draw(sheet), font(6.6), [box for _, box in boxes]
    for row, box in boxes:
        pen.rounded_rectangle(box, radius=5, outline=COLOURS[row.kind][1], width=3)
    labels: dict[Rectangle, list[Row]] = {}
    for row, box in boxes:
        labels.setdefault(box, []).append(row)
    for box, same in labels.items():
        taken.append(_label(pen, face, box, same, taken, page))
    _legend(pen, sheet, {row.kind for row, _ in boxes})
    return sheet


def _pixels(mark: Mark, size: tuple[int, int], room: int = 5) -> Rectangle:
    """The mark in pixels, with a little room around the words."""
    width, height = size
    left, top = mark.left * width - room, mark.top * height - room
    return (left, top, left + mark.width * width + 2 * room, top + mark.height * height + 2 * room)


def _pale(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = (255 - (255 - channel) // 6 for channel in colour)
    return red, green, blue


def _label(
    pen: ImageDraw.ImageDraw, face: Font, box: Rectangle, rows: list[Row], taken: list[Rectangle], paper: Image.Image
) -> Rectangle:
    """A chip with the codes at the freest place beside the box: no other mark under it and the least ink."""
    text = "  ".join(dict.fromkeys(row.code or "no code" for row in rows))
    width, height = pen.textlength(text, font=face) + 14, face.size + 5
    left, top, right, bottom = box
    middle = (top + bottom - height) / 2
    places = [(right + 4, middle), (left - width - 4, middle), (left, top - height - 1), (left, bottom + 1)]
    chips = [(x, y, x + width, y + height) for x, y in places if 8 < x < paper.width - width - 8]
    chip = min(chips, key=lambda c: (sum(_meet(c, other) for other in taken), _ink(paper, c)), default=box)
    pen.rounded_rectangle(chip, radius=6, fill=COLOURS[rows[0].kind][1])
    pen.text((chip[0] + 7, chip[1] + 1), text, fill="white", font=face)
    return chip


def _meet(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _ink(paper: Image.Image, box: Rectangle) -> float:
    """The share of black under a rectangle, in steps: a few specks are no words."""
    left, top, right, bottom = (round(side) for side in box)
    return round(255 - ImageStat.Stat(paper.crop((left, top, right, bottom))).mean[0], -1)


def _legend(pen: ImageDraw.ImageDraw, sheet: Image.Image, kinds: set[str]) -> None:
    """What the colours mean, at the foot."""
    face, x, y = font(8.5), 150.0, sheet.height - LEGEND + 36
    pen.line((150, y - 26, sheet.width - 150, y - 26), fill=(200, 200, 205), width=2)
    for kind, (name, colour) in COLOURS.items():
        if kind in kinds:
            pen.rounded_rectangle((x, y, x + 26, y + 26), radius=6, fill=_pale(colour), outline=colour, width=3)
            pen.text((x + 38, y), name, fill=INK, font=face)
            x += 38 + pen.textlength(name, font=face) + 48
