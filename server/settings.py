"""Every setting of the server: one field each, read from `FHIRWRIGHT_*`, documented in docs/settings.md."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.settings_adjudication import Adjudication
from server.settings_doors import Doors
from server.settings_learning import Learning
from server.settings_load import Load
from server.settings_policy import Policy
from server.settings_review import Reviewing
from server.settings_security import Security
from server.settings_streaming import Streaming
from server.settings_telemetry import Telemetry

KIB = 1024
MIB = 1024 * KIB

_HOST = re.compile(r"[a-z0-9]([a-z0-9.\-]{0,250}[a-z0-9])?(:\d{1,5})?")


class SettingsError(Exception):
    """The settings cannot work; the message names each wrong setting and what it must be."""


class Settings(Adjudication, Learning, Load, Policy, Reviewing, Security, Doors, Streaming, Telemetry, BaseSettings):
    """What the server may be told; every field has a description, a default and a bound."""

    model_config = SettingsConfigDict(env_prefix="FHIRWRIGHT_", extra="forbid", frozen=True, validate_default=True)

    # Where it stands
    host: str = Field("127.0.0.1", description="Address to listen on.", min_length=1, max_length=255)
    port: int = Field(8000, description="TCP port to listen on; 0 lets the system choose.", ge=0, le=65535)
    base_url: str | None = Field(
        None,
        description="Public address of the FHIR base as clients see it, without a slash at the end; "
        "when empty it is taken from each request's Host header, which must be one of `server_names`.",
        pattern=r"^https?://[^\s?#]+[^\s/?#]$",
        max_length=2048,
    )
    data: Path = Field(Path("var"), description="Directory of the database, the terminology and the caches.")
    database: str | None = Field(
        None,
        description="Database URL, `sqlite:///PATH` or `postgresql://…`; when empty, `fhirwright.db` in the data dir.",
        pattern=r"^(sqlite|postgresql)(\+[a-z0-9]+)?://",
        max_length=4096,
    )
    workers: int = Field(1, description="API processes that share the database.", ge=1, le=256)
    shutdown_seconds: int = Field(
        20, description="Seconds that running requests and the worker get to finish at shutdown.", ge=0, le=3600
    )

    # What a request may cost
    max_body_bytes: int = Field(
        64 * MIB, description="Largest request body in bytes; more is answered with 413.", ge=KIB, le=2048 * MIB
    )
    max_url_bytes: int = Field(16 * KIB, description="Longest path and query in bytes.", ge=256, le=64 * KIB)
    max_bundle_entries: int = Field(
        10_000, description="Most entries in one batch or transaction Bundle.", ge=1, le=1_000_000
    )
    default_count: int = Field(20, description="Search results on a page when `_count` is absent.", ge=1, le=1000)
    max_count: int = Field(1000, description="Most search results on a page whatever `_count` says.", ge=1, le=10_000)
    search_text: bool = Field(
        True,
        description="Index the words of each new version, for `_text` and `_content`; off makes writes cheaper.",
    )
    search_handling: Literal["strict", "lenient"] = Field(
        "lenient",
        description="What becomes of a search parameter that is not known when `Prefer: handling` is absent: `strict` "
        "refuses the search, `lenient` leaves it out and says so in the Bundle.",
    )
    terminology_seconds: float = Field(
        0.6,
        description="Seconds of CPU that a call to the terminology may take once it is read; more is refused.",
        gt=0,
        le=3600,
    )
    search_seconds: float = Field(
        30.0, description="A search that takes longer is ended and answered with an error.", gt=0, le=3600
    )
    max_conditional_delete: int = Field(
        1000,
        description="Most resources that one conditional delete may end; with 1 a query that finds several is refused.",
        ge=1,
        le=100_000,
    )
    require_if_match: bool = Field(
        False,
        description="Answer 428 to a PUT, PATCH or DELETE of an existing resource that does not name its version in "
        "If-Match.",
    )
    max_waiting_writes: int = Field(
        5000,
        description="Writes that may wait for their commit in one process; more must come back.",
        ge=1,
        le=1_000_000,
    )
    gzip_min_bytes: int = Field(
        4 * KIB,
        description="Responses of at least this many bytes are compressed for clients that accept gzip; 0 is off.",
        ge=0,
        le=1024 * MIB,
    )

    # What is asked of resources
    validation: Literal["off", "structure", "profiles"] = Field(
        "profiles",
        description="What a write is held to: `structure`, that of FHIR R4; `profiles`, also the profiles that a "
        "resource claims in `meta.profile` and that are known; `off`, nothing but what storing and finding it needs.",
    )
    required_profiles: tuple[str, ...] = Field(
        (),
        description="Profiles (canonical URLs) that every resource of their type must meet, whatever it claims; "
        "of several for one type, one. Needs `validation` to be `profiles`.",
    )
    package_bytes: int = Field(
        1024 * MIB, description="Most bytes of a FHIR package when it is unpacked.", ge=MIB, le=64 * 1024 * MIB
    )
    package_entries: int = Field(50_000, description="Most entries of a FHIR package.", ge=1, le=10_000_000)

    # Worker
    worker: bool = Field(True, description="`serve` starts and watches one worker process, slot 0.")
    worker_documents: int = Field(
        0,
        description="Documents that one worker reads at once, each in a process of its own; 0 is one per core.",
        ge=0,
        le=256,
    )
    worker_jobs: int = Field(
        2,
        description="Requests that are answered later, and as many exports and imports, that one worker runs at once.",
        ge=1,
        le=64,
    )
    worker_poll_seconds: float = Field(0.2, description="How often a worker looks for new documents.", ge=0.01, le=60)
    job_attempts: int = Field(
        20,
        description="How often a document is taken up again after its worker died, before it is failed.",
        ge=1,
        le=1000,
    )
    job_keep_days: int = Field(30, description="Days that the records of finished jobs are kept.", ge=1, le=3650)

    # What is answered later
    later_running: int = Field(
        10,
        description="Requests with `Prefer: respond-async`, exports and imports that one client may have running.",
        ge=1,
        le=10_000,
    )
    later_kept: int = Field(
        200, description="Requests that one client may have running or whose results are kept.", ge=1, le=100_000
    )
    later_keep_hours: int = Field(
        24, description="Hours that results, exported files and reports of imports are kept.", ge=1, le=8760
    )
    exports_at_once: int = Field(4, description="Exports that may wait or run; more must come back.", ge=1, le=1000)
    export_lines: int = Field(100_000, description="Most resources in one file of an export.", ge=1, le=10_000_000)
    imports_at_once: int = Field(2, description="Imports that may wait or run; more must come back.", ge=1, le=1000)
    import_bytes: int = Field(
        4096 * MIB, description="Largest NDJSON file in bytes that an import fetches.", ge=KIB, le=1024 * 1024 * MIB
    )
    inner_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts and networks behind our own walls (`10.0.0.5`, `10.1.0.0/16`, `hooks.internal`) that "
        "subscriptions and imports may reach, also by http; all others must have public addresses and https.",
    )

    # Subscriptions
    subscriptions: int = Field(1000, description="Most Subscriptions that the server takes.", ge=0, le=100_000)
    subscription_seconds: float = Field(
        10.0, description="Seconds that an endpoint has to take a notification.", gt=0, le=600
    )
    subscription_poll_seconds: float = Field(
        0.25, description="How often a worker and the websockets look for events.", ge=0.01, le=60
    )
    subscription_back_off_seconds: float = Field(
        1.0,
        description="Pause after an endpoint failed; it doubles with each failure, up to a quarter of an hour.",
        ge=0.01,
        le=900,
    )
    subscription_error_after: int = Field(
        3, description="Failures in a row after which the Subscription shows `error` and why.", ge=1, le=1000
    )
    subscription_off_after: int = Field(
        100, description="Failures in a row after which a Subscription is `off`.", ge=1, le=10_000
    )
    subscription_keep_days: int = Field(7, description="Days that events are kept for `$events`.", ge=1, le=3650)

    # Claims
    claim_owners: dict[str, str] = Field(
        {},
        description="Who sees to claims that failed: category → reference, `*` for all others, such as "
        '`{"NCC": "Organization/coding", "*": "Organization/billing"}`. The Tasks of others belong to nobody.',
        max_length=100,
    )

    # Review
    second_look_percent: float = Field(
        0.0,
        description="Percent of finished documents that are put forward for a second look, by a hash of their ids.",
        ge=0,
        le=100,
    )

    # Which documents are coded and what one may cost
    coding: Literal["all", "opt-in", "off"] = Field(
        "all",
        description="Which DocumentReferences are coded: all with a readable attachment, those that opt in, or none. "
        "The tag `code` or `skip` of our processing CodeSystem in `meta.tag` decides for a single one.",
    )
    coding_categories: tuple[str, ...] = Field(
        (), description="Categories or types (`system|code`) whose documents opt in when `coding` is `opt-in`."
    )
    coding_skip_categories: tuple[str, ...] = Field(
        (), description="Categories or types (`system|code`) whose documents are not coded when `coding` is `all`."
    )
    findings_engine: Literal["compiled", "medspacy"] = Field(
        "compiled", description="What runs the assertion and section rules: the compiled executor or medspaCy itself."
    )
    document_bytes: int = Field(
        50_000_000, description="Largest attachment in bytes that is read.", ge=KIB, le=2048 * MIB
    )
    document_pages: int = Field(
        300, description="Most pages of a document; one with more must come in parts.", ge=1, le=100_000
    )
    document_characters: int = Field(
        5_000_000, description="Most characters of a document without pages.", ge=1000, le=1_000_000_000
    )
    document_depth: int = Field(
        200, description="Deepest nesting of elements or groups in HTML, RTF and C-CDA.", ge=10, le=10_000
    )
    page_pixels: int = Field(
        40_000_000,
        description="Most pixels of a page image; A4 at 600 dpi has 34.8 million.",
        ge=100_000,
        le=1_000_000_000,
    )
    page_words: int = Field(
        20_000, description="Most words of a page; one with more was not written for people.", ge=100, le=1_000_000
    )
    page_look_seconds: float = Field(
        1.0, description="Processor seconds to load a page and see how it is to be read.", ge=0.1, le=3600
    )
    page_seconds: float = Field(20.0, description="Processor seconds to read a page, OCR included.", ge=1, le=3600)
    page_wall_seconds: float = Field(
        60.0, description="Longest time for a page, however busy the machine is.", ge=1, le=86400
    )
    second_reader: Literal["off", "rapidocr"] = Field(
        "off",
        description="Who reads numbers, codes and doubtful words of scanned pages a second time; `rapidocr` needs the "
        "extra `ocr`.",
    )
    second_pieces: int = Field(
        200, description="Most pieces of lines of a page that the second reader reads.", ge=1, le=10_000
    )
    second_seconds: float = Field(
        6.0,
        description="Processor seconds of a page after which the second reader begins no further piece.",
        ge=0.1,
        le=3600,
    )
    document_open_seconds: float = Field(
        2.0,
        description="Processor seconds to open a document; again to take a page's text layer, and to render it.",
        ge=0.1,
        le=3600,
    )
    document_seconds: float = Field(900.0, description="Longest time for one document, all its stages.", ge=1, le=86400)
    document_memory_bytes: int = Field(
        3 * 1024 * MIB,
        description="Most memory of the process that codes a document.",
        ge=256 * MIB,
        le=1024 * 1024 * MIB,
    )
    reader_memory_bytes: int = Field(
        1000 * MIB,
        description="Most address space of the process that parses a document's bytes.",
        ge=256 * MIB,
        le=1024 * 1024 * MIB,
    )
    cache_bytes: int = Field(
        1024 * MIB,
        description="Most bytes of page readings and intermediate results kept in the data dir.",
        ge=MIB,
        le=1024 * 1024 * MIB,
    )

    # What is told
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Log lines for people, for machines, or `auto`: for people when stderr is a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_requests: Literal["all", "problems"] = Field(
        "problems",
        description="Which requests are logged, by route template, status and time: all, or those that failed or were "
        "slow. Each line costs as much as a read; metrics and the audit trail know the others.",
    )
    slow_seconds: float = Field(2.0, description="A request that takes this long is logged as slow.", gt=0, le=3600)
    metrics: bool = Field(True, description="Serve Prometheus metrics at `/metrics`.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Settings that only make sense together."""
        for network in self.proxies:
            ipaddress.ip_network(network, strict=False)
        if self.default_count > self.max_count:
            raise ValueError("default_count must not be larger than max_count")
        if (wrong := self.adjudication_wrong()) is not None:
            raise ValueError(wrong)
        if (wrong := self.streaming_wrong()) is not None:
            raise ValueError(wrong)
        if (self.encryption == "off") is not (self.encryption_keys is None):
            raise ValueError("encryption and encryption_keys must be set together")
        trusted = (self.trusted_issuer, self.trusted_jwks)
        if any(trusted) and not (all(trusted) and self.base_url):
            raise ValueError("trusted_issuer, trusted_jwks and base_url go together")
        if (wrong := self.load_wrong(self.database_url, self.tenants)) is not None:
            raise ValueError(wrong)
        urls = [self.database_url, *(url for url in self.tenants.values() if url)]
        if len(set(urls)) < len(urls):
            raise ValueError("each of tenants must have a database of its own")
        if not all(_HOST.fullmatch(host) for host in self.tenants):
            raise ValueError("tenants must be named by host names in small letters, with the port where there is one")
        if self.tenants and self.open:
            raise ValueError("tenants need authorization: leave out open")
        return self

    @property
    def database_url(self) -> str:
        """The database, with the default filled in; with a mark where it is reached through a pooler."""
        url = self.database or f"sqlite:///{self.data / 'fhirwright.db'}"
        return self._marked(url)

    @property
    def direct_url(self) -> str:
        """The database without a pooler, for what needs a session of its own: leases, migrations, backups."""
        return self.database_direct or self.database_url

    @property
    def replica_url(self) -> str | None:
        """The replica, with the same mark."""
        return self.replica and self._marked(self.replica)

    def _marked(self, url: str) -> str:
        if self.database_direct is None:
            return url
        from server.store.pooler import marked_url  # and with it the drivers, which a command line seldom needs

        return marked_url(url)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address that is listened on."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


def read_settings(**given: object) -> Settings:
    """Settings from the environment with `given` on top (None is absent); SettingsError says what is wrong."""
    try:
        return Settings(**{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("\n".join(_complaints(error))) from None


def _complaints(error: ValidationError) -> list[str]:
    """One line per wrong setting; the given value is not repeated, it may hold a password."""
    return [
        f"FHIRWRIGHT_{'_'.join(map(str, issue['loc'])).upper()}: {issue['msg']}" if issue["loc"] else issue["msg"]
        for issue in error.errors(include_input=False, include_url=False)
    ]


def to_environment(settings: Settings) -> dict[str, str]:
    """The settings as variables, for child processes to read the same."""
    return {
        f"FHIRWRIGHT_{name.upper()}": json.dumps(value) if isinstance(value, bool | list | dict) else str(value)
        for name, value in settings.model_dump(mode="json").items()
        if value is not None
    }
