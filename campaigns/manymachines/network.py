"""Network namespaces on one bridge, each a machine with an address (https://man7.org/linux/man-pages/man8/ip-netns.8.html)."""

from __future__ import annotations

import os
import shutil
import subprocess
from types import TracebackType
from typing import Self

BRIDGE = "fwmany0"
PREFIX = "10.91.0"


def why_not() -> str | None:
    """Why no network can be made here; None when one can."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    if shutil.which("ip") is None or shutil.which("tc") is None:
        return "ip and tc (iproute2) are not installed"
    made = subprocess.run(["ip", "netns", "add", "fwmany-try"], capture_output=True, check=False)
    if made.returncode:
        return "the kernel gives no network namespaces"
    run("ip", "netns", "del", "fwmany-try")
    return None


def run(*command: str, must: bool = True) -> None:
    """Run a command of iproute2."""
    subprocess.run(command, check=must, capture_output=True)


class Network:
    """A bridge, and a namespace for each name with a link to it that can be cut and slowed."""

    def __init__(self, names: list[str]) -> None:
        self.addresses = {name: f"{PREFIX}.{10 + place}" for place, name in enumerate(names)}

    def inside(self, name: str) -> list[str]:
        """What stands before a command that runs on a machine."""
        return ["ip", "netns", "exec", f"fwmany-{name}"]

    def cut(self, name: str, *, silently: bool) -> None:
        """Take a machine's link down; or leave it up and let what is sent come nowhere."""
        run("ip", "link", "set", f"fwm-{name}", *(["nomaster"] if silently else ["down"]))

    def narrow(self, name: str, *how: str) -> None:
        """Slow what goes to and from a machine down (tc-tbf): it waits, and what waits too long is dropped."""
        ends: list[list[str]] = [[], self.inside(name)]
        for device, at in zip((f"fwm-{name}", "eth0"), ends, strict=True):
            run(*at, "tc", "qdisc", "replace", "dev", device, "root", "tbf", *how)

    def heal(self, name: str) -> None:
        """Make the link whole again."""
        run("tc", "qdisc", "del", "dev", f"fwm-{name}", "root", must=False)
        run(*self.inside(name), "tc", "qdisc", "del", "dev", "eth0", "root", must=False)
        run("ip", "link", "set", f"fwm-{name}", "master", BRIDGE)
        run("ip", "link", "set", f"fwm-{name}", "up")

    def __enter__(self) -> Self:
        self._remove()
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{PREFIX}.1/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        for name, address in self.addresses.items():
            at = self.inside(name)
            run("ip", "netns", "add", f"fwmany-{name}")
            run("ip", "link", "add", f"fwm-{name}", "type", "veth", "peer", "name", "eth0", "netns", f"fwmany-{name}")
            run("ip", "link", "set", f"fwm-{name}", "master", BRIDGE)
            run("ip", "link", "set", f"fwm-{name}", "up")
            run(*at, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
            run(*at, "ip", "link", "set", "eth0", "up")
            run(*at, "ip", "link", "set", "lo", "up")
        return self

    def _remove(self) -> None:
        for name in self.addresses:
            run("ip", "link", "del", f"fwm-{name}", must=False)
            run("ip", "netns", "del", f"fwmany-{name}", must=False)
        run("ip", "link", "del", BRIDGE, must=False)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remove()
