"""Language modelling in seconds: a GPT of 60,192 parameters on the King James text."""

import copy
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from common.gpt import GPT, Shape
from common.schedules import warmup_constant, warmup_cosine
from common.text import characters

BATCH = 8  # windows a step
CONTEXT = 32  # characters a window
HELD_OUT = 0.1  # share of the text, at its end
AT_ONCE = 64  # windows whose activations fit a cache

Batch = tuple[Tensor, Tensor]
Curve = tuple[list[int], list[float]]
MakeOptimizer = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


class Language:
    """The text, and models that learn to predict its next character.

    A step of training sees 8 windows of 32 characters, 256 in all. The last tenth of the text is
    held out.

    Args:
        device: where text and models lie.
        dtype: of the models.
    """

    def __init__(self, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        alphabet, text = characters("kjv", device)
        self.device = device
        self.shape = Shape(len(alphabet), context=CONTEXT, width=48, heads=2, layers=2)
        self.training, self.held_out = text.split(HELD_OUT)
        self.dtype = dtype

    def model(self, generator: torch.Generator) -> GPT:
        """Return an untrained model."""
        return GPT(self.shape, generator).to(self.dtype)

    def batches(self, generator: torch.Generator, count: int) -> Iterator[Batch]:
        """Return `count` batches of inputs and targets, (8, 32) each, from the training part."""
        inputs, targets = self.training.random_windows(count * BATCH, CONTEXT, generator)
        return zip(torch.split(inputs, BATCH), torch.split(targets, BATCH), strict=True)

    def held_out_batch(self, generator: torch.Generator) -> Batch:
        """Return one batch of the same shape from the held-out part."""
        return self.held_out.random_windows(BATCH, CONTEXT, generator)

    @torch.no_grad()
    def held_out_loss(self, model: GPT, windows: int) -> float:
        """Return the loss in nats a character, over windows spread evenly over that part."""
        inputs, targets = self.held_out.even_windows(windows, CONTEXT)
        parts = zip(torch.split(inputs, AT_ONCE), torch.split(targets, AT_ONCE), strict=True)
        return sum(len(x) * model.loss(x, y).item() for x, y in parts) / windows

    def pretrain(
        self,
        make: MakeOptimizer,
        *,
        rate: float,
        steps: int,
        seed: int,
        windows: int,
        factor: Callable[[float], float] | None = None,
    ) -> tuple[float, Curve]:
        """Train from scratch; return the held-out loss at the end and the training losses.

        The learning rate rises over a twentieth of the steps, then falls on a cosine to a
        hundredth. Training losses are means over twenty steps, each with the last of them.

        Args:
            make: makes the optimizer from the parameters.
            rate: largest learning rate.
            steps: how many.
            seed: decides on the first model and on the batches.
            windows: how many held-out windows the loss is taken over.
            factor: what the learning rate is multiplied by besides, at each share of the steps.
        """
        generator = torch.Generator(self.device).manual_seed(seed)
        model = self.model(generator)
        rates = (
            rate
            * warmup_cosine(step, warmup=steps // 20, steps=steps, floor=0.01)
            * (1.0 if factor is None else factor(step / steps))
            for step in range(1, steps + 1)
        )
        batches = self.batches(generator, steps)
        losses = train(model, make(model.parameters()), batches, rates)
        ends = list(range(20, steps + 1, 20))
        curve = (ends, [sum(losses[end - 20 : end]) / 20 for end in ends])
        return self.held_out_loss(model, windows), curve

    def gains(
        self,
        make: MakeOptimizer,
        *,
        rate: float,
        before: int,
        after: int,
        batches: int,
        seed: int,
    ) -> Curve:
        """Return by how much one step on a held-out batch lowers the loss on it, as time passes.

        A model is trained for some steps, then copied with its optimizer. One copy goes on with
        training batches. Each of the others makes its first step on a held-out batch instead, then
        goes on with the same training batches. The gain is the first copy's loss on that batch less
        the other's. (Pagliardini et al. 2024, arXiv 2409.03137, Figure 4.)

        Args:
            make: makes the optimizer from the parameters.
            rate: learning rate, constant after a warm-up over a tenth of the steps before.
            before: steps before the copying.
            after: steps after it, the first one included.
            batches: how many held-out batches, each in a copy of its own.
            seed: decides on the first model and all batches.

        Returns:
            Every other step since the copying, 2, 4, …, and the gains after it, in nats a
            character, the mean over the held-out batches.
        """
        generator = torch.Generator(self.device).manual_seed(seed)
        model = self.model(generator)
        optimizer = make(model.parameters())
        factors = (warmup_constant(step, warmup=before // 10) for step in range(1, before + 1))
        train(model, optimizer, self.batches(generator, before), (rate * f for f in factors))
        injected = [self.held_out_batch(generator) for _ in range(batches)]
        usual = list(self.batches(generator, after))
        looks = list(range(2, after + 1, 2))

        def losses(order: list[Batch], watched: list[Batch]) -> list[list[float]]:
            twin, its_optimizer = copy.deepcopy((model, optimizer))
            rows = []
            for end in looks:
                train(twin, its_optimizer, order[end - 2 : end], [rate] * 2)
                with torch.no_grad():
                    rows.append([twin.loss(*batch).item() for batch in watched])
            return rows

        without = losses(usual, injected)
        having = [losses([batch, *usual[1:]], [batch]) for batch in injected]
        differences = torch.tensor(without) - torch.cat([torch.tensor(h) for h in having], dim=1)
        return looks, differences.mean(dim=1).tolist()


def train(
    model: GPT, optimizer: torch.optim.Optimizer, batches: Iterable[Batch], rates: Iterable[float]
) -> list[float]:
    """Make one step a batch, at the learning rate beside it; return each batch's loss before it.

    Raises:
        ValueError: there are more or fewer rates than batches.
    """
    losses = []
    for batch, rate in zip(batches, rates, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = model.loss(*batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.detach())
    return [loss.item() for loss in losses]
