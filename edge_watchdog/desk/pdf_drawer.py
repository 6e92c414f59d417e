"""Draws a day pack as PDF: the child process of pdf.py.

JSON of a Pack and a paper on standard input, PDF on standard output.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Sequence
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
    NextPageTemplate,
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
HEAD = 6 * MM
SMALL = 8.0
COUNT = 25 * MM  # room for "page 10 of 12" beside the foot
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
    foot = simpleSplit(pack["as_of"], fonts[0], SMALL, width - 2 * MARGIN - COUNT)
    below = MARGIN + len(foot) * (SMALL + 1) + 2 * MM
    frame = (MARGIN, below, width - 2 * MARGIN, height - MARGIN - HEAD - below, 0, 0, 0, 0)
    document = BaseDocTemplate(
        out, pagesize=(width, height), title=f"Day pack, {pack['title']}", author=pack["studio"]
    )
    story: list[Any] = []
    for number, sheet in enumerate(Sheet(**one) for one in pack["sheets"]):
        template = PageTemplate(str(number), Frame(*frame), onPage=_titled(number, sheet.title))
        document.addPageTemplates([template])
        story += [NextPageTemplate(str(number)), PageBreak()] if number else []
        story += _sheet(sheet, fonts, width - 2 * MARGIN)
    head = f"{pack['studio']}, {pack['title']}"
    document.build(story, canvasmaker=_numbered(head, foot, fonts[0], (width, height)))
    return out.getvalue()


def _titled(number: int, title: str) -> Callable[[Any, Any], None]:
    """Let every page know which sheet it belongs to."""

    def begin(canvas: Any, _document: Any) -> None:
        canvas.sheet = number, title

    return begin


def _fonts() -> tuple[str, str]:
    """Give a plain and a bold font with as many letters as this machine has."""
    own = Path(reportlab.__file__).parent / "fonts"
    plain, bold = DEJAVU / "DejaVuSans.ttf", DEJAVU / "DejaVuSans-Bold.ttf"
    if not (plain.exists() and bold.exists()):
        plain, bold = own / "Vera.ttf", own / "VeraBd.ttf"
    pdfmetrics.registerFont(TTFont("plain", str(plain)))
    pdfmetrics.registerFont(TTFont("bold", str(bold)))
    return "plain", "bold"


def _sheet(sheet: Sheet, fonts: tuple[str, str], width: float) -> list[Any]:

    plain, bold = fonts
    head = ParagraphStyle("head", fontName=bold, fontSize=15, leading=20, spaceAfter=4)
    note = ParagraphStyle("note", fontName=plain, fontSize=10.5, leading=14, spaceAfter=5)
    found: list[Any] = [Paragraph(escape(sheet.title), head)]
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


def _numbered(head: str, foot: Sequence[str], font: str, size: tuple[float, float]) -> Any:
    """Give a canvas that writes on every page what it is, how old, and which page of how many."""
    width, height = size

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - the library's name
            self.kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            sheets = [state["sheet"] for state in self.kept]
            for number, state in enumerate(self.kept, 1):
                self.__dict__.update(state)
                sheet, title = state["sheet"], state["sheet"][1]
                part, count = sheets[:number].count(sheet), sheets.count(sheet)
                self._head(title if count == 1 else f"{title}, {part} of {count}")
                self._foot(f"page {number} of {len(self.kept)}")
                super().showPage()
            super().save()

        def _head(self, title: str) -> None:
            self.setFont(font, SMALL)
            said = simpleSplit(f"{head}: {title}", font, SMALL, width - 2 * MARGIN)
            self.drawString(MARGIN, height - MARGIN - SMALL, said[0])

        def _foot(self, count: str) -> None:
            self.setFont(font, SMALL)
            for row, line in enumerate(reversed(foot)):
                self.drawString(MARGIN, MARGIN + (SMALL + 1) * row, line)
            self.drawRightString(width - MARGIN, MARGIN, count)

    return Numbered


if __name__ == "__main__":
    sys.exit(main())
