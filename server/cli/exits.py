"""The exit codes of every command, documented in docs/cli.md from here."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the caller of `fhirwright` can rely on; the docstring of each member is in `MEANING`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    SETTINGS = 3
    UNAVAILABLE = 4
    REFUSED = 5
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.OK: "The command did what it says.",
    Exit.FAILED: "The command ran and the answer is no: a check failed, a code is not valid, an unexpected error.",
    Exit.USAGE: "The command line is wrong: an unknown command or option, a missing argument.",
    Exit.SETTINGS: "A setting is wrong or a combination of settings is not allowed.",
    Exit.UNAVAILABLE: "Something needed cannot be reached: the database, the terminology, a port that is taken, "
    "a file that cannot be written.",
    Exit.REFUSED: "The input was refused: an unreadable, encrypted, too large or unsupported file.",
    Exit.INTERRUPTED: "Stopped by Ctrl-C.",
}
