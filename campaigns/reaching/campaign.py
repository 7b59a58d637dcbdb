"""One run: the world, the worlds of its callers, and requests until enough were asked or something was found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from campaigns.reaching.asking import Ask, Asker
from campaigns.reaching.holders import HOLDERS, NAMED, known
from campaigns.reaching.judging import Eyes, Judge, View, eyes_of, follow
from campaigns.reaching.servers import Copy, Server, cut, fill, past

SEVERE = ("leak", "unrefused", "fault")


@dataclass
class Result:
    """What a run came to."""

    asked: Counter[str] = field(default_factory=Counter)
    callers: Counter[str] = field(default_factory=Counter)
    found: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in (*SEVERE, "over-refusal")})
    seconds: float = 0.0
    first: int | None = None
    """The number of the request that found the first leak."""

    @property
    def leaks(self) -> list[str]:
        """Everything that must not be."""
        return [text for kind in SEVERE for text in self.found[kind]]


@dataclass
class Stage:
    """The server with the world, and the views of its callers."""

    judge: Judge
    views: list[View]
    resources: int
    versions: int


@contextmanager
def stage(url: str, copy: Copy, data: Path, seed: int) -> Iterator[Stage]:
    """Fill the database, copy it for each that sees less, and open all."""
    first = Server(url, data)
    fill(first, seed)
    held = past(first)
    first.close()
    with ExitStack() as stack:
        server = _opened(stack, copy("whole"), data)
        twins: dict[tuple[object, ...], Server] = {}
        views = []
        for holder in map(known, (*HOLDERS, *NAMED)):
            eyes = {right: eyes_of(holder, right, held) for right in "rs"}
            for one in eyes.values():
                if tuple(one.hidden) not in twins:
                    twins[tuple(one.hidden)] = _twin(stack, copy, f"twin{len(twins)}", data, one)
            views.append(View(holder, eyes, {right: twins[tuple(one.hidden)] for right, one in eyes.items()}))
        yield Stage(Judge(server, held), views, len(held.versions), sum(map(len, held.versions.values())))


def _opened(stack: ExitStack, url: str, data: Path) -> Server:
    server = Server(url, data)
    stack.callback(server.close)
    server.seal()
    return server


def _twin(stack: ExitStack, copy: Copy, name: str, data: Path, eyes: Eyes) -> Server:
    url = copy(name)
    cut(url, eyes.hidden)
    return _opened(stack, url, data)


def run(
    scene: Stage, seed: int, requests: int, *, until_found: bool = False, tell: Callable[[str], None] = print
) -> Result:
    """Ask that many requests by chance; with `until_found` only until the first leak."""
    result, asker, judge = Result(), Asker(scene.judge.past, seed), scene.judge
    dice, began = asker.dice, time.process_time()
    for number in range(requests):
        view = dice.choice(scene.views)
        ask = _replayed(judge, asker) if dice.random() < 0.03 and judge.links else asker.any()
        result.asked[ask.kind] += 1
        result.callers[view.holder.name] += 1
        for finding in judge.judge(view, ask):
            text = f"#{number} {view.holder.name}: {ask.url}\n    {finding.kind}: {finding.text}"
            result.found[finding.kind].append(text)
            if result.first is None and finding.kind in SEVERE:
                result.first = number
        if until_found and result.first is not None:
            break
        if not until_found and number % 5000 == 4999:
            tell(f"{number + 1} requests, {len(result.leaks)} leaks, {len(result.found['over-refusal'])} over-refusals")
    result.seconds = time.process_time() - began
    return result


def _replayed(judge: Judge, asker: Asker) -> Ask:
    link, ask = asker.dice.choice(judge.links)
    return follow(ask, link)
