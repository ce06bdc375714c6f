"""The built-in doodles: reproducible, in the official form, varied, and recognisable."""

import ast
import hashlib

import numpy as np
import numpy.typing as npt
import pytest
from fresh import fresh_process
from PIL import Image, ImageDraw
from skimage.measure import approximate_polygon

from fastdraw.quickdraw.doodles import CATEGORIES, doodles

Drawing = list[npt.NDArray[np.uint8]]

SAMPLE = 40  # drawings per category


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[Drawing]]:
    return {category: doodles(category, SAMPLE, seed=1) for category in CATEGORIES}


def digest(drawings: list[Drawing]) -> str:
    """Hash drawings so that the stroke boundaries count too."""
    code = hashlib.sha256()
    for drawing in drawings:
        for stroke in drawing:
            code.update(repr(stroke.tolist()).encode())
        code.update(b";")
    return code.hexdigest()


def raster(drawing: Drawing) -> npt.NDArray[np.float64]:
    """Draw at 256x256 and shrink to 16x16 grey levels."""
    image = Image.new("L", (272, 272))
    for stroke in drawing:
        ImageDraw.Draw(image).line([(x + 8, y + 8) for x, y in stroke.T.tolist()], fill=255, width=16)
    return np.asarray(image.resize((16, 16), Image.Resampling.BOX), dtype=float).ravel()


def test_categories() -> None:
    assert len(CATEGORIES) >= 12
    assert len(set(CATEGORIES)) == len(CATEGORIES)


def test_same_drawings_in_a_fresh_process() -> None:
    doodles("house", 1)  # neither what was drawn before nor the process's hash seed may matter
    here = [[stroke.tolist() for stroke in drawing] for drawing in doodles("cat", 6, seed=5)]
    there = fresh_process(
        "from fastdraw.quickdraw.doodles import doodles\n"
        "print([[stroke.tolist() for stroke in drawing] for drawing in doodles('cat', 6, seed=5)])"
    )
    assert ast.literal_eval(there) == here


def test_fewer_are_the_first_of_more() -> None:
    assert digest(doodles("tree", 3, seed=9)) == digest(doodles("tree", 12, seed=9)[:3])
    assert doodles("tree", 0) == []


def test_seeds_and_categories_give_other_drawings(drawn: dict[str, list[Drawing]]) -> None:
    digests = {digest([drawing]) for drawings in drawn.values() for drawing in drawings}
    assert len(digests) == SAMPLE * len(CATEGORIES)
    for category in CATEGORIES:
        assert digest(doodles(category, 1, seed=2)) not in digests


def test_official_form(drawn: dict[str, list[Drawing]]) -> None:
    for category, drawings in drawn.items():
        for drawing in drawings:
            assert drawing, category
            for stroke in drawing:
                assert stroke.dtype == np.uint8
                assert stroke.ndim == 2
                assert stroke.shape[0] == 2
                assert stroke.shape[1] >= 2
            points = np.concatenate(drawing, axis=1)
            # Simplifying may take off an outermost point that is less than 2 pixels from its neighbours' line.
            assert points.min(axis=1).max() <= 2
            assert points.max() >= 253


def test_strokes_are_simplified(drawn: dict[str, list[Drawing]]) -> None:
    strokes = [stroke for drawings in drawn.values() for drawing in drawings for stroke in drawing]
    bends = [len(approximate_polygon(stroke.T.astype(float), 1.0)) / stroke.shape[1] for stroke in strokes]
    assert np.mean(bends) > 0.95  # hardly a point lies on the line between its neighbours
    assert max(stroke.shape[1] for stroke in strokes) > 20


def test_y_points_down(drawn: dict[str, list[Drawing]]) -> None:
    mean = np.mean([raster(drawing) for drawing in drawn["umbrella"]], axis=0).reshape(16, 16)
    width = (mean > 0.15 * mean.max()).sum(axis=1)
    assert width[1:6].sum() > 2 * width[10:15].sum()  # the dome above the handle


def test_statistics_are_near_those_of_real_drawings(drawn: dict[str, list[Drawing]]) -> None:
    # Real simplified drawings average 5.3 strokes and 44.5 points; a few strokes in a hundred are dots.
    drawings = [drawing for group in drawn.values() for drawing in group]
    strokes = [stroke for drawing in drawings for stroke in drawing]
    assert 4.0 < len(strokes) / len(drawings) < 7.0
    assert 30.0 < sum(stroke.shape[1] for stroke in strokes) / len(drawings) < 55.0
    assert 0.003 < np.mean([(stroke == stroke[:, :1]).all() for stroke in strokes]) < 0.08


def test_drawings_of_a_category_vary(drawn: dict[str, list[Drawing]]) -> None:
    for category, drawings in drawn.items():
        counts = {tuple(stroke.shape[1] for stroke in drawing) for drawing in drawings}
        assert len(counts) > SAMPLE / 3, category
        extents = np.array([np.concatenate(drawing, axis=1).max(axis=1) for drawing in drawings])
        assert extents.min(axis=1).std() > 8.0, category


def test_categories_can_be_told_apart(drawn: dict[str, list[Drawing]]) -> None:
    centroids = np.array([np.mean([raster(d) for d in drawn[category]], axis=0) for category in CATEGORIES])
    hits = []
    for label, category in enumerate(CATEGORIES):
        for drawing in doodles(category, 15, seed=1000):
            hits.append(((centroids - raster(drawing)) ** 2).sum(axis=1).argmin() == label)
    assert np.mean(hits) > 0.6  # chance is below 0.1


def test_unknown_category() -> None:
    with pytest.raises(ValueError, match=r"house.*cat.*received 'dragon'"):
        doodles("dragon", 1)
    with pytest.raises(ValueError, match="expected seed to be 0 or more, received -1"):
        doodles("cat", 1, seed=-1)
