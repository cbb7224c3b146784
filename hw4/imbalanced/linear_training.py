"""A linear layer for two classes: training on whatever batches, prediction, and its line."""

import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from coursework.progress import progress
from hw4.imbalanced.metrics import Metrics, measure
from hw4.theory.half_planes import HalfPlane
from hw4.theory.rbf_neuron import RbfNeuron


class SampleSet(Protocol):
    """Labelled points that a list of indices picks a batch from."""

    data: torch.Tensor
    labels: torch.Tensor

    def __getitem__(self, index: list[int]) -> dict[str, torch.Tensor]: ...


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
        logits: torch.Tensor = self.layer(data).squeeze(-1)
        return logits


class RadialNet(LinearNet):
    """z = w₁ x₁² + w₂ x₂² + b: the same three parameters, on the squares of the coordinates.

    z = 0 is where the radial neuron exp(-(w₁ x₁² + w₂ x₂²)) - exp(b) of theory 2 is zero, and z > 0
    where that is negative. As a logit z is better than the neuron's own output: the loss is convex
    in the parameters, while the exponential is flat, and its gradient gone, far from the origin.
    """

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (m,), of points of shape (m, 2)."""
        return super().forward(data.square())

    def neuron(self) -> RbfNeuron:
        """Return the radial neuron with the same boundary."""
        w1, w2, b = _weights(self)
        return RbfNeuron(w1, w2, -math.exp(b))


def train(
    model: LinearNet,
    samples: SampleSet,
    batches: Collection[list[int]],
    epochs: int = 30,
    learning_rate: float = 0.1,
    averaged_epochs: int | None = None,
    show_progress: bool = False,
) -> tuple[float, ...]:
    """Minimise the binary cross-entropy by stochastic gradient descent, in place.

    A step on a batch B moves the parameters by -η times the gradient of::

        loss(B) = mean over i in B of  ln(1 + exp(z_i)) - y_i z_i

    At a constant rate the parameters never come to rest: each batch pulls them its own way, and the
    last step is a matter of luck. So the model ends with the mean of the parameters after every
    step of the last epochs (Polyak and Juditsky), around which they wander.

    Parameters
    ----------
    model
        Is changed.
    samples
        Such as an `ImbalancedDataset`.
    batches
        Lists of sample indices, in a new order each time they are gone through: `plain_batches` or
        a `BalancedBatchSampler`.
    epochs
        How many times.
    learning_rate
        η.
    averaged_epochs
        Over how many of the last epochs the mean goes; half of them if None. With 0 the model stays
        as the last step left it.
    show_progress
        Whether to show a progress bar.

    Returns
    -------
    tuple of float
        For each epoch the mean loss of the samples in it, each taken at the step that used it.

    Raises
    ------
    ValueError
        If a number is out of its range, or an epoch has no batch.

    References
    ----------
    Polyak and Juditsky, *Acceleration of stochastic approximation by averaging*, SIAM Journal on
    Control and Optimization 30, 1992.
    """
    if averaged_epochs is None:
        averaged_epochs = epochs // 2
    for name, value, valid, expected in (
        ("epochs", epochs, epochs >= 1, "1 or more"),
        ("learning_rate", learning_rate, 0 < learning_rate < math.inf, "a positive number"),
        ("averaged_epochs", averaged_epochs, 0 <= averaged_epochs <= epochs, f"0 to {epochs}"),
        ("len(batches)", len(batches), len(batches) >= 1, "1 or more"),
    ):
        if not valid:
            raise ValueError(f"{name} is {value}, expected {expected}")
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    parameters = list(model.parameters())
    means = [torch.zeros_like(parameter) for parameter in parameters]
    losses, steps = [], 0
    model.train()
    with _one_thread():
        bar = progress(range(epochs), description="training", unit="epoch", show=show_progress)
        for epoch in bar:
            total, seen = 0.0, 0
            for indices in batches:
                batch = samples[indices]
                optimizer.zero_grad()
                loss = binary_cross_entropy_with_logits(
                    model(batch["data"]), batch["label"].float()
                )
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                total, seen = total + loss.item() * len(indices), seen + len(indices)
                if epoch >= epochs - averaged_epochs:
                    steps += 1
                    for mean, parameter in zip(means, parameters, strict=True):
                        mean += (parameter.detach() - mean) / steps
            losses.append(total / seen)
    if averaged_epochs:
        with torch.no_grad():
            for mean, parameter in zip(means, parameters, strict=True):
                parameter.copy_(mean)
    return tuple(losses)


def predict(model: nn.Module, data: torch.Tensor) -> torch.Tensor:
    """Return whether each point, shape (m, 2), is called positive: its logit is above 0.

    (The arg max over the outputs is of no use here: there is one output, so it is always 0.)
    """
    model.eval()
    with torch.inference_mode():
        positive: torch.Tensor = model(data) > 0
    return positive


def evaluate(model: nn.Module, samples: SampleSet, positive_weight: float = 1.0) -> Metrics:
    """Measure a model on every sample once, whatever batches it was trained on."""
    return measure(samples.labels.numpy(), predict(model, samples.data).numpy(), positive_weight)


def decision_line(model: LinearNet) -> HalfPlane | None:
    """Return where a linear model says positive; its boundary is w₁ x₁ + w₂ x₂ + b = 0.

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

    Its log-sigmoid, which is inside the loss, wakes every thread even for a batch of 128. On two
    busy cores that was measured at 1 to 7 ms a call, and at 0.04 ms on one thread.
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
