"""HTML to text and tables; nothing in it is run or fetched (https://html.spec.whatwg.org/)."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from extractors.pages.flow import Flow
from extractors.pages.limits import Limits, Refused
from extractors.pages.plain import decode
from extractors.pages.wire import Opened

SILENT = {"script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object", "select", "textarea"}
BLOCK = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "br",
            "caption",
            "center",
            "dd",
            "details",
            "dialog",
            "div",
            "dl",
        ),
        *(
            "dt",
            "fieldset",
            "figcaption",
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
        ),
        *("li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead"),
        *("tr", "ul"),
    )
)
NODES = 400_000
DEEPEST = 2_000
NESTING = re.compile(
    rb"<(/?)(?:div|span|table|b|i|u|em|strong|font|a|ul|ol|dl|section|article|center|form|small|big)\b", re.I
)
TOO_MUCH = "The HTML is nested too deep or has too many elements. Send it as PDF."


def read_html(data: bytes, limits: Limits) -> Opened:
    """The visible text of a page; data tables keep their cells."""
    if data.count(b"<") > NODES or _depth(data) > DEEPEST:
        raise Refused("too-costly", TOO_MUCH)
    parser = LexborHTMLParser(decode(data))
    title = parser.css_first("title")
    flow = Flow(limits)
    if parser.body is not None:
        _Walk(flow, limits).node(parser.body, 0)
    return flow.opened(" ".join(title.text().split()) if title is not None else None)


def _depth(data: bytes) -> int:
    """How deep elements that must be closed are nested, at most; before anything is built."""
    depth = deepest = 0
    for closing in NESTING.findall(data):
        depth += -1 if closing else 1
        deepest = max(deepest, depth)
    return deepest


class _Walk:
    def __init__(self, flow: Flow, limits: Limits) -> None:
        self._flow, self._limits, self._left = flow, limits, NODES

    def node(self, node: LexborNode, depth: int) -> None:
        self._left -= 1
        if depth > self._limits.depth or self._left < 0:
            raise Refused("too-costly", TOO_MUCH)
        tag = node.tag or ""
        if tag == "-text":
            self._flow.word(node.text_content)
            return
        if tag in SILENT or tag.startswith(("-", "!")):
            return
        if tag == "table" and not node.css("table table") and self._table(node):
            return
        if tag in BLOCK:
            self._flow.line()
        for child in node.iter(include_text=True):
            self.node(child, depth + 1)
        if tag in BLOCK:
            self._flow.line()

    def _table(self, node: LexborNode) -> bool:
        rows = [[cell for cell in row.iter() if cell.tag in ("td", "th")] for row in node.css("tr")]
        rows = [row for row in rows if row]
        wide = max((len(row) for row in rows), default=0)
        if len(rows) < 2 or wide < 2 or sum(map(len, rows)) > NODES // 10:
            return False
        cells = [[_cell(cell) for cell in row] for row in rows]
        self._flow.line()
        self._flow.rows([row + [""] * (wide - len(row)) for row in cells], header=True)
        return True


def _cell(node: LexborNode) -> str:
    for silent in node.css("script, style"):
        silent.decompose()
    return str(node.text(separator=" ", strip=True))
