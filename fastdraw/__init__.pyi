from .errors import BinFormatError as BinFormatError
from .errors import DamagedFileWarning as DamagedFileWarning
from .errors import FastdrawError as FastdrawError
from .errors import FormatError as FormatError
from .errors import NdjsonFormatError as NdjsonFormatError
from .errors import OtherFormatError as OtherFormatError
from .export.export import export_drawings as export_drawings
from .loader.arrays import batches as batches
from .loader.keras import to_keras_dataset as to_keras_dataset
from .loader.resident import resident as resident
from .loader.tfdata import to_tf_dataset as to_tf_dataset
from .loader.tfrecord import read_tfrecords as read_tfrecords
from .loader.torch import to_torch_dataset as to_torch_dataset
from .quickdraw.binary import write_drawings as write_drawings
from .quickdraw.doodles import doodles as doodles
from .quickdraw.download import download_files as download_files
from .quickdraw.download import load as load
from .quickdraw.drawings import Drawings as Drawings
from .quickdraw.ndjson import bin_to_ndjson as bin_to_ndjson
from .quickdraw.ndjson import ndjson_to_bin as ndjson_to_bin
from .quickdraw.opening import open_drawings as open_drawings
from .quickdraw.simplify import simplify as simplify
from .rasters import bulk as bulk
from .rasters.bulk import rasterize_files as rasterize_files
from .rasters.reader import Rasters as Rasters
from .rasters.reader import open_rasters as open_rasters
from .rasters.verify import verify_official as verify_official
from .rasters.verify import verify_rasters as verify_rasters
from .render.augment import Augment as Augment

__all__ = [
    "Augment",
    "BinFormatError",
    "DamagedFileWarning",
    "Drawings",
    "FastdrawError",
    "FormatError",
    "NdjsonFormatError",
    "OtherFormatError",
    "Rasters",
    "batches",
    "bin_to_ndjson",
    "bulk",
    "doodles",
    "download_files",
    "export_drawings",
    "load",
    "ndjson_to_bin",
    "open_drawings",
    "open_rasters",
    "rasterize_files",
    "read_tfrecords",
    "resident",
    "simplify",
    "to_keras_dataset",
    "to_tf_dataset",
    "to_torch_dataset",
    "verify_official",
    "verify_rasters",
    "write_drawings",
]
__version__: str
