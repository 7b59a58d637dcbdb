"""Expression constraints select what a slow reading of the same rows selects."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles.errors import FhirError
from terminology import sctid
from terminology.ecl import read, tree
from terminology.ecl.evaluate import evaluate
from terminology.ecl.names import _likely, _passing
from terminology.ecl.substrate import Substrate
from terminology.ecl.tree import Text
from tests.unit.terminology.snomed.naive import Codes, Naive
from tests.unit.terminology.snomed.release import REPLACED_BY, SAME_AS, Release, sct

Meant = tuple[str, Codes]
WALKS = ("", "<", "<<", "<!", "<<!", ">", ">>", ">!", ">>!", "!!>", "!!<")
TYPES = [sct(200), *(sct(201 + n) for n in range(5)), sct(210)]
LISTS = [sct(300 + n) for n in range(3)]
COUNTS = (None, (0, 0), (0, 1), (0, None), (1, 1), (1, 2), (2, 3), (2, None), (1, None), (3, None))
GRAMMAR_DEPTH = 4


def chosen(substrate: Substrate, expression: str) -> Codes:
    """What the evaluator selects."""
    return frozenset(substrate.file.codes_of(np.flatnonzero(evaluate(substrate, read(expression))).tolist()))


class Chance:
    """Makes expressions by chance, each with what it means."""

    def __init__(self, naive: Naive, seed: int) -> None:
        self.naive = naive
        self.pick = random.Random(seed)
        self.codes = sorted(naive.all)

    def blank(self) -> str:
        """What may stand between two tokens."""
        return self.pick.choice(("", " ", " ", "\n", " /* a note */ "))

    def concept(self) -> Meant:
        """A concept, with its term or without."""
        code = self.pick.choice(self.codes)
        term = self.pick.choice(("", "", f"{self.blank()}|a (name), AND more|"))
        return f"{code}{term}", frozenset((code,))

    def operand(self, depth: int) -> Meant:
        """A part of an expression."""
        kind = self.pick.random()
        if kind < 0.1:
            text, found = "*", self.naive.all
        elif kind < 0.25:
            inner = self.pick.choice([*LISTS, SAME_AS, REPLACED_BY])
            text, found = f"^{self.blank()}{inner}", self.naive.members(frozenset((inner,)))
        elif kind < 0.6 or depth <= 0:
            text, found = self.concept()
        else:
            text, found = self.expression(depth - 1)
            text = f"({self.blank()}{text}{self.blank()})"
        walk = self.pick.choice(WALKS)
        return f"{walk}{self.blank()}{text}", self.naive.walk(walk, found)

    def expression(self, depth: int) -> Meant:
        """Any expression."""
        kind = self.pick.random()
        if kind < 0.2:
            return self.operand(depth)
        if kind < 0.5:
            operator = self.pick.choice((" AND ", ",", " and ", " OR ", " or ", " MINUS ", " minus "))
            parts = [self.operand(depth) for _ in range(2 if "minus" in operator.lower() else self.pick.choice((2, 3)))]
            found = parts[0][1]
            for _, more in parts[1:]:
                word = operator.strip().upper()
                found = found | more if word == "OR" else found - more if word == "MINUS" else found & more
            return operator.join(text for text, _ in parts), found
        if kind < 0.6:
            text, found = self.operand(depth)
            for _ in range(self.pick.choice((1, 1, 2))):
                name, names = self.name(depth)
                text, found = f"{text}{self.blank()}.{self.blank()}{name}", self.naive.dotted(found, names)
            return text, found
        if kind < 0.65:
            text, found = self.operand(depth)
            return f"{text} {{{{ + HISTORY-MIN }}}}", self.naive.history(found, frozenset((SAME_AS,)))
        text, found = self.operand(depth)
        clause, meets = self.refinement(depth)
        return f"{text}{self.blank()}:{self.blank()}{clause}", found & meets

    def name(self, depth: int) -> Meant:
        """The name of an attribute."""
        kind = self.pick.random()
        if kind < 0.6 or depth <= 0:
            code = self.pick.choice(TYPES)
            return code, frozenset((code,))
        if kind < 0.7:
            return "*", self.naive.all
        if kind < 0.9:
            return f"<< {TYPES[1]}", self.naive.walk("<<", frozenset((TYPES[1],)))
        return f"({TYPES[1]} OR {TYPES[2]})", frozenset(TYPES[1:3])

    def count(self) -> tuple[str, int, int | None]:
        """A cardinality."""
        found = self.pick.choice(COUNTS)
        if found is None:
            return "", 1, None
        least, most = found
        return f"[{least}..{'*' if most is None else most}] ", least, most

    def refinement(self, depth: int) -> Meant:
        """Attributes and groups."""
        parts = [self.clause(depth) for _ in range(self.pick.choice((1, 1, 2, 3)))]
        operator = self.pick.choice((" AND ", ", ", " OR "))
        found = parts[0][1]
        for _, more in parts[1:]:
            found = found | more if "OR" in operator else found & more
        text = operator.join(t for t, _ in parts)
        return (f"({text})", found) if self.pick.random() < 0.2 else (text, found)

    def clause(self, depth: int) -> Meant:
        """An attribute or a group."""
        if self.pick.random() < 0.35:
            return self.group(depth)
        times, least, most = self.count()
        name, names = self.name(depth)
        if self.pick.random() < 0.25:
            operator, wanted, meets = self.number()
            found = self.naive.attribute(names, meets, concrete=True, least=least, most=most)
            return f"{times}{name} {operator} {wanted}", found
        reverse = self.pick.random() < 0.2
        text, meets = self.value(depth)
        found = self.naive.attribute(names, meets, reverse=reverse, least=least, most=most)
        return f"{times}{'R ' if reverse else ''}{name}{text}", found

    def value(self, depth: int) -> tuple[str, Callable[[str], bool]]:
        """A comparison with concepts."""
        text, wanted = self.operand(depth - 2)
        if self.pick.random() < 0.2:
            return f" != {text}", lambda target: target not in wanted
        return f"{self.blank()}={self.blank()}{text}", wanted.__contains__

    def number(self) -> tuple[str, str, Callable[[str], bool]]:
        """A comparison with a number."""
        operator, wanted = self.pick.choice(("=", "!=", "<", "<=", ">", ">=")), self.pick.choice(("2", "2.5", "10"))
        tests: dict[str, Callable[[Decimal], bool]] = {
            "=": lambda n: n == Decimal(wanted), "!=": lambda n: n != Decimal(wanted),
            "<": lambda n: n < Decimal(wanted), "<=": lambda n: n <= Decimal(wanted),
            ">": lambda n: n > Decimal(wanted), ">=": lambda n: n >= Decimal(wanted),
        }  # fmt: skip
        return operator, f"#{wanted}", lambda text: text[0] == "#" and tests[operator](Decimal(text[1:]))

    def group(self, depth: int) -> Meant:
        """A group."""
        times, least, most = self.count()
        tests, texts = [], []
        for _ in range(self.pick.choice((1, 2, 2))):
            inner, low, high = self.count()
            name, names = self.name(depth)
            text, meets = self.value(depth)
            # a value in a group is compared with concepts alone: numbers are no targets
            test = self.naive.within(names, lambda t, m=meets: t in self.naive.all and m(t), low, high)
            tests.append(test)
            texts.append(f"{inner}{name}{text}")
        every = self.pick.random() < 0.7
        joined = (", " if every else " OR ").join(texts)
        together = all if every else any
        found = self.naive.groups(lambda hits: together(test(hits) for test in tests), least, most)
        return f"{times}{{ {joined} }}", found


@pytest.mark.parametrize("seed", range(250))
def test_random_expressions(substrate: Substrate, naive: Naive, seed: int) -> None:
    """An expression made by chance selects what it means."""
    text, meant = Chance(naive, seed).expression(GRAMMAR_DEPTH)
    assert chosen(substrate, text) == meant, text


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(min_value=1000))
def test_any_expression(substrate: Substrate, naive: Naive, seed: int) -> None:
    """So does any other."""
    text, meant = Chance(naive, seed).expression(3)
    assert chosen(substrate, text) == meant, text


@pytest.mark.parametrize("operator", WALKS)
def test_hierarchy(substrate: Substrate, naive: Naive, operator: str) -> None:
    """Each operator of the hierarchy, on every concept that there is."""
    for code in sorted(naive.all):
        assert chosen(substrate, f"{operator} {code}") == naive.walk(operator, frozenset((code,)))


A, B, C = sct(100), sct(101), sct(1100)
T0, T1, T4 = TYPES[1], TYPES[2], TYPES[5]


@pytest.mark.parametrize(
    ("long", "brief"),
    [
        (f"descendantOf {A}", f"< {A}"),
        (f"descendantOrSelfOf {A}", f"<< {A}"),
        (f"childOf {A}", f"<! {A}"),
        (f"childOrSelfOf {A}", f"<<! {A}"),
        (f"ancestorOf {C}", f"> {C}"),
        (f"ancestorOrSelfOf {C}", f">> {C}"),
        (f"parentOf {C}", f">! {C}"),
        (f"parentOrSelfOf {C}", f">>! {C}"),
        (f"memberOf {LISTS[0]}", f"^ {LISTS[0]}"),
        ("ANY", "*"),
        (f"<< {A} and << {B}", f"<<{A},<<{B}"),
        (f"* : reverseOf {T0} = << {A}", f"*:R {T0}=<<{A}"),
        (f"* : [2] {T0} = *", f"* : [2..2] {T0} = *"),
        (f"* : {T0} <> << {A}", f"* : {T0} != << {A}"),
        (f"^ [referencedComponentId] {LISTS[0]}", f"^ {LISTS[0]}"),
        (f"(({A}))", f"{A}"),
        (f"{A}|name|", f"{A}"),
        (f"/* one */ {A} /* two */", f"{A}"),
    ],
)
def test_spellings(substrate: Substrate, long: str, brief: str) -> None:
    """Two spellings of the same."""
    assert chosen(substrate, long) == chosen(substrate, brief)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"<< {A} MINUS << {B}", f"<< {A} MINUS (<< {A} AND << {B})"),
        (f"<< {A} : {T0} = *, {T1} = *", f"(<< {A} : {T0} = *) AND (<< {A} : {T1} = *)"),
        (f"<< {A} : {T0} = * OR {T1} = *", f"(<< {A} : {T0} = *) OR (<< {A} : {T1} = *)"),
        (f"<< {A} : [0..0] {T0} = *", f"<< {A} MINUS (* : {T0} = *)"),
        (f"<< {A} : ({T0} = *, {T1} = *) OR {T4} > #2", f"(<< {A}: {T0} = *, {T1} = *) OR (<< {A} : {T4} > #2)"),
        (f"* : {T0} = (<< {A} OR << {B})", f"(* : {T0} = << {A}) OR (* : {T0} = << {B})"),
        (f"* : {{ {T0} = *, {T1} = * }}", f"* : {{ {T1} = *, {T0} = * }}"),
        (f"* : [1..*] {{ {T0} = * }}", f"* : {{ {T0} = * }}"),
        (f"(<< {A}) . {T0}", f"<< {A} . {T0}"),
        (f"<< {A} . {T0}", f"* : R {T0} = << {A}"),
        (f"<< {A} . {T0} . {T1}", f"(<< {A} . {T0}) . {T1}"),
        (f"!!> (<< {A})", f"{A}"),
        (f"> (<< {A})", f"> (<< {A}) OR > {A}"),
        (f"< (<! {A})", f"< {A} MINUS (<! {A} MINUS < (<! {A}))"),
        (f"* : {T0} = * {{{{ C active = 1 }}}}", f"* : {T0} = *"),
    ],
)
def test_laws(substrate: Substrate, one: str, other: str) -> None:
    """Two ways to say the same select the same, and something."""
    found = chosen(substrate, one)
    assert found == chosen(substrate, other)
    assert found


def test_concrete_texts_and_truths(substrate: Substrate, naive: Naive) -> None:
    """Texts and truth values are compared as such, and never with another kind."""
    names = frozenset((TYPES[4],))
    for expression, meets in (
        ('= "mild"', '"mild"'.__eq__),
        ('!= "mild"', lambda v: v[0] == '"' and v != '"mild"'),
        ("= true", "true".__eq__),
        ("= FALSE", "false".__eq__),
        ("!= false", "true".__eq__),
        ("= #1", "#1".__eq__),
    ):
        found = chosen(substrate, f"* : {TYPES[4]} {expression}")
        assert found == naive.attribute(names, meets, concrete=True)


def test_filters_of_concepts(substrate: Substrate, naive: Naive) -> None:
    """Concepts are filtered by whether they are active, by definition and by module."""
    inactive = naive.all - naive.active
    assert inactive
    assert chosen(substrate, "* {{ C active = 0 }}") == inactive
    assert chosen(substrate, "* {{ C active = true }}") == naive.active
    assert chosen(substrate, "* {{ C active != 1 }}") == inactive
    assert chosen(substrate, "* {{ C definitionStatus = defined }}") == naive.defined
    assert chosen(substrate, "* {{ C definitionStatus = primitive }}") == naive.all - naive.defined
    assert chosen(substrate, f"* {{{{ C definitionStatusId = {sctid.DEFINED}, active = 1 }}}}") == naive.defined
    assert chosen(substrate, f"* {{{{ C moduleId = {sct(1)} }}}}") == naive.all
    assert chosen(substrate, f"* {{{{ C moduleId != {sct(1)} }}}}") == frozenset()


def test_filters_of_names(substrate: Substrate, naive: Naive) -> None:
    """Concepts are found by the beginnings of words, by patterns and by the kind of name."""

    def named(test: Callable[[str, str], bool]) -> Codes:
        return frozenset(code for code, kind, term in naive.names if test(kind, term))

    red = named(lambda _, t: "red" in t.split() and "heavy" in t.split())
    assert red
    assert chosen(substrate, '* {{ term = "hea re" }}') == red
    assert chosen(substrate, '* {{ D term = match:"red heavy" }}') == red
    assert chosen(substrate, '* {{ term = ("red heavy" "green dark") }}') == red | named(
        lambda _, t: {"green", "dark"} <= set(t.split())
    )
    wild = named(lambda k, t: k == sctid.SYNONYM and t.startswith("red") and t.endswith("7"))
    assert wild
    assert chosen(substrate, '* {{ term = wild:"RED*7" }}') == wild
    assert chosen(substrate, '* {{ type = fsn }} {{ term = wild:"*thing 7 (invented)" }}') == named(
        lambda _, t: t.endswith("thing 7 (invented)")
    )
    assert chosen(substrate, "* {{ language = en }}") == naive.all
    assert chosen(substrate, "* {{ language = fr }}") == frozenset()


def test_histories(substrate: Substrate, naive: Naive) -> None:
    """The profiles take in more and more of what was inactivated."""
    things = naive.walk("<<", frozenset((A, B, sct(102))))
    both = frozenset((SAME_AS, REPLACED_BY))
    of = f"(<< {A} OR << {B} OR << {sct(102)})"
    least = chosen(substrate, f"{of} {{{{ + HISTORY-MIN }}}}")
    assert things < least == naive.history(things, frozenset((SAME_AS,)))
    assert least < chosen(substrate, f"{of} {{{{ + HISTORY-MOD }}}}") == naive.history(things, both)
    assert chosen(substrate, f"{of} {{{{ +HISTORY }}}}") == naive.history(things, both)
    assert chosen(substrate, f"{of} {{{{ + HISTORY ({REPLACED_BY}) }}}}") == naive.history(
        things, frozenset((REPLACED_BY,))
    )


def test_unknown_concepts_select_nothing(substrate: Substrate) -> None:
    """A concept that the edition has not is no concept of it, and neither is what is below it."""
    nobody = sct(99_999)
    for text in (nobody, f"<< {nobody}", f"^ {nobody}", f"* : {nobody} = *", f"* : {T0} = {nobody}", f"> {nobody}"):
        assert chosen(substrate, text) == frozenset()


def test_long_lists_are_quick_enough(substrate: Substrate, tangle: Release) -> None:
    """Thousands of alternatives are one expression."""
    codes = [row[0] for row in tangle.table("Concept")] * 20
    assert chosen(substrate, " OR ".join(codes[:5000])) == frozenset(codes)


def test_work_is_bounded(substrate: Substrate, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take too long is refused as too costly."""
    monkeypatch.setattr("terminology.ecl.evaluate.MOST_WORK", 20_000)
    with pytest.raises(FhirError) as error:
        chosen(substrate, " OR ".join([f"(* : {T0} = *)"] * 50))
    assert error.value.problems[0].code == "too-costly"


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("fracture", "Two Fractures"),
        ("cafe", "Visit to a CAFÉ"),
        ("body", "Foreign bodies"),
        ("crohn", "Crohn's disease"),
        ("naive", "naïve T cell"),
        ("ménière", "Meniere disease"),
        ("disease of nose", "Nose diseases of any kind"),
        ("x-ray", "Chest X Ray"),
    ],
)
def test_the_choice_by_pattern_loses_nothing(substrate: Substrate, term: str, name: str) -> None:
    """What SQLite chooses names by lets every name through that passes."""
    test = tree.Test("D", "term", "=", (Text(term),))
    assert _passing(test)((1, name, "synonym", "en"))
    pattern = _likely(test)
    assert not pattern or substrate.file.db.execute("SELECT ? LIKE ?", (name, pattern)).fetchone()[0]
