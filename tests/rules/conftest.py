"""Hypothesis on machines of any speed: no deadline for one example, and the same examples in every run."""

from hypothesis import settings

settings.register_profile("mfaportal", deadline=None, derandomize=True, database=None)
settings.load_profile("mfaportal")
