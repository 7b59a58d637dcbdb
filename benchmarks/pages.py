"""Pages per second and core of the scanned way and of the text way, and peak memory: `python -m benchmarks.pages`.

Pages are made here: a dense letter of about 420 words, as a clean scan, a fax, a photograph and a text layer. Rates are
per second of processor time of the child process that reads.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import cv2
import numpy as np
import psutil
import pypdfium2 as pdfium
from PIL import Image
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from extractors.pages import children, read

TARGET = 0.6
REPEATS, TEXT_PAGES = 4, 100
SENTENCES = (
    "The patient was seen in follow-up for hypertension, type 2 diabetes and chronic kidney disease, stage 3a.",
    "Blood pressure is 142/88, pulse 72, weight 84.6 kg; potassium 4.9 mmol/L and creatinine 1.42 mg/dL.",
    "She takes lisinopril 20 mg daily, metformin 500 mg twice daily and atorvastatin 40 mg at bedtime.",
    "There is no chest pain, no shortness of breath and no swelling of the legs since the last visit.",
)


def letters(pages: int) -> bytes:
    """A born-digital letter."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=letter, invariant=1)
    for number in range(pages):
        canvas.setFont("Times-Roman", 11)
        for line in range(28):
            canvas.drawString(54, 730 - 24 * line, f"{line + 1}. {SENTENCES[(line + number) % 4][:88]}")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def scans() -> dict[str, bytes]:
    """The letter as image files."""
    page = pdfium.PdfDocument(letters(1))[0]
    clean = page.render(scale=300 / 72, grayscale=True).to_pil().convert("L")
    small = np.asarray(page.render(scale=200 / 72, grayscale=True).to_pil().convert("L"))
    noise = np.random.default_rng(7).normal(0, 20, small.shape)
    fax = Image.fromarray(((cv2.GaussianBlur(small, (0, 0), 0.6) + noise) > 150).astype(np.uint8) * 255).convert("1")
    height, width = small.shape
    bent = np.array([[0.03, 0.02], [0.96, 0.04], [0.98, 0.97], [0.02, 0.95]], np.float32) * (width, height)
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    warp = cv2.getPerspectiveTransform(flat, bent.astype(np.float32))
    photo = cv2.warpPerspective(small, warp, (width, height), flags=cv2.INTER_CUBIC, borderValue=(60,))
    light = np.linspace(1.0, 0.65, width, dtype=np.float32)[None, :]
    photo = np.clip((95 + photo.astype(np.float32) * 0.37) * light + noise / 5, 0, 255).astype(np.uint8)
    return {
        "clean 300 dpi": _file(clean, "PNG", dpi=(300, 300)),
        "fax 200 dpi": _file(fax, "TIFF", dpi=(200, 200), compression="group4"),
        "photograph": _file(Image.fromarray(photo), "JPEG", dpi=(200, 200), quality=75),
    }


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def timed(data: bytes, repeats: int) -> tuple[float, float, int]:
    """Processor seconds, peak MB of the child, and pages."""
    read(data)
    before, pages = children.at_work(), 0
    for _ in range(repeats):
        pages += len(read(data).pages)
    seconds = children.at_work() - before
    return seconds, _peak(), pages


def _peak() -> float:
    pids = [child.pid for child in psutil.Process().children()]
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return max((int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM")), default=0.0)


def main() -> int:
    """Run; the exit code is 1 when the scanned way is under its target."""
    total = pages = 0.0
    for name, data in scans().items():
        seconds, peak, count = timed(data, REPEATS)
        total, pages = total + seconds, pages + count
        print(
            f"{name:16} {count / seconds:6.2f} pages/s per core {seconds / count:7.2f} CPU s/page, peak {peak:.0f} MB"
        )
    rate = pages / total
    print(f"{'scanned way':16} {rate:6.2f} pages/s per core   (target ≥ {TARGET})")
    children.close()
    seconds, peak, count = timed(letters(TEXT_PAGES), 2)
    print(f"{'text layer':16} {count / seconds:6.0f} pages/s per core {seconds / count:7.4f} CPU s/page, {peak:.0f} MB")
    return 0 if rate >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
