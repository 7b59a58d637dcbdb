"""The formulas against closed forms and against a simulation that knows none of them."""

from __future__ import annotations

import heapq
import math
import random
import statistics

import pytest

from server.capacity.queueing import mean_stay, mean_wait, wait_at, waiting_share


def simulated(servers: int, rate: float, service: float, seed: int, count: int) -> list[float]:
    """Waits of `count` arrivals at random moments with exponential service, after a first stretch left out."""
    dice = random.Random(seed)
    free, now, waits = [0.0] * servers, 0.0, []
    for _ in range(count):
        now += dice.expovariate(rate)
        begin = max(now, heapq.heappop(free))
        waits.append(begin - now)
        heapq.heappush(free, begin + dice.expovariate(1 / service))
    return waits[count // 10 :]


@pytest.mark.parametrize(("servers", "load"), [(1, 0.3), (1, 0.9), (2, 1.5), (8, 6.0), (200, 190.0)])
def test_who_must_wait_is_as_by_the_sum_that_defines_it(servers: int, load: float) -> None:
    """Erlang C by its textbook sum, in logarithms."""
    terms = [math.exp(n * math.log(load) - math.lgamma(n + 1)) for n in range(servers)]
    last = math.exp(servers * math.log(load) - math.lgamma(servers + 1)) * servers / (servers - load)
    assert waiting_share(servers, load) == pytest.approx(last / (sum(terms) + last), rel=1e-9)


@pytest.mark.parametrize("load", [-0.1, 2.0, 3.0])
def test_a_load_that_is_none_or_too_much_is_refused(load: float) -> None:
    """Two servers carry less than two."""
    with pytest.raises(ValueError, match="load"):
        waiting_share(2, load)


@pytest.mark.parametrize(("servers", "rate"), [(1, 0.5), (2, 1.5), (4, 3.4)])
def test_waits_are_as_in_a_simulation(servers: int, rate: float) -> None:
    """The mean, and what 95 of 100 stay within."""
    waits = simulated(servers, rate, 1.0, 11, 120_000)
    assert mean_wait(servers, rate, 1.0, 1.0) == pytest.approx(statistics.fmean(waits), rel=0.1)
    assert wait_at(0.95, servers, rate, 1.0, 1.0) == pytest.approx(sorted(waits)[int(0.95 * len(waits))], rel=0.1)


def test_equal_service_times_halve_the_wait_and_too_much_never_ends() -> None:
    """Variation 0 is half of variation 1; at or over capacity the wait is infinite; where nobody waits it is 0."""
    assert mean_wait(3, 2.0, 1.0, 0.0) * 2 == pytest.approx(mean_wait(3, 2.0, 1.0, 1.0))
    assert mean_wait(2, 2.0, 1.0, 1.0) == math.inf == wait_at(0.95, 2, 2.0, 1.0, 1.0)
    assert wait_at(0.95, 50, 1.0, 1.0, 1.0) == 0.0


@pytest.mark.parametrize(("servers", "rate", "variation"), [(1, 0.5, 1.0), (2, 1.5, 0.3), (4, 3.4, 2.0)])
def test_servers_that_do_not_share_are_the_ordinary_ones(servers: int, rate: float, variation: float) -> None:
    """Where n complete n times what one does, the stay is the service and the wait of M/G/k."""
    stay = mean_stay(rate, [n / 0.9 for n in range(1, servers + 1)], variation, servers)
    assert stay == pytest.approx(0.9 + mean_wait(servers, rate, 0.9, variation))


def test_servers_that_share_are_as_in_a_simulation() -> None:
    """Two that complete 1.5 together where one completes 1 alone, and no more: exponential work, arrivals at random."""
    dice, now, inside, area, arrived = random.Random(5), 0.0, 0, 0.0, 0
    for _ in range(200_000):
        pace = (0.0, 1.0, 1.5)[min(inside, 2)]
        step = dice.expovariate(1.0 + pace)
        now, area = now + step, area + step * inside
        if dice.random() < 1.0 / (1.0 + pace):
            inside, arrived = inside + 1, arrived + 1
        else:
            inside -= 1
    assert mean_stay(1.0, (1.0, 1.5), 1.0, 2) == pytest.approx(area / arrived, rel=0.05)
    assert mean_stay(1.5, (1.0, 1.5), 1.0, 2) == math.inf
