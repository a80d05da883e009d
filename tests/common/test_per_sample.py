"""Gradients of examples against one example after the other."""

from functools import partial

import torch

from common.curvature import gradient
from common.nets import Mlp
from common.per_sample import gradients, trace_covariance


def problem():
    g = torch.Generator().manual_seed(4)
    net = Mlp((4, 5, 3), "tanh")
    x = torch.randn(6, 4, generator=g, dtype=torch.float64)
    theta = net.initial(g, 2, dtype=torch.float64)
    return net, theta, x, torch.tensor([0, 2, 1, 1, 0, 2])


def test_each_gradient_is_that_of_its_example_in_each_run():
    net, theta, x, y = problem()
    found = gradients(net.loss, theta, x, y)
    for i in range(6):
        row = slice(i, i + 1)
        expected = gradient(partial(net.loss, x=x[row], y=y[row]), theta)
        torch.testing.assert_close(found[:, i], expected)
    torch.testing.assert_close(gradients(net.loss, theta[1], x, y), found[1])
    mean = gradient(lambda w: net.loss(w, x, y), theta)
    torch.testing.assert_close(found.mean(dim=-2), mean)


def test_trace_covariance_equals_that_of_the_covariance_matrix():
    net, theta, x, y = problem()
    found = gradients(net.loss, theta, x, y)
    expected = torch.stack([torch.cov(run.T).trace() for run in found])
    torch.testing.assert_close(trace_covariance(found), expected)
