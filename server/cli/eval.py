"""`fhirwright eval`: measure reading and coding on a corpus directory, and write a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.exits import Exit
from server.cli.places import FOLDER
from server.cli.terminal import note, print_json
from server.settings import read_settings

if TYPE_CHECKING:
    from extractors.coding.learned import Model
    from extractors.pipeline import Pipeline

CODES, ASSERTION = "icd10cm_codiesp.jsonl", "assertion_negex.jsonl"
VALUES, RULES = "values_claritynlp.jsonl", "coding_rules.jsonl"
REFUSALS = (OSError, ValueError, KeyError, TypeError)


def eval(
    corpus: Annotated[
        Path, typer.Option(**FOLDER, help="A directory with the files of a corpus; missing ones are left out.")
    ],
    out: Annotated[Path, typer.Option(help="The directory of the report.")] = Path("eval"),
    model: Annotated[
        Path | None, typer.Option(**FOLDER, help="A directory that train wrote. [the model of the package]")
    ] = None,
    split: Annotated[str, typer.Option(help="The split of the coded documents that is measured.")] = "dev",
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure codes, evidence, calibration, assertion, values and rules on a corpus, and write a report.

    OUT gets report.md, report.json and a picture of each calibration. Figures are logged to MLflow where
    MLFLOW_TRACKING_URI is set. Exit code 5: the corpus has none of its files, or one cannot be read.
    """
    from extractors.pipeline import Pipeline

    if not any((corpus / name).is_file() for name in (CODES, ASSERTION, VALUES, RULES)):
        note(f"error: none of {CODES}, {ASSERTION}, {VALUES}, {RULES} is in the directory.")
        raise typer.Exit(Exit.REFUSED)
    try:
        report = measured(corpus, split, Pipeline.open(read_settings(data=data).data), opened(model))
    except REFUSALS as error:
        note(f"error: the corpus or the model could not be read ({kind_of(error)}).")
        raise typer.Exit(Exit.REFUSED) from None
    written(report, out)
    logged("eval", {"split": split, **report["made"]}, report)
    if json:
        print_json(report)
    note(f"Report written to {out / 'report.md'}.")


def kind_of(error: Exception) -> str:
    """What was wrong without a word of what was read: the file that is missing, or the kind of the fault."""
    if isinstance(error, OSError) and error.filename:
        return f"{Path(error.filename).name}: {error.strerror}"
    return type(error).__name__


def opened(folder: Path | None) -> Model:
    """The model of a directory, or that of the package."""
    from extractors.coding.learned.model import model
    from extractors.learn.models import open_model

    return model() if folder is None else open_model(folder)


def measured(corpus: Path, split: str, pipeline: Pipeline, model: Model) -> dict[str, Any]:
    """All figures that the files of a corpus directory allow, with what they were made of."""
    from importlib.metadata import version

    from extractors.learn import evaluate, rows
    from extractors.learn.gauges import assertions, rules
    from extractors.learn.tables import error_tables
    from extractors.learn.values import values

    made = {"fhirwright": version("fhirwright"), "model documents": model.documents, "phrases": len(model.phrases)}
    report: dict[str, Any] = {"made": made}
    if (path := corpus / CODES).is_file():
        documents = rows(path, split)
        codes: dict[str, Any] = evaluate(model, documents, pipeline)
        for convention in ("mentions", "guidelines"):
            figures = codes[convention]
            figures |= error_tables(model, documents, pipeline, convention)
            figures["cpu_ms_per_document"] = round(1000 / figures["documents_per_cpu_second"], 2)
        report["codes"] = codes
    if (path := corpus / ASSERTION).is_file():
        report["assertion"] = assertions(_lines(path))
    if (path := corpus / VALUES).is_file():
        report["values"] = values(_lines(path))
    if (path := corpus / RULES).is_file():
        report["rules"] = rules(_lines(path), pipeline)
    return report


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    from msgspec.json import decode

    with path.open("rb") as lines:
        yield from (decode(line) for line in lines if line.strip())


def written(report: dict[str, Any], out: Path) -> None:
    """Write report.md, report.json and a picture of each calibration."""
    from msgspec.json import encode, format

    from extractors.learn.report import calibration_plot, page

    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_bytes(format(encode(report), indent=1) + b"\n")
    (out / "report.md").write_text(page(report), "utf-8")
    for convention in ("mentions", "guidelines"):
        if figures := report.get("codes", {}).get(convention):
            plot = calibration_plot(figures["calibration"], f"convention {convention}")
            (out / f"calibration-{convention}.svg").write_text(plot, "utf-8")


def logged(name: str, parameters: dict[str, Any], report: dict[str, Any]) -> None:
    """Log the run to MLflow where its address is set."""
    import os
    from datetime import UTC, datetime

    from server.learning.tracking import log_run

    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        now = int(datetime.now(UTC).timestamp() * 1000)
        run = log_run(uri, name, now, {k.replace(" ", "_"): str(v) for k, v in parameters.items()}, report)
        note(f"Logged to MLflow as run {run}.")
