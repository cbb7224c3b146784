"""What takes no time: images to train on, in the place of the flowers, and small networks."""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from coursework.backbones import seeded
from hw4.flowers import StagedNetwork
from hw4.imbalanced import LinearNet

FROZEN = {"scratch": 0, "finetune": 0, "last_layers": 3, "head": 6}
"""How many stages of a small network are frozen in each mode."""


def small_network(mode="scratch", classes=3, seed=0):
    """Return a network of two convolutions, with BatchNorm layers as a ResNet has them."""
    with seeded(seed):
        stages = OrderedDict(
            conv1=nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
            bn1=nn.BatchNorm2d(8),
            relu=nn.ReLU(),
            layer4=nn.Sequential(nn.Conv2d(8, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU()),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(16, classes),
        )
    return StagedNetwork(stages, FROZEN[mode], f"small, {mode}", fixed_statistics=mode != "scratch")


def linear_net(w1, w2, b, kind=LinearNet):
    """Return a linear or radial net with these parameters."""
    model = kind()
    with torch.no_grad():
        model.layer.weight.copy_(torch.tensor([[w1, w2]]))
        model.layer.bias.fill_(b)
    return model


@dataclass
class Blobs:
    """Small images of noise around one colour for each class, with the interface of the flowers.

    ``loaded`` counts how often each image was asked for.
    """

    samples: int = 60
    classes: int = 3
    image_size: int = 32
    seed: int = 0
    augments: bool = False
    noise: float = 0.5
    type: torch.dtype = torch.float32
    loaded: dict[int, int] = field(default_factory=dict)

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        self.labels = rng.permutation(np.arange(self.samples) % self.classes)

    def checksum(self):
        return repr((self.samples, self.classes, self.image_size, self.seed, self.noise))

    def batch(self, indices, epoch=0):
        images = []
        for index in map(int, indices):
            self.loaded[index] = self.loaded.get(index, 0) + 1
            key = (self.seed, index, epoch) if self.augments else (self.seed, index)
            noise = np.random.default_rng(key).normal(0, self.noise, (3, *[self.image_size] * 2))
            colour = np.eye(3)[self.labels[index] % 3] * 2 - 1
            images.append(colour[:, None, None] + noise)
        x = torch.from_numpy(np.stack(images)).to(self.type)
        return x, torch.from_numpy(self.labels[np.asarray(indices)])
