"""What a paper's `reproduce.py` may use: `experiment`, `artefact` and `Run`, and nothing else."""

from __future__ import annotations

import inspect
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeVar, overload

from claimbench.errors import AuthorError

if TYPE_CHECKING:
    import jax
    import numpy as np
    import torch

SURFACE = 2
"""Version of what this module and the seeds do for a run; raised when their behaviour changes."""

Function = TypeVar("Function", bound=Callable[..., Any])

CURVE_POINTS = 2000
ARTEFACT_TIMEOUT = 600.0


def experiment(function: Function) -> Function:
    """Mark a function of `reproduce.py` as an experiment that claims.yaml may name.

    It takes `run` first and everything else by keyword with a default, and returns a dict of
    metric name to number. The harness seeds, times and judges; the function only measures.

    Raises:
        AuthorError: the signature is another one.
    """
    _check_signature(function, "experiment")
    function.claimbench = "experiment"  # type: ignore[attr-defined]
    return function


@overload
def artefact(function: Function) -> Function: ...
@overload
def artefact(*, timeout: float = ...) -> Callable[[Function], Function]: ...
def artefact(
    function: Function | None = None, *, timeout: float = ARTEFACT_TIMEOUT
) -> Function | Callable[[Function], Function]:
    """Mark a function as an artefact: costly, built once, shared by all runs that ask for it.

    Like an experiment it takes `run` first and the rest by keyword. It returns a value that JSON
    can hold, or a dict of name to NumPy array, JAX array or torch tensor; JAX arrays come back
    as NumPy arrays. Ask for it with `run.artefact(function, **arguments)`.

    Args:
        function: the function, where the decorator stands without brackets.
        timeout: seconds that building may take; they do not count as the run's.

    Raises:
        AuthorError: the signature is another one, or the timeout is not positive.
    """

    def mark(function: Function) -> Function:
        _check_signature(function, "artefact")
        if timeout <= 0:
            raise AuthorError(f"artefact `{function.__name__}`: timeout must be positive")
        function.claimbench = "artefact"  # type: ignore[attr-defined]
        function.timeout = timeout  # type: ignore[attr-defined]
        return function

    return mark if function is None else mark(function)


def _check_signature(function: Callable[..., Any], what: str) -> None:
    parameters = list(inspect.signature(function).parameters.values())
    first, rest = parameters[:1], parameters[1:]
    if [(p.name, p.kind) for p in first] != [("run", inspect.Parameter.POSITIONAL_OR_KEYWORD)]:
        raise AuthorError(f"{what} `{function.__name__}`: the first parameter must be `run`")
    for parameter in rest:
        if parameter.kind is not parameter.KEYWORD_ONLY:
            raise AuthorError(
                f"{what} `{function.__name__}`: write `*` after `run`, so that `{parameter.name}` "
                "is passed by keyword; *args and **kwargs are not possible"
            )


class Choice(TypedDict):
    """What was chosen in tuning, as JSON data.

    `setting` has the chosen value of each name, `grid` the values it was chosen from, in the order
    given, and `at_end` the names whose value is the smallest or largest of a grid of several
    numbers: the best one may lie beyond.
    """

    setting: dict[str, Any]
    grid: dict[str, list[Any]]
    at_end: list[str]


class Host(Protocol):
    """What a run needs from the process that carries it out."""

    def progress(self, done: int, total: int) -> None:
        """Report that `done` of `total` equal parts of the run are over."""

    def artefact(
        self, function: Callable[..., Any], arguments: dict[str, Any]
    ) -> tuple[Any, dict[str, Choice]]:
        """Return the artefact, built now or read from the store, and what was chosen for it."""


