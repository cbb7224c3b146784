"""A linear layer for two classes: training on whatever batches, prediction, and its line."""

import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from hw4.imbalanced.measures import Metrics, measure
from hw4.imbalanced.samples import ImbalancedDataset
from hw4.theory.half_planes import HalfPlane
from hw4.theory.radial_neuron import RadialNeuron

Batches = Collection[list[int]]
"""The batches of an epoch, each a list of sample indices."""


class LinearNet(nn.Module):
    """z = w₁ x₁ + w₂ x₂ + b, the logit of the positive class.

    Parameters
    ----------
    generator
        Draws the first weights and the bias, uniformly between ±1/√2 as PyTorch does.
    """

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        for parameter in self.layer.parameters():
            nn.init.uniform_(parameter, -math.sqrt(0.5), math.sqrt(0.5), generator=generator)

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (m,), of points of shape (m, 2)."""
        return torch.squeeze(self.layer(data), -1)


class RadialNet(LinearNet):
    """z = w₁ x₁² + w₂ x₂² + b: the same three parameters, on the squares of the coordinates.

    z = 0 is the zero set of the radial neuron exp(-(w₁ x₁² + w₂ x₂²)) - exp(b) of theory 2, and
    z > 0 where the neuron is negative. As a logit z is better than the value of the neuron: the
    loss is convex in the parameters, while the exponential is flat far from the origin, so that its
    gradient is gone there.
    """

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (m,), of points of shape (m, 2)."""
        return super().forward(data.square())

    def neuron(self) -> RadialNeuron:
        """Return the radial neuron with the same boundary."""
        w1, w2, b = _weights(self)
        return RadialNeuron(w1, w2, -math.exp(b))


def train(
    model: LinearNet,
    samples: ImbalancedDataset,
    batches: Batches,
    epochs: int = 30,
    learning_rate: float = 0.1,
) -> list[float]:
    """Minimise the binary cross-entropy by stochastic gradient descent, in place; see `descend`.

    Parameters
    ----------
    model
        The network to train.
    samples
        The training samples.
    batches
        `plain_batches` or a `BalancedBatchSampler`: in a new order each time they are gone through.
    epochs
        How often to go through the batches.
    learning_rate
        η.

    Returns
    -------
    list of float
        For each epoch the mean loss of its samples, each taken at the step that used it.

    Raises
    ------
    ValueError
        If a number is out of its range, or an epoch has no batch.
    """
    for name, value, valid, expected in (
        ("epochs", epochs, epochs >= 1, "1 or more"),
        ("learning_rate", learning_rate, 0 < learning_rate < math.inf, "a positive number"),
        ("len(batches)", len(batches), len(batches) >= 1, "1 or more"),
    ):
        if not valid:
            raise ValueError(f"{name} is {value}, expected {expected}")
    with _one_thread():
        return descend(model, samples, batches, epochs, learning_rate)


def descend(
    model: LinearNet, samples: ImbalancedDataset, batches: Batches, epochs: int, rate: float
) -> list[float]:
    """Take one step of gradient descent on each batch; return the mean loss of each epoch.

    A step on a batch B moves the parameters by -η, the rate, times the gradient of::

        loss(B) = mean over i in B of  ln(1 + exp(z_i)) - y_i z_i

    At a constant rate the parameters never come to rest, because each batch pulls them its own way.
    So the model ends with the mean of the parameters after every step of the second half of the
    epochs [1]_.

    References
    ----------
    .. [1] Polyak and Juditsky, *Acceleration of stochastic approximation by averaging*, SIAM
       Journal on Control and Optimization 30, 1992.
    """
    sgd = torch.optim.SGD(model.parameters(), lr=rate)
    losses, second_half = [], []
    for epoch in range(epochs):
        total, seen = 0.0, 0
        for chosen in batches:
            batch = samples[chosen]
            mean = binary_cross_entropy_with_logits(model(batch["data"]), batch["label"].float())
            sgd.zero_grad()
            mean.backward()  # type: ignore[no-untyped-call]
            sgd.step()
            total += mean.item() * len(chosen)
            seen += len(chosen)
            if epoch >= epochs // 2:
                second_half.append(parameters_to_vector(model.parameters()).detach())
        losses.append(total / seen)
    vector_to_parameters(torch.stack(second_half).mean(dim=0), model.parameters())
    return losses


@torch.inference_mode()
def predict(model: LinearNet, data: torch.Tensor) -> torch.Tensor:
    """Return whether each point, shape (m, 2), is called positive: its logit is above 0.

    The arg max over the outputs would not do: there is one output, so that it is always 0.
    """
    positive: torch.Tensor = model(data) > 0
    return positive


def evaluate(model: LinearNet, samples: ImbalancedDataset, positive_weight: float = 1.0) -> Metrics:
    """Measure a model on every sample once, whatever batches it was trained on."""
    return measure(samples.labels.numpy(), predict(model, samples.data).numpy(), positive_weight)


def decision_line(model: LinearNet) -> HalfPlane | None:
    """Return the half-plane that a linear model calls positive, w₁ x₁ + w₂ x₂ + b > 0.

    Returns
    -------
    HalfPlane or None
        None if both weights are zero: the answer is the same everywhere, and there is no line.
    """
    w1, w2, b = _weights(model)
    return None if w1 == 0 and w2 == 0 else HalfPlane(w1, w2, b)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep PyTorch on one thread for a while.

    The log-sigmoid within the loss wakes every thread even for a batch of 128. On two busy cores a
    call was measured at 1 to 7 ms, and at 0.04 ms on one thread.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _weights(model: LinearNet) -> tuple[float, float, float]:
    w1, w2 = model.layer.weight.detach()[0].tolist()
    return w1, w2, model.layer.bias.item()
