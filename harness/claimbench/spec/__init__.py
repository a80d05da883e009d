"""The claim spec: what claims.yaml says, checked, without importing the paper.

`load_spec(folder)` reads a paper folder. Its errors name file, line, column and remedy.
"""

from claimbench.spec.load import Cache, load_spec
from claimbench.spec.models import Amendment, Claim, Experiment, Known, Paper, Removal, Rule, Spec
from claimbench.spec.problems import Problem, SpecError
from claimbench.spec.region import Region
from claimbench.tiers import TIERS, Tier

__all__ = [
    "TIERS",
    "Amendment",
    "Cache",
    "Claim",
    "Experiment",
    "Known",
    "Paper",
    "Problem",
    "Region",
    "Removal",
    "Rule",
    "Spec",
    "SpecError",
    "Tier",
    "load_spec",
]
