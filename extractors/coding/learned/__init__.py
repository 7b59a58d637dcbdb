"""What training documents taught: which phrases lead coders to which codes, and how surely (docs/learned-coding.md)."""

from extractors.coding.learned.model import Model, model
from extractors.coding.learned.weighing import Weighed, weigh

__all__ = ["Model", "Weighed", "model", "weigh"]
