"""The configuration of `claimbench run`, checked."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from claimbench.errors import UsageError
from claimbench.guessing import guess
from claimbench.settings import Settings
from claimbench.tiers import Tier

_SHARD = re.compile(r"([1-9]\d*)/([1-9]\d*)")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Words = Annotated[list[str], BeforeValidator(_as_list)]
"""A list of texts; one text stands for a list of one."""


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TierConfig(_Group):
    """The group `tier`, see `claimbench.settings.Settings`."""

    name: Tier
    max_seeds: int | None = None
    fresh: bool = False
    control: bool = True
    repeat: bool | None = None


class ProfileConfig(_Group):
    """The group `profile`: one for each hardware profile."""

    name: str


class ExecutorConfig(_Group):
    """The group `executor`, see `claimbench.settings.Settings`."""

    name: str
    workers: int | None = None
    address: str | None = None


class SelectionConfig(_Group):
    """The group `selection`: what has to meet all of these is run.

    Attributes:
        papers: slugs or folders; empty for all.
        themes: empty for all.
        claims: ids or `paper::id`; empty for all.
        kinds: empty for all.
        failed: only what was not as expected the last time.
        changed: only papers that differ from this git revision.
        shard: `i/n`, the papers of the i-th of n machines.
    """

    papers: Words = []
    themes: Words = []
    claims: Words = []
    kinds: Words = []
    failed: bool = False
    changed: str | None = None
    shard: str | None = None

    def part(self) -> tuple[int, int] | None:
        """Return the number of this shard, from 0 on, and of all; None for no shards.

        Raises:
            UsageError: `shard` is not `i/n` with i from 1 to n.
        """
        if self.shard is None:
            return None
        match = _SHARD.fullmatch(self.shard)
        if match is None or int(match[1]) > int(match[2]):
            raise UsageError(f"selection.shard: `{self.shard}` is not i/n, as in 3/8")
        return int(match[1]) - 1, int(match[2])


class RunConfig(_Group):
    """All of it; the tracker is whatever its `_target_` takes."""

    tier: TierConfig
    profile: ProfileConfig
    executor: ExecutorConfig
    tracker: dict[str, Any]
    selection: SelectionConfig

    @classmethod
    def checked(cls, data: Any) -> RunConfig:
        """Return the configuration that is described by plain data.

        Raises:
            UsageError: a key is unknown or missing, or a value is of the wrong kind.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as mistakes:
            first = mistakes.errors()[0]
            where = ".".join(map(str, first["loc"]))
            if first["type"] == "extra_forbidden":
                near = guess(where, options(), "there are")
                raise UsageError(f"no option `{where}`; {near}") from None
            if first["type"] == "missing":
                raise UsageError(f"{where} is missing; leave out what removes it") from None
            raise UsageError(f"{where}: {first['msg']} (got {first['input']!r})") from None

    def settings(self) -> Settings:
        """Return how claims are run.

        Raises:
            UsageError: an unknown word, or a number below one.
        """
        return Settings(
            profile=self.profile.name,
            executor=self.executor.name,
            workers=self.executor.workers,
            address=self.executor.address,
            tier=self.tier.name,
            max_seeds=self.tier.max_seeds,
            fresh=self.tier.fresh,
            control=self.tier.control,
            repeat=self.tier.repeat,
        )


def options() -> list[str]:
    """Return every key that may be set: `tier` chooses a file, `tier.fresh` changes one value."""
    groups = {name: field.annotation for name, field in RunConfig.model_fields.items()}
    return [
        key
        for name, group in groups.items()
        for key in (name, *(f"{name}.{field}" for field in getattr(group, "model_fields", ())))
    ]
