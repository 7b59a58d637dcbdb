"""A Ray cluster of small nodes on this machine, with no dashboard and nothing told to anybody."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from campaigns.claiming.processes import below, command

_STORE = 100 * 1024 * 1024


@contextmanager
def nodes(count: int, cpus: int = 1) -> Iterator[Any]:
    """A cluster whose first node is the head with no work on it when there are more; its `address` is for `--ray`."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "RAY_NUM_REDIS_GET_RETRIES": "120"}
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": _STORE, "include_dashboard": False}
    cluster = _patiently(lambda: Cluster(initialize_head=True, head_node_args={**small, "num_cpus": cpus}))
    try:
        for _ in range(count - 1):
            _patiently(lambda: cluster.add_node(**small, num_cpus=cpus))
        cluster.wait_for_nodes(timeout=120)
        yield cluster
    finally:
        cluster.shutdown()


def _patiently(start: Callable[[], Any], times: int = 4) -> Any:
    """Start something again: Ray gives a node 30 seconds, which are too few on a machine that is busy."""
    for _ in range(times - 1):
        with suppress(Exception):
            return start()
    return start()


def actors(cluster: Any) -> list[int]:
    """The processes of the cluster in which actors work."""
    heads = [one.process.pid for node in cluster.list_all_nodes() for one in node.all_processes.get("raylet", ())]
    return [pid for head in heads for pid in below(head) if "Actor" in command(pid)]
