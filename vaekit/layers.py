"""Layers of the models, binarisation of images, and corruptions of them for denoising."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)  # of each byte, the first pixel first
LOG_VAR_LIMITS = (-20.0, 10.0)  # standard deviations from 5e-5 to 148, which float16 can hold


@keras.saving.register_keras_serializable("vaekit")
class ToImages(keras.layers.Layer):
    """Images as float32 in 0..1, from any form in which fastdraw and common datasets give them.

    The input is (B, height, width), (B, height, width, channels) or flat rows: floats in 0..1, bools, or uint8 in
    0..255. Flat uint8 rows of an eighth of the pixels are bits in the order of ``numpy.packbits``.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the output.

    Examples
    --------
    >>> images = fastdraw.open_drawings("quickdraw")[:5].rasterize()
    >>> images.shape, images.dtype
    ((5, 32, 32), dtype('uint8'))
    >>> tuple(vaekit.layers.ToImages((32, 32, 1))(images).shape)
    (5, 32, 32, 1)
    """

    def __init__(self, image_shape: tuple[int, int, int], **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", "autocast": False} | kwargs)
        self.built = True  # without which Keras runs whole models once more to build them, in every method on JAX
        self.image_shape = tuple(image_shape)

    def call(self, inputs: Any) -> Any:
        self.check(inputs.shape, inputs.dtype)
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if self._are_bits(inputs.shape, dtype):
            return _unpack_bits(inputs, self.image_shape, "float32")
        images = ops.reshape(ops.cast(inputs, "float32"), (-1, *self.image_shape))
        return images / 255 if dtype == "uint8" else images

    def check(self, shape: Any, dtype: Any) -> None:
        """Check the shape of images, with the batch.

        Raises
        ------
        ValueError
            If the layer does not take images of this shape; sides that are None are not checked.

        Examples
        --------
        >>> vaekit.layers.ToImages((32, 32, 1)).check((5, 3, 32, 32), "float32")
        Traceback (most recent call last):
            ...
        ValueError: expected images of (32, 32, 1), height, width and channels in this order, ...
        """
        height, width, channels = self.image_shape
        pixels = height * width * channels
        known: list[tuple[int, ...]] = [self.image_shape, (pixels,)]
        if channels == 1:
            known += [(height, width), (1, height, width)]
        given = tuple(shape[1:])
        if None not in given and given not in known and not self._are_bits(shape, dtype):
            raise ValueError(
                f"expected images of {self.image_shape}, height, width and channels in this order, or flat rows of "
                f"{pixels}; received an array of shape {tuple(shape)}"
            )

    def has_form_of_images(self, shape: Any, dtype: Any) -> bool:
        """Whether an array is meant as images, rather than as labels or one-hot rows."""
        flat = len(shape) == 2 and shape[1] == int(np.prod(self.image_shape))
        return len(shape) > 2 or flat or self._are_bits(shape, dtype)

    def _are_bits(self, shape: Any, dtype: Any) -> bool:
        if len(shape) != 2 or keras.backend.standardize_dtype(dtype) != "uint8":
            return False
        return bool(shape[1] is not None and shape[1] * 8 == int(np.prod(self.image_shape)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.image_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"image_shape": self.image_shape}


@keras.saving.register_keras_serializable("vaekit")
class UnpackBits(keras.layers.Layer):
    """Bits to images, as ``numpy.unpackbits`` does it, on the accelerator.

    The input is (B, height * width * channels / 8) uint8, such as ``fastdraw.to_tf_dataset(..., packed=True)`` gives:
    32 times fewer bytes than float32 images. The output is (B, height, width, channels) of 0 and 1 in the layer's
    compute dtype.

    Parameters
    ----------
    image_shape : int or tuple of int
        (height, width, channels), or the side of square images with one channel.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")[:5]
    >>> images = vaekit.layers.UnpackBits(32)(drawings.rasterize(style="line", packed=True))
    >>> np.array_equal(keras.ops.convert_to_numpy(images)[..., 0], drawings.rasterize(style="line") > 0)
    True
    """

    def __init__(self, image_shape: int | tuple[int, int, int], **kwargs: Any) -> None:
        super().__init__(**{"autocast": False} | kwargs)
        self.built = True
        side = image_shape
        self.image_shape = (side, side, 1) if isinstance(side, (int, np.integer)) else tuple(side)

    def call(self, inputs: Any) -> Any:
        return _unpack_bits(inputs, self.image_shape, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.image_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"image_shape": self.image_shape}


def _unpack_bits(rows: Any, image_shape: tuple[int, ...], dtype: str) -> Any:
    # A look-up: on JAX and a CPU a step takes two thirds of the time that it takes with shifts.
    bits = ops.take(ops.convert_to_tensor(_BITS, dtype), ops.cast(rows, "int32"), axis=0)
    return ops.reshape(bits, (-1, *image_shape))


class _Random(keras.layers.Layer):
    """A layer with a random generator of its own, in float32.

    Each subclass has an ``__init__``: in some versions of Python, `inspect.signature` and help texts do not see one
    that is inherited behind the ``__new__`` of Keras's layers.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.built = True
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"seed": self.seed}


