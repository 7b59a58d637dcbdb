"""What Linux tells of processes: who began whom, how much memory they share (man 5 proc)."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")


def children(pid: int) -> list[int]:
    """The processes that a process began."""
    return _children().get(pid, [])


def below(pid: int) -> list[int]:
    """The processes that a process began, and those that they began."""
    parents = _children()
    found = list(parents.get(pid, ()))
    for one in found:
        found += parents.get(one, ())
    return found


def _children() -> dict[int, list[int]]:
    parents: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue  # it has just ended
        parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(folder.name))
    return parents


def command(pid: int) -> str:
    """The command line of a process; empty when it has ended."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def memory(pids: list[int]) -> tuple[int, int]:
    """Bytes of memory that processes hold together: each shared page once in parts (PSS), and once for each (RSS)."""
    pss = rss = 0
    for pid in pids:
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        found = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])}
        pss += found["Pss"] * 1024
        rss += found["Rss"] * 1024
    return pss, rss
