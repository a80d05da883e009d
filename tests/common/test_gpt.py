"""The tiny transformer, against torch's own layers and closed forms."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from common.gpt import GPT, Block, Shape

SHAPE = Shape(vocabulary=7, context=6, width=8, heads=2, layers=2)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def model(shape=SHAPE, seed=0):
    """A model in float64 whose norms are not all ones."""
    gpt = GPT(shape, generator(seed)).double()
    with torch.no_grad():
        for p in gpt.parameters():
            p.add_(torch.randn(p.shape, generator=generator(seed + 1), dtype=p.dtype), alpha=0.3)
    return gpt


def tokens(batch=3, length=6, seed=2):
    return torch.randint(SHAPE.vocabulary, (batch, length), generator=generator(seed))


@pytest.mark.parametrize(
    ("shape", "count"),
    # by hand: 7·8 + 6·8 + 2 (12·64 + 2·8) + 8, and 65·48 + 32·48 + 2 (12·48² + 2·48) + 48
    [(SHAPE, 1680), (Shape(vocabulary=65, context=32, width=48, heads=2, layers=2), 60_192)],
)
def test_number_of_parameters(shape, count):
    assert shape.parameters() == count
    assert sum(p.numel() for p in GPT(shape, generator()).parameters()) == count


@pytest.mark.parametrize("changed", range(6))
def test_token_is_seen_from_its_place_on_and_not_before(changed):
    gpt, a = model(), tokens()
    b = a.clone()
    b[:, changed] = (b[:, changed] + 1) % SHAPE.vocabulary
    difference = (gpt(a) - gpt(b)).abs().amax(dim=(0, 2))
    assert torch.equal(difference[:changed], torch.zeros(changed, dtype=torch.float64))
    assert (difference[changed:] > 1e-6).all()


def test_order_of_earlier_tokens_matters():
    gpt, a = model(), torch.tensor([[1, 2, 3, 4, 5, 6]])
    b = torch.tensor([[2, 1, 3, 4, 5, 6]])
    assert (gpt(a)[0, -1] - gpt(b)[0, -1]).abs().max() > 1e-6


def test_rows_of_a_batch_do_not_mix():
    gpt, x = model(), tokens()
    torch.testing.assert_close(gpt(x)[1:2], gpt(x[1:2]))


def test_shorter_sequence_gives_the_same_beginning():
    gpt, x = model(), tokens()
    torch.testing.assert_close(gpt(x)[:, :4], gpt(x[:, :4]))


def test_sequence_longer_than_the_context_is_refused():
    with pytest.raises(RuntimeError):
        model()(tokens(length=7))


def test_layer_equals_torch_encoder_layer():
    block = Block(SHAPE).double()
    theirs = nn.TransformerEncoderLayer(
        8, 2, dim_feedforward=32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True,
        bias=False, dtype=torch.float64,
    )  # fmt: skip
    with torch.no_grad():
        for norm in (block.attention_norm, block.norm):
            norm.weight.uniform_(0.5, 2, generator=generator())
        theirs.self_attn.in_proj_weight.copy_(block.attention_in.weight)
        theirs.self_attn.out_proj.weight.copy_(block.attention_out.weight)
        theirs.linear1.weight.copy_(block.up.weight)
        theirs.linear2.weight.copy_(block.down.weight)
        theirs.norm1.weight.copy_(block.attention_norm.weight)
        theirs.norm2.weight.copy_(block.norm.weight)
    x = torch.randn(3, 5, 8, generator=generator(), dtype=torch.float64)
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(block(x), theirs(x, src_mask=future))


def test_loss_of_uniform_predictions_is_the_logarithm_of_the_vocabulary():
    gpt = model()
    with torch.no_grad():
        gpt.tokens.weight.zero_()  # the outputs are products with it
    assert gpt.loss(tokens(), tokens(seed=3)).item() == pytest.approx(math.log(7), rel=1e-14)


def test_loss_is_the_mean_negative_logarithm_of_the_target():
    gpt, x, y = model(), tokens(), tokens(seed=3)
    logits = gpt(x)
    terms = [
        -math.log(torch.softmax(logits[i, j], -1)[y[i, j]].item())
        for i in range(3)
        for j in range(6)
    ]
    assert gpt.loss(x, y).item() == pytest.approx(sum(terms) / 18, rel=1e-12)


def test_weights_start_as_in_gpt2():
    # at a quarter of its width, so twice its 0.02; ends of branches by √16 less
    shape = dataclasses.replace(SHAPE, vocabulary=60, width=192, layers=8)
    weights = dict(GPT(shape, generator()).named_parameters())
    matrices = {name: p.std().item() for name, p in weights.items() if p.dim() == 2}
    for name, std in matrices.items():
        ends_branch = "attention_out" in name or "down" in name
        assert std == pytest.approx(0.01 if ends_branch else 0.04, rel=0.1), name
    assert sum("attention_out" in name or "down" in name for name in matrices) == 16
    assert all(torch.equal(p, torch.ones(192)) for p in weights.values() if p.dim() == 1)


def test_generator_decides_on_the_weights():
    one, same, other = (GPT(SHAPE, generator(seed)) for seed in (4, 4, 5))
    for p, q, r in zip(one.parameters(), same.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
        assert p.dim() == 1 or not torch.equal(p, r)


def test_heads_that_do_not_divide_the_width():
    with pytest.raises(ValueError, match="heads must divide the width, got 3 and 8"):
        GPT(dataclasses.replace(SHAPE, heads=3), generator())