@keras.saving.register_keras_serializable("vaekit")
class Sampling(_Random):
    """Draws codes from diagonal normal distributions, in float32: z = mean + exp(log_var / 2) * epsilon.

    The reparametrization trick of Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), section 2.4.

    Parameters
    ----------
    seed : int, optional
        Seed of the layer's random generator.

    Examples
    --------
    >>> mean, log_var = np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32)
    >>> tuple(vaekit.layers.Sampling(seed=0)((mean, log_var)).shape)
    (3, 2)
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)

    def call(self, inputs: tuple[Any, Any]) -> Any:
        mean, log_var = inputs
        epsilon = keras.random.normal(ops.shape(mean), dtype="float32", seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_var) * epsilon

    def compute_output_shape(self, input_shape: tuple[Any, Any]) -> Any:
        return input_shape[0]


@keras.saving.register_keras_serializable("vaekit")
class Binarize(_Random):
    """Dynamic binarisation: draws each pixel as 0 or 1, with its grey value as the probability of 1.

    Salakhutdinov and Murray, "On the Quantitative Analysis of Deep Belief Networks" (2008). Every call draws anew, in
    training and in evaluation. Images of 0 and 1 stay as they are.

    Parameters
    ----------
    seed : int, optional

    Examples
    --------
    >>> drawn = vaekit.layers.Binarize(seed=0)(np.full((1, 8, 8, 1), 0.5, np.float32))
    >>> np.unique(keras.ops.convert_to_numpy(drawn)).tolist()
    [0.0, 1.0]
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)

    def call(self, inputs: Any) -> Any:
        draw = keras.random.uniform(ops.shape(inputs), dtype="float32", seed=self.seed_generator)
        return ops.cast(draw < inputs, "float32")


class _Corruption(_Random):
    """Corrupts images in training and is the identity otherwise, as Keras's own noise layers."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.damage(inputs) if training else inputs

    def damage(self, images: Any) -> Any:
        raise NotImplementedError


@keras.saving.register_keras_serializable("vaekit")
class SaltAndPepper(_Corruption):
    """Salt-and-pepper noise: in training it sets a share of the pixels to 0 or 1, with equal probability.

    Parameters
    ----------
    rate : float
        Share of the pixels, 0..1.
    seed : int, optional

    Examples
    --------
    >>> noise = vaekit.layers.SaltAndPepper(0.5, seed=0)
    >>> noisy = noise(np.full((1, 8, 8, 1), 0.5, np.float32), training=True)
    >>> np.unique(keras.ops.convert_to_numpy(noisy)).tolist()
    [0.0, 0.5, 1.0]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(f"expected rate from 0 to 1, received {rate}")
        self.rate = rate

    def damage(self, images: Any) -> Any:
        draw = keras.random.uniform(ops.shape(images), seed=self.seed_generator)
        salted = ops.where(draw < self.rate / 2, 1.0, images)
        return ops.where(draw > 1 - self.rate / 2, 0.0, salted)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"rate": self.rate}


@keras.saving.register_keras_serializable("vaekit")
class MaskSquares(_Corruption):
    """In training it sets random squares of each image to 0. Each square lies wholly within the image.

    Parameters
    ----------
    side : int
        Of the squares, in pixels.
    count : int
        Squares per image; they may overlap.
    seed : int, optional

    Examples
    --------
    >>> mask = vaekit.layers.MaskSquares(3, seed=0)
    >>> masked = keras.ops.convert_to_numpy(mask(np.ones((1, 8, 8, 1), np.float32), training=True))
    >>> int((masked == 0).sum())
    9
    """

    def __init__(self, side: int, count: int = 1, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if side < 1 or count < 1:
            raise ValueError(f"expected side and count of 1 or more, received {side} and {count}")
        self.side = side
        self.count = count

    def damage(self, images: Any) -> Any:
        batch, height, width = ops.shape(images)[:3]
        if self.side > min(height, width):
            raise ValueError(f"expected side of at most {min(height, width)} pixels, received {self.side}")
        covered = []
        for length in (height, width):
            start = keras.random.randint(
                (batch, self.count, 1), 0, length - self.side + 1, dtype="int32", seed=self.seed_generator
            )
            offset = ops.arange(length, dtype="int32") - start  # (batch, count, length)
            covered.append(ops.logical_and(offset >= 0, offset < self.side))
        rows, columns = covered
        inside = ops.any(ops.logical_and(ops.expand_dims(rows, 3), ops.expand_dims(columns, 2)), axis=1)
        return ops.where(ops.expand_dims(inside, -1), 0.0, images)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"side": self.side, "count": self.count}
