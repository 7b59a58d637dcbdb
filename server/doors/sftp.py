"""Files pulled from an SFTP server (https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02).

The server's host key must be known. A file is read whole, stored, and only then renamed or deleted over there.
"""

from __future__ import annotations

import asyncio
import re
import stat
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import structlog

from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir

from .arrivals import Unusable
from .files import About, by_number, take
from .rows import Outcome

if TYPE_CHECKING:
    import asyncssh

log = structlog.get_logger("fhirwright.doors")
_PART = 1 << 18


class Remote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One server and folder, as its TOML file says. Secrets are named by the files that hold them."""

    host: str
    user: str
    known_hosts: Path
    folder: str
    port: int = 22
    key: Path | None = None
    """A private key; `passphrase` is a file with its passphrase."""

    passphrase: Path | None = None
    password: Path | None = None
    names: str = "*"
    """Which files, as a shell pattern."""

    pattern: str = ""
    """A regular expression that finds `mrn` in a name; `system` is whose numbers those are."""

    system: str = ""
    after: Literal["rename", "delete"] = "rename"
    done: str = "done"
    quarantine: str = "quarantine"
    most: int = 1_000
    seconds: float = 60.0
    """How long one step (connecting, reading a file) may take."""


def read_remote(path: Path) -> Remote:
    """The settings in a TOML file; FhirError for what is wrong with them. Paths in it start at its folder."""
    try:
        found = msgspec.convert(tomllib.loads(path.read_text()), Remote, dec_hook=lambda kind, value: kind(value))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        where = f" ({error})" if isinstance(error, msgspec.ValidationError) else ""
        raise _wrong(f"The settings of the SFTP server cannot be used{where}.") from None
    beside = {
        name: path.parent / given
        for name in ("known_hosts", "key", "passphrase", "password")
        if (given := getattr(found, name)) is not None
    }
    remote = msgspec.structs.replace(found, **beside)
    if not remote.known_hosts.is_file() or not remote.known_hosts.read_bytes().strip():
        raise _wrong("The file known_hosts is missing or empty: a server that is not known is not trusted.")
    if (remote.key is None) == (remote.password is None):
        raise _wrong("Give either a key or a password, by the name of its file.")
    if "/" in remote.done + remote.quarantine or not (remote.done and remote.quarantine):
        raise _wrong("The folders done and quarantine are names within the folder.")
    try:
        named = "mrn" in re.compile(remote.pattern).groupindex
    except re.error:
        named = False
    if remote.pattern and not named:
        raise _wrong("The pattern is no regular expression with a group named mrn.")
    return remote


def _wrong(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "invalid", text)


@dataclass(frozen=True, slots=True)
class Found:
    """A file over there, as it was seen."""

    name: str
    size: int
    changed: int


class Pull:
    """Pulls from one folder; a file that grew between two looks, or while it was read, is left for the next one."""

    def __init__(self, remote: Remote, fhir: Fhir) -> None:
        self._remote = remote
        self._fhir = fhir
        self._pattern = re.compile(remote.pattern) if remote.pattern else None
        self._seen: set[Found] = set()

    async def look(self) -> list[Outcome]:
        """Take what stands unchanged since the look before; FhirError when the server cannot be reached or trusted."""
        import asyncssh

        try:
            async with asyncio.timeout(self._remote.seconds):
                connection = await asyncssh.connect(**self._options())
            outcomes: list[Outcome] = []
            async with connection, connection.start_sftp_client() as client:
                outcomes = await self._all(client)
        except asyncssh.HostKeyNotVerifiable:
            raise FhirError.of(
                Category.FORBIDDEN, "security", "The SFTP server shows a key that known_hosts does not have."
            ) from None
        except asyncssh.PermissionDenied:
            raise FhirError.of(Category.FORBIDDEN, "login", "The SFTP server does not let this user in.") from None
        except (OSError, asyncssh.Error, TimeoutError) as error:
            text = f"The SFTP server cannot be worked with now ({type(error).__name__})."
            raise FhirError.of(Category.UNAVAILABLE, "transient", text) from None
        return outcomes

    def _options(self) -> dict[str, Any]:
        remote = self._remote
        login: dict[str, Any] = {"client_keys": None, "agent_path": None, "config": None}
        if remote.key is not None:
            phrase = remote.passphrase.read_text().strip() if remote.passphrase else None
            login |= {"client_keys": [str(remote.key)], "passphrase": phrase}
        if remote.password is not None:
            login |= {"password": remote.password.read_text().strip()}
        return {
            "host": remote.host,
            "port": remote.port,
            "username": remote.user,
            "known_hosts": str(remote.known_hosts),
            **login,
        }

    async def _all(self, client: asyncssh.SFTPClient) -> list[Outcome]:
        there = [found async for found in self._files(client)]
        ready = [found for found in there if found in self._seen][: self._remote.most]
        self._seen = set(there)
        outcomes = []
        for found in sorted(ready, key=lambda one: one.name):
            try:
                outcomes.append(await self._take(client, found))
            except FhirError as error:  # the database is away: the file stays
                log.warning("sftp.later", reason=error.category.value)
                break
        return outcomes

    async def _files(self, client: asyncssh.SFTPClient) -> Any:
        """The plain files of the folder, without links and hidden ones."""
        async for entry in client.scandir(self._remote.folder):
            name, told = str(entry.filename), entry.attrs
            if "/" in name or name.startswith(".") or not fnmatchcase(name, self._remote.names):
                continue
            if told.permissions is not None and stat.S_ISREG(told.permissions) and told.size is not None:
                yield Found(name, told.size, int(told.mtime or 0))

    async def _take(self, client: asyncssh.SFTPClient, found: Found) -> Outcome:
        most = self._fhir.settings.document_bytes
        path = f"{self._remote.folder}/{found.name}"
        try:
            if found.size > most:
                raise Unusable("too-long", f"The file is over {most / 1e6:g} MB. Send it in parts.")
            async with asyncio.timeout(self._remote.seconds):
                content = await _read(client, path, most)
            if len(content) != found.size:
                raise FhirError.of(Category.BUSY, "transient", "The file changed while it was read.")
            outcome = await asyncio.to_thread(take, self._fhir, content, self._about(found.name))
        except Unusable as error:
            outcome = Outcome("", "quarantined", error.reason, error.text, ())
        await self._put_away(client, path, found.name, outcome)
        log.info("sftp.taken", state=outcome.state, reason=outcome.reason, known=outcome.known)
        return outcome

    def _about(self, name: str) -> About:
        found = self._pattern.search(name) if self._pattern else None
        return About(by_number(self._remote.system, found["mrn"])) if found else About()

    async def _put_away(self, client: asyncssh.SFTPClient, path: str, name: str, outcome: Outcome) -> None:
        """Rename or delete what is stored; what is not is never deleted over there."""
        stored = outcome.state == "stored"
        if stored and self._remote.after == "delete":
            await client.remove(path)
            return
        folder = f"{self._remote.folder}/{self._remote.done if stored else self._remote.quarantine}"
        await client.makedirs(folder, exist_ok=True)
        goal = f"{folder}/{name}"
        for number in range(1, 1_000):
            if not await client.lexists(goal):
                break
            goal = f"{folder}/{number}-{name}"
        await client.rename(path, goal)


async def _read(client: asyncssh.SFTPClient, path: str, most: int) -> bytes:
    """The bytes of a file, no more than `most` and one."""
    parts, size = [], 0
    async with client.open(path, "rb") as file:
        while size <= most and (part := await file.read(_PART)):
            parts.append(part if isinstance(part, bytes) else part.encode())
            size += len(part)
    return b"".join(parts)
