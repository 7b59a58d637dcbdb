"""PostgreSQL's own programs: where they are, and running them as somebody who may.

https://www.postgresql.org/docs/current/reference-client.html
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fhir_profiles.errors import Category, FhirError
from server.cli.supervise import die_with_parent

SECONDS = 6 * 3600
"""Longest time of one program."""


class Tools:
    """The programs in one directory, or on the PATH; `user` runs a server where we are root, who may not."""

    def __init__(self, folder: Path | None, user: str | None = None) -> None:
        self._folder = folder
        self._user = user if os.geteuid() == 0 else None

    def path(self, name: str) -> str:
        """Where a program is; FhirError when it is not there."""
        found = shutil.which(name, path=None if self._folder is None else str(self._folder))
        if found is None:
            text = f"{name} of PostgreSQL was not found: install the client programs, or name their directory by --bin."
            raise FhirError.of(Category.UNAVAILABLE, "not-found", text)
        return found

    def run(self, name: str, *arguments: str, as_server: bool = False) -> str:
        """What a program printed; FhirError with its exit code when it failed."""
        try:
            done = subprocess.run(  # noqa: S603 - programs of PostgreSQL
                [self.path(name), *arguments], capture_output=True, timeout=SECONDS, check=True, text=True,
                user=self._user if as_server else None, extra_groups=[] if as_server and self._user else None,
                cwd="/", preexec_fn=None if as_server else die_with_parent(),
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            text = f"{name} ended with {error.returncode}; its log, or that of the database, tells why."
            raise FhirError.of(Category.UNAVAILABLE, "exception", text) from None
        except subprocess.TimeoutExpired:
            raise FhirError.of(Category.UNAVAILABLE, "timeout", f"{name} took longer than {SECONDS} s.") from None
        return done.stdout

    def start(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """A program that runs beside us."""
        return subprocess.Popen(  # noqa: S603 - a program of PostgreSQL
            [self.path(name), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            preexec_fn=die_with_parent(),
        )

    def give(self, folder: Path) -> None:
        """Make the files of a data directory those of the user who runs the server."""
        folder.chmod(0o700)
        if self._user is None:
            return
        try:
            owner = pwd.getpwnam(self._user)
        except KeyError:
            text = "PostgreSQL does not run as root: name the user who runs it by --as."
            raise FhirError.of(Category.INCORRECT, "value", text) from None
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
