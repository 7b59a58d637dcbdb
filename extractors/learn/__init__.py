"""Train and measure what coding learned from documents that coders coded (docs/learned-coding.md)."""

from extractors.learn.corpus import Marked, Row, rows
from extractors.learn.evaluating import evaluate
from extractors.learn.training import Trained, train

__all__ = ["Marked", "Row", "Trained", "evaluate", "rows", "train"]
