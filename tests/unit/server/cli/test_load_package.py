"""`fhirwright load package`."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from server.cli.exits import Exit
from server.cli.main import run

MANIFEST = {"name": "org.example.ig", "version": "1.0.0", "fhirVersions": ["4.0.1"], "dependencies": {"x.y": "1.0.0"}}
VALUE_SET = {"resourceType": "ValueSet", "url": "http://example.org/ValueSet/v", "status": "active"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with one value set."""
    path = tmp_path / "ig.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("package.json", MANIFEST), ("ValueSet-v.json", VALUE_SET)):
            body = json.dumps(content).encode()
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return path


def test_a_package_is_loaded_once_and_told_as_json(package, tmp_path, capsys):
    """The result says what was there, what is missing, and whether anything was written."""
    for written in (True, False):
        assert run(["load", "package", str(package), "--data", str(tmp_path), "--json"]) == Exit.OK
        told = json.loads(capsys.readouterr().out)
        assert (told["name"], told["counts"], told["missing"]) == ("org.example.ig", {"ValueSet": 1}, ["x.y"])
        assert told["written"] is written


def test_people_are_told_what_is_missing(package, tmp_path, capsys):
    """What a package builds on and what that means is said in words."""
    assert run(["load", "package", str(package), "--data", str(tmp_path)]) == Exit.OK
    out = capsys.readouterr()
    assert "org.example.ig 1.0.0: 1 ValueSet" in out.out
    assert "not loaded: x.y" in out.err


def test_a_file_that_is_no_package_is_refused(tmp_path, capsys):
    """The exit code says that the input is at fault, the message which file."""
    path = tmp_path / "x.tgz"
    path.write_bytes(b"no")
    assert run(["load", "package", str(path), "--data", str(tmp_path)]) == Exit.REFUSED
    assert "x.tgz" in capsys.readouterr().err


def test_a_missing_file_is_a_wrong_command_line(tmp_path):
    """So is a package without a file."""
    assert run(["load", "package", str(tmp_path / "none.tgz"), "--data", str(tmp_path)]) == Exit.USAGE
    assert run(["load", "package", "--data", str(tmp_path)]) == Exit.USAGE


def test_the_limits_are_settings(package, tmp_path, capsys, monkeypatch):
    """A package with more entries than allowed is refused with the limit."""
    monkeypatch.setenv("FHIRWRIGHT_PACKAGE_ENTRIES", "1")
    assert run(["load", "package", str(package), "--data", str(tmp_path)]) == Exit.REFUSED
    assert "more than 1 entries" in capsys.readouterr().err
