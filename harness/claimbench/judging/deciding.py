"""From what the seeds of each setting gave to the verdict on a claim, and the reason in words.

This is the one place where a verdict is decided: a trial asks it while runs come in, and whoever
judges a published record again asks it with the record's values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from claimbench.judging.record import Control, Measured, Record, Setting, weakest
from claimbench.judging.rules import Judgement, judge
from claimbench.judging.standing import Standing, standing
from claimbench.judging.verdict import SettingVerdict, Verdict
from claimbench.judging.words import counted, interval_text
from claimbench.spec.region import Region

Regions = Mapping[str, Region]


@dataclass(frozen=True)
class Shown:
    """What the seeds of one setting show.

    Attributes:
        judgement: of the seeds that held.
        metrics: what the judged seeds gave.
        fault: why the setting can't be judged, in a sentence; None where it can.
        final: whether no further seed is wanted.
    """

    judgement: Judgement
    metrics: Mapping[str, Measured]
    fault: str | None = None
    final: bool = True

    @property
    def verdict(self) -> SettingVerdict:
        """What is said of the setting."""
        return SettingVerdict.ERROR if self.fault else self.judgement.verdict

    def setting(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a `Setting` that overrides these arguments."""
        return {
            "verdict": self.verdict,
            "held": self.judgement.held,
            "seeds": self.judgement.seeds,
            "arguments": dict(arguments),
            "metrics": dict(self.metrics),
        }


@dataclass(frozen=True)
class Case:
    """All settings of a claim.

    Attributes:
        regions: where each metric that the claim judges must lie.
        main: the claim's own seeds.
        controls: of each control what it overrides; empty where none are to be run.
        tried: what the controls show; empty before they run.
        passes_with: the setting with which a known divergence passes; empty where there is none.
        positive: what it shows; None before it ran.
    """

    regions: Regions
    main: Shown
    controls: Mapping[str, Mapping[str, Any]]
    tried: Sequence[Shown]
    passes_with: Mapping[str, Any]
    positive: Shown | None


class Wanted(Enum):
    """What a case waits for."""

    RUNS = "more runs of the settings that are there"
    CONTROLS = "the controls"
    POSITIVE = "the setting with which a known divergence passes"


def decide(case: Case) -> tuple[Verdict, str] | Wanted:
    """Return verdict and reason; or what has to be run first."""
    main = case.main
    if main.fault is not None:
        return Verdict.ERROR, main.fault
    if not main.final:
        return Wanted.RUNS
    if main.verdict is SettingVerdict.REPRODUCED:
        return _with_controls(case)
    if main.verdict is SettingVerdict.DIVERGED:
        return _with_positive(case)
    return Verdict.INCONCLUSIVE, _undecided(main)


def _with_controls(case: Case) -> tuple[Verdict, str] | Wanted:
    if not case.controls:
        return Verdict.REPRODUCED, f"{_seeds(case.main)}; control not run"
    if not case.tried:
        return Wanted.CONTROLS
    pairs = list(zip(case.controls, case.tried, strict=True))
    for name, control in pairs:
        if control.fault is not None:
            return Verdict.ERROR, f"control {name}: {control.fault}"
    if not all(control.final for control in case.tried):
        return Wanted.RUNS
    passing = [name for name, control in pairs if control.verdict is SettingVerdict.REPRODUCED]
    if passing:
        several = f"controls {', '.join(passing)} pass"
        what = f"control {passing[0]} passes" if len(passing) == 1 else several
        return Verdict.VACUOUS, f"the {what} the same check"
    for name, control in pairs:
        if control.verdict is SettingVerdict.UNDECIDED:
            return Verdict.INCONCLUSIVE, f"the control {name}: {_undecided(control)}"
    rejected = "control" if len(pairs) == 1 else f"all {len(pairs)} controls"
    return Verdict.REPRODUCED, f"{_seeds(case.main)}; {rejected} rejected"


def _with_positive(case: Case) -> tuple[Verdict, str] | Wanted:
    positive = case.positive
    if not case.passes_with:
        return Verdict.DIVERGED, _missed(case)
    if positive is None:
        return Wanted.POSITIVE
    setting = f"passes_with {_overrides(case.passes_with)}"
    if positive.fault is not None:
        return Verdict.ERROR, f"{setting}: {positive.fault}"
    if not positive.final:
        return Wanted.RUNS
    if positive.verdict is SettingVerdict.REPRODUCED:
        return Verdict.DIVERGED, _missed(case)
    if positive.verdict is SettingVerdict.DIVERGED:
        return Verdict.VACUOUS, f"{setting} fails too: nothing shows that the check can hold"
    return Verdict.INCONCLUSIVE, f"{setting}: {_undecided(positive)}"


