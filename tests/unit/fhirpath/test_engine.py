"""What the suite of HL7 does not ask: variables, services, limits, places, and expressions from strangers."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.fhirpath import Node, compile, node
from fhir_profiles.fhirpath.check import check
from fhir_profiles.fhirpath.functions import FUNCTIONS
from fhir_profiles.fhirpath.functions.strings import _pattern
from fhir_profiles.fhirpath.syntax import Call, Literal, Tree, parse, parts
from tests.support.clock import within

Json = dict[str, Any]

PATIENT: Json = {
    "resourceType": "Patient",
    "contained": [{"resourceType": "Organization", "id": "o", "name": "O"}],
    "name": [{"family": "Quill", "given": ["Ada", "Mae"]}, {"family": "Vane", "given": ["A"]}],
    "birthDate": "1980-02-29",
    "_birthDate": {"extension": [{"url": "http://example.org/t", "valueTime": "10:00:00"}]},
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "#o"},
    "generalPractitioner": [{"reference": "Practitioner/d1"}, {"reference": "Organization/x"}],
}


def _evaluate(expression: str, **more: Any) -> list[Any]:
    return compile(expression).evaluate(PATIENT, **more)


def test_a_choice_is_named_without_its_type() -> None:
    """`multipleBirth` finds what the JSON calls multipleBirthInteger, and knows its type."""
    assert _evaluate("multipleBirth") == [2]
    assert _evaluate("multipleBirth is integer") == [True]
    assert _evaluate("multipleBirthInteger") == []


def test_extensions_of_primitives_are_found() -> None:
    """A path goes from a primitive into its sibling, and `value` there is a choice too."""
    assert _evaluate("birthDate.extension('http://example.org/t').value") == ["10:00:00"]


def test_variables() -> None:
    """%resource, %context and what the caller gives; an unknown one is an error."""
    name = Node(PATIENT["name"][0], "HumanName")
    assert _evaluate("%resource.birthDate", focus=name) == ["1980-02-29"]
    assert _evaluate("given.where(%context.family = 'Quill')", focus=name) == ["Ada", "Mae"]
    assert _evaluate("%limit + 1", env={"limit": 2}) == [3]
    assert _evaluate("%names.count()", env={"names": ["a", "b"]}) == [2]
    assert _evaluate("%`vs-languages`") == ["http://hl7.org/fhir/ValueSet/languages"]
    with pytest.raises(FhirError, match="not defined"):
        _evaluate("%nothing")


def test_references_resolve() -> None:
    """Into contained always, elsewhere by the caller's function; without one, to an empty resource of the type."""
    assert _evaluate("managingOrganization.resolve().name") == ["O"]
    assert _evaluate("generalPractitioner.where(resolve() is Practitioner).reference") == ["Practitioner/d1"]
    stored = {"Practitioner/d1": {"resourceType": "Practitioner", "active": True}}
    assert _evaluate("generalPractitioner.resolve().active", resolve=stored.get) == [True]
    assert _evaluate("generalPractitioner.resolve().count()", resolve=stored.get) == [1]


def test_the_terminology_is_asked_where_there_is_one() -> None:
    """memberOf gives what the function says, nothing where it cannot say, and is an error without one."""
    asked = []

    def member_of(item: Node, value_set: str) -> bool | None:
        asked.append((item.value, value_set))
        return None if value_set == "unknown" else True

    assert _evaluate("birthDate.memberOf('known')", member_of=member_of) == [True]
    assert _evaluate("birthDate.memberOf('unknown')", member_of=member_of) == []
    assert asked == [("1980-02-29", "known"), ("1980-02-29", "unknown")]
    with pytest.raises(FhirError, match="terminology"):
        _evaluate("birthDate.memberOf('known')")


def test_conformance_is_asked() -> None:
    """conformsTo knows base types itself and asks for profiles."""
    assert _evaluate("conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')") == [True]
    assert _evaluate("conformsTo('http://example.org/p')", conforms_to=lambda *_: False) == [False]


