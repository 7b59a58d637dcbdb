"""`fhirwright train`: learn codes from coded documents, or from what coders decided on the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.eval import CODES, REFUSALS, kind_of, logged
from server.cli.exits import Exit
from server.cli.terminal import note
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from extractors.learn import Row
    from extractors.pipeline import Pipeline

LEAST = 50  # documents: fewer teach nothing that holds


def train(
    out: Annotated[Path, typer.Option(help="The directory of the model.")],
    corpus: Annotated[
        Path | None, typer.Option(exists=True, help="A corpus directory, or a file of coded documents.")
    ] = None,
    from_server: Annotated[
        bool, typer.Option("--from-server", help="Learn from documents whose codes coders decided on.")
    ] = False,
    source: Annotated[str, typer.Option(help="The attribution of the data, kept in the model.")] = "",
    database: Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
) -> None:
    """Learn phrases and weights from the split `train` of a corpus, or from the reviewed documents of a server.

    Needs the extra `learned`. OUT gets the model's two files; measure it: fhirwright eval --model OUT --corpus DIR.
    Exit code 4: the extra is missing. Exit code 5: there are too few documents, or a file cannot be read.
    """
    if corpus is None and not from_server:
        raise typer.BadParameter("Give --corpus, --from-server, or both.")
    if corpus is not None and not source:
        raise typer.BadParameter("Say by --source where the corpus comes from and under which licence.")
    from importlib.util import find_spec

    from extractors.learn import train as learn
    from extractors.pipeline import Pipeline

    if find_spec("lightgbm") is None:
        note("error: training needs the extra: pip install 'fhirwright[learned]'")
        raise typer.Exit(Exit.UNAVAILABLE)
    settings = read_settings(database=database, data=data)
    pipeline = Pipeline.open(settings.data)
    try:
        documents = _documents(corpus) + (_reviewed(settings, pipeline) if from_server else [])
    except REFUSALS as error:
        note(f"error: the corpus could not be read ({kind_of(error)}).")
        raise typer.Exit(Exit.REFUSED) from None
    if len(documents) < LEAST:
        note(f"error: {len(documents)} documents are too few to learn from; {LEAST} are needed.")
        raise typer.Exit(Exit.REFUSED)
    trained = learn(documents, pipeline)
    out.mkdir(parents=True, exist_ok=True)
    told = "; ".join([source] * bool(source) + ["decisions of this server's coders"] * from_server)
    trained.write(out, told)
    logged("train", {"documents": len(documents), "source": told}, trained.report)
    note(f"Model of {len(documents)} documents written to {out}; cross-validated: {trained.report['cross_validated']}")


def _documents(corpus: Path | None) -> list[Row]:
    from extractors.learn import rows

    return [] if corpus is None else rows(corpus / CODES if corpus.is_dir() else corpus, "train")


def _reviewed(settings: Settings, pipeline: Pipeline) -> list[Row]:
    from server.learning.stored import stored

    found = stored(settings, pipeline)
    note(
        f"{len(found.rows)} documents were reviewed whole; {found.unfinished} have undecided codes and"
        f" {found.unreadable} could not be read again: these were left out."
    )
    return found.rows
