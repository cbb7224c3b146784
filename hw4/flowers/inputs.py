"""What a network is given in an epoch: batches in some order, run through its frozen part."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from coursework.runtime import LAYOUTS, choose_precision, computing_in
from hw4.flowers.dataset import FlowerDataset
from hw4.flowers.networks import StagedNetwork
from hw4.flowers.processes import Processes

Indices = npt.NDArray[np.int64]


def epoch_batches(samples: int, batch_size: int, seed: int, epoch: int) -> list[Indices]:
    """Return the batches of one epoch: every sample once, in an order of this seed and epoch.

    The order depends on nothing else, so a training that is continued sees the batches that it
    would have seen.

    Parameters
    ----------
    samples, batch_size
        How many samples there are, and how many make a batch.
    seed, epoch
        What decides the order.

    Returns
    -------
    list of ndarray
        Indices of shape (b,).
    """
    return cut_batches(np.random.default_rng((seed, epoch)).permutation(samples), batch_size)


def cut_batches(order: Indices, batch_size: int) -> list[Indices]:
    """Cut indices (m,) into batches.

    A last batch of a single sample joins the batch before it, since BatchNorm cannot take the
    variance of one sample.
    """
    starts = list(range(batch_size, len(order), batch_size))
    if batch_size > 1 and starts and len(order) - starts[-1] == 1:
        starts.pop()
    return np.split(order, starts)


class FrozenInputs:
    """The batches that enter the trained part of a network, on the network's device.

    The output of the frozen part is the same in every epoch if the images are. It is then computed
    once and kept, provided that the output for all images fits into ``cache_bytes``. The output for
    augmented images is computed in every epoch. If nothing is frozen, the images themselves enter.

    Parameters
    ----------
    network
        Its frozen part is used in evaluation mode and without gradients.
    source
        The images.
    device
        Where the network is.
    precision
        As in `hw4.flowers.TrainingSettings`.
    cache_bytes
        How much memory the kept outputs may take, on the device.
    processes
        The processes that share each batch.

    Attributes
    ----------
    precision
        The type in which the network computes: ``torch.float32`` or ``torch.bfloat16``.
    """

    def __init__(
        self,
        network: StagedNetwork,
        source: FlowerDataset,
        device: torch.device,
        precision: str = "auto",
        cache_bytes: int = 2 * 2**30,
        processes: Processes | None = None,
    ) -> None:
        self.network, self.source, self.device = network, source, device
        self.processes = processes or Processes()
        fastest = choose_precision(precision, device)
        # float16, which older GPUs have, is not used: small gradients vanish in it.
        self.precision = torch.float32 if fastest is torch.float16 else fastest
        self._cache_bytes = cache_bytes if len(network.frozen) and not source.augments else 0
        # Row i is the output for sample i, channels last; it is there if _known[i].
        self._kept: Tensor | None = None
        self._known = np.zeros(len(source.labels), bool)

    def batches(self, batches: Sequence[Indices], epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield, for each batch of indices, this process's share: features (b, ...), labels (b,).

        An epoch may hold an index only once.
        """
        shares = [self.processes.share(batch) for batch in batches]
        # A share is empty if its batch has fewer samples than there are processes. Some sample is
        # then loaded for its shape.
        wanted = [share if len(share) else np.array([0]) for share in shares]
        missing = [indices[~self._known[indices]] for indices in wanted]
        loaded = self._load_ahead([indices for indices in missing if len(indices)], epoch)
        labels = torch.from_numpy(self.source.labels)
        for share, new in zip(shares, missing, strict=True):
            if len(new):
                features = self._frozen(next(loaded))
                self._keep(new, features)
            if self._kept is None:
                features = features[: len(share)]
            else:
                features = self._kept[torch.from_numpy(share).to(self.device)].movedim(-1, 1)
                if self.network.layout == "contiguous":
                    features = features.contiguous()
            yield features, labels[share].to(self.device)

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (b, classes), float32, that the trained part gives."""
        with computing_in(self.precision, self.device):
            logits: Tensor = self.network.trained(features)
        return logits.float()

    def _load_ahead(self, batches: Sequence[Indices], epoch: int) -> Iterator[Tensor]:
        """Yield the images of each batch while another thread loads the next."""
        with ThreadPoolExecutor(1, "load-ahead") as thread:
            coming = None
            # On a CPU any data set will do whose `batch` takes indices and an epoch.
            where = () if self.device.type == "cpu" else (self.device,)
            for indices in batches:
                this, coming = coming, thread.submit(self.source.batch, indices, epoch, *where)
                if this is not None:
                    yield this.result()[0]
            if coming is not None:
                yield coming.result()[0]

    @torch.no_grad()
    def _frozen(self, images: Tensor) -> Tensor:
        images = images.to(self.device, memory_format=LAYOUTS[self.network.layout])
        if not len(self.network.frozen):
            return images
        with computing_in(self.precision, self.device):
            features: Tensor = self.network.frozen(images)
        return features

    def _keep(self, indices: Indices, features: Tensor) -> None:
        """Keep the features of some samples, if there is room for the features of all samples."""
        rows = features.movedim(1, -1)
        if rows[0].nbytes * len(self._known) > self._cache_bytes:
            return
        if self._kept is None:
            self._kept = rows.new_empty(len(self._known), *rows.shape[1:])
        self._kept[torch.from_numpy(indices).to(self.device)] = rows
        self._known[indices] = True
