"""The settings of learning from coders' decisions: when, how much better, what is watched; of `server.settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field


class Learning(BaseModel):
    """When models are made from coders' decisions, when one takes over, and what raises an alarm."""

    # When, and of how much
    learn_hours: int = Field(0, description="Hours between runs of retraining; 0 for none of itself.", ge=0, le=8760)
    learn_documents: int = Field(
        100, description="Documents decided on whole that a run needs to learn from.", ge=20, le=1_000_000
    )
    learn_held: int = Field(
        40, description="Later documents of other patients that a run needs to measure with.", ge=10, le=1_000_000
    )
    learn_most: int = Field(
        20_000, description="Most documents in a run; of more the newest are taken.", ge=20, le=1_000_000
    )
    learn_trainer: Literal["counts", "forest"] = Field(
        "counts",
        description="What a run learns: `counts` of phrases and the calibration, or also a new `forest` over them, "
        "which needs the extra `learned`.",
    )
    learn_seconds: int = Field(7200, description="Longest time in seconds of one stage of a run.", ge=10, le=7 * 86_400)
    learn_regression: Path | None = Field(
        None,
        description="Fixed documents with codes that no version may do worse on; those of the package when empty.",
    )

    # What a better model is
    learn_gain: float = Field(
        0.002,
        description="Gain in micro F1 that a promotion needs; its interval must lie above 0.",
        ge=0,
        le=1,
    )
    learn_calibration_slack: float = Field(
        0.01, description="By how much the calibration error may become worse.", ge=0, le=1
    )
    learn_group_slack: float = Field(
        0.02, description="By how much the micro F1 of a group (age, sex) may become worse.", ge=0, le=1
    )
    learn_group_documents: int = Field(
        20, description="Documents measured with from which a group is held to that.", ge=5, le=1_000_000
    )
    learn_regression_slack: float = Field(
        0.01, description="By how much the micro F1 on the fixed documents may become worse.", ge=0, le=1
    )
    learn_slower: float = Field(
        1.5, description="How many times the champion's CPU time a challenger may take.", ge=1, le=100
    )

    # Shadow and promotion
    learn_promote: Literal["manual", "automatic"] = Field(
        "manual", description="Whether a version that has passed everything waits for `fhirwright learn promote`."
    )
    learn_shadow_documents: int = Field(
        200, description="Live documents that a challenger codes in the shadow first; 0 for none.", ge=0, le=10_000_000
    )
    learn_shadow_agreement: float = Field(
        0.7, description="Share of accepted codes that both must have in common in the shadow.", ge=0, le=1
    )

    # Drift
    learn_watch_hours: int = Field(24, description="Hours between looks at drift; 0 for none.", ge=0, le=8760)
    learn_watch_days: int = Field(28, description="Days that are held against the time before them.", ge=1, le=365)
    learn_watch_documents: int = Field(
        50, description="Documents decided on that both times need before anything is said.", ge=10, le=1_000_000
    )
    learn_watch_divergence: float = Field(
        0.02, description="Jensen-Shannon divergence (bits) from which a distribution has moved.", ge=0, le=1
    )
    learn_watch_share: float = Field(
        0.08, description="Change of a share of decisions, or of a calibration error, that counts.", ge=0, le=1
    )
    learn_watch_error: float = Field(
        0.01, description="Chance of any false alarm in one look, all its tests together.", gt=0, le=0.5
    )
    learn_alarm_days: int = Field(7, description="Days after which the Task of an alarm is due.", ge=1, le=365)
