"""A report of a run in which the challenger is better."""

from __future__ import annotations

SIDE = {"f1": 0.6, "p": 0.6, "r": 0.6, "calibration_error": 0.10}
SAME = {"f1": 0.0, "low": 0.0, "high": 0.0}
BETTER = {
    "held_back": {
        "documents": 100, "champion": SIDE, "challenger": {**SIDE, "f1": 0.7},
        "gain": {"f1": 0.1, "low": 0.05, "high": 0.2},
        "groups": {"sex": {"female": {"documents": 50, "champion": SIDE, "challenger": SIDE, "gain": SAME}}},
    },
    "regression": {"documents": 40, "champion": SIDE, "challenger": SIDE, "gain": SAME},
    "times_slower": 1.1,
}  # fmt: skip
