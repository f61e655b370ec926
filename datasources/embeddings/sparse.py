"""BM25 as sparse vectors: term weights here, the inverse document frequency in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# Words too common to tell messages apart. Changing them changes stored vectors, so the list stays short and fixed.
STOPWORDS = frozenset(
    """
    a an and are as at be been but by did do does for from had has have he her his i if in into is it its me my no
    not of on or our she so than that the their them then there these they this those to was we were what when which
    who will with would you your
    """.split()  # noqa: SIM905 - sixty lines would say no more
)

AVERAGE_WORDS = 20.0  # length at which a message's term weights are neither raised nor lowered


class Bm25:
    """fastembed's BM25 with the stopwords above, which need no file."""

    def __init__(self, folder: Path) -> None:
        from fastembed import SparseTextEmbedding

        # A named folder keeps fastembed from looking for its stopword files on a hub; nothing in it is read.
        self._model: Any = SparseTextEmbedding(
            "Qdrant/bm25", specific_model_path=str(folder), stopwords=set(STOPWORDS), avg_len=AVERAGE_WORDS
        )

    def document(self, text: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Indices and weights of a stored text; empty where it holds nothing but stopwords and signs."""
        return _sorted(next(iter(self._model.embed([text]))))

    def query(self, text: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Indices of a query's words, each with weight 1."""
        return _sorted(next(iter(self._model.query_embed(text))))


def _sorted(vector: Any) -> tuple[tuple[int, ...], tuple[float, ...]]:
    pairs = sorted(zip(vector.indices.tolist(), vector.values.tolist(), strict=True))
    return tuple(int(index) for index, _ in pairs), tuple(float(value) for _, value in pairs)