def findings(case: Case, reported: Mapping[str, float], verdict: Verdict) -> dict[str, Any]:
    """Return the fields of a record that follow from the settings' values.

    Args:
        case: the settings.
        reported: the paper's numbers.
        verdict: what was decided; a number is compared with the paper's where it was judged.
    """
    main, judgement = case.main, case.main.judgement
    controls = tuple(
        Control(name=name, **shown.setting(override))
        for (name, override), shown in zip(case.controls.items(), case.tried, strict=False)
    )
    passing = Setting(**case.positive.setting(case.passes_with)) if case.positive else None
    return {
        "held": judgement.held,
        "seeds": judgement.seeds,
        "metrics": dict(main.metrics),
        "share": judgement.interval,
        "power": judgement.power_text,
        "control": weakest(controls),
        "controls": controls,
        "passes_with": passing,
        "standing": _standing(case, reported) if verdict.judged else {},
    }


def _standing(case: Case, reported: Mapping[str, float]) -> dict[str, Standing]:
    found = {
        name: standing(case.main.metrics[name], reported[name], region)
        for name, region in case.regions.items()
        if name in reported and name in case.main.metrics
    }
    return {name: one for name, one in found.items() if one is not None}


def judged_again(record: Record) -> dict[str, Any]:
    """Return what a record's own values, regions, rule and settings say that it should hold.

    Args:
        record: with a verdict that was judged.

    Returns:
        The fields that follow, by name: verdict, reason, `expect_text` and those of `findings`.

    Raises:
        ValueError: values and regions can't be judged at all; says why in a sentence.
    """
    regions = {name: Region.model_validate(region) for name, region in record.expect.items()}

    def show(metrics: Mapping[str, Measured]) -> Shown:
        return shown(metrics, regions, record.rule, record.max_seeds)

    positive = record.passes_with
    case = Case(
        regions=regions,
        main=show(record.metrics),
        controls={control.name: control.arguments for control in record.controls},
        tried=[show(control.metrics) for control in record.controls],
        passes_with=positive.arguments if positive else {},
        positive=show(positive.metrics) if positive else None,
    )
    decided = decide(case)
    if isinstance(decided, Wanted):
        raise ValueError(f"no verdict follows without {decided.value}")
    words = {name: str(region) for name, region in regions.items()}
    found = {"verdict": decided[0], "reason": decided[1], "expect_text": words}
    return found | findings(case, record.reported, decided[0])


def shown(metrics: Mapping[str, Measured], regions: Regions, rule: str, max_seeds: int) -> Shown:
    """Return what the values of a setting's seeds show.

    Raises:
        ValueError: a metric that is judged is missing or NaN, or metrics have not as many values.
    """
    missing = [name for name in regions if name not in metrics]
    if missing:
        raise ValueError(f"there are no values of `{missing[0]}`")
    counts = {len(measured.values) for measured in metrics.values()}
    if len(counts) != 1:
        raise ValueError("the metrics have not all as many values")
    judgement = judge(
        holding({name: metrics[name].values for name in regions}, regions, counts.pop()),
        rule,
        max_seeds=max_seeds,
    )
    again = {
        name: Measured.of(measured.values[: judgement.seeds]) for name, measured in metrics.items()
    }
    return Shown(judgement, again, final=judgement.final)


def holding(values: Mapping[str, Sequence[float]], regions: Regions, seeds: int) -> list[bool]:
    """Say of each seed whether all its metrics lie in their regions."""
    return [
        all(region.holds(values[name][seed]) for name, region in regions.items())
        for seed in range(seeds)
    ]


def _seeds(shown: Shown) -> str:
    judgement = shown.judgement
    return f"{judgement.held} of {counted(judgement.seeds, 'seed')} held"


def _missed(case: Case) -> str:
    """Say which metric missed its region in most seeds, and by what; whatever their order."""
    metrics = case.main.metrics

    def held(name: str) -> int:
        return sum(map(case.regions[name].holds, metrics[name].values))

    name = min(sorted(case.regions), key=held)
    value = interval_text(metrics[name])
    return f"{name} is {value}, expected {case.regions[name]}; {_seeds(case.main)}"


def _undecided(shown: Shown) -> str:
    judgement = shown.judgement
    if judgement.seeds < judgement.max_seeds:
        advice = f"the rule `{judgement.rule}` may take {judgement.max_seeds}"
    elif judgement.more_seeds is not None:
        advice = f"about {judgement.more_seeds} more would probably decide"
    else:
        advice = "so near one half that 200 seeds would not decide"
    return f"{_seeds(shown)}, which does not decide; {advice}"


def _overrides(arguments: Mapping[str, Any]) -> str:
    return "(" + ", ".join(f"{name}={value!r}" for name, value in arguments.items()) + ")"
