"""The answer lists of LOINC and the terms that use them (https://loinc.org/answer-file).

`AnswerList.csv` has a line for each answer of each list; a list that is defined elsewhere has a line without answer.
`LoincAnswerListLink.csv` says which terms use which lists, and how bindingly.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from terminology.importers.given import Member
from terminology.importers.rows import Row, table
from terminology.source import Name, SourceConcept, Subset

ANSWERS = ("AnswerListId", "AnswerListName", "AnswerStringId", "SequenceNumber", "DisplayText")
USES = ("LoincNumber", "AnswerListId", "AnswerListLinkType")
BINDINGS = ("NORMATIVE", "PREFERRED", "EXAMPLE")
_LIST = re.compile(r"LL[0-9]{1,7}-[0-9X]")
_ANSWER = re.compile(r"LA[0-9]{1,7}-[0-9X]")


class _List(NamedTuple):
    title: str
    answers: dict[str, None]  # in their order
    facts: dict[str, Any]


class Answers:
    """Lists by id, answers by id, and the lists of each term as (list, binding)."""

    def __init__(self) -> None:
        self.lists: dict[str, _List] = {}
        self.displays: dict[str, tuple[str, tuple[Name, ...]]] = {}
        self.within: defaultdict[str, list[str]] = defaultdict(list)  # answer → lists
        self.used: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)  # term → (list, binding)
        self.users: defaultdict[str, list[str]] = defaultdict(list)  # list → terms

    def concepts(self) -> Iterator[SourceConcept]:
        """The lists, then the answers."""
        for code, one in self.lists.items():
            users = {"answers-for": self.users[code]} if self.users[code] else {}
            yield SourceConcept(code, one.title, properties={**one.facts, **users})
        for code, (display, names) in self.displays.items():
            lists = self.within[code]
            yield SourceConcept(code, display, names=names, properties={"LIST": lists, "answers-for": lists})

    def subsets(self) -> Iterator[Subset]:
        """The lists whose answers stand in the file."""
        for code, one in self.lists.items():
            if one.answers:
                yield Subset(code, one.title, tuple(one.answers))

    def of_term(self, term: str) -> dict[str, Any]:
        """The property of a term that names its lists."""
        lists = self.used.get(term)
        return {"answer-list": [{"code": i, "display": self.lists[i].title} for i, _ in lists]} if lists else {}

    def bindings(self, term: str) -> list[str]:
        """How bindingly a term uses its lists, in their order."""
        return [binding for _, binding in self.used.get(term, ())]


def read_answers(answers: Member | None, uses: Member | None, terms: frozenset[str]) -> Answers:
    """The lists of the files given; refused where a list, an answer or a term is not what it should be."""
    found = Answers()
    if answers is not None:
        for row in table(answers, ANSWERS):
            _answer(found, row)
    if answers is not None and uses is not None:
        for row in table(uses, USES):
            _use(found, row, terms)
    return found


def _answer(found: Answers, row: Row) -> None:
    list_id, answer = row["AnswerListId"], row["AnswerStringId"]
    if not _LIST.fullmatch(list_id):
        row.refuse("AnswerListId", "the id of an answer list is expected, as LL715-4")
    if list_id not in found.lists:
        if not row["AnswerListName"]:
            row.refuse("AnswerListName", "the name of the list is expected")
        link = row.get("ExtDefinedAnswerListLink")
        facts = {"ExtDefinedAnswerListLink": link} if link else {}
        found.lists[list_id] = _List(row["AnswerListName"], {}, facts)
    if not answer:
        return
    if not _ANSWER.fullmatch(answer):
        row.refuse("AnswerStringId", "the id of an answer is expected, as LA6751-7")
    if not row["DisplayText"]:
        row.refuse("DisplayText", "the text of the answer is expected")
    if row["SequenceNumber"] and not row["SequenceNumber"].isdecimal():
        row.refuse("SequenceNumber", "a number is expected")
    members = found.lists[list_id].answers
    if answer in members:
        return
    members[answer] = None
    found.within[answer].append(list_id)
    if answer not in found.displays:
        other = row.get("ExtCodeDisplayName")
        names = (Name(other),) if other and other != row["DisplayText"] else ()
        found.displays[answer] = (row["DisplayText"], names)


def _use(found: Answers, row: Row, terms: frozenset[str]) -> None:
    term, list_id = row["LoincNumber"], row["AnswerListId"]
    if term not in terms:
        row.refuse("LoincNumber", "the term is none of Loinc.csv")
    if list_id not in found.lists:
        row.refuse("AnswerListId", "the list is none of AnswerList.csv")
    if row["AnswerListLinkType"] not in BINDINGS:
        row.refuse("AnswerListLinkType", f"one of {', '.join(BINDINGS)} is expected")
    if all(known != list_id for known, _ in found.used[term]):
        found.used[term].append((list_id, row["AnswerListLinkType"]))
        found.users[list_id].append(term)
