"""Text as a row of characters, for models that predict the next one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from common.data import load


@dataclass(frozen=True)
class Characters:
    """A stretch of text.

    Attributes:
        inputs: index of each character in the alphabet, shape (n,), uint8.
        targets: index of the character after each, likewise.
    """

    inputs: Tensor
    targets: Tensor

    def split(self, share: float) -> tuple[Characters, Characters]:
        """Return the text without its last part, and the last part: that share of characters."""
        first = len(self.inputs) - round(share * len(self.inputs))
        return (
            Characters(self.inputs[:first], self.targets[:first]),
            Characters(self.inputs[first:], self.targets[first:]),
        )

    def windows(self, starts: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of `length` characters from each start.

        Args:
            starts: indices of first characters, shape (batch,), int64.
            length: characters a window.

        Returns:
            Two tensors of shape (batch, length), int64.

        Raises:
            IndexError: a window leaves the text.
        """
        places = starts.unsqueeze(-1) + torch.arange(length, device=starts.device)
        return self.inputs[places].long(), self.targets[places].long()

    def random_windows(
        self, batch: int, length: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return windows from starts drawn uniformly, with replacement; see `windows`."""
        starts = torch.randint(
            len(self.inputs) - length + 1, (batch,), generator=generator, device=generator.device
        )
        return self.windows(starts, length)

    def even_windows(self, batch: int, length: int) -> tuple[Tensor, Tensor]:
        """Return windows at equal distances, the first at the start of the text; see `windows`.

        Raises:
            ValueError: the text is too short for windows that do not overlap.
        """
        distance = len(self.inputs) // batch
        if distance < length:
            raise ValueError(
                f"{batch} windows of {length} characters need {batch * length}, got a text of "
                f"{len(self.inputs)}"
            )
        return self.windows(distance * torch.arange(batch, device=self.inputs.device), length)


def characters(name: str, device: str = "cpu") -> tuple[str, Characters]:
    """Return the alphabet of a data set of character codes, in their order, and its text.

    Args:
        name: a data set of `common.data` whose inputs are codes and whose targets are the next.
        device: where the tensors lie.
    """
    codes = load(name)
    counts = np.bincount(codes.inputs, minlength=256)
    counts[codes.targets[-1]] += 1
    alphabet = np.flatnonzero(counts)
    index = np.zeros(256, dtype=np.uint8)
    index[alphabet] = np.arange(len(alphabet))
    inputs, targets = (torch.from_numpy(index[c]).to(device) for c in codes)
    return "".join(map(chr, alphabet)), Characters(inputs, targets)
