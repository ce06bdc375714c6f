"""Plots: points and curves are where the numbers say, in the colours of the legend."""

from __future__ import annotations

import numpy as np
import pytest

from vaekit import plots


def centre(picture: np.ndarray, colour: tuple[int, int, int], width: int) -> np.ndarray:
    """(x, y) of the middle of what has a colour, left of the legend."""
    y, x = np.nonzero((picture[:, :width] == colour).all(axis=2))
    assert len(x)
    return np.array([x.mean(), y.mean()])


def test_a_scatter_keeps_shape_grows_upward_and_has_colours_of_classes() -> None:
    points = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0]])
    picture = plots.scatter(points, [0, 1, 2], size=400)
    red, green, blue = (centre(picture, colour, 400) for colour in plots.palette(3))
    unit = (green - red)[0] / 4
    assert unit > 50
    np.testing.assert_allclose(green - red, [4 * unit, 0], atol=0.6)
    np.testing.assert_allclose(blue - red, [0, -2 * unit], atol=0.6)
    assert picture.shape[1] > 400  # the legend
    assert plots.scatter(points, size=400).shape == (400, 400, 3)


def test_thumbnails_are_at_their_points_and_none_is_over_another() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0001]])
    images = np.ones((3, 8, 8, 1), np.float32)
    picture = plots.scatter(points, images=images, size=300)
    inked = (picture == plots.palette(1)[0]).all(axis=2)
    assert inked.sum() == 2 * 32 * 32
    y, x = np.nonzero(inked)
    assert (x.min(), y.max()) == (x[y > 150].min(), y[x < 150].max())  # one at the bottom left, one at the top right
    assert not inked[:150, :150].any()


def test_curves_have_their_points_where_they_should_be() -> None:
    history = {"loss": [10.0, 30.0, 20.0], "val_loss": [12.0, 12.0, 12.0]}
    picture = plots.curves(history, {"loss": {1: 25.0, 3: 15.0}})
    blue = (picture == (0, 90, 181)).all(axis=2)
    blue[:30] = False  # the legend
    # The peak is at the second epoch, half way between the first and the third, which is half as far up.
    y, x = np.nonzero(blue)
    first, last = y[x <= x.min() + 2].mean(), y[x >= x.max() - 2].mean()
    peak = y.min() + 3
    assert first - last == pytest.approx((first - peak) / 2, abs=3)
    assert x[y == y.min()].mean() == pytest.approx((x.min() + x.max()) / 2, abs=1.5)
    assert ((picture == (220, 90, 0)).all(axis=2)).any()
    assert ((picture == (150, 150, 150)).all(axis=2)).any()
    assert plots.curves({"loss": [1.0], "kl": [0.5]}).shape[1] == 2 * picture.shape[1]


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"finite points \(N, 2\)"):
        plots.scatter(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="each of 4 points"):
        plots.scatter(np.zeros((4, 2)), [0, 1])
    with pytest.raises(ValueError, match="expected 2 names, received 1"):
        plots.scatter(np.zeros((2, 2)), [0, 1], names=["a"])
    with pytest.raises(ValueError, match="a history with a loss"):
        plots.curves({"accuracy": [1.0]})
