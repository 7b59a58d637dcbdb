"""`fhirwright worker`: one process that codes documents from the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.settings import read_settings


def worker(
    slot: Annotated[int, typer.Option(min=0, max=9999, help="Which worker this is; one live process for each.")] = 0,
    database: Annotated[str | None, typer.Option(help="Database URL; FHIRWRIGHT_DATABASE otherwise.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; FHIRWRIGHT_DATA otherwise.")] = None,
    documents: Annotated[int | None, typer.Option(min=1, help="Documents read at once. [one per core]")] = None,
) -> None:
    """Run one worker that codes documents from the queue.

    Workers with different slots share the queue of one database, on any machine that reaches it. What a killed worker
    left behind is finished when its slot is started again. SIGTERM lets running documents end first.
    """
    from server.jobs.worker import main
    from server.observability import configure_logging

    settings = read_settings(database=database, data=data, worker_documents=documents)
    configure_logging(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    main(settings, slot)
