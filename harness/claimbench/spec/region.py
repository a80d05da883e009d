"""Regions: the set of values in which a metric must lie for a seed to hold."""

import math
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from claimbench.spec.base import Finite, Model, Positive, refusal

LOWER = ("at_least", "above")
UPPER = ("at_most", "below")
ENDS = {*LOWER, *UPPER}


class Region(Model):
    """One interval: a lower bound, an upper bound, both, or a number with a tolerance."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    at_least: Finite | None = Field(
        default=None, description="Lower bound; the bound itself holds."
    )
    above: Finite | None = Field(
        default=None, description="Lower bound; the bound itself does not hold."
    )
    at_most: Finite | None = Field(default=None, description="Upper bound; the bound itself holds.")
    below: Finite | None = Field(
        default=None, description="Upper bound; the bound itself does not hold."
    )
    between: (
        Annotated[tuple[Finite, ...], Field(min_length=2, max_length=2, strict=False)] | None
    ) = Field(default=None, description="[a, b] with a < b; both ends hold.")
    equals: Finite | None = Field(
        default=None, description="The expected number; needs `abs` or `rel`, its tolerance."
    )
    abs: Positive | None = Field(default=None, description="Largest |value − equals| that holds.")
    rel: Positive | None = Field(
        default=None,
        description="Largest |value − equals| / |equals| that holds; 0.01 is one per cent.",
    )

    @model_validator(mode="after")
    def _is_one_interval(self) -> Self:
        given = {key for key in self.model_fields_set if getattr(self, key) is not None}
        if len(given) == 1 and given < ENDS:
            return self
        bounds = [key for key in (*LOWER, *UPPER, "between", "equals") if key in given]
        if not bounds:
            raise refusal("no bound: write at_least, above, at_most, below, between or equals")
        for key in ("between", "equals"):
            if key in given and len(bounds) > 1:
                other = next(bound for bound in bounds if bound != key)
                raise refusal(f"`{key}` is a whole region; remove `{other}`", other)
        for pair in (LOWER, UPPER):
            if given.issuperset(pair):
                raise refusal(f"write `{pair[0]}` or `{pair[1]}`, not both", pair[1])
        self._check_tolerance()
        self._check_order()
        return self

    def _check_tolerance(self) -> None:
        for key in ("abs", "rel"):
            if getattr(self, key) is not None and self.equals is None:
                raise refusal(f"`{key}` is the tolerance of `equals`, which is not there", key)
        if self.equals is None:
            return
        if self.abs is None and self.rel is None:
            raise refusal("`equals` needs a tolerance: add `abs` or `rel`", "equals")
        if self.abs is not None and self.rel is not None:
            raise refusal("write `abs` or `rel`, not both", "rel")
        if self.equals == 0 and self.rel is not None:
            raise refusal("`rel` of 0 is 0: write `abs`", "rel")

    def _check_order(self) -> None:
        if self.between is not None:
            low, high = self.between
            if not low < high:
                raise refusal(f"{number(low)} is not below {number(high)}", "between")
        if self.lower > self.upper or (
            self.lower == self.upper and (self.lower_open or self.upper_open)
        ):
            low_key = "above" if self.lower_open else "at_least"
            high_key = "below" if self.upper_open else "at_most"
            raise refusal(
                f"`{low_key}: {number(self.lower)}` and `{high_key}: {number(self.upper)}` "
                "leave no number",
                high_key,
            )

    @property
    def tolerance(self) -> float | None:
        """Distance from `equals` that still holds, in the metric's unit; None without it."""
        if self.equals is None:
            return None
        return self.abs if self.rel is None else self.rel * math.fabs(self.equals)

    @property
    def lower(self) -> float:
        """Lower end, −∞ if there is none."""
        if self.equals is not None and self.tolerance is not None:
            return self.equals - self.tolerance
        if self.between is not None:
            return self.between[0]
        return _first(self.at_least, self.above, -math.inf)

    @property
    def upper(self) -> float:
        """Upper end, ∞ if there is none."""
        if self.equals is not None and self.tolerance is not None:
            return self.equals + self.tolerance
        if self.between is not None:
            return self.between[1]
        return _first(self.at_most, self.below, math.inf)

    @property
    def lower_open(self) -> bool:
        """Whether the lower end itself lies outside."""
        return self.above is not None

    @property
    def upper_open(self) -> bool:
        """Whether the upper end itself lies outside."""
        return self.below is not None

    def holds(self, value: float) -> bool:
        """Return whether the value lies in the region; ±inf lies in none.

        Raises:
            ValueError: value is NaN, which is neither inside nor outside.
        """
        if math.isnan(value):
            raise ValueError("NaN is neither inside nor outside a region")
        if math.isinf(value):
            return False
        if self.equals is not None and self.tolerance is not None:
            return math.fabs(value - self.equals) <= self.tolerance
        above = value > self.lower if self.lower_open else value >= self.lower
        below = value < self.upper if self.upper_open else value <= self.upper
        return above and below

    def __str__(self) -> str:
        if self.equals is not None:
            if self.rel is not None:
                return f"= {number(self.equals)} ± {number(self.rel)} relative"
            return f"= {number(self.equals)} ± {number(self.abs or 0)}"
        if self.upper == math.inf:
            return f"{'>' if self.lower_open else '≥'} {number(self.lower)}"
        if self.lower == -math.inf:
            return f"{'<' if self.upper_open else '≤'} {number(self.upper)}"
        left, right = "(" if self.lower_open else "[", ")" if self.upper_open else "]"
        return f"in {left}{number(self.lower)}, {number(self.upper)}{right}"


def number(value: float) -> str:
    """Return the shortest text that reads back as the value: 1.1, 1e-09, and 2 for 2.0."""
    return repr(float(value)).removesuffix(".0")


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)
