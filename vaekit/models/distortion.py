"""An objective that also sees distorted copies of the images."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from vaekit.models.objectives import ELBO


@keras.saving.register_keras_serializable("vaekit")
class DistortedCopies(ELBO):
    """The `ELBO` of each training image and of two distorted copies: rotated, scaled, sheared and shifted a little.

    For images that have no strokes to change, such as MNIST's.

    Examples
    --------
    >>> objective = vaekit.models.DistortedCopies()
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,), objective=objective)
    >>> model.compile("adam")
    >>> sorted(model.fit(np.zeros((32, 8, 8)), verbose=0).history)
    ['kl', 'loss', 'reconstruction']
    """

    COPIES = 2
    ROTATE, SCALE, SHEAR, SHIFT = math.radians(6), 0.05, 0.08, 0.4  # limits: radians, logarithm, tangent, pixels
    CONTRAST = 1.35  # makes up for the smoothing by interpolation: copies have the mean entropy of images

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def __call__(
        self, model: Any, images: Any, labels: list[Any], training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        loss, measures = super().__call__(model, images, labels, training)
        if training:
            for _ in range(self.COPIES):
                loss += super().__call__(model, self._distorted(images), labels, training)[0]
        return loss, measures

    def _distorted(self, images: Any) -> Any:
        count, height, width = ops.shape(images)[:3]

        def draw(limit: float) -> Any:
            return keras.random.uniform((count,), -limit, limit, seed=self.seed_generator)

        angle, across, down, shear = draw(self.ROTATE), draw(self.SCALE), draw(self.SCALE), draw(self.SHEAR)
        xx, yx = ops.exp(across) * ops.cos(angle), ops.exp(across) * ops.sin(angle)
        xy, yy = xx * shear - ops.exp(down) * ops.sin(angle), yx * shear + ops.exp(down) * ops.cos(angle)
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        x = middle_x - xx * middle_x - xy * middle_y + draw(self.SHIFT)
        y = middle_y - yx * middle_x - yy * middle_y + draw(self.SHIFT)
        zero = ops.zeros_like(x)
        matrices = ops.stack([xx, xy, x, yx, yy, y, zero, zero], axis=1)
        copies = ops.image.affine_transform(images, matrices, data_format="channels_last")
        return ops.clip((copies - 0.5) * self.CONTRAST + 0.5, 0, 1)
