"""Words find their lines, columns and tables by where they stand."""

from extractors.pages.layout import lay_out
from extractors.pages.tokens import Token


def put(text: str, x: float, y: float, size: float = 10.0) -> list[Token]:
    """Words of a line set at a type size, half of it wide each."""
    tokens = []
    for word in text.split():
        tokens.append(Token(word, 95.0, x, y, x + 0.5 * size * len(word), y + 0.96 * size))
        x += 0.5 * size * (len(word) + 0.6)
    return tokens


def cells(page: list[Token]) -> list[list[list[str]]]:
    """The tables of a page as text."""
    placed = lay_out(page)
    return [
        [[" ".join(t.text for t in placed.tokens[c[0] : c[1]]) if c else "" for c in row] for row in grid.rows]
        for grid in placed.grids
    ]


def row(y: float, xs: list[float], texts: list[str]) -> list[Token]:
    """Cells of a row."""
    return [token for x, text in zip(xs, texts, strict=True) for token in put(text, x, y)]


VITALS = [54.0, 140, 215, 290, 370, 450]
LABS = [54.0, 190, 265, 350, 470]


def test_values_fall_under_their_headers() -> None:
    """Two tables right under each other are told apart; an empty flag stays an empty cell."""
    page = row(100, VITALS, ["BP", "Pulse", "Resp", "Temp F", "SpO2", "Weight kg"])
    page += row(114, VITALS, ["163/61", "52", "19", "98.3", "88%", "124.2"])
    page += row(132, LABS, ["Test", "Result", "Flag", "Units", "Reference"])
    page += row(146, LABS, ["ALT (SGPT)", "142", "H", "U/L", "7-56"])
    page += row(160, LABS, ["LDL cholesterol", "75", "", "mg/dL", "<100"])
    page += put("MEDICATIONS", 54, 190) + put("lisinopril 10 mg PO daily", 64, 204)
    vitals, labs = cells(page)
    assert vitals[1] == ["163/61", "52", "19", "98.3", "88%", "124.2"]
    assert labs[1:] == [["ALT (SGPT)", "142", "H", "U/L", "7-56"], ["LDL cholesterol", "75", "", "mg/dL", "<100"]]


def test_right_aligned_values_keep_their_column() -> None:
    """A value that ends where its header ends belongs to it."""
    page = row(100, [54.0, 150, 250, 350], ["Drug name", "Dose given", "Route taken", "Last time"])
    page += [*put("Aspirin", 54, 114), *put("81", 190, 114), *put("oral", 285, 114), *put("09:00", 370, 114)]
    assert cells(page)[0][1] == ["Aspirin", "81", "oral", "09:00"]


def test_columns_of_prose_are_read_one_after_another() -> None:
    """Lines of two columns are not read across."""
    page = []
    for number in range(8):
        page += put(f"left side has words {number}", 50, 100 + 14 * number)
        page += put(f"right side has words {number}", 330, 100 + 14 * number)
    words = [token.text for token in lay_out(page).tokens]
    assert words.index("right") > max(i for i, word in enumerate(words) if word == "left")


def test_wide_gaps_are_marked() -> None:
    """A gap that no space makes is marked, so that it can become a tab."""
    placed = lay_out(put("Name: Ada", 50, 100) + put("Date: today", 300, 100))
    assert [t.text for t, gap in zip(placed.tokens, placed.gaps, strict=True) if gap] == ["Date:"]
    assert set(placed.lines) == {0}
