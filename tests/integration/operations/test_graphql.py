"""`$graphql`: what comes back for a query, and what is refused (https://hl7.org/fhir/R4/graphql.html)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.operations import graphql

Run = Callable[..., Any]


@pytest.fixture
def run(fhir: Fhir) -> Run:
    """`run(query, variables=…)`: the whole answer; `about="Patient/p"` asks a resource."""
    handler = graphql.operations(fhir)[0].handler

    def ask(query: str, about: str = "", **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        path = (*about.split("/"), "$graphql") if about else ("$graphql",)
        request = Request(
            caller=ANYBODY,
            method="POST",
            path=path,
            body=body,
            content_type="application/json",
            base_url="http://test/fhir",
        )
        return json.loads(asyncio.run(handler(request)).body)

    return ask


@pytest.fixture
def filled(call: Callable[..., Any]) -> None:
    """A patient of a practitioner with two names and two observations."""
    call("PUT", "Practitioner/dr", {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "House"}]})
    names = [{"use": "official", "family": "Smith", "given": ["Ann", "Bea"]}, {"use": "nickname", "given": ["Annie"]}]
    doctor = [{"reference": "Practitioner/dr"}, {"reference": "Practitioner/gone"}]
    call("PUT", "Patient/p", {"resourceType": "Patient", "id": "p", "name": names, "generalPractitioner": doctor})
    for n, value in enumerate((1.50, 2)):
        quantity = {"value": value, "unit": "kg"}
        body = {"status": "final", "code": {"text": "weight"}, "subject": {"reference": "Patient/p"}}
        call(
            "PUT",
            f"Observation/o{n}",
            {"resourceType": "Observation", "id": f"o{n}", **body, "valueQuantity": quantity},
        )


@pytest.mark.usefixtures("filled")
class TestReading:
    """Fields of resources."""

    def test_only_what_is_asked_for_comes_back(self, run: Run) -> None:
        """Fields, aliases, lists, null for what is not there."""
        query = '{ who: Patient(id: "p") { id gender name { family given } } }'
        assert run(query)["data"] == {
            "who": {
                "id": "p",
                "gender": None,
                "name": [{"family": "Smith", "given": ["Ann", "Bea"]}, {"family": None, "given": ["Annie"]}],
            }
        }

    def test_list_arguments_choose_items(self, run: Run) -> None:
        """By the value of a part, by FHIRPath, by place."""
        query = """{ Patient(id: "p") {
            a: name(use: nickname) { given }
            b: name(fhirpath: "family.exists()") { family }
            c: name(_offset: 1, _count: 5) { use }
        } }"""
        found = run(query)["data"]["Patient"]
        assert found == {"a": [{"given": ["Annie"]}], "b": [{"family": "Smith"}], "c": [{"use": "nickname"}]}

    def test_references_lead_on(self, run: Run) -> None:
        """A target is read by its type; what is not there is an error beside the data, unless optional."""
        query = """{ Patient(id: "p") { generalPractitioner { reference
            resource(optional: true) { ... on Practitioner { name { family } } } } } }"""
        answer = run(query)
        targets = [one["resource"] for one in answer["data"]["Patient"]["generalPractitioner"]]
        assert targets == [{"name": [{"family": "House"}]}, None] and "errors" not in answer
        loud = run(query.replace("(optional: true)", ""))
        assert loud["data"]["Patient"]["generalPractitioner"][1]["resource"] is None
        assert loud["errors"][0]["extensions"]["resource"]["resourceType"] == "OperationOutcome"

    def test_about_a_resource(self, run: Run) -> None:
        """The root is the resource itself; lists inside follow references back."""
        query = "{ id ObservationList(_reference: patient, _sort: _id) { id valueQuantity { value } } }"
        found = run(query, about="Patient/p")["data"]
        assert [one["id"] for one in found["ObservationList"]] == ["o0", "o1"]

    def test_variables_fragments_and_conditions(self, run: Run) -> None:
        """The parts of GraphQL that clients build queries with."""
        query = """
          query One($id: ID!, $more: Boolean = false) { Patient(id: $id) { ...Named id @include(if: $more) } }
          fragment Named on Patient { name { ...Parts } }
          fragment Parts on HumanName { family @skip(if: $more) use }
        """
        assert run(query, id="p", more=True)["data"]["Patient"] == {
            "name": [{"use": "official"}, {"use": "nickname"}],
            "id": "p",
        }

    def test_flatten_and_first_shape_the_answer(self, run: Run) -> None:
        """Levels can be taken out of the answer."""
        query = '{ Patient(id: "p") { name @flatten { given } id } }'
        assert run(query)["data"]["Patient"] == {"given": ["Ann", "Bea", "Annie"], "id": "p"}
        assert run('{ Patient(id: "p") { name @first { use } } }')["data"]["Patient"] == {"name": {"use": "official"}}
        sliced = run('{ Patient(id: "p") { name @slice(path: "use") { given } } }')["data"]["Patient"]
        assert sliced == {"name.official": {"given": ["Ann", "Bea"]}, "name.nickname": {"given": ["Annie"]}}


@pytest.mark.usefixtures("filled")
class TestSearching:
    """Lists and connections."""

    def test_a_connection_pages(self, run: Run) -> None:
        """Each page gives the cursor of the next one."""
        query = """query Q($c: String) { ObservationConnection(_count: 1, _sort: _id, _cursor: $c) {
            next edges { mode resource { id } } } }"""
        first = run(query)["data"]["ObservationConnection"]
        second = run(query, c=first["next"])["data"]["ObservationConnection"]
        found = [page["edges"][0]["resource"]["id"] for page in (first, second)]
        assert found == ["o0", "o1"] and second["next"] is None

    def test_names_of_parameters_may_have_underscores(self, run: Run) -> None:
        """`value_quantity` is value-quantity; several values are any of them."""
        found = run('{ ObservationList(value_quantity: ["gt1.6", "lt1"]) { id } }')["data"]["ObservationList"]
        assert found == [{"id": "o1"}]

    def test_an_unknown_parameter_is_an_error(self, run: Run) -> None:
        """Nothing is silently ignored."""
        answer = run('{ ObservationList(nothing: "x") { id } }')
        assert answer["data"] == {"ObservationList": None} and len(answer["errors"]) == 1


def test_the_schema_tells_of_every_type(run: Run) -> None:
    """Introspection names the fields of a type and their types."""
    query = '{ __type(name: "Patient") { fields { name type { name ofType { name } } } } }'
    fields = {one["name"]: one["type"] for one in run(query)["data"]["__type"]["fields"]}
    assert fields["birthDate"]["name"] == "String" and fields["name"]["ofType"]["name"] == "HumanName"
    from graphql import get_introspection_query

    assert len(run(get_introspection_query())["data"]["__schema"]["types"]) > 600


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "mutation { x }",
        "query A { Patient(id: 1) { id } } query B { Patient(id: 1) { id } }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ Patient(id: $x) { id } }",
        "{" + "a{" * 60 + "b" + "}" * 61,
        "{ " + " ".join(f"a{n}: PatientList {{ id }}" for n in range(2500)) + " }",
        '{ Patient(id: "' + "x" * 300_000 + '") { id } }' * 2,
    ],
)
def test_what_cannot_be_run_is_refused(run: Run, query: str) -> None:
    """Syntax, loops, depth, width: an error, at once."""
    try:
        answer = run(query)
    except FhirError as error:
        assert error.problems[0].code in ("invalid", "too-costly")
    else:
        assert answer["errors"]
