"""Random searches of every kind, with values that the resources hold and some that none holds."""

from __future__ import annotations

import random
import re
from typing import Any

from campaigns.searching import meaning
from campaigns.searching import world as made
from campaigns.searching.meaning import Test
from campaigns.searching.oracle import (
    Among,
    Asked,
    Chain,
    Composite,
    Condition,
    Has,
    Key,
    Logic,
    Missing,
    Plain,
    Word,
    World,
    walk_sides,
)  # fmt: skip
from campaigns.searching.paths import Node, select
from fhir_profiles.definitions import SearchParam, load

PREFIXES = ("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
SORTED = ("string", "date", "token", "number", "uri")
COMMON = ("_id", "_lastUpdated", "_tag", "_security", "_profile", "_source")


class Nothing(Exception):
    """There is no such search to ask in this world."""


class Asker:
    """Makes searches; the same seed makes the same ones."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.types = sorted(world.by_type, key=lambda kind: -len(world.by_type[kind]))
        self._used: dict[str, list[SearchParam]] = {}

    def search(self) -> Asked:
        """One random search."""
        while True:
            try:
                return self._search()
            except Nothing:
                continue

    def _search(self) -> Asked:
        dice = self.dice
        shape = dice.random()
        if shape < 0.06:
            return self._of_system()
        kind = self._type()
        conditions = [self.condition(kind, 3) for _ in range(dice.choice([0, 1, 1, 1, 2, 2, 3]))]
        asked = Asked((kind,), (kind,), conditions)
        if shape < 0.14:
            self._in_compartment(asked, kind)
        if shape > 0.95 and "List" in self.world.by_type:
            asked.conditions.append(self._list())
        elif shape > 0.92:
            asked.conditions.append(Word("_text", self.dice.choice(made.SINGLE_WORDS)))
        if dice.random() < 0.3:
            asked.sorts = self._sorts(kind)
        if dice.random() < 0.25:
            asked.includes = [self._include(kind) for _ in range(dice.randint(1, 2))]
        return asked

    def _type(self) -> str:
        return self.dice.choice(self.types[: 6 if self.dice.random() < 0.6 else len(self.types)])

    def _of_system(self) -> Asked:
        types = tuple(sorted({self._type() for _ in range(self.dice.randint(1, 4))}))
        conditions = [self._plain(types[0], code) for code in self.dice.sample(COMMON, self.dice.randint(1, 2))]
        return Asked((), types, conditions, extra=[("_type", ",".join(types))])

    def _in_compartment(self, asked: Asked, kind: str) -> None:
        name = self.dice.choice(["Patient", "Encounter", "Practitioner"])
        codes = load().compartment(name).get(kind, ())
        owners = self.world.by_type.get(name)
        if not codes or not owners:
            raise Nothing
        owner = self.dice.choice(owners)
        keys: set[Key] = {(name, owner["id"])} if kind == name else set()
        for code in codes:
            if code in load().search_params(kind):
                keys |= {(one["resourceType"], one["id"]) for one in self.world.referring(kind, code, owner)}
        asked.path = (name, owner["id"], kind)
        asked.within = [Among("", "", keys)]

    def _list(self) -> Condition:
        one = self.dice.choice(self.world.by_type["List"])
        names = [entry["item"]["reference"] for entry in one.get("entry", ())]
        return Among("_list", one["id"], {(kind, name) for kind, _, name in (n.partition("/") for n in names)})

    def _sorts(self, kind: str) -> list[tuple[str, bool]]:
        codes = [p.code for p in self._params(kind) if p.type in SORTED and p.code not in ("_text", "_content")]
        codes += ["_id", "_lastUpdated"]
        return [
            (code, self.dice.random() < 0.5)
            for code in self.dice.sample(codes, min(len(codes), self.dice.randint(1, 2)))
        ]

    def _include(self, kind: str) -> tuple[str, str]:
        iterate = ":iterate" if self.dice.random() < 0.3 else ""
        if self.dice.random() < 0.5:
            codes = [p.code for p in self._params(kind) if p.type == "reference"]
            if not codes or self.dice.random() < 0.1:
                return "_include", "*" if self.dice.random() < 0.5 else f"{kind}:*"
            code = self.dice.choice(codes)
            only = self._target(kind, code)
            return f"_include{iterate}", f"{kind}:{code}" + (f":{only}" if only and self.dice.random() < 0.4 else "")
        source, code = self._pointing(kind)
        only = f":{kind}" if self.dice.random() < 0.4 else ""
        return f"_revinclude{iterate}", f"{source}:{code}{only}"

    # Conditions

    def condition(self, kind: str, depth: int) -> Condition:
        """One condition on a type."""
        shape = self.dice.random()
        if depth and shape < 0.14:
            return self._chain(kind, depth)
        if depth and shape < 0.24:
            source, code = self._pointing(kind)
            inner = self.condition(source, depth - 1)
            if inner.name == "_filter":
                raise Nothing
            return Has(source, code, f"_has:{source}:{code}:{inner.name}", inner.text, inner)
        if depth == 3 and shape < 0.3:
            return self._filter(kind, 2)
        return self._plain(kind, self.dice.choice(self._params(kind)).code)

    def _chain(self, kind: str, depth: int) -> Condition:
        codes = [p.code for p in self._params(kind) if p.type == "reference"]
        if not codes:
            raise Nothing
        code = self.dice.choice(codes)
        target = self._target(kind, code)
        if target is None:
            raise Nothing
        inner = self.condition(target, depth - 1)
        if inner.name == "_filter":
            raise Nothing
        declared = load().search_params(kind)[code].targets
        if declared == (target,) and self.dice.random() < 0.6:
            return Chain(code, None, f"{code}.{inner.name}", inner.text, inner)
        return Chain(code, target, f"{code}:{target}.{inner.name}", inner.text, inner)

    def _target(self, kind: str, code: str) -> str | None:
        for one in self.dice.sample(self.world.by_type[kind], min(20, len(self.world.by_type[kind]))):
            if found := self.world.referred(one, code):
                return str(self.dice.choice(found)["resourceType"])
        return None

    def _pointing(self, kind: str) -> tuple[str, str]:
        for _ in range(20):
            source = self._type()
            params = [p for p in self._params(source) if p.type == "reference" and (not p.targets or kind in p.targets)]
            if params:
                return source, self.dice.choice(params).code
        raise Nothing

    def _params(self, kind: str) -> list[SearchParam]:
        """The parameters of a type that have a value somewhere."""
        if kind not in self._used:
            everything = self.world.by_type[kind]
            self._used[kind] = [
                param
                for param in load().search_params(kind).values()
                if param.expression and param.type != "special" and any(select(one, param) for one in everything[-300:])
            ]
        return self._used[kind]

    def _some(self, kind: str, param: SearchParam) -> Node:
        """A value that some resource of the type has."""
        for _ in range(30):
            nodes = self.world.values(self.dice.choice(self.world.by_type[kind]), param.code)
            if nodes:
                return self.dice.choice(nodes)
        raise Nothing

    def _plain(self, kind: str, code: str) -> Condition:
        dice, param = self.dice, load().search_params(kind)[code]
        if param.type == "composite":
            return self._composite(kind, param)
        if dice.random() < 0.06 and not code.startswith("_"):
            return Missing(code, f"{code}:missing", dice.choice(["true", "false"]))
        modifier, make = self._kind(kind, param)
        negated = modifier in ("not", "not-in")
        many = 1 if modifier in ("in", "not-in") or dice.random() < 0.75 else dice.randint(2, 4)
        made_: list[tuple[str, Test]] = [make() for _ in range(many)]
        name = f"{code}:{modifier}" if modifier else code
        return Plain(code, name, ",".join(text for text, _ in made_), [test for _, test in made_], negated)

    def _kind(self, kind: str, param: SearchParam) -> tuple[str | None, Any]:
        dice = self.dice
        match param.type:
            case "token":
                modifier = dice.choice([None, None, None, "not", "in", "not-in", "below", "above", "of-type", "text"])
                if param.code == "_id":
                    modifier = None
                return self._token(kind, param, modifier)
            case "string":
                modifier = dice.choice([None, None, "exact", "contains"])
                return modifier, lambda: self._string(kind, param, modifier)
            case "date":
                return None, lambda: self._date(kind, param)
            case "number":
                return None, lambda: self._number(kind, param)
            case "quantity":
                return None, lambda: self._quantity(kind, param)
            case "uri":
                modifier = dice.choice([None, None, "below", "above"])
                return modifier, lambda: self._uri(kind, param, modifier)
            case "reference":
                modifier = dice.choice([None, None, None, None, "type", "text", "identifier"])
                if modifier == "text":
                    return modifier, lambda: self._shown(kind, param)
                if modifier == "identifier":
                    return modifier, lambda: self._identifier(kind, param)
                return self._reference(kind, param, modifier)
        raise Nothing

    def _token(self, kind: str, param: SearchParam, modifier: str | None) -> tuple[str | None, Any]:
        sample = self._some(kind, param)
        coded = sample.type in ("Coding", "CodeableConcept")
        if modifier == "text" and meaning.texts_of([sample]):
            return modifier, lambda: self._shown(kind, param)
        if modifier == "of-type" and sample.type == "Identifier":
            return modifier, lambda: self._of_type(kind, param)
        if coded and modifier in ("in", "not-in"):
            return modifier, lambda: (made.SET, meaning.token_in(frozenset(made.IN_SET)))
        if coded and modifier in ("below", "above"):
            return modifier, lambda: self._tree(modifier)
        return ("not" if modifier == "not" else None), lambda: self._code(kind, param)

    def _shown(self, kind: str, param: SearchParam) -> tuple[str, Test]:
        texts = meaning.texts_of([self._some(kind, param)])
        if not texts:
            raise Nothing
        text = self.dice.choice(texts)
        start = text[: self.dice.randint(1, len(text))]
        if start != start.strip():
            raise Nothing
        return _escaped(start), meaning.shown(start)

    def _tree(self, modifier: str) -> tuple[str, Test]:
        code = self.dice.choice(["a", "a1", "a11", "b", "b1"])
        every = made.descendants("a") | made.descendants("b")
        found = made.descendants(code) if modifier == "below" else {c for c in every if code in made.descendants(c)}
        return f"{made.TREE}|{code}", meaning.token_in(frozenset((made.TREE, c) for c in found))

    def _of_type(self, kind: str, param: SearchParam) -> tuple[str, Test]:
        value = self._some(kind, param).value
        codings = value.get("type", {}).get("coding")
        if not codings or "value" not in value:
            raise Nothing
        text = "|".join(_escaped(part) for part in (codings[0].get("system", ""), codings[0]["code"], value["value"]))
        return text, meaning.of_type(text)

    def _code(self, kind: str, param: SearchParam) -> tuple[str, Test]:
        sample = self._some(kind, param)
        found = meaning.tokens([sample])
        if not found:
            raise Nothing
        system, code = self.dice.choice(found)
        code = _escaped("nothing" if self.dice.random() < 0.05 else code)
        shape = self.dice.random()
        if sample.type in ("Coding", "CodeableConcept", "Identifier"):
            if shape < 0.4:
                text = f"{_escaped(system or '')}|{code}"
                return text, meaning.token(text)
            if shape < 0.5 and system:
                return f"{_escaped(system)}|", meaning.token(f"{_escaped(system)}|")
            if shape < 0.55:
                return f"|{code}", meaning.token(f"|{code}")
        plain = re.sub(r"\\(.)", r"\1", code)
        return code, lambda nodes: any(c == plain for _, c in meaning.tokens(nodes))

    def _string(self, kind: str, param: SearchParam, modifier: str | None) -> tuple[str, Test]:
        found = meaning.strings([self._some(kind, param)])
        if not found:
            raise Nothing
        text = self.dice.choice(found)
        if modifier != "exact" or self.dice.random() < 0.2:
            start = 0 if modifier != "contains" else self.dice.randrange(len(text))
            text = text[start : start + self.dice.randint(1, max(1, len(text)))]
            text = self.dice.choice([text, text.upper(), text.lower()])
        if not text.strip() or text != text.strip():
            raise Nothing
        return _escaped(text), meaning.string(_escaped(text), modifier)

    def _date(self, kind: str, param: SearchParam) -> tuple[str, Test]:
        nodes = [self._some(kind, param)]
        value = nodes[0].value
        text = (
            value
            if isinstance(value, str)
            else self.dice.choice([v for k, v in value.items() if k in ("start", "end")] or [None])
        )
        if text is None or nodes[0].type not in ("date", "dateTime", "instant", "Period"):
            raise Nothing
        cut = self.dice.choice([4, 7, 10, len(text), len(text)])
        text = self.dice.choice(PREFIXES) + (text[:cut] if cut <= 10 else text)
        return text, meaning.date(text)

    def _number(self, kind: str, param: SearchParam) -> tuple[str, Test]:
        node = self._some(kind, param)
        if isinstance(node.value, dict):
            raise Nothing
        text = self.dice.choice(PREFIXES) + self._near(str(node.value))
        return text, meaning.number(text)

    def _near(self, text: str) -> str:
        if self.dice.random() < 0.3:
            text = str(self.dice.choice([0, 1, 10, 0.5, 5, 100, 1000]))
        return text

    def _quantity(self, kind: str, param: SearchParam) -> tuple[str, Test]:
        value = self._some(kind, param).value
        if "value" not in value:
            raise Nothing
        text = self.dice.choice(PREFIXES) + self._near(str(value["value"]))
        shape = self.dice.random()
        if shape < 0.5 and value.get("system") and value.get("code"):
            unit = value["code"]
            if unit in meaning.UNITS and self.dice.random() < 0.5:
                unit = self.dice.choice(list(meaning.UNITS))
            text += f"|{value['system']}|{_escaped(unit)}"
        elif shape < 0.7 and value.get("unit"):
            text += f"||{_escaped(value['unit'])}"
        return text, meaning.quantity(text)

    def _uri(self, kind: str, param: SearchParam, modifier: str | None) -> tuple[str, Test]:
        text = str(self._some(kind, param).value)
        if modifier == "below":
            text = text.rpartition("/")[0] if self.dice.random() < 0.7 else text
        elif modifier == "above":
            text = f"{text}/more" if self.dice.random() < 0.7 else text
        if "," in text or "|" in text or text.count("/") < 2:
            raise Nothing
        return text, meaning.uri(text, modifier)

    def _reference(self, kind: str, param: SearchParam, modifier: str | None) -> tuple[str | None, Any]:
        base_url = self.world.base_url
        only = self._target(kind, param.code) if modifier else None

        def make() -> tuple[str, Test]:
            names = [
                n for n in meaning.targets([self._some(kind, param)], base_url) if re.fullmatch(r"[A-Z]\w+/[^/]+", n)
            ]
            if not names:
                raise Nothing
            name = names[0]
            if only:
                name = f"{only}/{name.partition('/')[2]}"
                return name.partition("/")[2], lambda nodes: name in meaning.targets(nodes, base_url)
            if self.dice.random() < 0.25:
                bare = name.partition("/")[2]
                allowed = param.targets
                return bare, lambda nodes: any(
                    t.partition("/")[2] == bare and (not allowed or t.partition("/")[0] in allowed)
                    for t in meaning.targets(nodes, base_url)
                )
            written = f"{base_url}/{name}" if self.dice.random() < 0.2 else name
            return written, lambda nodes: name in meaning.targets(nodes, base_url)

        return only, make

    def _identifier(self, kind: str, param: SearchParam) -> tuple[str, Test]:
        node = self._some(kind, param)
        found = node.value.get("identifier") if isinstance(node.value, dict) else None
        if not found:
            raise Nothing
        text = f"{_escaped(found['system'])}|{_escaped(found['value'])}" if self.dice.random() < 0.5 else found["value"]
        test = meaning.token(text)
        return text, lambda nodes: test(
            [Node(v["identifier"], "Identifier") for v, _ in nodes if isinstance(v, dict) and "identifier" in v]
        )

    def _composite(self, kind: str, param: SearchParam) -> Condition:
        known = load().search_params(kind)
        for _ in range(30):
            roots = select(self.dice.choice(self.world.by_type[kind]), param)
            if not roots:
                continue
            root = self.dice.choice(roots)
            parts: list[tuple[str, Test]] = []
            for component in param.components:
                nodes = walk_sides(root, component.expression)
                if not nodes:
                    break
                parts.append(self._part(known[component.code], self.dice.choice(nodes)))
            if len(parts) == len(param.components):
                text = "$".join(text.replace("$", r"\$") for text, _ in parts)
                return Composite(param, param.code, text, [test for _, test in parts])
        raise Nothing

    def _part(self, param: SearchParam, node: Node) -> tuple[str, Test]:
        if param.type == "token":
            found = meaning.tokens([node])
            if not found:
                raise Nothing
            system, code = self.dice.choice(found)
            text = f"{system or ''}|{_escaped(code)}" if self.dice.random() < 0.5 else _escaped(code)
            return text, meaning.token(text)
        if param.type == "quantity" and "value" in node.value:
            text = self.dice.choice(PREFIXES) + self._near(str(node.value["value"]))
            return text, meaning.quantity(text)
        if param.type == "date" and isinstance(node.value, str):
            text = self.dice.choice(PREFIXES) + node.value
            return text, meaning.date(text)
        if param.type == "string":
            text = _escaped(str(node.value)[:5].strip())
            return text, meaning.string(text, None)
        raise Nothing

    def _filter(self, kind: str, depth: int) -> Logic:
        dice = self.dice
        word = dice.choice(["and", "or", "not"]) if depth else "and"
        if depth == 0 or dice.random() < 0.4:
            return self._leaf(kind)
        parts: list[Condition] = [self._filter(kind, depth - 1) for _ in range(1 if word == "not" else 2)]
        if word == "not":
            return Logic("not", parts, f"not ({parts[0].text})")
        return Logic(word, parts, f"({parts[0].text}) {word} ({parts[1].text})")

    def _leaf(self, kind: str) -> Logic:
        params = [p for p in self._params(kind) if p.type in ("token", "string", "date") and p.code[0] != "_"]
        if not params:
            raise Nothing
        param = self.dice.choice(params)
        if self.dice.random() < 0.15:
            there = self.dice.choice(["true", "false"])
            inner: Condition = Missing(param.code, "", "false" if there == "true" else "true")
            return Logic("and", [inner], f"{param.code} pr {there}")
        if param.type == "token":
            text, test = self._code(kind, param)
            written, word = re.sub(r"\\(.)", r"\1", text), "eq"
        elif param.type == "string":
            modifier = self.dice.choice([None, "contains"])
            text, test = self._string(kind, param, modifier)
            written, word = re.sub(r"\\(.)", r"\1", text), "co" if modifier else "sw"
        else:
            text, test = self._date(kind, param)
            word = text[:2] if text[:2].isalpha() else "eq"
            written = text.removeprefix(word)
        if '"' in written or "\\" in written:
            raise Nothing
        quoted = written if param.type == "date" else f'"{written}"'
        return Logic("and", [Plain(param.code, "", "", [test])], f"{param.code} {word} {quoted}")


def _escaped(text: str) -> str:
    return re.sub(r"([\\,|$])", r"\\\1", text)
