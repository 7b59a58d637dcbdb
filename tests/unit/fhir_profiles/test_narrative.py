"""Narratives that can be shown, and those that must not be."""

from __future__ import annotations

import pytest

from fhir_profiles.narrative import fault

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


@pytest.mark.parametrize(
    "inner",
    [
        "text",
        "<p>a<br/>b</p><table><tr><td colspan='2'>x</td></tr></table>",
        "a &amp; b &nbsp; &eacute; &#233;",
        '<img src="#pic" alt="x"/>',
        '<img src="data:image/png;base64,AAAA" alt="x"/>',
        '<a href="https://e.org/x?y=1">x</a><a href="Patient/1">y</a><a href="#z">z</a><a href="mailto:a@e.org">m</a>',
        '<p style="color: red" class="x" lang="en">x</p>',
        "<!-- a comment --><p>x</p>",
    ],
)
def test_what_shows_text_is_fine(inner: str) -> None:
    """Text, tables, links, images, entities and comments pass."""
    assert fault(DIV.format(inner)) is None


@pytest.mark.parametrize(
    "inner",
    [
        "<script>x</script>",
        "<style>p {}</style>",
        "<iframe src='x'>a</iframe>",
        "<object data='x'>a</object>",
        "<form>a</form>",
        "<svg>a</svg>",
        "<SCRIPT>x</SCRIPT>",
        '<p onclick="x">a</p>',
        '<p OnMouseOver="x">a</p>',
        '<a href="javascript:x">a</a>',
        '<a href=" JavaScript:x">a</a>',
        '<a href="java&#10;script:x">a</a>',
        '<a href="vbscript:x">a</a>',
        '<a href="data:text/html,x">a</a>',
        '<img src="data:image/svg+xml,x" alt="a"/>',
        '<p style="background: url(javascript:x)">a</p>',
        '<img src="https://evil.example/x.png" alt="a"/>',
        '<img src=" //evil.example/x.png" alt="a"/>',
        '<table background="http://evil.example/x"><tr><td>a</td></tr></table>',
        '<p style="background: url(https://evil.example/x)">a</p>',
        '<p style="background: u\\72l(https://evil.example/x)">a</p>',
        "<p>a",
        "a & b",
        "&nosuch;",
        " ",
        "<p></p>",
    ],
)
def test_what_acts_or_is_broken_is_refused(inner: str) -> None:
    """Scripts in any dress, embedded content, broken XML and empty text do not pass."""
    assert fault(DIV.format(inner))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "<p>x</p>",
        "<div>x</div>",
        '<!DOCTYPE div [<!ENTITY a "aaaa">]><div xmlns="http://www.w3.org/1999/xhtml">&a;</div>',
        '<?xml version="1.0"?><div xmlns="http://www.w3.org/1999/xhtml">x</div>',
    ],
)
def test_only_a_div_is_a_narrative(text: str) -> None:
    """No other element, no prologue, no entities of its own."""
    assert fault(text)


def test_depth_does_no_harm() -> None:
    """Ten thousand nested elements are read like one."""
    assert fault(DIV.format("<b>" * 10_000 + "x" + "</b>" * 10_000)) is None
