"""Draws a day pack as PDF: the child process of pdf.py.

JSON of a Pack and a paper on standard input, PDF on standard output.
"""

import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from edge_watchdog.core.units import Paper
from edge_watchdog.desk.pack import BOX, Sheet

MM = 72 / 25.4
MARGIN = 12 * MM
FORM_ROW = 9 * MM
TICK = 9.0
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
SIZES = {Paper.A4: (210 * MM, 297 * MM), Paper.LETTER: (8.5 * 72.0, 11 * 72.0)}


def main() -> int:
    """Be the child."""
    asked = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(_draw(asked["pack"], Paper(asked["paper"])))
    return os.EX_OK


def _draw(pack: Any, paper: Paper) -> bytes:

    fonts = _fonts()
    out = io.BytesIO()
    width, height = SIZES[paper]
    frame = Frame(
        MARGIN, MARGIN + 6 * MM, width - 2 * MARGIN, height - 2 * MARGIN - 6 * MM, 0, 0, 0, 0
    )
    document = BaseDocTemplate(
        out, pagesize=(width, height), title=f"Day pack, {pack['title']}", author=pack["studio"]
    )
    document.addPageTemplates([PageTemplate(frames=[frame])])
    story: list[Any] = []
    head = f"{pack['studio']}, {pack['title']}"
    for number, sheet in enumerate(pack["sheets"]):
        story += [PageBreak()] if number else []
        story += _sheet(Sheet(**sheet), head, fonts, width - 2 * MARGIN)
    document.build(story, canvasmaker=_numbered(pack["as_of"], fonts[0], width))
    return out.getvalue()


def _fonts() -> tuple[str, str]:
    """Give a plain and a bold font with as many letters as this machine has."""
    own = Path(reportlab.__file__).parent / "fonts"
    plain, bold = DEJAVU / "DejaVuSans.ttf", DEJAVU / "DejaVuSans-Bold.ttf"
    if not (plain.exists() and bold.exists()):
        plain, bold = own / "Vera.ttf", own / "VeraBd.ttf"
    pdfmetrics.registerFont(TTFont("plain", str(plain)))
    pdfmetrics.registerFont(TTFont("bold", str(bold)))
    return "plain", "bold"


def _sheet(sheet: Sheet, above: str, fonts: tuple[str, str], width: float) -> list[Any]:

    plain, bold = fonts
    small = ParagraphStyle("small", fontName=plain, fontSize=9, leading=11)
    head = ParagraphStyle("head", fontName=bold, fontSize=15, leading=20, spaceAfter=4)
    note = ParagraphStyle("note", fontName=plain, fontSize=10.5, leading=14, spaceAfter=5)
    found: list[Any] = [Paragraph(escape(above), small), Paragraph(escape(sheet.title), head)]
    found += [Paragraph(escape(one), note) for one in sheet.notes]
    if sheet.columns:
        found += [_table(sheet, fonts, width), Spacer(1, 4 * MM)]
    return found + [Paragraph(escape(one), note) for one in sheet.after]


def _table(sheet: Sheet, fonts: tuple[str, str], width: float) -> Any:

    cell = ParagraphStyle("cell", fontName=fonts[0], fontSize=9, leading=11)
    label = ParagraphStyle("label", fontName=fonts[1], fontSize=8, leading=10)
    total = sum(sheet.shares)
    rows = [[Paragraph(escape(one), label) for one in sheet.columns]]
    rows += [
        [_tick() if text == BOX else Paragraph(escape(text), cell) for text in row]
        for row in sheet.rows
    ]
    heights = [None, *([FORM_ROW if sheet.is_form else None] * len(sheet.rows))]
    table = Table(
        rows,
        colWidths=[width * share / total for share in sheet.shares],
        rowHeights=heights,
        repeatRows=1,
        splitInRow=0,
    )
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, colors.grey),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE" if sheet.is_form else "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
            ]
        )
    )
    return table


def _tick() -> Any:

    drawn = Drawing(TICK, TICK)
    drawn.add(Rect(0.5, 0.5, TICK - 1, TICK - 1, fillColor=None, strokeWidth=0.8))
    return drawn


def _numbered(as_of: str, font: str, width: float) -> Any:
    """Give a canvas that writes at the foot how old the pack is and which page of how many."""

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - the library's name
            self.kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self.kept, 1):
                self.__dict__.update(state)
                self._foot(number, len(self.kept))
                super().showPage()
            super().save()

        def _foot(self, number: int, count: int) -> None:
            self.setFont(font, 8)
            lines: Sequence[str] = simpleSplit(as_of, font, 8, width - 2 * MARGIN - 25 * MM)[:2]
            for row, line in enumerate(lines):
                self.drawString(MARGIN, MARGIN + 9 - 9 * row, line)
            self.drawRightString(width - MARGIN, MARGIN + 9, f"page {number} of {count}")

    return Numbered


if __name__ == "__main__":
    sys.exit(main())
