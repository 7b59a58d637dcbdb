"""`fhirwright learn export`, `train`, `compare`: the stages of a run over a directory, for DVC and for anybody.

https://dvc.org/doc/user-guide/project-structure/dvcyaml-files
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from server.cli.exits import Exit
from server.cli.places import FOLDER
from server.cli.terminal import note
from server.cli.user import Data, Database, opened

if TYPE_CHECKING:
    from server.learning.dataset import Case

DATASET, REPORT = "dataset.jsonl", "report.json"
Folder = Annotated[Path, typer.Option(**FOLDER, help="The directory of the stage before.")]
Out = Annotated[Path, typer.Option(help="The directory to write.")]
Line = tuple[str, "Case", str]


def register(learn: typer.Typer) -> None:
    """Add the commands to a group."""
    for command in (export, train, compare):
        learn.command()(command)


def export(
    out: Out,
    version: Annotated[str | None, typer.Option(help="The dataset of a version. [decisions as they stand]")] = None,
    database: Database = None,
    data: Data = None,
) -> None:
    """Write a dataset with its texts, for you only, and for no repository: dataset.jsonl holds what documents say.

    Lines of `train` and of `held` are parted as a run parts them. Exit code 5: documents are gone.
    """
    import msgspec

    from extractors.pipeline import Pipeline
    from server.interactions.fhir import Fhir
    from server.learning import registry
    from server.learning.bench import Bench
    from server.learning.dataset import split, unpacked

    with opened(database, data) as (store, settings):
        bench = Bench(Fhir(store, settings), Pipeline.open(settings.data))
        name = registry.known(store, version).data["snapshot"] if version else None
        frozen = unpacked(registry.file(store, name)) if name else bench.freeze()
        parts = split(frozen)
        lines = [(side, *one) for side in ("train", "held") for one in bench.told(getattr(parts, side))]
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    (out / ".gitignore").write_text("*\n")  # nobody's `git add` takes it along
    descriptor = os.open(out / DATASET, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    note(f"{len(parts.train)} documents to learn from and {len(parts.held)} to measure with, dataset {frozen.hash}")


def train(
    dataset: Folder,
    out: Out,
    trainer: Annotated[str, typer.Option(help="What is learned: counts or forest.")] = "counts",
    data: Data = None,
) -> None:
    """Make the two files of a version from a dataset. The same dataset gives the same bytes."""
    from extractors.pipeline import Pipeline
    from server.learning.bench import trained
    from server.settings import read_settings

    if trainer not in ("counts", "forest"):
        raise typer.BadParameter("The trainer is counts or forest.")
    told = _read(dataset, "train")
    files = trained(told, Pipeline.open(read_settings(data=data).data), trainer)
    _write(out, files)
    note(f"Learned from {len(told)} documents.")


def compare(
    dataset: Folder,
    challenger: Annotated[Path, typer.Option(**FOLDER, help="The directory of a version.")],
    out: Out,
    champion: Annotated[Path | None, typer.Option(**FOLDER, help="Another one. [the version of the package]")] = None,
    data: Data = None,
) -> None:
    """Hold two versions against each other and write report.json; without the clock, so that it is the same again."""
    import msgspec

    from extractors.learn.models import files_of, package_files
    from extractors.pipeline import Pipeline
    from server.learning.bench import fixed, measured, subjects
    from server.settings import read_settings

    settings = read_settings(data=data)
    pipeline = Pipeline.open(settings.data)
    models = (package_files() if champion is None else files_of(champion), files_of(challenger))
    report: dict[str, Any] = measured(
        subjects(_read(dataset, "held")), fixed(settings.learn_regression), pipeline, *models
    )
    del report["times_slower"]
    _write(out, {REPORT: msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"})
    gain = report["held_back"]["gain"]
    note(f"Gain in F1 {gain['f1']:+.4f}, 95 % from {gain['low']:+.4f} to {gain['high']:+.4f}.")


def _read(folder: Path, side: Literal["train", "held"]) -> list[tuple[Case, str]]:
    import msgspec

    from server.learning.dataset import Case

    decoder = msgspec.json.Decoder(tuple[str, Case, str])
    try:
        lines = [decoder.decode(line) for line in (folder / DATASET).read_bytes().splitlines() if line]
    except msgspec.MsgspecError:
        note(f"error: {DATASET} is not what learn export writes.")
        raise typer.Exit(Exit.REFUSED) from None
    return [(case, text) for which, case, text in lines if which == side]


def _write(out: Path, files: dict[str, bytes]) -> None:
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in files.items():
        (out / name).write_bytes(content)
