"""The queueing formulas of the planner: Erlang C, waits in M/G/k, and M/G/k whose servers share their cores.

Source: the approximation of M/G/k by Allen and Cunneen (A. O. Allen, Probability, Statistics and Queueing Theory,
1990). Times are seconds, rates by the second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def waiting_share(servers: int, load: float) -> float:
    """Erlang C: the share of arrivals that must wait; `load` is arrival rate by service time, below `servers`."""
    if not 0 <= load < servers:
        raise ValueError("The load must be at least 0 and below the number of servers.")
    blocked = 1.0  # Erlang B, by its recursion, which neither overflows nor loses digits
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return servers * blocked / (servers - load * (1 - blocked))


def mean_wait(servers: int, rate: float, service: float, variation: float) -> float:
    """Mean seconds in the queue of M/G/k; `variation` is the squared coefficient of variation of the service time."""
    load = rate * service
    if load >= servers:
        return math.inf
    return waiting_share(servers, load) * service / (servers - load) * (1 + variation) / 2


def wait_at(share: float, servers: int, rate: float, service: float, variation: float) -> float:
    """The wait that `share` of the arrivals stay within, e.g. 0.95; an exponential tail is taken for those who wait."""
    load = rate * service
    if load >= servers:
        return math.inf
    waiting = waiting_share(servers, load)
    if waiting <= 1 - share:
        return 0.0
    return math.log(waiting / (1 - share)) * service / (servers - load) * (1 + variation) / 2


def mean_stay(rate: float, rates: Sequence[float], variation: float, servers: int) -> float:
    """Mean seconds from arrival to done where what is at work shares its machine: M/G/k with a pace by how many.

    `rates[n - 1]` is what n at work complete a second together, up to `servers` of them. A birth and death chain gives
    how many there are; the queue's part of the wait is weighed by the variation as in `mean_wait`.
    """
    if rate >= rates[servers - 1]:
        return math.inf
    chance, total, working = 1.0, 1.0, 0.0
    for n in range(1, servers):
        chance *= rate / rates[n - 1]
        total, working = total + chance, working + n * chance
    full, ratio = chance * rate / rates[servers - 1], rate / rates[servers - 1]  # all are at work, and nobody waits
    total, working = total + full / (1 - ratio), working + servers * full / (1 - ratio)
    queued = full * ratio / (1 - ratio) ** 2 * (1 + variation) / 2
    return (working + queued) / total / rate
