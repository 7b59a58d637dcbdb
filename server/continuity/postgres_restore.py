"""Bring a base backup of PostgreSQL back into a new data directory, and recover it to a point.

https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-PITR-RECOVERY
"""

from __future__ import annotations

import shlex
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from fhir_profiles.errors import Category, FhirError

from .postgres_tools import Tools

SETTINGS, BACKUP_LABEL = "postgresql.auto.conf", "backup_label"
START_SECONDS = 3600
_RECOVERY = ("recovery_target", "restore_command")
_RUNS = "postmaster.pid"
"""There while a server runs on a data directory."""


def extract(archive: Path, cluster: Path) -> None:
    """Take the cluster's files out of the archive of a base backup."""
    cluster.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(cluster, filter="data")
    except tarfile.TarError:
        raise FhirError.of(Category.INCORRECT, "value", "The base backup is damaged; use another one.") from None
    for name in ("pg_wal/archive_status", "pg_wal/summaries", "pg_tblspc", "pg_notify"):
        (cluster / name).mkdir(parents=True, exist_ok=True)


def aim(cluster: Path, logs: list[Path], target: str | int | None) -> None:
    """Say where the log comes from and where recovery ends: at a named point, a time (microseconds), or its end."""
    ways = [f"cp -f {shlex.quote(str(log))}/%f{end} %p 2>/dev/null" for log in logs for end in ("", ".partial")]
    lines = [f"restore_command = '{_quoted(' || '.join(ways))}'", "recovery_target_action = 'promote'"]
    if isinstance(target, str):
        lines.append(f"recovery_target_name = '{_quoted(target)}'")
    elif target is not None:
        moment = datetime.fromtimestamp(target / 1e6, UTC)
        lines.append(f"recovery_target_time = '{moment:%Y-%m-%d %H:%M:%S.%f}+00'")
    settings = cluster / SETTINGS
    kept = settings.read_text() if settings.exists() else ""
    settings.write_text(kept + "\n" + "\n".join(lines) + "\n")
    (cluster / "recovery.signal").touch()
    for name in ("postgresql.conf", "pg_ident.conf"):
        (cluster / name).touch()  # where the system keeps them elsewhere, the cluster has none of its own


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "''")


@contextmanager
def running(tools: Tools, cluster: Path, url: str) -> Iterator[str]:
    """Run the restored cluster where nobody else reaches it, recovered and writable; the URL of the database there."""
    sockets = cluster / "restoring"
    sockets.mkdir(exist_ok=True, mode=0o700)
    (access := sockets / "hba").write_text("local all all trust\n")
    tools.give(cluster)
    options = (
        f"-h '' -k {shlex.quote(str(sockets))} -c hba_file={shlex.quote(str(access))} -c hot_standby=off"
        " -c archive_mode=off -c unix_socket_permissions=0700 -c logging_collector=off -c ssl=off -p 5432"
    )
    on = ("pg_ctl", "-D", str(cluster), "-w", "-t", str(START_SECONDS))
    try:
        tools.run(*on, "-l", str(sockets / "log"), "-o", options, "start", as_server=True)
    except FhirError:  # it can end before anybody is told that it began
        if (cluster / _RUNS).exists():
            tools.run(*on, "-m", "immediate", "stop", as_server=True)
        raise _unreached() from None
    try:
        _wait_for(there := _there(url, sockets), cluster / _RUNS)
        yield there
    finally:
        if (cluster / _RUNS).exists():
            tools.run(*on, "-m", "fast", "stop", as_server=True)
    for path in sockets.iterdir():
        path.unlink()
    sockets.rmdir()
    _forget(cluster)


def last_commit(url: str) -> int:
    """When the last transaction that recovery brought back was committed, in microseconds; 0 where it was none."""
    with psycopg.connect(url) as raw:
        [(at,)] = raw.execute("SELECT extract(epoch FROM pg_last_xact_replay_timestamp())").fetchall()
    return round(float(at) * 1e6) if at is not None else 0


def _wait_for(url: str, runs: Path) -> None:
    """Wait until recovery is over: before, nobody is let in. FhirError when it ends elsewhere than it should."""
    until = time.monotonic() + START_SECONDS
    while psycopg.pq.PGconn.ping(url.encode()) != psycopg.pq.Ping.OK:
        if not runs.exists():
            raise _unreached()
        if time.monotonic() > until:
            raise FhirError.of(Category.UNAVAILABLE, "timeout", f"Recovery took longer than {START_SECONDS} s.")
        time.sleep(0.1)
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        text = "The restored cluster does not have the database, or the user, of the URL."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text) from None


def _unreached() -> FhirError:
    text = (
        "The cluster could not be recovered to what was asked: restoring/log in its directory tells why."
        " Where the archived log ends before that moment, --latest goes to its end."
    )
    return FhirError.of(Category.NOT_FOUND, "not-found", text)


def _there(url: str, sockets: Path) -> str:
    """The URL of the same database, by the sockets of the restored cluster."""
    parts = urlsplit(url)
    who = parts.netloc.rpartition("@")[0]
    netloc = f"{who}@" if who else ""
    scheme = parts.scheme.partition("+")[0]
    return urlunsplit((scheme, netloc, parts.path, f"host={quote(str(sockets), safe='')}&port=5432", ""))


def _forget(cluster: Path) -> None:
    """Take the settings of the recovery out again: it is over."""
    settings = cluster / SETTINGS
    kept = [line for line in settings.read_text().splitlines() if not line.startswith(_RECOVERY)]
    settings.write_text("\n".join(kept) + "\n")
