"""What models expect of an encoder and a decoder."""

from __future__ import annotations

from typing import Any

import keras

Shape = tuple[Any, ...]

_TO_VALUES = ("sigmoid", "hard_sigmoid", "hardsigmoid", "softmax")
_SHAPING = ("Reshape", "Permute", "Transpose", "Cropping2D", "UpSampling2D", "Dropout")  # keep values as they are


def shapes(
    encoder: Any, decoder: Any, latent_dim: int | None = None, classes: int | None = None
) -> tuple[Shape, Shape]:
    """Shapes of features (or codes) and of images, without the batch. Networks without weights get them.

    Parameters
    ----------
    encoder, decoder : keras.Model
    latent_dim : int, optional
        Length of the codes; None if codes are what the encoder returns.
    classes : int, optional
        Length of rows of labels, if both networks take them.

    Raises
    ------
    TypeError, ValueError
        If these networks do not make a model.
    """
    for name, network in (("encoder", encoder), ("decoder", decoder)):
        if not isinstance(network, keras.Model):
            raise TypeError(f"expected {name} to be a keras.Model, received {type(network).__name__}")
    labels = [] if classes is None else [(classes,)]
    if latent_dim is not None:
        image = _output("decoder", decoder, [(latent_dim,), *labels])
        features = _output("encoder", encoder, [image, *labels])
        if len(features) != 1:
            raise ValueError(
                f"expected an encoder that returns features (n,), of which the model makes codes; received {features} "
                "of each image: end it with keras.layers.Flatten()"
            )
        return features, image
    image_shape, code = _input(encoder), _input(decoder)
    if image_shape is None and code is None:
        raise ValueError(
            "expected a network that knows the shape of its inputs, received two that do not: begin the encoder with "
            "keras.Input((height, width, channels)), or call it once on images"
        )
    if image_shape is not None:
        code = _output("encoder", encoder, [image_shape])
    image_shape = _output("decoder", decoder, [code or ()])
    return _output("encoder", encoder, [image_shape]), image_shape


def fits(expected: Any, given: Any) -> bool:
    """Whether two shapes are the same, where both are known."""
    return len(expected) == len(given) and all(None in (a, b) or a == b for a, b in zip(expected, given, strict=True))


def check_logits(decoder: keras.Model) -> None:
    """Reject a decoder that ends in a function to 0..1: the models apply one themselves.

    Raises
    ------
    ValueError
    """
    layer: Any = decoder
    while isinstance(layer, keras.Model) and layer.layers:
        steps = getattr(layer, "operations", layer.layers)  # of a functional model also functions of keras.ops
        layer = next((step for step in reversed(steps) if type(step).__name__ not in _SHAPING), None)
    name = getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__.lower())
    if name in _TO_VALUES:
        raise ValueError(
            f"expected a decoder that returns logits, of which the model takes the sigmoid; received one that ends in "
            f"{name}: leave that activation out"
        )


def _input(network: keras.Model) -> Shape | None:
    """Shape of one input, of a network that has seen it."""
    inputs = getattr(network, "inputs", None)
    if inputs:
        return tuple(inputs[0].shape[1:])
    seen = (network.get_build_config() or {}).get("input_shape")
    return tuple(seen[1:]) if seen else None


def _output(name: str, network: keras.Model, given: list[Shape]) -> Shape:
    """Shape of the output for inputs of these shapes."""
    inputs = getattr(network, "inputs", None)
    takes = ["images" if name == "encoder" else "codes", *["rows of labels"] * (len(given) - 1)]
    article = "an" if name == "encoder" else "a"
    described = " and ".join(f"{what} {shape}" for what, shape in zip(takes, given, strict=True))
    if inputs:
        expected = [tuple(tensor.shape[1:]) for tensor in inputs]
        if len(expected) != len(given) or not all(map(fits, expected, given)):
            raise ValueError(
                f"expected {article} {name} that takes {described}; received one that takes "
                f"{' and '.join(map(str, expected))}"
            )
        made = network.output_shape
    else:
        tensors = [keras.KerasTensor((None, *shape)) for shape in given]
        try:
            output = network(tensors if len(tensors) > 1 else tensors[0])
        except Exception as error:
            listed = ", as a list" if len(given) > 1 else ""
            raise ValueError(f"expected {article} {name} that takes {described}{listed}; it failed: {error}") from error
        made = [part.shape for part in output] if isinstance(output, (tuple, list)) else output.shape
    if isinstance(made, (list, dict)) or (made and isinstance(made[0], (tuple, list))):
        hint = "; a VAE makes mean and log-variance itself, of features" if name == "encoder" else ""
        raise ValueError(f"expected {name} to return one tensor, received one that returns {len(made)}{hint}")
    shape = tuple(made[1:])
    if name == "decoder" and (len(shape) != 3 or None in shape):
        raise ValueError(
            f"expected a decoder that returns logits of images, (height, width, channels); received {shape}: end it "
            "with keras.layers.Reshape((height, width, channels))"
        )
    return shape
