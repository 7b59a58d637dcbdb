"""Measurements that `make bench` prints: CPU time, because a shared machine has no honest wall clock."""
