"""What the repository says about itself is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from server.cli.main import COMMANDS, load_command

TEXT = {".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".json", ".txt", ".cfg", ".csv", ".mako", ".sql", ""}
# A home or work directory of somebody's machine, and hosts that packages come from.
# Below /work stand the pages of the workbench; the folders of a machine there are others.
MACHINE = re.compile(r"(?<![\w./])/((home|root|Users|tmp/[A-Za-z])/\w+|work/(main|shared|helpers|\.library)\b)")
HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|conda\.anaconda|files\.python", re.IGNORECASE)
UNFINISHED = re.compile(
    r"\b(TODO|FIXME|HACK)\b|#.*\bXXX\b"
)  # without a comment XXX is a global period of the fee schedule


def test_no_machine_paths_and_no_registry_hosts(tracked: list[Path], root: Path) -> None:
    """What is tracked works on any machine and with any registry."""
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()[:80]}"
        for path in tracked
        if path.suffix in TEXT and path != Path(__file__) and path.name != "LICENSE"
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE.search(line) or HOSTS.search(line)
    ]
    assert found == []


def test_nothing_is_left_unfinished(tracked: list[Path], root: Path) -> None:
    """No reminder of unfinished work is tracked."""
    found = [
        f"{path.relative_to(root)}:{number}"
        for path in tracked
        if path.suffix == ".py" and path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_readme_commands_are_targets(root: Path) -> None:
    """The commands that the README and CONTRIBUTING give exist in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    told = (root / "README.md").read_text() + (root / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"\bmake ([a-z-]+)", told))
    assert {"demo", "serve"} <= named
    assert named <= targets


def test_every_target_needs_the_environment(root: Path) -> None:
    """Each target works on a fresh clone: it makes the environment first."""
    rules = re.findall(r"^([a-z-]+):([^#=\n]*)", (root / "Makefile").read_text(), re.MULTILINE)
    assert {name for name, needs in rules if "$(STAMP)" not in needs} == {"clean"}


def test_campaigns_import_from_the_checkout(root: Path, tracked: list[Path]) -> None:
    """`make campaign` puts the checkout first, since others install a `benchmarks` too; no folder is imported bare."""
    assert "-m campaigns.$(NAME)" in (root / "Makefile").read_text()
    folders = {path.name for path in (root / "campaigns").iterdir() if path.is_dir()}
    bare = re.compile(rf"^(?:from|import) ({'|'.join(sorted(folders))})\b", re.MULTILINE)
    assert [path for path in tracked if path.suffix == ".py" and bare.search(path.read_text("utf-8"))] == []


def test_links_of_the_documents_resolve(root: Path, tracked: list[Path]) -> None:
    """Each relative link in a tracked Markdown file leads to a file that exists, and to a heading that exists."""
    broken = []
    for path in tracked:
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (path.parent / name).resolve() if name else path
            if not file.exists() or (anchor and anchor not in _anchors(file)):
                broken.append(f"{path.relative_to(root)} → {target}")
    assert broken == []


def _anchors(path: Path) -> set[str]:
    """The anchors of a Markdown file's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


_CALLED = re.compile(r"(?:^|[|;&(]|bin/)\s*fhirwright ([a-z].*)", re.MULTILINE)


def called(page: str) -> list[str]:
    """The command lines of `fhirwright` that a page shows, in blocks and between backticks."""
    blocks = "\n".join(re.findall(r"```\w*\n(.*?)```", page, re.DOTALL)).replace("\\\n", " ")
    spans = re.findall(r"`(?:\.venv/bin/)?fhirwright ([a-z][^`]*)`", page)
    return [re.split(r"\s#\s|\s\||;\s|\s&&|\s[<>]\s", text)[0] for text in (*_CALLED.findall(blocks), *spans)]


def test_commands_of_the_documents_exist(root: Path) -> None:
    """Every command line on a page names a command, a part of it and options that there are."""
    wrong, seen = [], 0
    for page in (root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")):
        for line in called(page.read_text()):
            name, *rest = line.replace("'", "").replace('"', "").split()
            command = load_command(name) if name in COMMANDS else None
            while rest and rest[0] in getattr(command, "commands", {}):
                command, rest = command.commands[rest[0]], rest[1:]
            known = {option for one in getattr(command, "params", ()) for option in (*one.opts, *one.secondary_opts)}
            options = {word.partition("=")[0] for word in rest if word.startswith("--")} - {"--help"}
            seen += 1
            if (
                command is None
                or options - known
                or (hasattr(command, "commands") and re.match("[a-z]", "".join(rest)))
            ):
                wrong.append(f"{page.name}: {line}")
    assert not wrong
    assert seen > 100


def test_every_page_is_reachable_from_the_index(root: Path) -> None:
    """docs/index.md names each page of docs/; the page of results names the results."""
    docs = root / "docs"
    named = set(re.findall(r"\(([\w/.-]+\.md)\)", (docs / "index.md").read_text()))
    named |= {
        f"results/{name}" for name in re.findall(r"\(([\w.-]+\.md)\)", (docs / "results" / "index.md").read_text())
    }
    assert {str(path.relative_to(docs)) for path in docs.rglob("*.md")} - named == {"index.md"}


def test_changelog_has_the_version(root: Path) -> None:
    """The version of the distribution has its section, or is being collected under Unreleased."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}]" in (root / "CHANGELOG.md").read_text()


def test_decisions_are_short_and_numbered(root: Path) -> None:
    """An architecture decision fits on a screen and the numbers have no gap."""
    files = sorted((root / "docs" / "adr").glob("[0-9]*.md"))
    assert [file.name[:4] for file in files] == [f"{n:04d}" for n in range(1, len(files) + 1)]
    assert {
        file.name: len(file.read_text().splitlines()) for file in files if len(file.read_text().splitlines()) > 40
    } == {}


@pytest.mark.parametrize("folder", ["campaigns", "benchmarks"])
def test_every_measurement_is_documented(folder: str, root: Path) -> None:
    """Each campaign and benchmark is named in the README of its folder."""
    told = (root / folder / "README.md").read_text()
    names = {path.stem for path in (root / folder).glob("[a-z]*.py") if "__main__" in path.read_text()}
    assert {name for name in names if f"`{name}`" not in told} == set()


def test_notice_names_what_others_made(root: Path) -> None:
    """Data that ships and came from others is attributed."""
    notice = (root / "NOTICE").read_text()
    for source in ("HL7", "ICD-10-CM", "LOINC", "RxNorm"):
        assert source in notice


def test_locked_versions_carry_hashes(root: Path) -> None:
    """Every locked distribution is pinned with its hashes, whatever registry it comes from."""
    lock = (root / "requirements.lock").read_text()
    pinned = re.findall(r"^[a-z0-9._\[\],-]+==", lock, re.MULTILINE | re.IGNORECASE)
    assert len(pinned) > 50
    assert lock.count("--hash=sha256:") >= len(pinned)
    direct = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {_normal(name) for name in direct} <= {_normal(name) for name in pinned}


def _normal(requirement: str) -> str:
    """The normalised name of a distribution, without version and extras."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[>=<; ]", requirement)[0].lower())
