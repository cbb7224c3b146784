"""How well a trained network does on images that it has not seen."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from coursework.runtime import choose_device
from hw4.flowers.dataset import FlowerDataset
from hw4.flowers.inputs import FrozenInputs, cut_batches
from hw4.flowers.networks import StagedNetwork


@dataclass(frozen=True)
class Measured:
    """Means over all samples of a data set.

    Attributes
    ----------
    loss
        Cross-entropy in nats.
    accuracy
        Share of samples whose most probable class is the true one.
    """

    loss: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class Predictions:
    """The probabilities that a network gives to each class, for all images of a data set.

    Attributes
    ----------
    labels
        The true classes, shape (m,).
    probabilities
        Shape (m, K), float64; each row sums to 1.
    """

    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """The most probable class of each sample, shape (m,)."""
        most_probable: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return most_probable

    @property
    def accuracy(self) -> float:
        """Share of samples whose most probable class is the true one."""
        return float(np.mean(self.classes == self.labels))

    @property
    def confusion(self) -> npt.NDArray[np.int64]:
        """How many samples of class i were taken for class j, shape (K, K)."""
        matrix = np.zeros((self.probabilities.shape[1],) * 2, np.int64)
        np.add.at(matrix, (self.labels, self.classes), 1)
        return matrix

    @property
    def mistakes(self) -> npt.NDArray[np.int64]:
        """Indices of the samples that were taken for another class, the surest mistake first."""
        wrong = np.flatnonzero(self.classes != self.labels)
        return wrong[np.argsort(-self.probabilities[wrong].max(axis=1), kind="stable")]

    def likeliest(self, index: int) -> list[tuple[int, float]]:
        """Return the two most probable classes of one sample, each with its probability."""
        row = self.probabilities[index]
        return [(int(k), float(row[k])) for k in np.argsort(-row, kind="stable")[:2]]


@torch.no_grad()
def evaluate(inputs: FrozenInputs, batch_size: int) -> Measured:
    """Measure a network on all samples of its inputs; it is left in evaluation mode."""
    inputs.network.eval()
    samples = len(inputs.source.labels)
    batches = cut_batches(np.arange(samples), batch_size)
    sums = torch.zeros(2, device=inputs.device)
    for x, y in inputs.batches(batches, epoch=0):
        logits = inputs.logits(x)
        loss = functional.cross_entropy(logits, y, reduction="sum")
        right = (logits.argmax(dim=1) == y).sum()
        sums += torch.stack([loss, right])
    loss_sum, right_sum = inputs.processes.total(sums).tolist()
    return Measured(loss_sum / samples, right_sum / samples)


@torch.no_grad()
def predict(
    network: StagedNetwork,
    source: FlowerDataset,
    *,
    batch_size: int = 32,
    device: str | torch.device = "auto",
    precision: str = "auto",
) -> Predictions:
    """Return the probabilities that a network gives to each class, for every image in order.

    The network is left in evaluation mode. The size of a batch changes the speed, and the result
    only by rounding.

    Parameters
    ----------
    device
        As `coursework.runtime.choose_device` takes it.
    precision
        As in `hw4.flowers.TrainingSettings`. Take the one that the network was trained in.
    """
    target = choose_device(str(device))
    inputs = FrozenInputs(network.to(target).eval(), source, target, precision, cache_bytes=0)
    batches = cut_batches(np.arange(len(source.labels)), batch_size)
    rows = [inputs.logits(x).cpu().double().softmax(dim=1) for x, _ in inputs.batches(batches, 0)]
    return Predictions(np.asarray(source.labels), torch.cat(rows).numpy())
