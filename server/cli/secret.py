"""Secrets that commands take: from a prompt or from standard input, never from the command line that others can see."""

from __future__ import annotations

import getpass
import sys

import typer

LONGEST = 8192


def read_secret(what: str, *, twice: bool = False) -> str:
    """A secret: asked for at a terminal (`twice` to be sure), or the first line of standard input."""
    if not sys.stdin.isatty():
        found = sys.stdin.readline(LONGEST).rstrip("\r\n")
        if not found:
            raise typer.BadParameter(f"Give the {what} on standard input.")
        return found
    found = getpass.getpass(f"{what}: ")
    if twice and getpass.getpass(f"{what} again: ") != found:
        raise typer.BadParameter("These are not the same.")
    return found
