"""Coding part 1, the figures: what they show is what the numbers and the images are."""

import itertools

import numpy as np
import pytest

from hw4.flowers import Predictions, load_flowers, unnormalise
from hw4.flowers.files import OXFORD_NAMES
from hw4.report import flower_figures
from hw4.report.flower_figures import one_of_each
from tests.hw4.conftest import DRAWN, drawn

pytestmark = pytest.mark.hw4_flowers


@pytest.fixture(scope="module")
def sets():
    return load_flowers(DRAWN, "official", "efficientnet_lite0", 32)


@pytest.fixture
def predictions(sets):
    """Return predictions for the test drawings, the first five of them wrong."""
    labels = sets.test.labels
    probabilities = np.full((len(labels), 10), 0.01)
    probabilities[np.arange(len(labels)), labels] = 0.91
    for index in range(5):
        wrong = (labels[index] + 1) % 10
        probabilities[index, [labels[index], wrong]] = 0.3 - 0.01 * index, 0.62 + 0.01 * index
    return Predictions(labels, probabilities)


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def picture(ax):
    return np.asarray(ax.get_images()[0].get_array())


def test_training_images_as_stored_normalised_undone_and_an_epoch_later(sets):
    axes = np.reshape(drawn(flower_figures.preprocessing(sets.train)).axes, (4, 7))
    chosen = one_of_each(sets.train.labels, 7)
    for index, (stored, normalised, undone, later) in zip(chosen, axes.T, strict=True):
        pixels = np.asarray(sets.train.stored(index))
        assert np.array_equal(picture(stored), pixels)
        name = sets.class_names[sets.train.labels[index]]
        low, high = pixels.min(), pixels.max()
        assert stored.get_title() == f"{name}\n96 × 96\n{low} to {high}"
        images, _ = sets.train.batch([index], 0)
        title = f"{images.min():.2f} to {images.max():.2f}".replace("-", "−")
        assert normalised.get_title() == title
        clipped = images[0].permute(1, 2, 0).clip(0, 1).numpy()
        assert np.array_equal(picture(normalised), clipped)
        expected = unnormalise(images[0], sets.train.normalisation).permute(1, 2, 0).numpy()
        assert np.array_equal(picture(undone), expected)
        assert not np.array_equal(picture(later), picture(undone))


def test_validation_images_have_no_next_epoch(sets):
    axes = np.reshape(drawn(flower_figures.preprocessing(sets.val)).axes, (3, 7))
    rows = [ax.get_ylabel().split()[0] for ax in axes[:, 0]]
    assert rows == ["as", "normalised,", "normalisation"]


@pytest.mark.handed_out
def test_shown_flowers_are_of_different_classes_from_the_first_to_the_last():
    labels = np.array([2, 2, 0, 5, 7, 5, 0])
    assert labels[one_of_each(labels, 2)].tolist() == [0, 7]
    assert labels[one_of_each(labels, 9)].tolist() == [0, 2, 5, 7]


def test_a_big_photograph_is_shrunk_for_the_page(flower_folder):
    root = flower_folder(size=(900, 600))
    sets = load_flowers(root, "official", "resnet18", 32)
    axes = drawn(flower_figures.preprocessing(sets.train)).axes
    assert "900 × 600" in axes[0].get_title()
    assert picture(axes[0]).shape == (171, 256, 3)


@pytest.mark.handed_out
def test_bars_stand_on_each_other_and_are_the_counts(sets):
    figure = drawn(flower_figures.class_counts(sets))
    (ax,) = figure.axes
    assert legend(figure) == ["train (360)", "val (120)", "test (120)"]
    heights = np.reshape([bar.get_height() for bar in ax.patches], (3, 10))
    assert heights.tolist() == [[36] * 10, [12] * 10, [12] * 10]
    assert [bar.get_y() for bar in ax.patches[20:]] == [48] * 10
    assert [label.get_text() for label in ax.get_xticklabels()] == list(sets.class_names)


@pytest.mark.handed_out
def test_the_counts_of_102_classes_have_numbers_below(flower_folder):
    root = flower_folder(np.repeat(np.arange(1, 103), 3), parts=None, size=(4, 3))
    (ax,) = drawn(flower_figures.class_counts(load_flowers(root, "homework", "resnet18", 32))).axes
    assert len(ax.patches) == 3 * 102
    assert ax.get_xlabel() == "class"


