"""What enters the trained part of a network: the output of the frozen part, computed once."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from hw4.flowers.batches import ImageSource, Indices, load_ahead
from hw4.flowers.networks import StagedNetwork


class FrozenInputs:
    """Batches of features and labels, on the device of the network.

    On images that look the same in every epoch the frozen part gives the same output in every
    epoch: it is computed once and kept, as far as ``cache_bytes`` reach; the rest is computed each
    time. Augmented images differ from epoch to epoch, so nothing is kept of them. If nothing is
    frozen, the images themselves are what enters.

    Parameters
    ----------
    network
        Its frozen part is used, in evaluation mode and without gradients.
    source
        The images.
    device
        Where the network is.
    precision
        The type to compute in (``torch.autocast``), or ``None`` for float32.
    cache_bytes
        How much memory the kept outputs may take, on the device.
    """

    def __init__(
        self,
        network: StagedNetwork,
        source: ImageSource,
        device: torch.device,
        precision: torch.dtype | None = None,
        cache_bytes: int = 2 * 2**30,
    ) -> None:
        self.network, self.source, self.device, self.precision = network, source, device, precision
        self.cache_bytes = cache_bytes if len(network.frozen) and not source.augments else 0
        # Row slots[i] of the storage belongs to sample i; below 0, nothing is kept of it.
        self._slots = np.full(len(source.labels), -1)
        self._storage: Tensor | None = None
        self._shape: tuple[int, ...] = ()
        self._kept = 0

    @property
    def cached_bytes(self) -> int:
        """How much memory the kept outputs take."""
        return 0 if self._storage is None else self._storage.nbytes

    def batches(self, batches: Sequence[Indices], epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield features (b, ...) and labels (b,) for each batch of indices.

        An epoch may hold an index once only.
        """
        missing = [indices[self._slots[indices] < 0] for indices in batches]
        loaded = load_ahead(self.source, missing, epoch)
        labels = torch.from_numpy(np.asarray(self.source.labels, np.int64))
        for indices, new, images in zip(batches, missing, loaded, strict=True):
            computed = None if images is None else self._frozen(images[0])
            if computed is not None:
                self._keep(new, computed)
            if not len(indices):
                # The share of a process in a batch smaller than the number of processes.
                features = self._frozen(self.source.batch(np.array([0]), epoch)[0])[:0]
            elif computed is not None and len(new) == len(indices):
                features = computed
            else:
                features = self._assemble(indices, new, computed)
            yield features, labels[indices].to(self.device)

    def compute(self, part: nn.Module, x: Tensor) -> Tensor:
        """Run a part of the network in the precision of these inputs."""
        with torch.autocast(self.device.type, self.precision, enabled=self.precision is not None):
            y: Tensor = part(x)
        return y

    @torch.no_grad()
    def _frozen(self, images: Tensor) -> Tensor:
        images = images.to(self.device, memory_format=torch.channels_last)
        return self.compute(self.network.frozen, images) if len(self.network.frozen) else images

    def _keep(self, indices: Indices, features: Tensor) -> None:
        """Copy as many rows as there is room for."""
        if not self.cache_bytes:
            return
        rows = _rows(features)
        if self._storage is None:
            room = min(len(self._slots), self.cache_bytes // rows[0].nbytes)
            self._storage = rows.new_empty(room, rows.shape[1])
            self._shape = features.shape[1:]
        count = min(len(rows), len(self._storage) - self._kept)
        self._storage[self._kept : self._kept + count] = rows[:count]
        self._slots[indices[:count]] = np.arange(self._kept, self._kept + count)
        self._kept += count

    def _assemble(self, indices: Indices, new: Indices, computed: Tensor | None) -> Tensor:
        """Put kept rows, and those just computed, into the order of the batch."""
        assert self._storage is not None
        slots = torch.from_numpy(self._slots[indices]).to(self.device)
        if computed is None:
            rows = self._storage.index_select(0, slots)
        else:
            rows = self._storage.index_select(0, slots.clamp(min=0))
            position = {int(index): row for row, index in enumerate(indices)}
            rows[[position[int(index)] for index in new]] = _rows(computed)
        if len(self._shape) == 1:
            return rows
        channels, height, width = self._shape
        return rows.view(len(rows), height, width, channels).permute(0, 3, 1, 2)


def _rows(features: Tensor) -> Tensor:
    """Flatten features (b, ...) to one row a sample; for channels-last ones without a copy."""
    if features.dim() == 4:
        features = features.permute(0, 2, 3, 1)
    return features.reshape(len(features), -1)
