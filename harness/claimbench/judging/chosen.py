"""What was chosen in tuning for the runs of a claim: for the record, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import with_config

from claimbench.judging.words import number

if TYPE_CHECKING:
    from claimbench.author import Choice

Scalar = bool | int | float | str | None


@with_config(strict=True, extra="forbid")
@dataclass(frozen=True)
class Chosen:
    """A setting that was chosen, and for how many seeds.

    Attributes:
        setting: the chosen value of each name.
        grid: the values that it was chosen from.
        at_end: names whose value lies at an end of its grid: the best one may lie beyond.
        seeds: seeds of the claim whose runs used it.
    """

    setting: dict[str, Scalar]
    grid: dict[str, tuple[Scalar, ...]]
    at_end: tuple[str, ...]
    seeds: int


def chosen_in(runs: Iterable[Mapping[str, Choice]]) -> dict[str, tuple[Chosen, ...]]:
    """Return by name what each run had chosen, the setting of the most seeds first.

    Runs that chose the same from the same grid are counted together; of as many, the setting of
    the earlier seed comes first.
    """
    found: dict[str, list[Chosen]] = {}
    for choices in runs:
        for name, choice in choices.items():
            known = found.setdefault(name, [])
            grid = {key: tuple(values) for key, values in choice["grid"].items()}
            one = Chosen(dict(choice["setting"]), grid, tuple(choice["at_end"]), 1)
            for place, other in enumerate(known):
                if replace(other, seeds=1) == one:
                    known[place] = replace(other, seeds=other.seeds + 1)
                    break
            else:
                known.append(one)
    return {
        name: tuple(sorted(settings, key=lambda one: -one.seeds))
        for name, settings in sorted(found.items())
    }


def chosen_text(chosen: Mapping[str, Sequence[Chosen]]) -> str:
    """Return one line: `AdamW lr 0.003 of 0.001…0.01; SGD lr 0.1 (end of its grid)`."""
    return "; ".join(f"{name} {_settings(settings)}" for name, settings in chosen.items())


def _settings(settings: Sequence[Chosen]) -> str:
    if len(settings) == 1:
        return _setting(settings[0])
    return " or ".join(f"{_setting(one)} in {one.seeds}" for one in settings)


def _setting(one: Chosen) -> str:
    return ", ".join(f"{key} {_value(one, key)}" for key in one.setting)


def _value(one: Chosen, key: str) -> str:
    value = _shown(one.setting[key])
    if key in one.at_end:
        return f"{value} (end of its grid)"
    grid = one.grid[key]
    if len(grid) < 2:
        return value
    numbers = [x for x in grid if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) == len(grid):
        return f"{value} of {_shown(min(numbers))}…{_shown(max(numbers))}"
    return f"{value} of {', '.join(map(_shown, grid))}"


def _shown(value: Scalar) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return str(value)
