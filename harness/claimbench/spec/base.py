"""What all models of the spec share: tiers, the base model, and the types of small values."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from claimbench.tiers import TIERS, Tier

KEBAB = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Model(BaseModel):
    """A frozen model without conversions: an unknown key or another type is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


def refusal(sentence: str, key: str | None = None) -> PydanticCustomError:
    """Return the error for a validator to raise.

    Args:
        sentence: what is wrong and what to do, in our words; shown as it is.
        key: the key below the validated mapping that the carets mark; the mapping itself if None.
    """
    return PydanticCustomError("refusal", "{sentence}", {"sentence": sentence, "key": key})


def nearest(tier: Tier, declared: dict[Tier, Any]) -> Any | None:
    """Return what is declared for the tier, else for the nearest lower one, else None."""
    for candidate in reversed(TIERS[: TIERS.index(tier) + 1]):
        if candidate in declared:
            return declared[candidate]
    return None


def json_numbers(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments that are JSON values; ±inf and NaN are refused."""
    pending: list[Any] = list(arguments.values())
    while pending:
        value = pending.pop()
        if isinstance(value, float) and not math.isfinite(value):
            raise refusal(f"arguments are JSON values, and {value} is not one; write null for none")
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return arguments


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Kebab = Annotated[str, StringConstraints(pattern=KEBAB)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]
Arguments = Annotated[dict[str, Any], AfterValidator(json_numbers)]
Overrides = Annotated[dict[str, Any], Field(min_length=1), AfterValidator(json_numbers)]
