"""A model's folder and the record of its files' hashes, checked at every start."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from chorale.domain.errors import StartupError
from chorale.settings import DEFAULT_MODEL

MODEL_FILE = "model.onnx"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
MANIFEST = "manifest.json"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that fastembed can load; `digest` covers the model and its tokenizer (64 hex digits)."""

    name: str
    path: Path
    digest: str
    max_tokens: int


def default_folder(data: Path, build: Callable[[Path, Progress], None], progress: Progress) -> ModelFolder:
    """The default model under `data`/models, built where it is absent, else compared with its manifest.

    A missing or altered file raises StartupError: something other than this program has changed it.
    """
    folder = data / "models" / DEFAULT_MODEL.rsplit("/", 1)[-1]
    if not folder.exists():
        _build_aside(folder, build, progress)
    cure = f"Delete the folder {folder}; it is built again at the next start."
    try:
        recorded: dict[str, str] = dict(json.loads((folder / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise StartupError(f"The embedding model's manifest {folder / MANIFEST} cannot be read. {cure}") from error
    for name in sorted({MODEL_FILE, *TOKENIZER_FILES} | set(recorded)):
        if not (folder / name).is_file():
            raise StartupError(f"The embedding model's file {folder / name} is missing. {cure}")
        if recorded.get(name) != _hash(folder / name):
            raise StartupError(f"The embedding model's file {folder / name} has been altered. {cure}")
    return _described(DEFAULT_MODEL, folder, recorded)


def given_folder(path: Path) -> ModelFolder:
    """A folder that CHORALE_EMBEDDING_MODEL names. Its digest goes into the fingerprint, which guards the content."""
    missing = [name for name in (MODEL_FILE, *TOKENIZER_FILES) if not (path / name).is_file()]
    if missing:
        raise StartupError(
            f"CHORALE_EMBEDDING_MODEL={str(path)!r} has no {', '.join(missing)}. "
            f"Name a folder holding {MODEL_FILE}, {' and '.join(TOKENIZER_FILES)}."
        )
    return _described(path.resolve().name, path, {name: _hash(path / name) for name in (MODEL_FILE, *TOKENIZER_FILES)})


def _described(name: str, path: Path, hashes: Mapping[str, str]) -> ModelFolder:
    try:
        max_tokens = int(json.loads((path / "tokenizer_config.json").read_text("utf-8"))["model_max_length"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise StartupError(
            f"{path / 'tokenizer_config.json'} has no number as model_max_length. Write the model's length in tokens."
        ) from error
    lines = "".join(f"{hashes[file]} {file}\n" for file in (MODEL_FILE, *TOKENIZER_FILES))
    return ModelFolder(name, path, sha256(lines.encode()).hexdigest(), max_tokens)


def _build_aside(folder: Path, build: Callable[[Path, Progress], None], progress: Progress) -> None:
    """Build in a sibling, flush it to disk and rename: the folder is whole or absent, whenever the process ends."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left_over in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left_over, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        build(aside, progress)
        manifest = {file.name: _hash(file) for file in sorted(aside.iterdir())}
        (aside / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
        for path in (*aside.iterdir(), aside):
            _flush(path)
        aside.chmod(0o755)
        aside.rename(folder)
        _flush(folder.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    progress(f"Embedding model: ready in {folder}")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
