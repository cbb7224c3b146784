"""A maker of small data sets in the Oxford layout."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

PARTS = {"trnid": [6, 1, 4], "valid": [2, 5], "tstid": [3]}


@pytest.fixture
def flower_folder(tmp_path):
    """Return a function that writes six images of two classes, or what its arguments change."""

    def write(labels=(1, 1, 1, 2, 2, 2), parts=PARTS, images=None, size=(40, 30)):
        root = tmp_path / "flowers"
        (root / "jpg").mkdir(parents=True)
        rng = np.random.default_rng(0)
        for number in range(1, 1 + (len(labels) if images is None else images)):
            # Smooth, so that JPEG keeps it.
            coarse = rng.integers(0, 256, (3, 4, 3), np.uint8)
            picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
            picture.save(root / "jpg" / f"image_{number:05d}.jpg", quality=95)
        if labels is not None:
            savemat(root / "imagelabels.mat", {"labels": np.asarray(labels)}, oned_as="row")
        if parts is not None:
            content = {name: np.asarray(part, np.uint16) for name, part in parts.items()}
            savemat(root / "setid.mat", content, oned_as="row")
        return root

    return write
