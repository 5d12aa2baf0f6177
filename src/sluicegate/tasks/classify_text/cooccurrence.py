"""Where words start from: words that occur near the same words begin alike."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from scipy.sparse import coo_matrix, csr_matrix

from sluicegate.runtime.texts.ragged import Ragged

_WINDOW = 5
_MOST = 2_000_000  # tokens whose neighbours are counted: of more texts, evenly spaced ones
_SMOOTHING = 0.75  # frequent neighbours count less (Levy et al. 2015)


def vectors_of(corpus: Ragged, tokens: int, width: int) -> Float32[np.ndarray, "tokens width"]:
    """Vectors of the training texts' own words, of mean square 1; zero for those that have no neighbours.

    The positive pointwise mutual information of words within five of each other, the nearer the more, is brought
    down to `width` dimensions by its singular values (Levy & Goldberg 2014).

    Args:
        corpus: the numbers of the tokens, row by row.
        tokens: how many tokens there are.
        width: the embedding dimension.
    """
    # A million texts would need gigabytes; words that the sample lacks start from zero.
    from sklearn.utils.extmath import randomized_svd  # 2 s to load, which no prediction needs

    corpus = corpus.take(np.arange(0, len(corpus), max(1, len(corpus.values) // _MOST)))
    values, rows = corpus.values.astype(np.int64), corpus.owner
    counts = csr_matrix((tokens, tokens))
    for apart in range(1, _WINDOW + 1):
        together = rows[apart:] == rows[:-apart]
        pairs = (values[:-apart][together], values[apart:][together])
        counts = counts + coo_matrix((np.full(len(pairs[0]), 1.0 / apart), pairs), (tokens, tokens)).tocsr()
    near = (counts + counts.T).tocoo()
    found = np.zeros((tokens, width), dtype=np.float32)
    if near.nnz == 0:
        return found
    often = np.bincount(near.row, near.data, minlength=tokens)
    smoothed = often**_SMOOTHING
    information = np.log(near.data * smoothed.sum() / (often[near.row] * smoothed[near.col]))
    kept = information > 0
    matrix = coo_matrix((information[kept], (near.row[kept], near.col[kept])), (tokens, tokens)).tocsr()
    rank = min(width, tokens - 1)
    left, sizes, _ = randomized_svd(matrix, rank, random_state=0)
    vectors = left * np.sqrt(sizes)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found[:, :rank] = vectors * np.sqrt(width) / np.maximum(lengths, 1e-6) * (lengths > 1e-6)
    return found
