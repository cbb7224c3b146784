"""Which training a checkpoint belongs to."""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch

from hw4.flowers.batches import ImageSource
from hw4.flowers.networks import StagedNetwork
from hw4.flowers.settings import TrainingSettings


def training_identity(
    network: StagedNetwork,
    train: ImageSource,
    validation: ImageSource,
    settings: TrainingSettings,
    precision: torch.dtype | None,
) -> dict[str, str]:
    """Describe what makes a training this one and no other, for a `Checkpoint`.

    Settings, network with its first weights, data, precision and the release of PyTorch: if any of
    them differs, going on from a checkpoint would end in neither the one training nor the other.
    """
    fields = {name: str(value) for name, value in vars(settings).items() if name != "cache_bytes"}
    if settings.schedule == "constant":
        # More epochs only continue it; other schedules spread over the epochs there are.
        del fields["epochs"]
    weights = (tensor.cpu().contiguous().view(-1) for tensor in network.state_dict().values())
    return fields | {
        "precision": str(precision or torch.float32),
        "network": network.name,
        "initial weights": _digest(tensor.numpy() for tensor in weights),
        "training set": _source_digest(train),
        "validation set": _source_digest(validation),
        "torch version": str(torch.__version__),
    }


def _source_digest(source: ImageSource) -> str:
    """Digest the labels and one image, which shows size, normalisation and augmentation."""
    image, _ = source.batch(np.array([0]), 0)
    return _digest([np.asarray(source.labels), image.numpy()])


def _digest(arrays: Iterable[npt.ArrayLike]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
