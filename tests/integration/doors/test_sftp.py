"""Files pulled from an SFTP server in this process: known hosts only, once, put away over there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.doors.sftp import Pull, Remote, read_remote
from server.interactions.fhir import Fhir

asyncssh = pytest.importorskip("asyncssh")


class Far:
    """The server over there: its folder, and the settings that lead to it."""

    def __init__(self, root: Path, port: int, keys: Path) -> None:
        self.files = root / "out"
        self.keys = keys
        self.port = port

    def write(self, name: str, data: bytes) -> None:
        """A file for us."""
        (self.files / name).write_bytes(data)

    def names(self, inside: str = "") -> set[str]:
        """The plain files there."""
        place = self.files / inside
        return {path.name for path in place.iterdir() if path.is_file()} if place.is_dir() else set()

    def remote(self, **more: Any) -> Remote:
        """The settings, as their file says them."""
        told = {"host": "127.0.0.1", "port": self.port, "user": "pull", "known_hosts": "known", "folder": "/out"}
        told |= {"key": "client"} | more
        lines = [
            f"{key} = {value!r}" if isinstance(value, int) else f'{key} = "{value}"' for key, value in told.items()
        ]
        path = self.keys / "sftp.toml"
        path.write_text("\n".join(lines))
        return read_remote(path)


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Far]:
    """An SFTP server with a key of its own, and a client whose key it takes."""
    keys, root = tmp_path / "keys", tmp_path / "far"
    (root / "out").mkdir(parents=True)
    keys.mkdir()
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    client.write_private_key(str(keys / "client"))
    client.write_public_key(str(keys / "authorized"))

    def factory(channel: Any) -> Any:
        return asyncssh.SFTPServer(channel, chroot=str(root).encode())

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host],
        authorized_client_keys=str(keys / "authorized"),
        sftp_factory=factory,
    )
    port = server.sockets[0].getsockname()[1]
    (keys / "known").write_bytes(f"[127.0.0.1]:{port} ".encode() + host.export_public_key())
    yield Far(root, port, keys)
    server.close()
    await server.wait_closed()


async def pulled(pull: Pull) -> list[tuple[str, str]]:
    """State and reason of what two looks took."""
    return [(one.state, one.reason) for one in [*await pull.look(), *await pull.look()]]


def documents(fhir: Fhir) -> int:
    """How many DocumentReferences are stored."""
    return int(fhir.store.query("SELECT count(*) FROM resource WHERE type = 'DocumentReference'")[0][0])


async def test_files_are_stored_then_put_away(far: Far, fhir: Fhir) -> None:
    """What is stored is renamed into done, what is not into quarantine, what is not ours is left."""
    far.write("note.txt", b"Seen for asthma.")
    far.write("bad.zip", b"PK\x03\x04")
    far.write(".hidden", b"Seen")
    (far.files / "link.txt").symlink_to("note.txt")
    assert sorted(await pulled(Pull(far.remote(), fhir))) == [("quarantined", "not-supported"), ("stored", "")]
    assert (far.names("done"), far.names("quarantine")) == ({"note.txt"}, {"bad.zip"})
    assert {".hidden"} <= far.names()
    assert documents(fhir) == 1


async def test_deleted_where_so_configured(far: Far, fhir: Fhir) -> None:
    """Only what is stored is deleted."""
    far.write("note.txt", b"Seen for asthma.")
    far.write("bad.zip", b"PK\x03\x04")
    await pulled(Pull(far.remote(after="delete"), fhir))
    assert (far.names(), far.names("quarantine")) == (set(), {"bad.zip"})


async def test_cut_before_the_rename_nothing_is_doubled(far: Far, fhir: Fhir, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is stored, the line is cut: the next look knows it and puts it away."""

    async def cut(*_: Any) -> None:
        raise asyncssh.ConnectionLost("cut")

    far.write("note.txt", b"Seen for asthma.")
    pull = Pull(far.remote(), fhir)
    with monkeypatch.context() as patch, pytest.raises(FhirError) as lost:
        patch.setattr(Pull, "_put_away", cut)
        await pulled(pull)
    assert (lost.value.category, documents(fhir), far.names()) == (Category.UNAVAILABLE, 1, {"note.txt"})
    assert await pulled(Pull(far.remote(), fhir)) == [("stored", "")]
    assert (documents(fhir), far.names("done")) == (1, {"note.txt"})


async def test_a_server_that_is_not_known_is_not_trusted(far: Far, fhir: Fhir) -> None:
    """Another host key ends it before anything is sent; so does a missing list of known ones."""
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key()
    (far.keys / "known").write_bytes(f"[127.0.0.1]:{far.port} ".encode() + other)
    with pytest.raises(FhirError) as refusal:
        await Pull(far.remote(), fhir).look()
    assert refusal.value.category is Category.FORBIDDEN
    (far.keys / "known").write_bytes(b"\n")
    with pytest.raises(FhirError):
        far.remote()


async def test_a_key_that_is_not_taken_is_told(far: Far, fhir: Fhir) -> None:
    """Without saying what the secret was."""
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(far.keys / "client"))
    with pytest.raises(FhirError) as refusal:
        await Pull(far.remote(), fhir).look()
    assert refusal.value.category is Category.FORBIDDEN


async def test_large_and_growing_files(far: Far, fhir: Fhir) -> None:
    """One that is too long is put aside unread; one that grows between two looks is left."""
    object.__setattr__(fhir, "settings", fhir.settings.model_copy(update={"document_bytes": 1000}))
    far.write("large.txt", b"x" * 1001)
    assert await pulled(Pull(far.remote(), fhir)) == [("quarantined", "too-long")]
    pull = Pull(far.remote(), fhir)
    far.write("note.txt", b"Seen")
    assert await pull.look() == []
    far.write("note.txt", b"Seen for asthma.")
    assert await pull.look() == []
    assert [one.state for one in await pull.look()] == ["stored"]


@pytest.mark.parametrize(
    "more",
    [{"after": "burn"}, {"secret": "x"}, {"password": "p"}, {"done": "../x"}, {"pattern": "("}, {"pattern": "x"}],
    ids=lambda more: next(iter(more)) + str(len(str(more))),
)
async def test_wrong_settings_are_told(far: Far, more: dict[str, str]) -> None:
    """Nothing is guessed."""
    with pytest.raises(FhirError) as refusal:
        far.remote(**more)
    assert refusal.value.category is Category.INCORRECT
