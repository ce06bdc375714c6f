"""Programs that `test_tfdata.py` runs in another process, with a fresh TensorFlow. Each prints its result as JSON.

``restore FOLDER``: restore each checkpoint that ``plan.json`` in the folder lists; print checksums of the batches left.
``mirrored FOLDER``: read a dataset, and train on it, with two logical devices.
``leave FOLDER on|off``: exit with unfinished iterators, while a thread reads from one of them (``on``) or not.
``worker INDEX PORT PORT FOLDER``: be one of two workers; print what it read, and a sum over both.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import zlib
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import fastdraw

tf = pytest.importorskip("tensorflow")

CHANGES = fastdraw.Augment(rotate=15, scale=(0.8, 1), jitter=3, drop_strokes=0.2, flip=True)


def checksums(batches: object, limit: int) -> list[int]:
    """CRC-32 of every array in the batches."""
    return [
        zlib.crc32(np.ascontiguousarray(part))
        for batch in islice(batches, limit)  # type: ignore[call-overload]
        for part in (batch if isinstance(batch, tuple) else (batch,))
    ]


def dataset(folder: Path, arguments: dict) -> tf.data.Dataset:
    if arguments.get("augment"):
        arguments = arguments | {"augment": CHANGES}
    return fastdraw.to_tf_dataset(fastdraw.open_drawings(folder), **arguments)


def restore(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text())
    found = []
    for item in plan["items"]:
        iterator = iter(dataset(Path(plan["drawings"]), item["arguments"]))
        tf.train.Checkpoint(iterator=iterator).restore(item["checkpoint"])
        found.append(checksums(map(_as_numpy, iterator), item["limit"]))
    print(json.dumps(found))


def _as_numpy(batch: object) -> object:
    return tuple(part.numpy() for part in batch) if isinstance(batch, tuple) else batch.numpy()  # type: ignore


def numbers(images: tf.Tensor) -> list[int]:
    """The indices of the drawings in a batch; drawing i is the single pixel i."""
    return np.asarray(images).reshape(len(images), -1).argmax(axis=1).tolist()


def mirrored(folder: Path) -> None:
    import keras

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    drawings = fastdraw.open_drawings(folder)

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        shard = context.input_pipeline_id, context.num_input_pipelines
        return fastdraw.to_tf_dataset(
            drawings, context.get_per_replica_batch_size(100), shuffle=True, seed=1, shard=shard
        )

    def read(distributed: object) -> list[list[int]]:
        return [
            [number for part in strategy.experimental_local_results(batch) for number in numbers(part)]
            for batch in distributed  # type: ignore[attr-defined]
        ]

    by_function = strategy.distribute_datasets_from_function(of_worker)
    of_whole = strategy.experimental_distribute_dataset(fastdraw.to_tf_dataset(drawings, 100, shuffle=True, seed=1))
    found = {"function": [read(by_function), read(by_function)], "whole": [read(of_whole), read(of_whole)]}

    with strategy.scope():
        model = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    data = fastdraw.to_tf_dataset(drawings, 100, shuffle=True, seed=1, labels="int", drop_remainder=True)
    found["loss"] = model.fit(data, epochs=2, verbose=0, shuffle=False).history["loss"]
    print(json.dumps(found))


left: list = []  # global, so that iterators are deleted only when the interpreter shuts down


def leave(folder: Path, reading: str) -> None:
    drawings = fastdraw.open_drawings(folder)
    for _ in range(8):
        left.append(iter(fastdraw.to_tf_dataset(drawings, 100, size=64, epochs=None, threads=2)))
        next(left[-1])
    if reading == "on":
        threading.Thread(target=lambda: [None for _ in left[0]], daemon=True).start()
    print(len(left))


def worker(index: str, *ports_and_folder: str) -> None:
    *ports, folder = ports_and_folder
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": int(index)}})
    strategy = tf.distribute.MultiWorkerMirroredStrategy()

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        shard = context.input_pipeline_id, context.num_input_pipelines
        assert shard == (int(index), 2)
        return fastdraw.to_tf_dataset(
            fastdraw.open_drawings(folder), 50, shuffle=True, seed=1, shard=shard, drop_remainder=True
        )

    @tf.function
    def count(images: tf.Tensor) -> tf.Tensor:
        ink = strategy.run(tf.reduce_sum, (images,))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, ink, axis=None)

    read, ink = [], 0.0
    for images in strategy.distribute_datasets_from_function(of_worker):
        read += numbers(strategy.experimental_local_results(images)[0])
        ink += float(count(images))
    print(json.dumps({"read": read, "ink": ink}))


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    {
        "restore": lambda: restore(Path(*rest)),
        "mirrored": lambda: mirrored(Path(*rest)),
        "leave": lambda: leave(Path(rest[0]), rest[1]),
        "worker": lambda: worker(*rest),
    }[command]()