def test_the_rate_that_is_taken_has_a_ring_and_one_that_diverged_a_cross(make_history):
    searches = {
        "scratch": {
            0.1: make_history((), "nan"),
            0.001: make_history((0.3,)),
            0.01: make_history((0.6,)),
        },
        "finetune": {0.1: make_history((), "nan")},
    }
    figure = drawn(flower_figures.learning_rates(searches))
    assert legend(figure) == ["A (scratch)", "B (fine-tuned)", "diverged"]
    (ax,) = figure.axes
    points, ring, nothing, cross = ax.lines
    assert list(zip(*points.get_data(), strict=True)) == [(0.001, 0.3), (0.01, 0.6)]
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([0.01], [0.6])
    assert len(nothing.get_xdata()) == 0
    assert list(cross.get_xdata()) == [0.1]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.001", "0.01", "0.1"]


@pytest.mark.handed_out
def test_three_curves_for_each_mode_and_its_best_epoch(make_result):
    results = {
        "scratch": make_result(accuracies=(0.1, 0.3, 0.2)),
        "finetune": make_result(accuracies=(0.9,)),
        "last_layers": make_result(accuracies=(0.8, 0.7), diverged="the loss became nan"),
    }
    figure = drawn(flower_figures.training_curves(results))
    axes = np.reshape(figure.axes, (2, 3))
    assert legend(figure) == [
        "training loss",
        "validation loss",
        "validation accuracy",
        "best epoch",
    ]
    for (_, result), (top, bottom) in zip(results.items(), axes.T, strict=True):
        training, validation, best = top.lines
        assert tuple(training.get_ydata()) == result.history.training_loss
        assert tuple(validation.get_ydata()) == result.history.validation_loss
        assert tuple(bottom.lines[0].get_ydata()) == result.history.validation_accuracy
        assert best.get_xdata()[0] == result.history.best_epoch
        assert top.get_ylim() == axes[0, 0].get_ylim()
        assert top.get_yscale() == "log"
    assert [[text.get_text() for text in ax.texts] for ax in axes[1]] == [
        [],
        [],
        ["diverged in epoch 3"],
    ]


@pytest.mark.handed_out
def test_a_mode_without_a_finished_epoch_is_an_empty_panel(make_result):
    failed = make_result(accuracies=(), diverged="the loss became nan")
    figure = drawn(flower_figures.training_curves({"scratch": failed}))
    assert figure.axes[1].texts[0].get_text() == "diverged in epoch 1"


@pytest.mark.handed_out
def test_few_classes_have_their_counts_in_the_cells(predictions, sets):
    ax, _ = drawn(flower_figures.confusion(predictions, sets.class_names)).axes
    matrix = predictions.confusion
    shown = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in ax.texts}
    assert shown == {
        (row, column): str(matrix[row, column]) for row, column in np.argwhere(matrix).tolist()
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == list(sets.class_names)
    # The middle of each cell has the share of its row.
    pixels = picture(ax)
    side = len(pixels) // 10
    share = matrix / matrix.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(pixels[side // 2 :: side, side // 2 :: side], share)


@pytest.mark.handed_out
def test_of_many_classes_only_names_that_fit_are_shown():
    labels = np.repeat(np.arange(101), 2)
    # The last class has no image: its row is empty, not a division by zero.
    predictions = Predictions(labels, np.eye(102)[labels])
    figure = drawn(flower_figures.confusion(predictions, OXFORD_NAMES))
    ax, _ = figure.axes
    assert list(ax.texts) == []
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert len(boxes) > 20
    assert all(not one.overlaps(other) for one, other in itertools.pairwise(boxes))
    assert ax.get_yticklabels()[1].get_text() == OXFORD_NAMES[int(ax.get_yticks()[1])]
    assert np.isfinite(picture(ax)).all()


@pytest.mark.handed_out
def test_mistakes_are_shown_with_what_they_are_and_the_two_likeliest(predictions, sets):
    figure = drawn(flower_figures.mistakes(sets.test, predictions))
    shown = [ax for ax in figure.axes if ax.get_images()]
    assert len(shown) == 5
    index = int(predictions.mistakes[0])
    assert index == 4  # the surest first
    true, wrong = (sets.class_names[(predictions.labels[index] + k) % 10] for k in (0, 1))
    assert shown[0].get_title() == f"is: {true}\n{wrong} (0.66)\n{true} (0.26)"
    assert np.array_equal(picture(shown[0]), np.asarray(sets.test.stored(index)))


@pytest.mark.handed_out
def test_if_there_is_no_mistake_the_figure_says_so(sets):
    labels = sets.test.labels
    (ax,) = drawn(flower_figures.mistakes(sets.test, Predictions(labels, np.eye(10)[labels]))).axes
    assert ax.texts[0].get_text() == "None of the 120 images is mistaken."
