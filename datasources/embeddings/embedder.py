"""The embedding model behind the port `Embedder`: fastembed in one worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import datasources.embeddings.offline  # noqa: F401 - must run before fastembed is imported
from chorale.domain.content import Embedding
from chorale.domain.errors import StartupError
from chorale.settings import DEFAULT_MODEL
from datasources.embeddings.batches import BATCH, Batches, Job
from datasources.embeddings.folder import ModelFolder, Progress, default_folder, given_folder
from datasources.embeddings.sparse import Bm25


class FastEmbedder:
    """Implements the port `Embedder`. Texts are cut at `max_tokens`; dense vectors are mean-pooled and normalised."""

    def __init__(self, model: _Model, executor: ThreadPoolExecutor) -> None:
        self._model = model
        self._batches = Batches(executor, model.embed)

    @property
    def fingerprint(self) -> str:
        """`<model>@<16 hex digits>/<dimensions>/<max tokens>`."""
        folder = self._model.folder
        return f"{folder.name}@{folder.digest[:16]}/{self.dimensions}/{folder.max_tokens}"

    @property
    def dimensions(self) -> int:
        """Length of a dense vector."""
        return self._model.dimensions

    async def embed(self, texts: Sequence[str]) -> Sequence[Embedding]:
        """Document embeddings in the order of `texts`."""
        return await self._batches.run([Job(text, query=False) for text in texts])

    async def embed_query(self, text: str) -> Embedding:
        """Query embedding."""
        return (await self._batches.run([Job(text, query=True)]))[0]

    async def close(self) -> None:
        """Ends after the batch that is running."""
        await self._batches.close()


class _Model:
    """Dense and sparse model of one folder. Used from the worker thread only."""

    def __init__(self, folder: ModelFolder) -> None:
        from fastembed import TextEmbedding

        self.folder = folder
        try:
            # The class of this name pools by mean and normalises, which is what a given folder's model gets too. One
            # thread: more would take the cores from the event loop; without the arena memory shrinks after long texts.
            self._dense: Any = TextEmbedding(
                DEFAULT_MODEL, specific_model_path=str(folder.path), threads=1, enable_cpu_mem_arena=False
            )
            self.dimensions = len(next(iter(self._dense.embed(["warm up"]))))
        except Exception as error:  # onnxruntime and tokenizers raise classes of their own for every defect
            raise StartupError(
                f"The embedding model in {folder.path} cannot be loaded: {error}. "
                "Let CHORALE_EMBEDDING_MODEL name another folder, or unset it for the default model."
            ) from error
        self._sparse = Bm25(folder.path)

    def embed(self, jobs: Sequence[Job]) -> list[Embedding]:
        # embed() is a generator: computing happens while it is consumed, so it must be consumed here in the thread.
        dense = list(self._dense.embed([job.text for job in jobs], batch_size=BATCH))
        return [self._joined(job, vector.tolist()) for job, vector in zip(jobs, dense, strict=True)]

    def _joined(self, job: Job, dense: list[float]) -> Embedding:
        indices, values = (self._sparse.query if job.query else self._sparse.document)(job.text)
        return Embedding(tuple(dense), indices, values)


@asynccontextmanager
async def open_embedder(model: str, data: Path, progress: Progress) -> AsyncIterator[FastEmbedder]:
    """Load the model: the default one by name (built under `data` the first time, with lines to `progress`), any
    other by the path of its folder. Raises StartupError where it is unknown, missing, altered or unloadable."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="embedder")
    try:
        loaded = await asyncio.get_running_loop().run_in_executor(executor, _load, model, data, progress)
        embedder = FastEmbedder(loaded, executor)
        try:
            yield embedder
        finally:
            await embedder.close()
    finally:
        executor.shutdown(wait=True)


def _load(model: str, data: Path, progress: Progress) -> _Model:
    if model == DEFAULT_MODEL:
        return _Model(default_folder(data, _build_default, progress))
    path = Path(model).expanduser()
    if not path.is_dir():
        raise StartupError(
            f"CHORALE_EMBEDDING_MODEL={model!r} is neither {DEFAULT_MODEL!r} nor an existing folder. "
            "Unset it for the default model, or name a folder with an ONNX model and its tokenizer."
        )
    return _Model(given_folder(path))


def _build_default(target: Path, progress: Progress) -> None:
    from datasources.embeddings.minilm.folder import build  # needs onnx, which an ordinary start never imports

    build(target, progress)
