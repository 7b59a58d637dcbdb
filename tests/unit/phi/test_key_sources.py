"""Where keys come from."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from server.phi.keys import Keys, KeysError, keys_of, parse
from server.settings import Settings, SettingsError, read_settings

LINE = f"1:{base64.b64encode(bytes(32)).decode()}"
NEXT = f"2:{base64.b64encode(bytes(range(32))).decode()}"


def test_keys_come_from_a_file_a_variable_or_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source gives the same keys, and the highest version is the newest."""
    (file := tmp_path / "keys").write_text(f"# ours\n{LINE}\n\n{NEXT}\n")
    file.chmod(0o600)
    monkeypatch.setenv("OUR_KEYS", f"{LINE},{NEXT}")
    for source, where in (("file", str(file)), ("environment", "OUR_KEYS"), ("command", f"cat {file}")):
        found = keys_of(Settings(encryption=source, encryption_keys=where))  # type: ignore[arg-type]
        assert found is not None
        assert (found.newest, found.versions) == (2, [1, 2])
        assert found.of(1) == bytes(32)
    assert keys_of(Settings()) is None


@pytest.mark.parametrize("text", ["", "1", "1:AAAA", f"x{LINE}", f"{LINE},{LINE}", "-1:AAAA", "1:not base64"])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    """A wrong line is refused, and the message holds nothing of it."""
    with pytest.raises(KeysError) as raised:
        parse(text)
    assert "AAAA" not in str(raised.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Keys that anybody on the machine can read are none."""
    (file := tmp_path / "keys").write_text(LINE)
    file.chmod(0o644)
    with pytest.raises(KeysError, match="chmod 600"):
        keys_of(Settings(encryption="file", encryption_keys=str(file)))


def test_a_source_that_fails_is_told(tmp_path: Path) -> None:
    """A missing file, an empty variable and a failing command are errors of the settings."""
    for source, where in (("file", str(tmp_path / "no")), ("environment", "NO_SUCH"), ("command", "false")):
        with pytest.raises(KeysError):
            keys_of(Settings(encryption=source, encryption_keys=where))  # type: ignore[arg-type]


def test_a_new_version_is_looked_for_at_the_source() -> None:
    """A process that meets a version it does not know asks the source again."""
    known = {1: bytes(32)}
    keys = Keys(lambda: known)
    known[2] = bytes(range(32))
    assert keys.of(2) == bytes(range(32))
    with pytest.raises(KeysError, match="lacks version 3"):
        keys.of(3)


def test_the_two_settings_go_together() -> None:
    """Encryption without keys, and keys without encryption, are refused."""
    for given in ({"encryption": "file"}, {"encryption_keys": "x"}):
        with pytest.raises(SettingsError, match="set together"):
            read_settings(**given)