def test_units_may_come_from_outside() -> None:
    """A caller's UCUM decides instead of the table."""
    assert _evaluate("1 'furlong' = 220 'yard'") == []
    table = {"furlong": 220, "yard": 1}
    units = lambda value, code: (value * table[code], "m")  # noqa: E731
    assert _evaluate("1 'furlong' = 220 'yard'", units=units) == [True]


def test_the_clock_stands_still() -> None:
    """All of one evaluation is one moment, and the caller may say which."""
    moment = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    assert _evaluate("today()", now=moment) == ["2024-02-29"]
    assert _evaluate("now() = now() and now() - 1 year = @2023-02-28T12:30:00.000+00:00", now=moment) == [True]


def test_decimals_keep_their_digits() -> None:
    """No float is made on the way."""
    assert _evaluate("0.1 + 0.2") == [Decimal("0.3")]
    assert compile("value.value * 3").evaluate(
        {"resourceType": "Observation", "valueQuantity": {"value": Decimal("0.10")}}
    ) == [Decimal("0.30")]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("'" + "a" * 30_000 + "'", "too-costly"),
        ("(" * 200 + "1" + ")" * 200, "too-costly"),
        ("a" + ".a" * 500, "too-costly"),
        ("1" + " + 1" * 500, "too-costly"),
        ("a(b)", "not-supported"),
        ("name.where()", "invalid"),
        ("name.first(1, 2)", "invalid"),
        ("'\\q'", "invalid"),
        ("@2024-13", "invalid"),
        ("name is Banana", "invalid"),
        ("a b", "invalid"),
        ("'open", "invalid"),
        ("", "invalid"),
        ("subsumes('a')", "not-supported"),
        ("elementDefinition()", "not-supported"),
    ],
)
def test_what_cannot_be_read_or_done_is_an_error(expression: str, code: str) -> None:
    """Each is a FhirError of the category incorrect, with a code."""
    with pytest.raises(FhirError) as refused:
        compile(expression).evaluate(PATIENT)
    assert refused.value.category is Category.INCORRECT
    assert refused.value.problems[0].code == code


@pytest.mark.parametrize(
    "expression",
    [
        "repeat($this | 1).aggregate($total & 'x' & $total & 'yy', 'z')",
        "name.given" + ".select($this | (1|2|3|4|5|6|7|8|9).select($this + %context.name.count()))" * 8,
        "(1|2|3|4|5|6|7|8|9|10)" + ".combine($this.descendants())" * 40,
        "('a' | 'b')" + ".combine(%context.descendants()).combine(%context.descendants())" * 60,
        "'a'" + ".replace('a', 'aaaaaaaaaaaaaaaaaaaa')" * 12,
        "(1|2|3|4|5)" + ".select((1|2|3|4|5|6|7|8|9|10).select($this).combine(7))" * 30,
        "9.power(9).power(9).power(9)",
        "name.aggregate($total | %context.descendants() | $total.select($this.toString()), {})",
    ],
)
def test_work_is_bounded(expression: str) -> None:
    """An expression made to grow ends soon: with an error or with a small answer."""
    with within(30):
        try:
            found = compile(expression).evaluate(PATIENT, steps=50_000)
            assert len(found) < 100_000
        except FhirError as refused:
            assert refused.problems[0].code in ("too-costly", "multiple-matches", "invalid")


@pytest.mark.parametrize(
    "call", ["ceiling()", "floor()", "truncate()", "round(3)", "toInteger()", "sqrt()", "toString()"]
)
@pytest.mark.parametrize("number", ["1E+999999", "-1E+999999", "1E-999999"])
def test_absurd_numbers_cost_nothing(call: str, number: str) -> None:
    """A decimal with a million digits, which validation would refuse, is calculated with at once or not at all."""
    resource = {"resourceType": "Observation", "valueQuantity": {"value": Decimal(number)}}
    for expression in (f"value.value.{call}", "value.value div 3", "value.value ~ 1.01", "value > 1 'kg'"):
        with within(10), contextlib.suppress(FhirError):
            compile(expression).evaluate(resource)


