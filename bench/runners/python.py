"""Runs one of the Python peers for the vector benchmarks: `python.py hnswlib|svs|usearch|faiss`.

A request is a line of JSON on stdin, its answer a line on stdout; `bench/vectors/runner.mjs` says what both hold. Queries
go in as one batch, on one thread, so that the cost of Python falls on the batch and not on a query. Where the metric is
cosine, a library that has none searches normalised rows by inner product, which is what its authors advise.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np


def rows(path, dim):
    return np.fromfile(path, dtype="<f4").reshape(-1, dim)


def normalised(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Hnswlib:
    """hnswlib normalises by itself when its space is cosine."""

    def __init__(self, metric, dim):
        import hnswlib

        self.index = hnswlib.Index(space={"cosine": "cosine", "euclidean": "l2"}[metric], dim=dim)

    def build(self, base, m, ef_construction, threads, folder):
        index = self.index
        index.init_index(max_elements=len(base), ef_construction=ef_construction, M=m, random_seed=42)
        index.add_items(base, num_threads=threads)

    def save(self, folder):
        self.index.save_index(str(folder / "index"))

    def load(self, folder):
        self.index.load_index(str(folder / "index"))

    def prepared(self, queries):
        return queries

    def search(self, queries, k, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k=k, num_threads=1)[0]


class Svs:
    """Vamana of Intel SVS on LVQ4x8: a graph of as many neighbours as the others have in their base layer."""

    def __init__(self, metric, dim):
        import svs

        self.svs, self.cosine, self.dim = svs, metric == "cosine", dim
        self.distance = svs.DistanceType.MIP if self.cosine else svs.DistanceType.L2

    def build(self, base, m, ef_construction, threads, folder):
        svs = self.svs
        fvecs, converted = folder / "base.fvecs", folder / "base.svs"
        svs.write_vecs(self.prepared(base), str(fvecs))
        svs.convert_vecs_to_svs(str(fvecs), str(converted), svs.DataType.float32)
        vectors = svs.VectorDataLoader(str(converted), svs.DataType.float32, dims=self.dim)
        loader = svs.LVQLoader(vectors, primary=4, residual=8)
        parameters = svs.VamanaBuildParameters(
            alpha=0.95 if self.cosine else 1.2, graph_max_degree=2 * m, window_size=ef_construction
        )
        self.index = svs.Vamana.build(parameters, loader, self.distance, num_threads=threads)
        fvecs.unlink()
        converted.unlink()

    def save(self, folder):
        self.index.save(*(str(folder / part) for part in ("config", "graph", "data")))

    def load(self, folder):
        svs = self.svs
        graph, data = svs.GraphLoader(str(folder / "graph")), svs.LVQLoader(str(folder / "data"))
        self.index = svs.Vamana(str(folder / "config"), graph, data, self.distance, num_threads=1)

    def prepared(self, queries):
        return normalised(queries) if self.cosine else queries

    def search(self, queries, k, ef):
        self.index.search_window_size = max(ef, k)
        return self.index.search(queries, k)[0]


class Usearch:
    """usearch with full floats: its int8 does not compare again and stays below a recall of 0.92."""

    def __init__(self, metric, dim):
        from usearch.index import Index

        self.make = lambda m, ef: Index(
            ndim=dim,
            metric={"cosine": "cos", "euclidean": "l2sq"}[metric],
            dtype="f32",
            connectivity=m,
            expansion_add=ef,
        )

    def build(self, base, m, ef_construction, threads, folder):
        self.index = self.make(m, ef_construction)
        self.index.add(np.arange(len(base)), base, threads=threads)

    def save(self, folder):
        self.index.save(str(folder / "index"))

    def load(self, folder):
        self.index = self.make(16, 200)
        self.index.load(str(folder / "index"))

    def prepared(self, queries):
        return queries

    def search(self, queries, k, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, k, threads=1).keys


class Faiss:
    """faiss' HNSW over full floats."""

    def __init__(self, metric, dim):
        import faiss

        self.faiss, self.cosine, self.dim = faiss, metric == "cosine", dim
        faiss.omp_set_num_threads(1)

    def build(self, base, m, ef_construction, threads, folder):
        faiss = self.faiss
        faiss.omp_set_num_threads(threads)
        metric = faiss.METRIC_INNER_PRODUCT if self.cosine else faiss.METRIC_L2
        self.index = faiss.IndexHNSWFlat(self.dim, m, metric)
        self.index.hnsw.efConstruction = ef_construction
        self.index.add(self.prepared(base))
        faiss.omp_set_num_threads(1)

    def save(self, folder):
        self.faiss.write_index(self.index, str(folder / "index"))

    def load(self, folder):
        self.index = self.faiss.read_index(str(folder / "index"))

    def prepared(self, queries):
        return normalised(queries) if self.cosine else queries

    def search(self, queries, k, ef):
        self.index.hnsw.efSearch = ef
        return self.index.search(queries, k)[1]


LIBRARIES = {"hnswlib": Hnswlib, "svs": Svs, "usearch": Usearch, "faiss": Faiss}


def resident():
    """Bytes of memory that this process holds."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def timed(work):
    wall, used = time.perf_counter(), cpu()
    result = work()
    return result, {"wall_s": time.perf_counter() - wall, "cpu_s": cpu() - used}


class Runner:
    def __init__(self, library):
        self.library = LIBRARIES[library]

    def answer(self, request):
        return getattr(self, request.pop("op"))(**request)

    def build(self, data, folder, m, ef_construction, threads):
        data, folder = Path(data), Path(folder)
        known = json.loads((data / "set.json").read_text())
        base = rows(data / "base.f32", known["dim"])
        engine = self.library(known["metric"], known["dim"])
        _, times = timed(lambda: engine.build(base, m, ef_construction, threads, folder))
        engine.save(folder)
        return times

    def load(self, data, folder):
        data = Path(data)
        known = json.loads((data / "set.json").read_text())
        self.engine = self.library(known["metric"], known["dim"])
        self.queries = np.ascontiguousarray(
            self.engine.prepared(rows(data / "queries.f32", known["dim"])), dtype=np.float32
        )
        before = resident()
        self.engine.load(Path(folder))
        self.loaded = resident() - before
        return {}

    def search(self, k, ef, ids=False):
        found, times = timed(lambda: self.engine.search(self.queries, k, ef))
        return times | ({"ids": np.asarray(found).astype(int).ravel().tolist()} if ids else {})

    def memory(self):
        return {"bytes": self.loaded, "resident": resident()}


def main(library):
    # What a library prints goes to stderr: stdout is for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    runner = Runner(library)
    for line in sys.stdin:
        try:
            answer = runner.answer(json.loads(line))
        except Exception as error:  # the driver says which engine failed, and with what
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main(sys.argv[1])
