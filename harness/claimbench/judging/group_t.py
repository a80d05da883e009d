"""The group-sequential t test behind the rule `mean`: levels, p-values, intervals, power.

At the looks of `LOOKS`, n values with mean m and standard deviation s (divisor n - 1) are compared
with a bound b by t = √n (m - b) / s, which has Student's distribution with n - 1 degrees of
freedom where the values are independent and normal with mean b. A look says "the mean lies above
b" where P(T ≥ t) is at most a level, the same at every look (the boundary of Pocock, Biometrika 64
(1977), 191, on the scale of p-values), and "below b" by the mirror image.

The level makes the chance that any of the four looks errs towards one side 5 %: with the mean at
b it is 0.01771. The joint law of t at the looks is that of a Markov chain in one dimension, see
`calibrate.boundary`, which computed the constants of this module; its tests compare them
with simulation. Since the level of a look does not depend on how many looks follow, a design that
stops at an earlier look errs less, and one that is extended later keeps all it has said.

A region with two ends is shown to hold the mean where both tests say so at the same look, each at
the full level: the mean lies at or beyond one end, if it lies outside, and that one test errs with
5 % at most (intersection-union; Berger, Technometrics 24 (1982), 295). It is shown not to hold the
mean where one of the two opposite tests says so, each at the level for 2.5 %, so that both
together err with 5 % at most.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from claimbench.judging.sequential import ALPHA, BISECTIONS, MOST_SEEDS, POWER, binomial_interval

LOOKS = (5, 8, 12, 20)
"""Numbers of values at which the test looks."""

LEVEL = 0.01771
"""Level of each look for an error of 5 % over all looks (exact: 0.017716)."""

HALF_LEVEL = 0.00822
"""Level of each look for an error of 2.5 % over all looks (exact: 0.008223)."""

SPENT: Mapping[int, float] = MappingProxyType({5: 0.01772, 8: 0.02985, 12: 0.03988, 20: 0.05})
"""Error at `LEVEL` up to and with each look, rounded up."""

HALF_SPENT: Mapping[int, float] = MappingProxyType({5: 0.00823, 8: 0.01442, 12: 0.01968, 20: 0.025})
"""Error at `HALF_LEVEL` up to and with each look, rounded up."""

SHIFTS: Mapping[int, float] = MappingProxyType({5: 1.86, 8: 1.22, 12: 0.92, 20: 0.67})
"""Distance of the mean from a bound, in sd, that looks up to that one show in 80 % of cases."""


@dataclass(frozen=True)
class Summary:
    """Count, mean and standard deviation (divisor n - 1) of values.

    Attributes:
        mean: ±inf or NaN where a value is infinite.
        sd: NaN where a value is infinite, inf where it is too large for a float.
        infinite: whether ±inf is among them. What can be infinite has no finite mean, so the mean
            lies in no region.
    """

    count: int
    mean: float
    sd: float
    infinite: bool

    @property
    def testable(self) -> bool:
        """Whether there is a t: not where all values are equal, for then nothing is shown."""
        return 0 < self.sd < math.inf

    def above(self, bound: float) -> float:
        """Return the p-value of a single look for "the mean lies above the bound".

        1 where there is no t, or for a bound of ∞; 0 for one of -∞.
        """
        if bound == -math.inf:
            return 0.0
        if bound == math.inf or not self.testable:
            return 1.0
        return tail(math.sqrt(self.count) * (self.mean - bound) / self.sd, self.count - 1)

    def below(self, bound: float) -> float:
        """Return the p-value of a single look for "the mean lies below the bound"."""
        return Summary(self.count, -self.mean, self.sd, self.infinite).above(-bound)

    def interval(self) -> tuple[float, float]:
        """Return the interval for the mean whose ends the test at `LEVEL` does not reject.

        Valid at whatever look the test stops, 5 % a side (Jennison & Turnbull, J. R. Stat. Soc. B
        51 (1989), 305). The whole line where there is no t.
        """
        if not self.testable:
            return -math.inf, math.inf
        half = quantile(self.count - 1) * self.sd / math.sqrt(self.count)
        return self.mean - half, self.mean + half


def summary(values: Sequence[float]) -> Summary:
    """Return the summary of at least one value.

    Raises:
        ValueError: no values, or a NaN among them.
    """
    count = len(values)
    if not count or any(math.isnan(value) for value in values):
        raise ValueError("the mean needs at least one value, and no NaN")
    if any(math.isinf(value) for value in values):
        return Summary(count, sum(x for x in values if math.isinf(x)), math.nan, True)
    if min(values) == max(values):
        return Summary(count, values[0], 0.0, False)
    mean = math.fsum(value / count for value in values)
    sd = math.hypot(*(value - mean for value in values)) / math.sqrt(count - 1)
    return Summary(count, mean, sd, False)


def shown_inside(values: Summary, lower: float, upper: float) -> bool:
    """Say whether a look shows that the mean lies between the bounds; ±∞ for none."""
    return max(values.above(lower), values.below(upper)) <= LEVEL


def shown_outside(values: Summary, lower: float, upper: float) -> bool:
    """Say whether a look shows that the mean does not lie between the bounds."""
    if values.infinite:
        return True
    return min(values.below(lower), values.above(upper)) <= _level(lower, upper)


def p_inside(values: Summary, lower: float, upper: float) -> float:
    """Return a p-value, valid over all looks, for "the mean lies between the bounds".

    It is the chance, with the mean at the worse of the two bounds, of an end at least as telling
    in the order by stages: what ends at an earlier look is more so, at the same look a smaller
    p-value. That chance is at most the error spent before plus the p-value of the look, which is
    what this returns, at most 1.
    """
    spent = _spent(values.count, SPENT)
    return min(1.0, spent + max(values.above(lower), values.below(upper)))


def p_outside(values: Summary, lower: float, upper: float) -> float:
    """Return a p-value, valid over all looks, for "the mean does not lie between the bounds".

    Like `p_inside`; with two bounds it is doubled. An infinite value is a proof: 0.
    """
    if values.infinite:
        return 0.0
    p = min(values.below(lower), values.above(upper))
    if _level(lower, upper) == LEVEL:
        return min(1.0, _spent(values.count, SPENT) + p)
    return min(1.0, 2 * (_spent(values.count, HALF_SPENT) + p))


def more_values(values: Summary, lower: float, upper: float) -> int | None:
    """Return about how many further values would decide with probability `POWER`.

    Mean and standard deviation seen so far are taken as the true ones, and the distance d (in sd)
    to the nearer bound is what has to be shown, with the z of `LEVEL` and of `POWER`:

        n = ((z_level + z_power) / d)² + z_level² / 2,

    the sample size of a z test and a correction for the unknown sd (Guenther, The American
    Statistician 35 (1981), 243). None where that is more than 200 in all, or where nothing can be
    said, as there is no t.
    """
    if not values.testable:
        return None
    distance = min(abs(values.mean - end) for end in (lower, upper) if math.isfinite(end))
    z = normal_quantile(LEVEL)
    wanted = (z + normal_quantile(1 - POWER)) * values.sd
    if distance * math.sqrt(MOST_SEEDS) <= wanted:
        return None
    total = math.ceil((wanted / distance) ** 2 + z**2 / 2)
    following = next((look for look in LOOKS if look > values.count), values.count + 1)
    return max(total, following) - values.count if total <= MOST_SEEDS else None


def tail(t: float, freedom: int) -> float:
    """Return P(T ≥ t) of Student's distribution with a whole number of degrees of freedom.

    Source: Abramowitz & Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4; the
    error of rounding is about 1e-16.
    """
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = total = cosine if odd and freedom > 1 else 0.0 if odd else 1.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= (k - 1) / k * cosine**2
        total += term
    inner = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return min(1.0, max(0.0, (1 - inner) / 2))


@cache
def quantile(freedom: int) -> float:
    """Return the t that is exceeded with probability `LEVEL`."""
    low, high = 0.0, 64.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, freedom) > LEVEL else (low, middle)
    return high


def normal_quantile(level: float) -> float:
    """Return the z that a standard normal value exceeds with probability `level`."""
    low, high = -40.0, 40.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        exceeded = math.erfc(middle / math.sqrt(2)) / 2
        low, high = (middle, high) if exceeded > level else (low, middle)
    return high


@cache
def share_interval(seeds: int, held: int) -> tuple[float, float]:
    """Return an interval for the share of seeds that would hold, at most 5 % a side.

    The test stops by the values and not by the count that holds, so this is the interval for a
    fixed number of seeds at 5 % over the number of looks: no way of choosing among the looks makes
    it wrong more often. (0, 1) without seeds.
    """
    return binomial_interval(seeds, held, ALPHA / len(LOOKS))


def _level(lower: float, upper: float) -> float:
    return LEVEL if math.isinf(lower) or math.isinf(upper) else HALF_LEVEL


def _spent(count: int, spent: Mapping[int, float]) -> float:
    return max((error for look, error in spent.items() if look < count), default=0.0)
