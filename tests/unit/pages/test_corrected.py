"""Words corrected by hand: text, offsets and tables move along, boxes stay, later corrections join earlier ones."""

from __future__ import annotations

import pytest

from extractors.emit.evidence import boxes
from extractors.model import Document, Table
from extractors.pages import wire
from extractors.pages.assemble import assemble
from extractors.pages.corrected import BY_HAND, corrected
from fhir_profiles.errors import FhirError
from server.jobs.correcting import Said, Standing, joined
from server.jobs.corrections import corrections_of, packed_of, read_of, unpack, with_corrections

LINES = ("Metoprolol 26 mg daily", "Essential hyper tension 111.9", "Glucose 148 mg/dL")


def document() -> Document:
    """Two pages with a line for each text, each word in a box of its own; the last line a table."""
    pages = []
    for number in (1, 2):
        words = [
            wire.Seen(text, 70.0, (at / 10, y, at / 10 + 0.08, y, at / 10 + 0.08, y + 0.02, at / 10, y + 0.02), line)
            for line, said in enumerate(LINES)
            for at, text in enumerate(said.split())
            for y in (0.1 + line / 10,)
        ]
        pages.append(wire.PageRead(number, 612, 792, "ocr", words))
    made = assemble(pages, "image/tiff", "0")
    at = made.text.rindex("Glucose")
    rows = (((at, at + 7), (at + 8, at + 11), (at + 12, at + 17)),)
    return Document(made.text, made.media_type, made.sha256, made.pages, (Table(2, rows, header=False),))


def said(of: Document, word: str, text: str, page: int = 1) -> Said:
    """That `text` stands where `word` is on a page."""
    at = of.text.index(word, of.pages[page - 1].start)
    return Said(page, at, len(word), text)


def fixed(of: Document, *every: Said, standing: list[Standing] | None = None) -> tuple[Document, list[Standing]]:
    """The document corrected, and what stands; what is stored is what is applied."""
    kept = joined(of, every, standing or [])
    stored = with_corrections({"extension": [{"url": "other"}]}, kept)
    assert unpack(packed_of(stored)) == corrections_of(stored)
    assert read_of(stored) == [read for _, read in kept]
    return corrected(document(), corrections_of(stored)), kept


def check(of: Document) -> None:
    """Every word stands in the text where it says it does."""
    for page in of.pages:
        assert [of.text[word.start : word.end] for word in page.words] == [word.text for word in page.words]
        assert of.text[page.end - 1] == "\n"


@pytest.mark.parametrize(
    ("word", "text", "line"),
    [
        ("26", "25", "Metoprolol 25 mg daily"),
        ("26 mg", "12.5 mg", "Metoprolol 12.5 mg daily"),
        ("hyper tension", "hypertension", "Essential hypertension 111.9"),
        ("111.9", "I10 I11.9", "Essential hyper tension I10 I11.9"),
    ],
)
def test_a_correction_moves_all_that_follows_and_no_box(word: str, text: str, line: str) -> None:
    """The text reads as corrected; words, tables and pages behind it are found where they now stand."""
    read = document()
    done, _ = fixed(read, said(read, word, text))
    check(done)
    assert line in done.text.splitlines()
    assert done.text.count("Glucose") == 2
    assert [done.text[a:b] for a, b in done.tables[0].rows[0]] == ["Glucose", "148", "mg/dL"]
    old, new = read.text.index(word), done.text.index(text)
    before, after = boxes(read, old, old + len(word)), boxes(done, new, new + len(text))
    sides = [(box.page, box.left, box.top, box.width, box.height) for box in (*before, *after)]
    assert sides[0] == pytest.approx(sides[1])
    by_hand = [one for one in done.pages[0].words if one.repair == BY_HAND]
    assert " ".join(one.text for one in by_hand) == text
    assert {one.confidence for one in by_hand} == {100.0}


def test_no_correction_is_the_very_document() -> None:
    """Nothing is touched where nothing is said."""
    read = document()
    assert corrected(read, []) is read


def test_a_word_corrected_again_replaces_its_correction() -> None:
    """What was read first stays known; there is one correction of a place."""
    read = document()
    once, standing = fixed(read, said(read, "26", "2.5"))
    twice, standing = fixed(once, said(once, "2.5", "25"), standing=standing)
    assert "Metoprolol 25 mg daily" in twice.text.splitlines()
    assert [(one.text, was) for one, was in standing] == [("25", "26")]


def test_a_part_of_a_correction_is_corrected_with_the_whole() -> None:
    """A word that was split is put together again, with what is said about one part of it."""
    read = document()
    once, standing = fixed(read, said(read, "111.9", "I10 I11.8"))
    twice, standing = fixed(once, said(once, "I11.8", "I11.9"), standing=standing)
    assert "Essential hyper tension I10 I11.9" in twice.text.splitlines()
    assert [(one.text, was) for one, was in standing] == [("I10 I11.9", "111.9")]
    check(twice)


def test_corrections_of_pages_that_are_not_touched_stay() -> None:
    """One page after the other, and two at once on one line."""
    read = document()
    once, standing = fixed(read, said(read, "26", "25"))
    every = (said(once, "Essential", "Primary", 2), said(once, "111.9", "I10", 2))
    twice, standing = fixed(once, *every, standing=standing)
    check(twice)
    assert twice.text.splitlines()[0] == "Metoprolol 25 mg daily"
    assert "Primary hyper tension I10" in twice.text.splitlines()
    assert len(standing) == 3


@pytest.mark.parametrize(
    "wrong",
    [Said(3, 0, 1, "x"), Said(1, 0, 5, "x"), Said(1, 9_000, 4, "x"), Said(2, 0, 10, "x"), Said(1, 11, 40, "x")],
    ids=["no such page", "half a word", "behind the page", "on another page", "over two lines"],
)
def test_what_is_not_whole_words_of_a_line_is_refused(wrong: Said) -> None:
    """A span that names anything else is an error that says so."""
    with pytest.raises(FhirError):
        joined(document(), [wrong], [])


def test_two_corrections_of_a_word_are_refused() -> None:
    """Nobody guesses which of them is meant."""
    read = document()
    with pytest.raises(FhirError):
        joined(read, [said(read, "26", "25"), said(read, "26 mg", "25 mg")], [])


def test_what_is_no_correction_is_left_out() -> None:
    """Extensions that clients wrote otherwise are not applied, and do no harm."""
    url = with_corrections({}, joined(document(), [said(document(), "26", "25")], []))["extension"][0]["url"]
    odd = [
        {"url": url},
        {"url": url, "extension": [{"url": "page", "valueString": "x"}, 3]},
        {"url": url, "extension": 5},
    ]
    assert corrections_of({"extension": odd}) == []
    assert packed_of({"extension": odd}) == b""
