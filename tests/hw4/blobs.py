"""A data set that takes no time to load, in the place of the flowers."""

from dataclasses import dataclass, field

import numpy as np
import torch


@dataclass
class Blobs:
    """Small images of noise around one colour for each class, with the interface of the flowers.

    ``loaded`` counts how often each image was asked for.
    """

    samples: int = 60
    classes: int = 3
    size: int = 32
    seed: int = 0
    augments: bool = False
    noise: float = 0.5
    type: torch.dtype = torch.float32
    loaded: dict[int, int] = field(default_factory=dict)

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        self.labels = rng.permutation(np.arange(self.samples) % self.classes)

    def checksum(self):
        return repr((self.samples, self.classes, self.size, self.seed, self.noise))

    def batch(self, indices, epoch=0):
        images = []
        for index in map(int, indices):
            self.loaded[index] = self.loaded.get(index, 0) + 1
            key = (self.seed, index, epoch) if self.augments else (self.seed, index)
            noise = np.random.default_rng(key).normal(0, self.noise, (3, self.size, self.size))
            colour = np.eye(3)[self.labels[index] % 3] * 2 - 1
            images.append(colour[:, None, None] + noise)
        x = torch.from_numpy(np.stack(images)).to(self.type)
        return x, torch.from_numpy(self.labels[np.asarray(indices)])
