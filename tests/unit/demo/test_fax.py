"""The fax of the demo."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from server.demo.fax import DPI, fax
from server.demo.letter import PAGES


def test_the_fax_is_a_group_four_tiff_of_all_pages() -> None:
    """What a fax gateway delivers: one bit a pixel, 200 dpi, CCITT Group 4, a frame for each page."""
    with Image.open(BytesIO(fax())) as image:
        assert image.n_frames == len(PAGES)
        for frame in range(image.n_frames):
            image.seek(frame)
            assert (image.mode, image.info["compression"]) == ("1", "group4")
            assert image.info["dpi"] == (DPI, DPI)


def test_the_same_seed_gives_the_same_fax() -> None:
    """A second run submits the same bytes, another seed does not."""
    assert fax(seed=1) == fax(seed=1)
    assert fax(seed=1) != fax(seed=2)


def test_the_letter_fits_its_pages() -> None:
    """No table row has more cells than columns, and no line is wider than the paper."""
    for page in PAGES:
        for block in page:
            assert all(len(row) == len(block.columns) for row in block.rows)
            assert all(len(line) < 112 for line in block.lines)
