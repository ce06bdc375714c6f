"""A decoder with codes at several scales, and its encoder: a ladder VAE.

The code of an image is one vector. Its first numbers decide what the image is as a whole, and those after them what it
is at places of a coarse grid, then at places of finer grids. All have a standard normal prior. What a number does
depends on those before it, and so does its posterior: codes are drawn from the top of the ladder to its foot.

Sønderby et al., "Ladder Variational Autoencoders" (2016); Child, "Very Deep VAEs" (2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

import vaekit.layers as own_layers
from vaekit.networks.parts import LAST, Layered, Pair, Shape, inputs_of

_PATCH = 4  # pixels to a side of the finest grid's places
_SCALE_LIMITS = (-8.0, 4.0)  # of the logarithm of the square of what a code is multiplied with


def ladder(
    image_shape: Shape,
    latent_dim: int,
    *,
    num_classes: int = 0,
    filters: Sequence[int] = (64, 128),
    maps: Sequence[int] = (4, 8),
    depth: Sequence[int] = (0, 3),
) -> Pair:
    """Convolutions with codes at several scales, for drawings: sharper than one code for the whole image.

    Parameters
    ----------
    image_shape, num_classes
        As for `mlp`.
    latent_dim : int
        Length of the code at the top. Those at the places of the grids come on top of it; ``decoder.latent_dim`` is the
        sum.
    filters : sequence of int
        Of the convolutions on each grid, from the finest, of 4 x 4 pixels a place; each further one is half as fine.
    maps : sequence of int
        Numbers in the code at each place of each grid, for each level.
    depth : sequence of int
        Levels on each grid: how often numbers are drawn for all its places. On drawings, codes on the finest grid
        describe strokes one by one, so that samples have no whole; therefore it has none by default.

    Returns
    -------
    encoder : keras.Model
    decoder : Ladder

    Examples
    --------
    >>> encoder, decoder = vaekit.networks.ladder((16, 16, 1), 2, filters=(4, 8), maps=(1, 2), depth=(1, 1))
    >>> decoder.latent_dim  # 2 at the top, 2 at each of 2 x 2 places, 1 at each of 4 x 4
    26
    >>> model = vaekit.VAE(encoder, decoder, decoder.latent_dim)
    """
    decoder = Ladder(image_shape, latent_dim, num_classes, filters, maps, depth, name="decoder")
    images, _, label = inputs_of(image_shape, decoder.latent_dim, num_classes)
    rows, columns = decoder.padding
    x = layers.ZeroPadding2D((rows, columns), **LAST)(images) if any((*rows, *columns)) else images
    features = []
    for i, count in enumerate(filters):
        x = layers.Conv2D(count, *((2 * _PATCH, _PATCH) if i == 0 else (4, 2)), padding="same", **LAST)(x)
        if i == len(filters) - 1 and num_classes:
            x = layers.Add()([x, layers.Reshape((1, 1, count))(layers.Dense(count)(label))])
        y = layers.Conv2D(count, 3, padding="same", activation="relu", **LAST)(layers.ReLU()(x))
        x = layers.Add()([x, layers.Conv2D(count, 1, kernel_initializer="zeros", **LAST)(y)])
        features.append(layers.Flatten(**LAST)(layers.ReLU()(x)))
    top = layers.Conv2D(filters[-1], 4, strides=2, padding="same", activation="relu", **LAST)(layers.ReLU()(x))
    encoded = layers.Concatenate()([*features, layers.Flatten(**LAST)(top)])
    inputs = [images, label] if num_classes else images
    return keras.Model(inputs, encoded, name="encoder"), decoder


@keras.saving.register_keras_serializable("vaekit")
class Ladder(Layered):
    """The decoder of `ladder`: codes (B, latent_dim) to logits of images. With labels it takes [codes, rows of labels].

    It also draws codes from the posterior, see `infer`, because the posterior of a code depends on what the decoder
    made of the codes above it.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels).
    top : int
        Length of the code at the top.
    num_classes : int
    filters, maps, depth
        As for `ladder`.

    Attributes
    ----------
    latent_dim : int
        Length of codes.
    parts : list of int
        The numbers at the top, and on each grid that has any, the coarsest first.
    padding : ((int, int), (int, int))
        Rows above and below, columns left and right, that make the sides of images multiples of what the grids need.

    Examples
    --------
    >>> decoder = vaekit.networks.Ladder((16, 16, 1), 2, filters=(4, 8), maps=(1, 2), depth=(1, 1))
    >>> tuple(decoder(np.zeros((3, decoder.latent_dim))).shape)
    (3, 16, 16, 1)
    """

    def __init__(
        self,
        image_shape: Shape,
        top: int,
        num_classes: int = 0,
        filters: Sequence[int] = (64, 128),
        maps: Sequence[int] = (4, 8),
        depth: Sequence[int] = (0, 3),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not len(filters) == len(maps) == len(depth) > 0:
            raise ValueError(
                f"expected filters, maps and depth of each grid, as many; received {list(filters)}, {list(maps)} and "
                f"{list(depth)}"
            )
        self.image_shape, self.top, self.num_classes = tuple(image_shape), top, num_classes
        self.filters, self.maps, self.depth = list(filters), list(maps), list(depth)
        height, width, channels = self.image_shape
        coarsest = _PATCH * 2 ** len(filters)
        grid = (-(-height // coarsest), -(-width // coarsest))
        self.padding = tuple(_split(cells * coarsest - side) for cells, side in zip(grid, (height, width), strict=True))

        flat = math.prod(grid) * filters[-1]
        self.start = _built(layers.Dense(flat), top + num_classes)
        self.mean, self.log_var = (
            _built(layers.Dense(top, dtype="float32", name=name), flat) for name in ("mean", "log_var")
        )
        self.finer, self.of_label, self.levels, self.refine, self.add = [], [], [], [], []
        self.grids, before = [grid], filters[-1]
        for count, numbers, levels in reversed(list(zip(filters, maps, depth, strict=True))):
            self.grids.append((2 * self.grids[-1][0], 2 * self.grids[-1][1]))
            self.finer.append(_built(layers.Conv2D(4 * count, 1, **LAST), before))
            if num_classes:
                self.of_label.append(_built(layers.Dense(count, use_bias=False), num_classes))
            self.levels.append([Level(count, numbers) for _ in range(levels)])
            self.refine.append(_built(layers.Conv2D(count, 3, padding="same", **LAST), count))
            self.add.append(_built(layers.Conv2D(count, 1, kernel_initializer="zeros", **LAST), count))
            before = count
        self.mix = _built(layers.Conv2D(2 * before, 3, padding="same", **LAST), before)
        self.expand = _built(layers.Conv2D(4 * max(before // 4, 1), 1, **LAST), 2 * before)
        self.paint = layers.Conv2D(4 * channels, 3, padding="same", dtype="float32", name="logits", **LAST)
        _built(self.paint, max(before // 4, 1))
        self.parts = [top] + [
            rows * columns * sum(level.maps for level in levels)
            for (rows, columns), levels in zip(self.grids[1:], self.levels, strict=True)
            if levels
        ]
        self.latent_dim = sum(self.parts)
        self.built = True

    def call(self, inputs: Any) -> Any:
        codes, *labels = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
        return self._descend(labels, codes)[3]

    def infer(self, features: Any, labels: list[Any], noise: Any = None) -> tuple[Any, Any, Any, Any]:
        """Codes drawn from the posterior, the mean and log-variance of each number given those above it, and logits.

        Parameters
        ----------
        features : (B, n)
            Of the encoder.
        labels : list
            Rows of labels, if there are classes.
        noise : (B, latent_dim), optional
            Standard normal numbers; without, codes are the means.

        Returns
        -------
        codes, mean, log_var : (B, latent_dim) float32
        logits : (B, height, width, channels) float32
        """
        sizes = [rows * columns * n for (rows, columns), n in zip(self.grids[:0:-1], self.filters, strict=True)]
        *maps, top = _cut(features, [*sizes, features.shape[-1] - sum(sizes)])
        seen = [
            ops.reshape(part, (-1, *grid, count))
            for part, grid, count in zip(maps[::-1], self.grids[1:], self.filters[::-1], strict=True)
        ]
        return self._descend(labels, noise, top=top, seen=seen)

    def get_config(self) -> dict[str, Any]:
        names = ("image_shape", "top", "num_classes", "filters", "maps", "depth")
        return {"name": self.name} | {name: getattr(self, name) for name in names}

    def _descend(
        self, labels: list[Any], given: Any, top: Any = None, seen: Sequence[Any] = ()
    ) -> tuple[Any, Any, Any, Any]:
        """Codes, means, log-variances and logits; ``given`` are codes, or with features the noise to draw them with."""
        lengths = [self.top]
        for part, levels in zip(self.parts[1:], filter(None, self.levels), strict=True):
            lengths += [part // len(levels)] * len(levels)
        parts = [None] * len(lengths) if given is None else _cut(given, lengths)
        drawn = [_draw(self.mean(top), self.log_var(top), parts[0]) if seen else (parts[0], None, None)]
        h = self.start(ops.concatenate([drawn[0][0], *labels], axis=1))
        h = ops.reshape(h, (-1, *self.grids[0], self.filters[-1]))
        for i, levels in enumerate(self.levels):
            h = _to_space(self.finer[i](ops.relu(h)))
            if labels:
                h = h + self.of_label[i](labels[0])[:, None, None, :]
            for level in levels:
                h, *found = level.step(h, parts[len(drawn)], seen[i] if seen else None)
                drawn.append(tuple(found))
            h = h + self.add[i](ops.relu(self.refine[i](ops.relu(h))))
        h = _to_space(ops.relu(self.expand(ops.relu(self.mix(ops.relu(h))))))
        logits = _to_space(self.paint(h))
        (above, _), (left, _) = self.padding
        height, width, _ = self.image_shape
        codes, mean, log_var = (
            None if column[0] is None else ops.concatenate(column, axis=1) for column in zip(*drawn, strict=True)
        )
        return codes, mean, log_var, logits[:, above : above + height, left : left + width]


class Level(layers.Layer):
    """Takes in the codes at each place of a grid, or draws them from the posterior."""

    def __init__(self, filters: int, maps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.maps = maps
        self.look = _built(layers.Conv2D(filters, 3, padding="same", **LAST), filters)
        self.decide = _built(layers.Conv2D(maps + filters, 1, kernel_initializer="zeros", **LAST), filters)
        self.compare = _built(layers.Conv2D(filters // 2, 3, padding="same", **LAST), filters)
        self.see = _built(layers.Conv2D(filters // 2, 1, **LAST), filters)
        self.mean, self.log_var = (
            _built(layers.Conv2D(maps, 1, dtype="float32", name=name, **LAST), filters // 2)
            for name in ("mean", "log_var")
        )
        self.insert = _built(layers.Conv2D(filters, 1, **LAST), maps)
        self.parts = [self.look, self.decide, self.compare, self.see, self.mean, self.log_var, self.insert]
        self.built = True

    def step(self, h: Any, given: Any, seen: Any) -> tuple[Any, Any, Any, Any]:
        """What comes of the grid so far, (B, rows, columns, filters), and codes, means and log-variances, (B, n).

        ``given`` are the codes, or with features the noise to draw them with.
        """
        decided = self.decide(ops.relu(self.look(ops.relu(h))))
        scale = ops.exp(0.5 * ops.clip(ops.cast(decided[..., : self.maps], "float32"), *_SCALE_LIMITS))
        h = h + decided[..., self.maps :]
        code, mean, log_var = given, None, None
        if seen is not None:
            found = ops.relu(self.compare(ops.relu(h)) + self.see(seen))
            flat = (-1, math.prod(scale.shape[1:]))
            mean, log_var = (ops.reshape(head(found), flat) for head in (self.mean, self.log_var))
            code, mean, log_var = _draw(mean, log_var, given)
        return h + self.insert(scale * ops.reshape(code, (-1, *scale.shape[1:]))), code, mean, log_var


def _draw(mean: Any, log_var: Any, noise: Any) -> tuple[Any, Any, Any]:
    log_var = ops.clip(log_var, *own_layers.LOG_VAR_LIMITS)
    return mean if noise is None else mean + ops.exp(0.5 * log_var) * noise, mean, log_var


def _built(layer: layers.Layer, channels: int) -> layers.Layer:
    """A layer with its weights, for so many channels."""
    layer.build((None, None, None, channels) if isinstance(layer, layers.Conv2D) else (None, channels))
    return layer


def _cut(rows: Any, lengths: Sequence[int]) -> list[Any]:
    """Parts of rows, of these lengths."""
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    return [rows[:, end - length : end] for length, end in zip(lengths, ends, strict=True)]


def _split(pixels: int) -> tuple[int, int]:
    return pixels // 2, pixels - pixels // 2


def _to_space(x: Any) -> Any:
    """Channels to a grid twice as fine (Shi et al., "Real-Time Single Image and Video Super-Resolution", 2016)."""
    _, rows, columns, channels = x.shape
    x = ops.reshape(x, (-1, rows, columns, 2, 2, channels // 4))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, 2 * rows, 2 * columns, channels // 4))
