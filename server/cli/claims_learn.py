"""`fhirwright claims train`, `score` and `model`: learned help from a user's own claims, which blocks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from fhir_profiles.errors import FhirError
from server.cli.exits import Exit
from server.cli.places import FILE
from server.cli.terminal import note, print_json
from server.settings import read_settings

if TYPE_CHECKING:
    from claims.learn.decisions import Decision
    from claims.learn.train import Read

MAX_LINE = 16 * 2**20
Data = Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def register(group: typer.Typer) -> None:
    """Add the three commands to `fhirwright claims`."""
    group.command("train")(train)
    group.command("score")(score)
    group.command("model")(model)


def train(
    out: Annotated[Path, typer.Option(help="The file of the model; the report stands beside it.")],
    claims: Annotated[Path | None, typer.Option(**FILE, help="Claims, one a line. [those of the server]")] = None,
    responses: Annotated[Path | None, typer.Option(**FILE, help="ClaimResponses of payers, one a line.")] = None,
    charges: Annotated[bool, typer.Option("--charges", help="Learn charges only; no responses are needed.")] = False,
    database: Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Learn from your own claims and what payers decided how likely a denial is, and which charges are usual.

    Without files the claims and the payers' ClaimResponses that the server has are learned from. OUT gets the model;
    OUT.report.md and OUT.report.json tell how it does on the latest fifth of the claims. Exit code 5: there are too few
    decisions, or a file cannot be read.
    """
    from claims.answer.scrub import Scrub
    from claims.learn.model import write_model
    from claims.learn.report import page
    from claims.learn.train import train as learn

    if claims is not None and responses is None and not charges:
        raise typer.BadParameter("Give --responses, or --charges to learn charges only.")
    if claims is None and responses is not None:
        raise typer.BadParameter("Give --claims with --responses.")
    settings = read_settings(database=database, data=data)
    scrub = Scrub.open(settings.data)
    decisions: Iterable[Decision]
    try:
        if claims is None:
            from server.cli.claims_learn_stored import stored

            read, decisions = stored(settings, scrub)
        else:
            read, decisions = _given(claims, responses, scrub)
        trained = learn(read, None if charges else decisions, scrub, datetime.now(UTC).date().isoformat())
    except FhirError as error:
        _refuse(error)
    write_model(trained.model, out)
    out.with_name(f"{out.name}.report.json").write_bytes(_pretty(trained.report))
    out.with_name(f"{out.name}.report.md").write_text(page(trained.report), encoding="utf-8")
    if json:
        print_json(trained.report)
    else:
        note(page(trained.report))
        note(f"Model {trained.model.name} written to {out}. Score with it: fhirwright claims score FILE --model {out}")


def _given(claims: Path, responses: Path | None, scrub: Any) -> tuple[Read, Iterable[Decision]]:
    from claims.learn.train import Source, decided, read_claims

    read = read_claims((Source(line) for line in _lines(claims) if line.strip()), scrub)
    return read, decided(_lines(responses)) if responses else iter(())


def score(
    file: Annotated[
        Path, typer.Argument(**FILE, help="Claims, or Bundles that begin with one, one JSON object a line.")
    ],
    model: Annotated[Path | None, typer.Option(**FILE, help="A file of a model. [the active one]")] = None,
    data: Data = None,
) -> None:
    """Score claims: one JSON object a line, with the risk of a denial, reasons, and the charge that is farthest off.

    Exit code 5: some lines are no claims; they are told by number.
    """
    from itertools import islice

    from claims.answer.head import Head, read_head
    from claims.answer.scrub import Scrub
    from claims.learn.score import NO_MODEL, Scorer, told
    from claims.sheet.read import Record, read_claim

    directory = read_settings(data=data).data
    try:
        scorer = Scorer.active(directory) if model is None else Scorer.open(model)
    except FhirError as error:
        _refuse(error)
    if scorer is None:
        note(f"Not scored: {NO_MODEL}")
        raise typer.Exit(Exit.UNAVAILABLE)
    scrub, left = Scrub.open(directory), 0
    if lacking := scorer.lacking(scrub.edits.active):
        note(f"{lacking} rules that the model was learned with are not run here: load their tables for surer scores.")
    rest = enumerate(_lines(file), 1)
    while batch := list(islice(rest, 5_000)):
        records: list[Record] = []
        heads: list[Head] = []
        numbers: list[int] = []
        for number, line in batch:
            if not line.strip():
                continue
            try:
                records.append(read_claim(line, len(records)))
            except FhirError as error:
                left += 1
                note(f"Line {number}: {error.problems[0].text}")
                continue
            heads.append(read_head(line))
            numbers.append(number)
        scores = scorer.of_results(scrub.many(records, heads).results)
        for number, record, one in zip(numbers, records, scores, strict=True):
            print_json({"line": number, "claim": record["claim"]["id"], **told(one)})
    if left:
        raise typer.Exit(Exit.REFUSED)


def model(
    file: Annotated[Path | None, typer.Argument(**FILE, help="A file of a model. [the active one]")] = None,
    activate: Annotated[bool, typer.Option("--activate", help="The server scores with it from now on.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="The server scores no more.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell where a model comes from and how good it is; make it the active one, or take the active one away.

    Exit code 1: no model is active. Exit code 5: the file is no model, or it was damaged.
    """
    import msgspec

    from claims.learn.active import active_path
    from claims.learn.model import read_model, write_model

    active = active_path(read_settings(data=data).data)
    if remove:
        active.unlink(missing_ok=True)
        note("No model is active.")
        return
    path = active if file is None else file
    if not path.is_file():
        note("No model is active.")
        raise typer.Exit(Exit.FAILED)
    try:
        found = read_model(path)
    except FhirError as error:
        _refuse(error)
    if activate and file is not None:
        active.parent.mkdir(parents=True, exist_ok=True)
        write_model(found, active)
    told = {
        "model": found.name, "sha256": found.digest, "denial": found.denial is not None, "why": found.why,
        "codes with charges": len(found.charges.norms), "rules": len(found.rules),
        "features": len(found.features), **msgspec.to_builtins(found.provenance),
    }  # fmt: skip
    if json:
        print_json(told)
        return
    for name, value in told.items():
        note(f"{name}: {value}")


def _refuse(error: FhirError) -> NoReturn:
    for problem in error.problems:
        note(problem.text)
    raise typer.Exit(Exit.REFUSED) from None


def _pretty(value: Any) -> bytes:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while line := source.readline(MAX_LINE):
            yield line
