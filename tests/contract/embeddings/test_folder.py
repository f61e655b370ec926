"""The model's folder is built whole or not at all, and a start with a missing or altered file names the cure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from chorale.domain.errors import StartupError
from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import FastEmbedder, open_embedder
from datasources.embeddings.folder import default_folder
from datasources.embeddings.minilm.folder import build
from datasources.embeddings.minilm.weights import WeightsError, read_weights

NAME = DEFAULT_MODEL.rsplit("/", 1)[-1]


def quiet(_: str) -> None:
    pass


def small(target: Path, _: object) -> None:
    """A stand-in for the real build with the same file names."""
    (target / "model.onnx").write_bytes(b"model")
    (target / "tokenizer.json").write_text("{}")
    (target / "tokenizer_config.json").write_text('{"model_max_length": 256}')


def linked(source: Path, target: Path) -> Path:
    """A copy of a model folder that shares its large files."""
    return Path(shutil.copytree(source, target, copy_function=os.link))


async def test_the_default_model_is_built_once(data: Path, tmp_path: Path, embedder: FastEmbedder) -> None:
    lines: list[str] = []
    async with open_embedder(DEFAULT_MODEL, data, lines.append) as again:
        assert again.fingerprint == embedder.fingerprint
    assert lines == []
    assert embedder.fingerprint.startswith(f"{DEFAULT_MODEL}@")
    build(tmp_path, lines.append)
    assert len(lines) >= 3
    built = (data / "models" / NAME / "model.onnx").read_bytes()
    assert (tmp_path / "model.onnx").read_bytes() == built


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "tokenizer_config.json", "config.json"])
def test_a_missing_or_altered_file_is_refused(tmp_path: Path, name: str) -> None:
    def with_config(target: Path, progress: object) -> None:
        small(target, progress)
        (target / "config.json").write_text("{}")

    file = tmp_path / "models" / NAME / name
    default_folder(tmp_path, with_config, quiet)
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(StartupError, match=r"altered.*Delete the folder"):
        default_folder(tmp_path, with_config, quiet)
    file.unlink()
    with pytest.raises(StartupError, match=r"missing.*Delete the folder"):
        default_folder(tmp_path, with_config, quiet)


@pytest.mark.parametrize("manifest", [None, "{", "[]", "{}"])
def test_a_damaged_manifest_is_refused(tmp_path: Path, manifest: str | None) -> None:
    folder = default_folder(tmp_path, small, quiet).path
    (folder / "manifest.json").unlink()
    if manifest is not None:
        (folder / "manifest.json").write_text(manifest)
    with pytest.raises(StartupError, match="Delete the folder"):
        default_folder(tmp_path, small, quiet)


def test_an_interrupted_build_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted(target: Path, _: object) -> None:
        (target / "model.onnx").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        default_folder(tmp_path, interrupted, quiet)
    assert list((tmp_path / "models").iterdir()) == []
    killed = tmp_path / "models" / f".{NAME}.killed"
    killed.mkdir()
    (killed / "model.onnx").write_bytes(b"half")
    default_folder(tmp_path, small, quiet)
    assert [folder.name for folder in (tmp_path / "models").iterdir()] == [NAME]


async def test_a_folder_of_ones_own_serves_and_its_digest_follows_its_files(
    data: Path, tmp_path: Path, embedder: FastEmbedder
) -> None:
    own = linked(data / "models" / NAME, tmp_path / "own")
    async with open_embedder(str(own), tmp_path, quiet) as opened:
        assert opened.fingerprint == embedder.fingerprint.replace(DEFAULT_MODEL, "own")
        assert await opened.embed(["same"]) == await embedder.embed(["same"])
    config = own / "tokenizer_config.json"
    text = config.read_text()
    config.unlink()
    config.write_text(text.replace("256", "128"))
    async with open_embedder(str(own), tmp_path, quiet) as opened:
        assert opened.fingerprint != embedder.fingerprint and opened.fingerprint.endswith("/384/128")


async def test_what_cannot_be_loaded_is_refused(data: Path, tmp_path: Path, embedder: FastEmbedder) -> None:
    with pytest.raises(StartupError, match="neither"):
        async with open_embedder("nobody/no-such-model", tmp_path, quiet):
            pass
    own = linked(data / "models" / NAME, tmp_path / "own")
    (own / "model.onnx").unlink()
    with pytest.raises(StartupError, match=r"model\.onnx"):
        async with open_embedder(str(own), tmp_path, quiet):
            pass
    (own / "model.onnx").write_bytes(b"no model")
    with pytest.raises(StartupError, match="cannot be loaded"):
        async with open_embedder(str(own), tmp_path, quiet):
            pass


def test_a_cut_weights_file_is_refused(tmp_path: Path) -> None:
    for bytes_ in (b"", b"\x05", b"\x02" + bytes(7) + b"{}x", (1 << 40).to_bytes(8, "little") + b"{"):
        file = tmp_path / "model.safetensors"
        file.write_bytes(bytes_)
        if bytes_.endswith(b"x"):
            assert read_weights(file) == {}
        else:
            with pytest.raises(WeightsError):
                read_weights(file)
