"""Reads the weights: a safetensors file is a length (u64, little-endian), a JSON table of contents, then the tensors.

Source of the layout: the format section of the safetensors project's README.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]


class WeightsError(ValueError):
    """The file is not a safetensors file of 32-bit floats."""


def read_weights(path: Path) -> Weights:
    """Every float32 tensor by name. Raises WeightsError where the file is cut or of another format."""
    blob = path.read_bytes()
    header = int.from_bytes(blob[:8], "little")
    try:
        table = json.loads(blob[8 : 8 + header])
        entries = {name: entry for name, entry in table.items() if name != "__metadata__" and entry["dtype"] == "F32"}
        return {name: _tensor(blob, 8 + header, entry) for name, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is not a whole safetensors file: {error}") from error


def _tensor(blob: bytes, start: int, entry: Mapping[str, list[int]]) -> NDArray[np.float32]:
    begin, end = entry["data_offsets"]
    values = np.frombuffer(blob, dtype="<f4", count=(end - begin) // 4, offset=start + begin)
    return values.astype(np.float32, copy=False).reshape(entry["shape"])
