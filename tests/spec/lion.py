"""A small valid paper folder, and how tests edit it and read its problems."""

from claimbench.spec.problems import Problem

CLAIMS = """\
paper:
  title: Symbolic Discovery of Optimization Algorithms
  arxiv: "2302.06675"
  year: 2023
  authors: [Xiangning Chen]
  theme: stochastic-optimizers
experiments:
  digits:
    smoke: {steps: 60}
    timeout: {smoke: 5}
  memory:
    deterministic: true
claims:
  - id: lower-loss
    statement: Lion reaches a lower loss than AdamW.
    source: "abstract; Fig. 1"
    kind: comparison
    fidelity: reduced
    deviation: digits instead of ImageNet
    experiment: digits
    expect: {loss_gap: {above: 0}}
    reported: {loss_gap: 0.1}
    controls: {without: {beta1: 0.99}}
    seeds: {max: 12}
  - id: half-the-state
    statement: Lion keeps half of AdamW's state.
    source: Sec. 4.1
    kind: exact
    fidelity: exact
    experiment: memory
    expect: {state_ratio: {equals: 0.5, abs: 1e-12}}
    controls: {without: {optimizer: adamw}}
    headline: true
"""

REPRODUCE = '''\
"""Lion."""

import torch

from claimbench import Run, experiment

from .method import Lion


@experiment
def digits(run: Run, *, beta1: float = 0.9, steps: int = 400) -> dict[str, float]:
    return {"loss_gap": 0.1, "tokens": 3.0}


@experiment
def memory(run: Run, *, optimizer: str = "lion") -> dict[str, float]:
    return measure(Lion, torch.optim.AdamW, optimizer)
'''


def edited(*edits: tuple[str, str], text: str = CLAIMS) -> str:
    """Return the text with each old part replaced, which must stand in it once."""
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def told(problem: Problem) -> tuple[int, str, str]:
    """Return line, marked text and message."""
    start = problem.column - 1
    return (problem.line, problem.source_line[start : start + problem.width], problem.message)


RICH = edited(
    (
        "{loss_gap: {above: 0}}",
        "{smoke: {loss_gap: {between: [0.1, 1]}}, full: {tokens: {above: 1}}}",
    ),
    (
        "seeds: {max: 12}",
        "known: {full: {verdict: diverges, finding: é, passes_with: {beta1: [null, 1e-300]}}}\n"
        "    amended: [{date: 2026-12-01, fields: [expect], was: a, now: b, reason: c}]",
    ),
)

README = "# Symbolic discovery of optimization algorithms\n"