def test_patterns_take_linear_time() -> None:
    """The pattern that makes others backtrack for ever is answered at once."""
    with within(10):
        assert compile(f"'{'a' * 10_000}b'.matches('^(a+)+$')").evaluate(PATIENT) == [False]


def test_every_pattern_of_the_definitions_is_understood() -> None:
    """No invariant of R4 holds only because its pattern cannot be read."""
    seen = 0
    for type_ in load().types.values():
        for invariant in type_.invariants:
            for tree in _all(parse(invariant.expression)):
                if isinstance(tree, Call) and "atches" in tree.name and isinstance(tree.arguments[0], Literal):
                    _pattern(tree.arguments[0].value)
                    seen += 1
    assert seen > 20


def _all(tree: Tree) -> list[Tree]:
    return [tree, *(below for part in parts(tree) for below in _all(part))]


@given(
    st.lists(
        st.sampled_from([*FUNCTIONS, *"().,|+-*/='$%@`{}[]<>~! ", "name", "given", "1", "'a'", "and", "is", "$this"])
    )
)
def test_any_text_is_answered_or_refused(words: list[str]) -> None:
    """Whatever the text, compiling and evaluating it ends in values or in a FhirError, never in anything else."""
    try:
        compile(" ".join(words)).evaluate(PATIENT, steps=2_000)
    except FhirError as refused:
        assert "Quill" not in str(refused)


@given(
    st.sampled_from(sorted(FUNCTIONS)),
    st.sampled_from(["name", "name.given", "birthDate", "multipleBirth", "{}", "1.5", "'a'", "@2024"]),
)
def test_any_function_takes_any_input(name: str, focus: str) -> None:
    """A function on values that it does not take is a FhirError too."""
    function = FUNCTIONS[name]
    for argument in ("'a'", "1", "{}", "name", "$this"):
        arguments = ", ".join([argument] * function.least)
        try:
            compile(f"({focus}).{name}({arguments})").evaluate(PATIENT, steps=5_000)
        except FhirError:
            continue


def test_a_path_serves_many_threads() -> None:
    """One compiled expression keeps nothing of an evaluation."""
    path = compile("name.select(given.where($this.length() > %n).count() + $index)")
    wrong: list[Any] = []

    def work(n: int) -> None:
        expected = {0: [2, 2], 1: [2, 1], 2: [2, 1], 3: [0, 1]}[n]
        wrong.extend(found for _ in range(300) if (found := path.evaluate(PATIENT, env={"n": n})) != expected)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_checking_tells_typing_errors() -> None:
    """What no value of a type can have is refused before it runs; what is right passes with its types."""
    assert check("name.given", "Patient") == frozenset({"string"})
    assert check("Observation.value.ofType(Quantity).unit", "Observation") == frozenset({"string"})
    assert check("contained.ofType(Organization).name", "Patient") == frozenset({"string"})
    for wrong in ("name.firstName", "Encounter.status", "valueQuantity", "birthDate.day"):
        with pytest.raises(FhirError):
            check(wrong, "Patient")


def test_every_invariant_of_r4_passes_the_check() -> None:
    """The published expressions name only what is there, all but one."""
    wrong = set()
    for name, type_ in load().types.items():
        for invariant in type_.invariants:
            try:
                check(invariant.expression, name)
            except FhirError:
                wrong.add(invariant.key)
    assert wrong == {"cid-0"}  # ChargeItemDefinition has no name


def test_a_focus_has_a_type() -> None:
    """A value inside a resource is a focus by its type; a resource knows its own."""
    assert compile("start <= end").holds(PATIENT, focus=node({"start": "2020", "end": "2021"}, "Period"))
    assert not compile("start <= end").holds(PATIENT, focus=node({"start": "2022", "end": "2021"}, "Period"))
    assert node(PATIENT).type == "Patient"
