"""Below, above and beside, with several parents, are what walking the graph says."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.store import hierarchy
from terminology.store.hierarchy import Broken, arrange


def random_graph(seed: int) -> tuple[list[str], list[tuple[str, ...]]]:
    """Codes in any order and their parents: no circle, up to four parents each."""
    chance = random.Random(seed)
    count = chance.randint(1, 60)
    codes = [f"c{i}" for i in range(count)]
    order = chance.sample(range(count), count)
    parents: list[tuple[str, ...]] = [()] * count
    for done, place in enumerate(order):
        if done and chance.random() < 0.9:
            most = min(done, chance.choice((1, 1, 2, 3, 4)))
            parents[place] = tuple(codes[p] for p in chance.sample(order[:done], most))
    return codes, parents


def walked_below(place: int, codes: list[str], parents: list[tuple[str, ...]]) -> set[int]:
    """A place and what lies below it, by going from child to child."""
    found, waiting = set(), [place]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += [p for p, above in enumerate(parents) if codes[at] in above]
    return found


@given(st.integers(0, 10_000))
def test_intervals_hold_exactly_what_lies_below(seed: int) -> None:
    """The interval in the tree, or the span where there is one, is the set of ids below a concept and its own."""
    codes, parents = random_graph(seed)
    made = arrange(codes, parents)
    spans = {place: memoryview(blob).cast("I") for place, blob in made.spans()}
    for place in range(len(codes)):
        bounds = spans.get(place, [made.ids[place], made.last[place]])
        firsts, lasts = bounds[: len(bounds) // 2], bounds[len(bounds) // 2 :]
        listed = [i for first, last in zip(firsts, lasts, strict=True) for i in range(first, last + 1)]
        assert listed == sorted(made.ids[p] for p in walked_below(place, codes, parents))


def test_children_keep_their_order_and_ids_are_pre_order() -> None:
    """Concepts in any order get the numbers of the book: a parent, its first child and all below that, the next."""
    codes = ["b2", "root", "b", "a", "b1", "other"]
    made = arrange(codes, [("b",), (), ("root",), ("root",), ("b",), ()])
    assert [codes[place] for place in made.order] == ["root", "b", "b2", "b1", "a", "other"]
    assert list(made.last) == [3, 5, 4, 5, 4, 6]
    assert list(made.spans()) == []


@pytest.mark.parametrize(
    ("codes", "parents", "says"),
    [
        (["a", "b"], [(), ("x",)], "1 parents are no codes of the edition: x"),
        (["a", "b"], [("b",), ("a",)], "2 codes lie below themselves: a, b"),
        (["a"], [("a",)], "1 codes lie below themselves: a"),
        (["r", "a", "b", "c"], [(), ("r", "c"), ("a",), ("b",)], "3 codes lie below themselves: a, b, c"),
        (["a", "b", "a"], [(), (), ()], "1 codes stand twice: a"),
        ([f"c{i}" for i in range(9)], [(f"c{(i + 1) % 9}",) for i in range(9)], "9 codes .*: c0, c1, c2, c3, c4 …"),
    ],
)
def test_what_is_no_hierarchy_is_refused_by_name(codes: list[str], parents: list[tuple[str, ...]], says: str) -> None:
    """Unknown parents, circles and double codes are counted and named."""
    with pytest.raises(Broken, match=says):
        arrange(codes, parents)


def test_only_the_circle_is_named_not_what_hangs_on_it() -> None:
    """Concepts above and below a circle are sound."""
    codes = ["top", "x", "y", "under"]
    with pytest.raises(Broken, match=r"2 codes lie below themselves: x, y$"):
        arrange(codes, [(), ("top", "y"), ("x",), ("y",)])


def test_case_does_not_count_where_the_system_says_so() -> None:
    """A parent is found in another case, and codes that differ in case alone are the same."""
    assert list(arrange(["A", "b"], [(), ("a",)], sensitive=False).first) == [-1, 0]
    with pytest.raises(Broken, match="stand twice: a"):
        arrange(["A", "a"], [(), ()], sensitive=False)


def test_a_hierarchy_without_any_order_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals are counted, so that a graph that is no terminology cannot fill the disk."""
    monkeypatch.setattr(hierarchy, "MOST_INTERVALS", 2)
    codes, parents = ["a", "b", "c", "d", "e"], [(), (), (), ("a", "b", "c"), ("a", "b", "c")]
    with pytest.raises(Broken, match="more than 2 intervals"):
        list(arrange(codes, parents).spans())
