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
    Exit.FAILED: "The command ran and the answer is no: a check failed, a code is not valid; or an unexpected error, "
    "told by its kind and place.",
    Exit.USAGE: "The command line is wrong: an unknown command or option, a missing argument, "
    "a file or folder to read that is not there.",
    Exit.SETTINGS: "A setting is wrong or a combination of settings is not allowed.",
    Exit.UNAVAILABLE: "Something needed cannot be reached: the database, the terminology, a port that is taken, "
    "a file that cannot be written.",
    Exit.REFUSED: "The input was read and refused, all of it or a part that is told: damaged, encrypted, too large, "
    "unsupported.",
    Exit.INTERRUPTED: "Stopped by Ctrl-C.",
}
