"""Language modelling: the split, the training loop, the gain of one step, in plain loops."""

import copy
import math
from functools import partial

import pytest
import torch

from common.language import Language, train

SGD = partial(torch.optim.SGD, lr=math.nan)  # every step must set the rate


@pytest.fixture(scope="module")
def language():
    return Language()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def descend(model, batches, rates):
    """Plain gradient descent; returns the loss before each step."""
    losses = []
    for batch, rate in zip(batches, rates, strict=True):
        loss = model.loss(*batch)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for p, g in zip(model.parameters(), gradients, strict=True):
                p -= rate * g
        losses.append(loss.item())
    return losses


def test_last_tenth_is_held_out(language):
    training, held_out = len(language.training.inputs), len(language.held_out.inputs)
    assert training + held_out == 4_181_996
    assert held_out == 418_200
    assert language.training.targets[-1] == language.held_out.inputs[0]


def test_model_has_the_size_that_is_said(language):
    assert sum(p.numel() for p in language.model(generator()).parameters()) == 60_192


def test_batches_have_256_characters(language):
    batches = list(language.batches(generator(), 3))
    assert [x.shape for batch in batches for x in batch] == [(8, 32)] * 6
    assert not torch.equal(batches[0][0], batches[1][0])
    assert [x.shape for x in language.held_out_batch(generator())] == [(8, 32)] * 2


def test_dtype_of_the_model():
    assert Language(dtype=torch.float64).model(generator()).norm.weight.dtype == torch.float64


def test_held_out_loss_is_the_mean_over_the_windows(language):
    model = language.model(generator())
    inputs, targets = language.held_out.even_windows(5, 32)
    losses = [model.loss(x[None], y[None]).item() for x, y in zip(inputs, targets, strict=True)]
    assert language.held_out_loss(model, 5) == pytest.approx(sum(losses) / 5, rel=1e-5)


def test_train_is_gradient_descent_at_the_given_rates(language):
    ours, plain = language.model(generator()), language.model(generator())
    batches, rates = list(language.batches(generator(1), 3)), [0.5, 0.1, 1.0]
    losses = train(ours, SGD(ours.parameters()), batches, rates)
    assert losses == pytest.approx(descend(plain, batches, rates), rel=1e-5)
    for p, q in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p, q)


def test_train_wants_a_rate_for_each_batch(language):
    model = language.model(generator())
    with pytest.raises(ValueError, match="zip"):
        train(model, SGD(model.parameters()), language.batches(generator(), 2), [0.1])


def test_pretrain_in_a_plain_loop(language):
    # 40 steps: the rate rises over two, then falls on a cosine to a hundredth
    loss, (steps, means) = language.pretrain(SGD, rate=0.5, steps=40, seed=3, windows=6)
    g = generator(3)
    model = language.model(g)
    cosine = [(1 + math.cos(math.pi * k / 38)) / 2 for k in range(39)]
    rates = [0.25] + [0.5 * (0.01 + 0.99 * c) for c in cosine]
    losses = descend(model, language.batches(g, 40), rates)
    assert loss == pytest.approx(language.held_out_loss(model, 6), rel=1e-4)
    assert steps == [20, 40]
    assert means == pytest.approx([sum(losses[:20]) / 20, sum(losses[20:]) / 20], rel=1e-4)


def test_untrained_model_knows_nothing_and_learns_more_than_frequencies(language):
    adamw = partial(torch.optim.AdamW, betas=(0.9, 0.99))
    before, _ = language.pretrain(adamw, rate=0.0, steps=1, seed=0, windows=64)
    after, _ = language.pretrain(adamw, rate=5e-3, steps=120, seed=0, windows=64)
    counts = torch.bincount(language.held_out.inputs)
    shares = counts[counts > 0] / counts.sum()
    assert before == pytest.approx(math.log(65), abs=0.3)
    assert after < -(shares * shares.log()).sum().item() - 0.1


def test_pretrain_depends_on_its_seed_alone(language):
    one, same, other = (
        language.pretrain(SGD, rate=0.1, steps=2, seed=seed, windows=6)[0] for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_gains_in_a_plain_loop(language):
    rate, before, after = 0.3, 10, 4
    steps, gains = language.gains(SGD, rate=rate, before=before, after=after, batches=2, seed=5)
    g = generator(5)
    model = language.model(g)
    descend(model, language.batches(g, before), [rate] * before)  # a warm-up of one step
    held_out = [language.held_out_batch(g) for _ in range(2)]
    usual = list(language.batches(g, after))
    expected = []
    for end in (2, 4):
        differences = []
        for batch in held_out:
            without, having = copy.deepcopy(model), copy.deepcopy(model)
            descend(without, usual[:end], [rate] * end)
            descend(having, [batch, *usual[1:end]], [rate] * end)
            differences.append(without.loss(*batch).item() - having.loss(*batch).item())
        expected.append(sum(differences) / 2)
    assert steps == [2, 4]
    assert gains == pytest.approx(expected, abs=2e-6)
    assert min(map(abs, gains)) > 1e-3  # far above the tolerance


def test_gains_are_nothing_without_learning(language):
    _, gains = language.gains(SGD, rate=0.0, before=2, after=4, batches=1, seed=0)
    assert gains == [0, 0]