class Run:
    """One run of an experiment: its seed, its device, and what it reports besides metrics.

    The harness makes it. In a notebook `my_experiment(Run(seed=0))` works as well.

    Attributes:
        seed: in [0, 2**32); the same for method, baseline and control.
        device: "cpu" or "cuda", as torch takes it.
        precision: "float32" or "float64", as the spec declares.
        curves: what `curve` was given, name to (xs, ys).
        choices: what `chosen` was given, here and in the artefacts that the run has asked for.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        device: str = "cpu",
        precision: str = "float32",
        torch_dtype: bool | None = None,
        host: Host | None = None,
    ) -> None:
        self.seed = seed
        self.device = device
        self.precision = precision
        self.curves: dict[str, tuple[list[float], list[float]]] = {}
        self.choices: dict[str, Choice] = {}
        self._torch_dtype = "torch" in sys.modules if torch_dtype is None else torch_dtype
        self._host = host
        self._rng: np.random.Generator | None = None
        self._torch_generator: torch.Generator | None = None

    @property
    def rng(self) -> np.random.Generator:
        """NumPy generator of this run, always the same object."""
        if self._rng is None:
            import numpy as np

            self._rng = np.random.default_rng(self.seed)
        return self._rng

    def torch_generator(self) -> torch.Generator:
        """Return the torch generator of this run, on `device`: like `rng` always the same object.

        For a method and a baseline that are to see the same draws, make two that say so:
        `torch.Generator(run.device).manual_seed(run.seed)`.
        """
        if self._torch_generator is None:
            import torch

            self._torch_generator = torch.Generator(device=self.device).manual_seed(self.seed)
        return self._torch_generator

    def jax_key(self) -> jax.Array:
        """Return the JAX key of this run, the same at every call; split it for more."""
        import jax

        return jax.random.key(self.seed)

    @property
    def dtype(self) -> Any:
        """The declared precision: a torch dtype if the paper imports torch, else a NumPy dtype."""
        if self._torch_dtype:
            import torch

            return getattr(torch, self.precision)
        import numpy as np

        return np.dtype(self.precision)

    def artefact(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """Return what `function(run, **arguments)` gives, built once and kept.

        The artefact gets a run of its own, whose seed depends on its name alone: every seed of
        the experiment shares it.

        What was chosen while it was built counts as chosen in this run.

        Raises:
            AuthorError: the function is not marked with `@artefact`, or something of a name that
                this run has was chosen for it otherwise.
        """
        if getattr(function, "claimbench", None) != "artefact":
            raise AuthorError(
                f"run.artefact: mark `{getattr(function, '__name__', function)}` with @artefact"
            )
        if self._host is None:
            return function(self, **arguments)
        value, choices = self._host.artefact(function, arguments)
        for name, choice in choices.items():
            self._choose(name, choice)
        return value

    def progress(self, done: int, total: int) -> None:
        """Say that `done` of `total` equal parts are over; cheap enough for an inner loop."""
        if self._host is not None:
            self._host.progress(done, total)

    def curve(self, name: str, xs: Any, ys: Any) -> None:
        """Keep a curve for the paper's page, thinned evenly to at most 2,000 points.

        Args:
            name: what the legend says; a second curve of that name replaces the first.
            xs: numbers, a list, array or tensor of one dimension.
            ys: as many numbers.

        Raises:
            AuthorError: xs and ys differ in length, or are empty.
        """
        if len(xs) != len(ys) or len(xs) == 0:
            raise AuthorError(f"curve `{name}`: {len(xs)} xs and {len(ys)} ys; give one y an x")
        step = -(-len(xs) // CURVE_POINTS)
        self.curves[name] = ([float(x) for x in xs[::step]], [float(y) for y in ys[::step]])

    def chosen(self, name: str, /, *, grid: Mapping[str, Sequence[Any]], **setting: Any) -> None:
        """Keep what was chosen in tuning, for the record of every claim that this run decides.

        The record says of each value whether it lies at an end of its grid. Called while an
        artefact is built, it counts for all runs that use the artefact.

            run.chosen("AdamW", grid={"lr": [0.001, 0.003, 0.01]}, lr=0.003)

        Args:
            name: of what was tuned, such as the optimizer's.
            grid: for each name the values that were tried: numbers, texts, booleans or None.
            setting: for each name the value that was chosen.

        Raises:
            AuthorError: grid and setting differ in their names, a value is not on its grid or of
                another type, or the name was chosen otherwise before.
        """
        if grid.keys() != setting.keys() or not grid:
            raise AuthorError(
                f"run.chosen `{name}`: the grid is of {_names(grid)}, the setting of "
                f"{_names(setting)}; give both for each name"
            )
        grids = {key: [_scalar(name, key, x) for x in values] for key, values in grid.items()}
        values = {key: _scalar(name, key, value) for key, value in setting.items()}
        for key, value in values.items():
            if value not in grids[key]:
                raise AuthorError(
                    f"run.chosen `{name}`: {key} = {value!r} is not on its grid {grids[key]}; give "
                    "the grid that it was chosen from"
                )
        ends = [key for key, value in values.items() if _is_end(value, grids[key])]
        self._choose(name, {"setting": values, "grid": grids, "at_end": ends})

    def _choose(self, name: str, choice: Choice) -> None:
        before = self.choices.setdefault(name, choice)
        if before != choice:
            raise AuthorError(
                f"run.chosen `{name}`: chosen twice, first {_shown(before)}, then "
                f"{_shown(choice)}; give each a name of its own"
            )

    def time_ratio(
        self, a: Callable[[], object], b: Callable[[], object], *, rounds: int = 15
    ) -> float:
        """Return the time that a takes over the time that b takes: below 1 where a is faster.

        Both run once to warm up, then in interleaved rounds (a b, b a, …) of at least 20 ms a
        side; the result is the median of the rounds' ratios.
        """
        import statistics  # which every start of claimbench would wait for

        repeats_a, repeats_b = self._repeats(a), self._repeats(b)
        ratios = []
        for round_ in range(rounds):
            if round_ % 2 == 0:
                time_a, time_b = self._time(a, repeats_a), self._time(b, repeats_b)
            else:
                time_b, time_a = self._time(b, repeats_b), self._time(a, repeats_a)
            ratios.append((time_a / repeats_a) / (time_b / repeats_b))
        return statistics.median(ratios)

    def _repeats(self, call: Callable[[], object]) -> int:
        call()
        repeats = 1
        while self._time(call, repeats) < 0.02:
            repeats *= 2
        return repeats

    def _time(self, call: Callable[[], object], repeats: int) -> float:
        self._synchronize()
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        self._synchronize()
        return time.perf_counter() - start

    def _synchronize(self) -> None:
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()


def _names(given: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in given) or "nothing"


def _scalar(name: str, key: str, value: Any) -> Any:
    """Return a value as JSON has it; an array or tensor of one number is that number."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise AuthorError(
        f"run.chosen `{name}`: {key} = {value!r} is {type(value).__name__}; give a finite number, "
        "a text, a boolean or None, of several numbers each under a name of its own"
    )


def _is_end(value: Any, grid: Sequence[Any]) -> bool:
    numbers = [x for x in grid if isinstance(x, int | float) and not isinstance(x, bool)]
    several = len(numbers) == len(grid) and len(set(grid)) > 1
    return several and value in (min(numbers), max(numbers))


def _shown(choice: Choice) -> str:
    setting = ", ".join(f"{key} = {value!r}" for key, value in choice["setting"].items())
    return f"{setting} of {choice['grid']}"
