"""Searches by chance: modifiers, chains, `_has`, `_list`, `_filter`, includes, order, totals, compartments, types."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from campaigns.reaching.servers import Past
from campaigns.reaching.world import CATEGORY, CODES, IDS, MARKS

Pair = tuple[str, str]

SUBJECT = {"Observation", "Condition", "Procedure", "DiagnosticReport", "DocumentReference", "Flag", "ServiceRequest"}
"""Types with the parameter `patient` or `subject` that other things are chained to."""


@dataclass
class Search:
    """Path, parameters, the types that it goes through, and what it is called in the count."""

    path: tuple[str, ...]
    pairs: list[Pair]
    needs: list[str] = field(default_factory=list)
    kind: str = "search"


class Searcher:
    """Makes searches from the world's ids and values."""

    def __init__(self, dice: Random, ids: dict[str, list[str]], past: Past) -> None:
        self.dice = dice
        self.ids = ids
        self.past = past
        self.types = sorted(ids)

    def mark(self, kind: str, name: str) -> str:
        """The mark of one of the versions of a resource."""
        marks = [r["meta"]["tag"][0]["code"] for _, r in self.past.versions[kind, name] if r]
        return f"{MARKS}|{self.dice.choice(marks)}"

    def search(self) -> Search:
        """One search."""
        roll = self.dice.random()
        if roll < 0.12:
            made = self._system()
        elif roll < 0.22:
            made = self._compartment()
        else:
            made = self._type()
        self._manner(made)
        return made

    def _type(self) -> Search:
        favourite = self.dice.random() < 0.6
        kind = self.dice.choice(
            ["Observation", "Condition", "Patient", "DiagnosticReport"] if favourite else self.types
        )
        made = Search((kind,), [], [kind])
        for _ in range(self.dice.choice([0, 1, 1, 1, 2])):
            self._condition(made, kind)
        self._order(made, kind)
        self._includes(made, kind)
        return made

    def _system(self) -> Search:
        chosen = self.dice.sample(self.types, self.dice.randint(1, 4))
        if self.dice.random() < 0.5:
            chosen = list(dict.fromkeys(["Patient", "Observation", *chosen[1:]]))
        made = Search((), [("_type", ",".join(chosen))], kind="search of all")
        if len(chosen) == 1:
            made.needs = chosen
        if self.dice.random() < 0.2:
            made.pairs, made.needs = [], []
        if self.dice.random() < 0.6:
            names = {name for kind in chosen for name in self.dice.sample(self.ids[kind], 1)} | {"A", "B"}
            made.pairs.append(("_id", ",".join(sorted(names))))
        elif self.dice.random() < 0.3:
            kind = self.dice.choice(self.types)
            made.pairs.append(("_tag", self.mark(kind, self.dice.choice(self.ids[kind]))))
        if self.dice.random() < 0.3:
            made.pairs.append(("_sort", self.dice.choice(["_lastUpdated", "-_lastUpdated"])))
        self._includes(made, "Observation")
        return made

    def _compartment(self) -> Search:
        owner, name = self.dice.choice(
            [("Patient", "A"), ("Patient", "B"), ("Encounter", "A-0"), ("Encounter", "B-0"), ("Practitioner", "d"),
             ("Device", "B-0"), ("RelatedPerson", "B-0")]
        )  # fmt: skip
        if owner == "Patient" and self.dice.random() < 0.5:
            kind = self.dice.choice(["Observation", "Condition", "Task" if owner == "Encounter" else "Flag", "Goal"])
            made = Search((owner, name, kind), [], [kind], "search of compartment")
            if self.dice.random() < 0.4:
                self._condition(made, kind)
            return made
        made = Search((owner, name, "*"), [], [], "search of compartment")
        if self.dice.random() < 0.3:
            made.pairs.append(("_include", "*"))
        return made

    def _condition(self, made: Search, kind: str) -> None:
        """One parameter with its modifier, chain or `_has`."""
        options = [self._id, self._tag, self._missing]
        if kind in SUBJECT:
            options += [self._subject] * 4 + [self._chain] * 3
        if kind == "Observation":
            options += [self._observation] * 5
        if kind == "Patient":
            options += [self._patient] * 6
        if kind in ("Patient", "Encounter", "Observation", "Condition"):
            options += [self._has] * 3
        if kind in ("Observation", "Patient"):
            options += [self._list]
        self.dice.choice(options)(made, kind)

    def _id(self, made: Search, kind: str) -> None:
        names = self.dice.sample(self.ids[kind], min(len(self.ids[kind]), self.dice.randint(1, 4)))
        made.pairs.append(("_id", ",".join(names)))

    def _tag(self, made: Search, kind: str) -> None:
        made.pairs.append(
            (self.dice.choice(["_tag", "_tag", "_tag:not"]), self.mark(kind, self.dice.choice(self.ids[kind])))
        )

    def _missing(self, made: Search, _kind: str) -> None:
        made.pairs.append(
            (self.dice.choice(["_lastUpdated", "_tag"]) + ":missing", self.dice.choice(["true", "false"]))
        )

    def _subject(self, made: Search, _kind: str) -> None:
        who = self.dice.choice("AB")
        pair = [("patient", f"Patient/{who}"), ("patient", who), ("subject", f"Patient/{who}"),
            ("subject:Patient", who),
                ("subject:identifier", f"{IDS}|mrn-{who}"), ("patient:missing", "true")]  # fmt: skip
        if made.path[0] == "Flag":
            pair = pair[:2]
        made.pairs.append(self.dice.choice(pair))

    def _chain(self, made: Search, kind: str) -> None:
        who = self.dice.choice("AB")
        more: list[tuple[Pair, list[str]]] = [
            (("patient.family", f"Fam{who}"), ["Patient"]),
            (("subject:Patient.birthdate", f"1980-01-0{self.dice.randint(1, 2)}"), ["Patient"]),
            (("patient.identifier", f"{IDS}|mrn-{who}"), ["Patient"]),
            (("patient.organization.name", "Shared"), ["Patient", "Organization"]),
            (("subject:Patient._has:Condition:patient:code", f"{CODES}|c1"), ["Patient", "Condition"]),
            (("subject:Patient.link:Patient.family", f"Fam{who}"), ["Patient"]),
            (("_filter", f"patient.family eq Fam{who}"), ["Patient"]),
        ]
        if kind in ("Observation", "Condition", "Procedure", "DiagnosticReport"):
            more.append((("encounter.subject:Patient.family", f"Fam{who}"), ["Encounter", "Patient"]))
        if kind == "DiagnosticReport":
            more += [
                (("result.value-quantity", "gt5.5"), ["Observation"]),
                (("result.code", f"{CODES}|c{self.dice.randrange(3)}"), ["Observation"]),
            ] * 3
        pair, passed = self.dice.choice(more)
        made.pairs.append(pair)
        made.needs += passed

    def _observation(self, made: Search, _kind: str) -> None:
        made.pairs.append(
            self.dice.choice(
                [("code", f"{CODES}|c{self.dice.randrange(3)}"), ("code:text", "c1"), ("code:not", f"{CODES}|c1"),
                 ("category", f"{CATEGORY}|laboratory"), ("category:missing", "true"), ("status", "final,preliminary"),
                 ("value-quantity", "gt6"), ("value-quantity", "5||mg"), ("date", "ge2026-01"),
                 ("date:missing", "true"),
                 ("code-value-quantity", f"{CODES}|c1$gt5"), ("focus", f"Patient/{self.dice.choice('AB')}"),
                 ("performer", f"Patient/{self.dice.choice('AB')}"), ("has-member", "Observation/B-1"),
                 ("_filter", "status eq final or code eq c1"), ("encounter", "Encounter/B-0"), ("_text", "c1"),
                 ("identifier", f"{IDS}|Observation-{self.dice.choice('AB')}-1")]
            )
        )  # fmt: skip

    def _patient(self, made: Search, _kind: str) -> None:
        who = self.dice.choice("AB")
        pair, passed = self.dice.choice(
            [(("family", f"Fam{who}"), []), (("family:exact", f"Fam{who}"), []), (("name:contains", "am"), []),
             (("birthdate", "lt1980-01-02"), []), (("gender:not", "male"), []), (("identifier",
             f"{IDS}|mrn-{who}"), []),
             (("link", f"Patient/{who}"), []), (("link:Patient.family", f"Fam{who}"), []),
             (("organization.name", "Shared"), ["Organization"]),
             (("general-practitioner:Practitioner.family", "Shared"), ["Practitioner"])]
        )  # fmt: skip
        made.pairs.append(pair)
        made.needs += passed

    def _has(self, made: Search, kind: str) -> None:
        name = self.dice.choice(self.ids["Observation"])
        ways: dict[str, list[tuple[Pair, list[str]]]] = {
            "Patient": [
                (("_has:Observation:patient:code", f"{CODES}|c{self.dice.randrange(3)}"), ["Observation"]),
                (("_has:Observation:focus:status", "final"), ["Observation"]),
                (
                    ("_has:Condition:patient:_tag", self.mark("Condition", self.dice.choice(self.ids["Condition"]))),
                    ["Condition"],
                ),
                (("_has:Encounter:patient:_has:Observation:encounter:status", "final"), ["Encounter", "Observation"]),
                (("_has:Group:member:_id", "b"), ["Group"]),
            ],
            "Encounter": [
                (("_has:Observation:encounter:status", "final"), ["Observation"]),
                (("_has:Condition:encounter:patient.family", "FamB"), ["Condition", "Patient"]),
            ],
            "Observation": [
                (("_has:DiagnosticReport:result:status", "final"), ["DiagnosticReport"]),
                (("_has:Observation:has-member:_id", name), ["Observation"]),
                (("_has:Provenance:target:_id", "B-1"), ["Provenance"]),
            ],
            "Condition": [(("_has:Encounter:diagnosis:status", "finished"), ["Encounter"])],
        }
        pair, passed = self.dice.choice(ways[kind])
        made.pairs.append(pair)
        made.needs += passed

    def _list(self, made: Search, _kind: str) -> None:
        made.pairs.append(("_list", self.dice.choice(["both", "B-0", "A-0"])))
        made.needs.append("List")

    def _order(self, made: Search, kind: str) -> None:
        if self.dice.random() > 0.35:
            return
        keys = ["_lastUpdated", "-_lastUpdated", "_id"]
        if kind in ("Observation", "Condition", "DiagnosticReport"):
            keys += [
                "code",
                "patient.birthdate",
                "-patient.birthdate",
                "patient.family",
                "encounter:Encounter.date",
            ] * 2
        if kind == "Patient":
            keys += ["family", "-birthdate", "organization.name"]
        key = self.dice.choice(keys)
        made.pairs.append(("_sort", key))
        head, dot, _ = key.partition(".")
        if dot:
            made.needs.append(
                {"patient": "Patient", "encounter": "Encounter", "organization": "Organization"}[
                    head.lstrip("-").partition(":")[0]
                ]
            )

    def _includes(self, made: Search, kind: str) -> None:
        if self.dice.random() > 0.45:
            return
        forward = [("_include", "*"), ("_include:iterate", "*"), ("_include", f"{kind}:*")]
        back = [
            ("_revinclude", "*"),
            ("_revinclude", "Provenance:target"),
            ("_revinclude:iterate", "Observation:has-member"),
        ]
        if kind == "Observation":
            forward += [
                ("_include", f"Observation:{code}")
                for code in ("subject", "focus", "performer", "encounter", "specimen")
            ]
            forward += [("_include:iterate", "Observation:has-member"), ("_include", "Observation:subject:Patient")]
            forward += [("_include:iterate", "Encounter:subject"), ("_include:iterate", "Encounter:diagnosis")]
        if kind == "Patient":
            back += [
                ("_revinclude", "Observation:patient"),
                ("_revinclude", "Observation:focus"),
                ("_include", "Patient:link"),
            ] * 2
            back += [
                ("_revinclude", "List:item"),
                ("_revinclude", "Group:member"),
                ("_revinclude", "AuditEvent:entity"),
            ]
        if kind == "DiagnosticReport":
            forward += [("_include", "DiagnosticReport:result"), ("_include:iterate", "Observation:subject")] * 2
        for _ in range(self.dice.randint(1, 2)):
            made.pairs.append(self.dice.choice(forward + back))
        made.kind += " with includes"

    def _manner(self, made: Search) -> None:
        if self.dice.random() < 0.7:
            made.pairs.append(("_count", str(self.dice.choice([0, 1, 2, 5, 20, 200]))))
        roll = self.dice.random()
        if roll < 0.25:
            made.pairs.append(("_total", self.dice.choice(["accurate", "estimate", "none"])))
        elif roll < 0.33:
            made.pairs.append(("_summary", self.dice.choice(["count", "true", "data"])))
        elif roll < 0.38:
            made.pairs.append(("_elements", "status"))
