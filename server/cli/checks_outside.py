"""What `fhirwright doctor` asks about what stands around the server: clashes, collector, certificates, age."""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from server.cli.findings import Wrong
from server.settings import Settings

SOON_DAYS, OLD_HOURS, OLD_TABLE_DAYS = 14, 26, 400
_CERTIFICATES = ("OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")
_CONNECT_SECONDS = 3.0


def contradictions(settings: Settings) -> str:
    """Settings that do not go together, though each is sound."""
    found = []
    if settings.replica and settings.database_url.startswith("sqlite"):
        found.append("FHIRWRIGHT_REPLICA without a PostgreSQL database")
    if settings.stream_topics and not settings.stream_brokers:
        found.append("FHIRWRIGHT_STREAM_TOPICS without FHIRWRIGHT_STREAM_BROKERS")
    if settings.trace_trust and "traces" not in settings.telemetry:
        found.append("FHIRWRIGHT_TRACE_TRUST without traces in FHIRWRIGHT_TELEMETRY")
    if settings.open and settings.trusted_issuer:
        found.append("FHIRWRIGHT_TRUSTED_ISSUER with FHIRWRIGHT_OPEN, which asks nobody for a token")
    if found:
        raise Wrong(
            f"Settings contradict each other: {'; '.join(found)}.",
            "One of the two has no effect, and somebody relies on it.",
            "Set both or none; docs/settings.md says what each needs.",
        )
    return "do not contradict each other"


def telemetry(settings: Settings) -> str:
    """Whether the collector can be reached."""
    from server.telemetry.start import protocol_wrong

    if not settings.telemetry:
        return "off"
    if find_spec("opentelemetry.sdk") is None:
        raise Wrong("OpenTelemetry is not installed.", "The server does not start.", "Install `fhirwright[otel]`.")
    if wrong := protocol_wrong():
        raise Wrong(wrong, "The server does not start.", "Unset the variable, or set it to http/protobuf.")
    parts = urlsplit(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _CONNECT_SECONDS).close()
    except OSError as error:
        raise Wrong(
            f"The collector does not answer ({type(error).__name__}).",
            "Traces, metrics and logs are dropped; requests are served as always.",
            "Start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT.",
        ) from None
    return f"{', '.join(settings.telemetry)} to a collector that listens"


def certificates(_: Settings) -> str:
    """Whether certificates in files that are set end soon."""
    from cryptography import x509

    looked, now = 0, datetime.now(UTC)
    for name in _CERTIFICATES:
        path = os.environ.get(name)
        if not path:
            continue
        try:
            found = x509.load_pem_x509_certificates(Path(path).read_bytes())
        except (OSError, ValueError):
            raise Wrong(f"{name} names no certificate.", "Connections fail.", "Correct the path.") from None
        looked += len(found)
        days = min((one.not_valid_after_utc - now).days for one in found) if found else 0
        if days < SOON_DAYS:
            raise Wrong(
                f"A certificate of {name} ends in {days} days.",
                "After that connections fail.",
                "Have it renewed and restart the server.",
            )
    return f"{looked} looked at"


def backups(place: str | None, settings: Settings) -> str:
    """How old the newest backup in a directory, or a store of objects, is."""
    if place is None:
        return "not looked at: name their directory with --backups"
    from server.continuity.houses import STAGING, target_at

    found = target_at(place, settings.data / STAGING).list()
    do = f"`fhirwright backup create {place}`; run it by a timer."
    if not found:
        raise Wrong("There is no backup.", "What is lost with this machine is lost.", do)
    hours = (time.time() - max(one.point for one in found) / 1e6) / 3600
    if hours > OLD_HOURS:
        raise Wrong(f"The newest backup is {hours:.0f} h old.", "What was written since would be lost.", do)
    return f"{len(found)}, the newest {hours:.0f} h old"


def tables(settings: Settings) -> str:
    """How old what was loaded for claims is."""
    folder = settings.data / "claims"
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    if not files:
        return "none are loaded"
    days = (time.time() - max(path.stat().st_mtime for path in files)) / 86_400
    if days > OLD_TABLE_DAYS:
        raise Wrong(
            f"No table of claims was loaded for {days:.0f} days.",
            "Codes, edits and prices change each quarter or year; claims are judged by old ones.",
            "Load this year's with `fhirwright load`.",
        )
    return f"last loaded {days:.0f} days ago"
