"""Requests by chance: every interaction that reads or writes, over the ids, types and values of the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote

from campaigns.reaching import world
from campaigns.reaching.searching import Searcher
from campaigns.reaching.servers import Key, Past
from campaigns.reaching.world import BASE, CODES, IDS, Json
from fhir_profiles import json
from server.interactions.exchange import JSON_PATCH, MERGE_PATCH, Request

Needs = tuple[tuple[str, str], ...]
"""Types and rights without which the request is refused by name."""


@dataclass
class Ask:
    """A request, what it needs at all, and which world tells what it must answer."""

    kind: str
    request: Request
    needs: Needs = ()
    some: str | None = None
    """A right that the caller needs on any type."""

    world: str = "s"
    """`r`, `s`, or `rs` when both rights are used; `w` for a write."""

    body: Json | None = None
    parts: list[Ask] = field(default_factory=list)
    """Of a Bundle."""

    @property
    def url(self) -> str:
        """The request as a person reads it."""
        query = "&".join(f"{name}={value}" for name, value in self.request.query)
        more = "".join(
            f" {name}: {value}"
            for name in ("if_none_exist", "if_match", "if_none_match")
            if (value := getattr(self.request, name))
        )
        body = self.request.body.decode("utf-8", "replace")[:300]
        return f"{self.request.method} /{'/'.join(self.request.path)}{'?' if query else ''}{query}{more} {body}".strip()


class Asker:
    """Makes requests; the same seed makes the same ones."""

    def __init__(self, past: Past, seed: int) -> None:
        self.dice = Random(seed)
        self.keys = sorted(past.versions)
        self.past = past
        self.ids: dict[str, list[str]] = {}
        for kind, name in self.keys:
            self.ids.setdefault(kind, []).append(name)
        self.types = sorted(self.ids)
        self.search = Searcher(self.dice, self.ids, past)
        self._kinds: list[tuple[Callable[[], Ask], int]] = [
            (self.read, 8), (self.vread, 8), (self.history, 8), (self.searching, 44), (self.ordered, 2),
            (self.everything, 2), (self.graphql, 4), (self.lastn, 2), (self.document, 2), (self.match, 2),
            (self.meta, 1), (self.create, 5), (self.file, 1), (self.update, 5), (self.delete, 4), (self.ending, 2),
            (self.patch, 4), (self.batch, 3), (self.transaction, 2), (self.unless_there, 1),
        ]  # fmt: skip
        self._makers = [one for one, _ in self._kinds]
        self._weights = [weight for _, weight in self._kinds]

    def any(self) -> Ask:
        """One of any kind."""
        return self.dice.choices(self._makers, self._weights)[0]()

    def key(self) -> Key:
        """A resource, one that often matters, or one that is not there."""
        roll = self.dice.random()
        if roll < 0.05:
            return self.dice.choice(self.types), f"no-{self.dice.randrange(3)}"
        if roll < 0.45:
            return self.dice.choice(
                [key for key in self.keys if key[0] in ("Observation", "Condition", "Patient", "Task")]
            )
        return self.dice.choice(self.keys)

    def _get(self, kind: str, path: tuple[str, ...], *pairs: tuple[str, str], **more: Any) -> Ask:
        request = {name: more.pop(name) for name in ("if_none_match", "if_modified_since") if name in more}
        return Ask(kind, Request(method="GET", path=path, query=pairs, base_url=BASE, **request), **more)

    # Reading

    def read(self) -> Ask:
        """A resource, now and then as one that is known, or a part of it."""
        kind, name = self.key()
        tag = f'W/"{self.dice.randint(1, 3)}"' if self.dice.random() < 0.3 else None
        pairs = (("_elements", "status,subject"),) if self.dice.random() < 0.1 else ()
        return self._get("read", (kind, name), *pairs, if_none_match=tag, needs=((kind, "r"),), world="r")

    def vread(self) -> Ask:
        """A version."""
        kind, name = self.key()
        number = str(self.dice.randint(1, 3))
        return self._get("vread", (kind, name, "_history", number), needs=((kind, "r"),), world="r")

    def history(self) -> Ask:
        """Of a resource, a type or all."""
        kind, name = self.key()
        pairs: list[tuple[str, str]] = [("_count", str(self.dice.choice([1, 2, 5, 20, 100])))]
        if self.dice.random() < 0.2:
            pairs.append(("_sort", "_lastUpdated"))
        if self.dice.random() < 0.2:
            pairs.append(("_since", "2020-01-01"))
        if self.dice.random() < 0.1:
            pairs = [("_summary", "count")]
        match self.dice.randrange(4):
            case 0:
                return self._get("history", ("_history",), *pairs, some="s", world="s")
            case 1:
                return self._get("history", (kind, "_history"), *pairs, needs=((kind, "s"),), some="s", world="s")
        return self._get("history", (kind, name, "_history"), *pairs, needs=((kind, "r"),), some="r", world="r")

    def searching(self) -> Ask:
        """A search."""
        found = self.search.search()
        request = Request(method="GET", path=found.path, query=tuple(found.pairs), base_url=BASE)
        if self.dice.random() < 0.15 and len(found.path) < 3:
            form = "&".join(f"{quote(name)}={quote(value)}" for name, value in found.pairs).encode()
            request = Request(method="POST", path=(*found.path, "_search"), body=form, base_url=BASE)
        needs = tuple((kind, "s") for kind in found.needs)
        return Ask(found.kind, request, needs, "s", "s")

    def ordered(self) -> Ask:
        """Observations in the order of something that their patients say."""
        key = self.dice.choice(["patient.family", "-patient.family", "patient.birthdate", "-patient.birthdate"])
        query = (("_sort", key), ("_count", self.dice.choice(["5", "20", "100"])))
        return self._get(
            "search", ("Observation",), *query, needs=(("Observation", "s"), ("Patient", "s")), some="s", world="s"
        )

    def everything(self) -> Ask:
        """`$everything` of a patient or an encounter."""
        kind = self.dice.choice(["Patient", "Patient", "Encounter"])
        name = self.dice.choice(self.ids[kind])
        pairs = [("_count", str(self.dice.choice([5, 50, 500])))]
        needs: Needs = ((kind, "r"),)
        if self.dice.random() < 0.3:
            pairs.append(("_type", self.dice.choice(["Observation", "Observation,Condition", "Practitioner"])))
            if pairs[-1][1] == "Observation":  # the one type of a compartment that is searched: it is refused by name
                needs = (*needs, ("Observation", "s"))
        return self._get("$everything", (kind, name, "$everything"), *pairs, needs=needs, some="s", world="rs")

    def graphql(self) -> Ask:
        """A query of one, of many, of what refers to it, and of what it refers to."""
        kind, name = self.key()
        part = "id meta{tag{code} versionId}"
        person = f"... on Patient{{{part}}}"
        back = f"ObservationList(_reference:patient){{{part} focus{{resource(optional:true){{{person}}}}}}}"
        patient = self.dice.choice("AB")
        text = self.dice.choice(
            [
                f'{{{kind}(id:"{name}"){{{part}}}}}',
                f"{{{kind}List(_count:50){{{part}}}}}",
                f'{{Patient(id:"{patient}"){{{part} {back} ConditionList(_reference:patient){{{part}}}}}}}',
                f"{{ObservationConnection(_count:3){{count pagesize edges{{resource{{{part} subject{{reference"
                f" resource(optional:true){{... on Patient{{{part} name{{family}}}}}}}}}}}}}}}}",
                f'{{ObservationList(subject:"Patient/{patient}"){{{part}}}}}',
            ]
        )
        return self._get("$graphql", ("$graphql",), ("query", text), world="rs")

    def lastn(self) -> Ask:
        """The newest observations of a patient."""
        patient = ("patient", f"Patient/{self.dice.choice('AB')}")
        code = self.dice.choice(
            [("code", f"{CODES}|c1"), ("category", "laboratory,vital-signs"), ("code", "c0,c1,c2,odd")]
        )
        return self._get(
            "$lastn", ("Observation", "$lastn"), patient, code, ("max", "3"), needs=(("Observation", "s"),), some="s"
        )

    def document(self) -> Ask:
        """A Composition with all it refers to."""
        name = self.dice.choice(self.ids["Composition"])
        return self._get("$document", ("Composition", name, "$document"), needs=(("Composition", "r"),), world="r")

    def match(self) -> Ask:
        """A search for a person."""
        who = self.dice.choice("AB")
        person = {
            "resourceType": "Patient",
            "name": [{"family": f"Fam{who}", "given": ["Pat"]}],
            "birthDate": f"1980-01-0{1 if who == 'A' else 2}",
            "identifier": [{"system": IDS, "value": f"mrn-{who}"}],
        }
        body = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": person}]}
        request = Request(method="POST", path=("Patient", "$match"), body=json.encode(body), base_url=BASE)
        return Ask("$match", request, (("Patient", "s"),), "s", "s")

    def meta(self) -> Ask:
        """The labels of a resource."""
        kind, name = self.key()
        return self._get("$meta", (kind, name, "$meta"), needs=((kind, "r"),), world="r")

    # Writing

    def _resource(self, kind: str, name: str) -> Json:
        """Something to write: about one patient or the other, often what is there with another subject."""
        who = self.dice.choice("AB")
        bodies = world.bodies(who, "B" if who == "A" else "A", self.dice.randrange(4))
        if kind in bodies:
            made = bodies[kind]
        else:
            there = next((r for _, r in reversed(self.past.versions[kind, self.ids[kind][0]]) if r), {})
            made = {key: value for key, value in there.items() if key not in ("meta", "id", "resourceType")}
        if kind == "DocumentReference":  # which may point to anybody's file
            url = f"Binary/{self.dice.choice(self.ids['Binary'])}"
            made |= {"content": [{"attachment": {"url": url, "contentType": "text/plain"}}]}
        return {"resourceType": kind, "id": name, **made}

    def _criteria(self, kind: str) -> str:
        """A condition that finds one, several or none."""
        name = self.dice.choice(self.ids[kind])
        options = [f"_id={name}", f"_id={name}", f"_tag={self.search.mark(kind, name)}"]
        if kind in world.NUMBERED:
            options += [f"identifier={IDS}|{kind}-{self.dice.choice('AB')}-{self.dice.randrange(2)}"] * 2
        if kind in ("Observation", "Condition"):
            options += [
                f"patient.family=Fam{self.dice.choice('AB')}&_id={name}",
                f"patient=Patient/{self.dice.choice('AB')}",
            ]
        return self.dice.choice(options)

    def _needs_of(self, kind: str, criteria: str) -> Needs:
        return ((kind, "s"), ("Patient", "s")) if "patient.family" in criteria else ((kind, "s"),)

    def _write(self, method: str, path: tuple[str, ...], body: Json | None, needs: Needs, **more: Any) -> Ask:
        query = tuple(tuple(pair.split("=", 1)) for pair in more.pop("query", "").split("&") if pair)
        more.setdefault("prefer", self.dice.choice(["", "return=representation", "return=minimal"]))
        written = b"" if body is None else json.encode(body)
        request = Request(method=method, path=path, query=query, body=more.pop("raw", written), base_url=BASE, **more)
        return Ask(
            method.lower() + (" if" if query or more.get("if_none_exist") else ""), request, needs, None, "w", body
        )

    def create(self) -> Ask:
        """A new resource, half of them unless there is one."""
        kind = self.key()[0]
        body = self._resource(kind, "n")
        if self.dice.random() < 0.5:
            return self._write("POST", (kind,), body, ((kind, "c"),))
        criteria = self._criteria(kind)
        return self._write(
            "POST", (kind,), body, ((kind, "c"), *self._needs_of(kind, criteria)), if_none_exist=criteria
        )

    def update(self) -> Ask:
        """What is there, with other content and maybe another subject."""
        kind, name = self.key()
        body = self._resource(kind, name)
        if self.dice.random() < 0.7:
            tag = f'W/"{self.dice.randint(1, 3)}"' if self.dice.random() < 0.2 else None
            return self._write("PUT", (kind, name), body, ((kind, "u"),), if_match=tag)
        criteria = self._criteria(kind)
        del body["id"]
        return self._write("PUT", (kind,), body, ((kind, "u"), *self._needs_of(kind, criteria)), query=criteria)

    def delete(self) -> Ask:
        """By id, or by a condition."""
        kind, name = self.key()
        if self.dice.random() < 0.6:
            return self._write("DELETE", (kind, name), None, ((kind, "d"),))
        criteria = self._criteria(kind)
        return self._write("DELETE", (kind,), None, ((kind, "d"), *self._needs_of(kind, criteria)), query=criteria)

    def ending(self) -> Ask:
        """Observations of a patient, all at once: some may be found that may not be ended."""
        who, status = self.dice.choice("AB"), self.dice.choice(["", "", "&status=final", "&status=preliminary"])
        needs = (("Observation", "d"), ("Observation", "s"))
        return self._write("DELETE", ("Observation",), None, needs, query=f"patient=Patient/{who}{status}")

    def file(self) -> Ask:
        """A document that points to any file."""
        name = self.dice.choice(self.ids["DocumentReference"])
        body = self._resource("DocumentReference", name)
        if self.dice.random() < 0.5:
            return self._write("POST", ("DocumentReference",), body, (("DocumentReference", "c"),))
        return self._write("PUT", ("DocumentReference", name), body, (("DocumentReference", "u"),))

    def patch(self) -> Ask:
        """A change of the language, of the subject, or of nothing."""
        kind = self.dice.choice(["Observation", "Condition", "Task"])
        name = self.dice.choice(self.ids[kind])
        field_ = "for" if kind == "Task" else "subject"
        subject = {"reference": f"Patient/{self.dice.choice('AB')}"}
        changes: list[tuple[str, Any]] = [
            (MERGE_PATCH, {}), (MERGE_PATCH, {"language": "de"}), (MERGE_PATCH, {field_: subject}),
            (JSON_PATCH, [{"op": "add", "path": "/language", "value": "de"}]),
            (JSON_PATCH, [{"op": "add", "path": f"/{field_}", "value": subject}]),
        ]  # fmt: skip
        form, change = self.dice.choice(changes)
        raw = json.encode(change)
        if self.dice.random() < 0.7:
            return self._write("PATCH", (kind, name), None, ((kind, "u"),), raw=raw, content_type=form)
        criteria = self._criteria(kind)
        needs = ((kind, "u"), *self._needs_of(kind, criteria))
        return self._write("PATCH", (kind,), None, needs, raw=raw, content_type=form, query=criteria)

    # Bundles

    def batch(self) -> Ask:
        """Several at once, each on its own."""
        return self._bundle("batch", self.dice.randint(2, 5))

    def transaction(self) -> Ask:
        """Several, all or none."""
        return self._bundle("transaction", self.dice.randint(1, 3))

    def unless_there(self) -> Ask:
        """A transaction that makes what is there already: it needs the right to make it all the same."""
        kind, name = self.key()
        body = self._resource(kind, "n")
        needs = ((kind, "c"), (kind, "s"))
        return self._bundle_of("transaction", [self._write("POST", (kind,), body, needs, if_none_exist=f"_id={name}")])

    def _bundle(self, form: str, size: int) -> Ask:
        makers = [self.read, self.vread, self.searching, self.create, self.update, self.delete]
        parts: list[Ask] = []
        while len(parts) < size:
            part = self.dice.choice(makers)()
            if part.request.path and part.request.path[-1] != "_search":
                parts.append(replace(part, request=part.request))
        return self._bundle_of(form, parts)

    def _bundle_of(self, form: str, parts: list[Ask]) -> Ask:
        entries = [_entry(part) for part in parts]
        body: Json = {"resourceType": "Bundle", "type": form, "entry": entries}
        request = Request(method="POST", body=json.encode(body), base_url=BASE, prefer="return=representation")
        return Ask(form, request, world="b", parts=parts)


def _entry(ask: Ask) -> Json:
    asked = ask.request
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in asked.query)
    told: Json = {"method": asked.method, "url": "/".join(asked.path) + (f"?{query}" if query else "")}
    named = {"ifMatch": asked.if_match, "ifNoneMatch": asked.if_none_match, "ifNoneExist": asked.if_none_exist}
    told |= {name: value for name, value in named.items() if value}
    return {"request": told} | ({"resource": ask.body} if ask.body else {})
