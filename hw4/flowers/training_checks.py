"""Whether a network, its data and the settings go together, before hours are spent on them."""

from torch import nn

from hw4.flowers.batches import ImageSource
from hw4.flowers.networks import StagedNetwork
from hw4.flowers.settings import TrainingSettings


def check_training(
    network: StagedNetwork,
    train: ImageSource,
    validation: ImageSource,
    settings: TrainingSettings,
) -> None:
    """Refuse what would fail later, or go on and mean nothing.

    Raises
    ------
    ValueError
        If a data set is empty, has classes that the network has no output for, or batches hold a
        single sample, of which BatchNorm cannot take the variance.
    """
    outputs = network.classes
    for name, source in (("training", train), ("validation", validation)):
        if len(source.labels) == 0:
            raise ValueError(f"the {name} set is empty")
        lowest, highest = int(source.labels.min()), int(source.labels.max())
        if lowest < 0 or highest >= outputs:
            raise ValueError(
                f"the {name} set has labels from {lowest} to {highest}, but the network has "
                f"{outputs} outputs; build it with as many as there are classes"
            )
    network.train()
    normalises = any(
        isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training
        for module in network.modules()
    )
    if normalises and min(settings.batch_size, len(train.labels)) == 1:
        raise ValueError(
            "batches of a single image (batch_size is "
            f"{settings.batch_size}, the training set has {len(train.labels)}), but BatchNorm "
            "needs two; take a larger batch_size, or build the network with fixed_statistics"
        )
