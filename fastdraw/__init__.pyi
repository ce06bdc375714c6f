from .augment import Augment as Augment
from .bulk import rasterize_files as rasterize_files
from .download import download_files as download_files
from .download import load as load
from .drawings import Drawings as Drawings
from .drawings import open_drawings as open_drawings
from .errors import BinFormatError as BinFormatError
from .errors import DamagedFileWarning as DamagedFileWarning
from .errors import FastdrawError as FastdrawError
from .errors import FormatError as FormatError
from .errors import NdjsonFormatError as NdjsonFormatError
from .format import write_drawings as write_drawings
from .loader import batches as batches
from .ndjson import bin_to_ndjson as bin_to_ndjson
from .ndjson import ndjson_to_bin as ndjson_to_bin
from .rasters import Rasters as Rasters
from .rasters import open_rasters as open_rasters
from .synthetic import doodles as doodles
from .tfdata import to_tf_dataset as to_tf_dataset
from .tfrecord import read_tfrecords as read_tfrecords
from .verify import verify_official as verify_official
from .verify import verify_rasters as verify_rasters

__all__ = [
    "Augment",
    "BinFormatError",
    "DamagedFileWarning",
    "Drawings",
    "FastdrawError",
    "FormatError",
    "NdjsonFormatError",
    "Rasters",
    "batches",
    "bin_to_ndjson",
    "doodles",
    "download_files",
    "load",
    "ndjson_to_bin",
    "open_drawings",
    "open_rasters",
    "rasterize_files",
    "read_tfrecords",
    "to_tf_dataset",
    "verify_official",
    "verify_rasters",
    "write_drawings",
]
__version__: str
