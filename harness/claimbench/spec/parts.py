"""What can still be judged of a file with problems: claims and experiments, one by one."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from claimbench.guessing import meant
from claimbench.spec.base import Model
from claimbench.spec.explain import keys_of_model
from claimbench.spec.models import Claim, Experiment
from claimbench.spec.problems import LIMIT

AnyModel = TypeVar("AnyModel", bound=Model)

STAND_INS: dict[str, Any] = {
    "id": "unknown",
    "statement": "unknown",
    "source": "unknown",
    "kind": "number",
    "fidelity": "exact",
    "experiment": "unknown",
    "expect": {"unknown": {"above": 0}},
    "controls": {"unknown": {"unknown": 0}},
}


@dataclass(frozen=True)
class Part(Generic[AnyModel]):
    """A claim or experiment, and those of its keys that have problems.

    Attributes:
        value: the model; a broken key holds its default or a stand-in, which no check may read.
        broken: keys with a problem, missing ones and what a misspelt one probably meant.
    """

    value: AnyModel
    broken: frozenset[str] = frozenset()

    def has(self, *keys: str) -> bool:
        """Return whether all these keys are as the file says."""
        return self.broken.isdisjoint(keys)


@dataclass(frozen=True)
class Parts:
    """The claims by index and the experiments by name, without those that are no mappings."""

    claims: dict[int, Part[Claim]]
    experiments: dict[str, Part[Experiment]]


def parts_of(data: Any) -> Parts:
    """Return what can be judged of a file's data, whatever it is."""
    if not isinstance(data, dict):
        return Parts({}, {})
    claims, experiments = data.get("claims"), data.get("experiments")
    return Parts(
        {
            index: _part(Claim, entry)
            for index, entry in enumerate(claims if isinstance(claims, list) else [])
            if isinstance(entry, dict)
        },
        {
            name: _part(Experiment, entry)
            for name, entry in (experiments.items() if isinstance(experiments, dict) else [])
            if isinstance(entry, dict)
        },
    )


def _part(model: type[AnyModel], entry: dict[str, Any]) -> Part[AnyModel]:
    try:
        return Part(model.model_validate(entry))
    except ValidationError as error:
        broken = {str(detail["loc"][0]) for detail in error.errors(include_url=False)}
    keys = keys_of_model(model)
    unknown = sorted(broken - set(keys))[:LIMIT]
    broken |= {near for key in unknown if (near := meant(key, keys))}
    sound = {key: value for key, value in entry.items() if key not in broken}
    required = {key for key, field in model.model_fields.items() if field.is_required()}
    stand_ins = {key: STAND_INS[key] for key in required & broken}
    return Part(model.model_validate({**sound, **stand_ins}), frozenset(broken))
