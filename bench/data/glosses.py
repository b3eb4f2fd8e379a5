"""Sentence embeddings of WordNet's glosses, by all-MiniLM-L6-v2.

Usage: glosses.py DOCUMENTS MODEL OUT. DOCUMENTS is the file that the demo loads, MODEL a folder with the model's weights
and vocabulary. OUT gets `vectors.f32`: rows of 768 little-endian f32 of different glosses in random order. The first 384 are the
model's embedding, the others the same of the layer below its last, each half of length 1.

The model is computed here, in f32, and not by a runtime: numpy does it in some minutes, no further package is needed, and the
rows are the same on every processor but for rounding. Those of an int8 model need not be: without VNNI, sums may saturate.
"""

import json
import re
import sys
from itertools import groupby
from pathlib import Path

import numpy as np

SEED = 42
DIM = 384
# The vectors of the set and its queries.
COUNT = 61_000
# Tokens that are computed together: few enough that a layer's numbers stay in the caches.
BATCH = 1024
LAYERS, HEADS, EPSILON = 6, 12, 1e-12


def read_glosses(path):
    """Different glosses, shuffled. They are ASCII, which spares the tokenizer the rest of Unicode."""
    lines = Path(path).read_text(encoding="ascii").splitlines()
    texts = list(dict.fromkeys(json.loads(line)["metadata"]["gloss"] for line in lines))
    return [texts[i] for i in np.random.default_rng(SEED).permutation(len(texts))[:COUNT]]


def tokenizer(path):
    """WordPiece as BERT has it, without case: a function from a text to the numbers of its tokens."""
    numbers = {token: i for i, token in enumerate(path.read_text(encoding="utf-8").splitlines())}

    def pieces(word):
        found, at = [], 0
        while at < len(word):
            starts = ("##" if at else "") + word[at:]
            size = next((n for n in range(len(starts), 2 * bool(at), -1) if starts[:n] in numbers), None)
            if size is None:
                return [numbers["[UNK]"]]
            found.append(numbers[starts[:size]])
            at += size - 2 * bool(at)
        return found

    known = {}

    def tokens(text):
        found = [numbers["[CLS]"]]
        for word in re.findall(r"[a-z0-9]+|[^a-z0-9\s]", text.lower()):
            if word not in known:
                known[word] = pieces(word)
            found += known[word]
        return found + [numbers["[SEP]"]]

    return tokens


def read_weights(path):
    """The tensors of a safetensors file by their names; all that are used are f32."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    about = json.loads(data[8:start])
    tensors = {}
    for name, told in about.items():
        if told.get("dtype") == "F32":
            first, last = told["data_offsets"]
            tensors[name] = np.frombuffer(data[start + first : start + last], "<f4").reshape(told["shape"])
    return tensors


def embed(weights, ids):
    """The embeddings of texts that have equally many tokens, [texts, tokens]: so no token stands for nothing."""
    texts, length = ids.shape

    def linear(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, x):
        x = x - x.mean(axis=1, keepdims=True)
        x /= np.sqrt(np.square(x).mean(axis=1, keepdims=True) + EPSILON)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attention(name, x):
        split = lambda part: linear(f"{name}.self.{part}", x).reshape(texts, length, HEADS, -1).transpose(0, 2, 1, 3)
        query, key, value = split("query"), split("key"), split("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(query.shape[-1] ** 0.5)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = scores / scores.sum(axis=-1, keepdims=True) @ value
        return linear(f"{name}.output.dense", mixed.transpose(0, 2, 1, 3).reshape(x.shape))

    table = lambda name: weights[f"embeddings.{name}_embeddings.weight"]
    x = table("word")[ids] + table("position")[:length] + table("token_type")[0]
    x = norm("embeddings.LayerNorm", x.reshape(texts * length, -1))
    means = []
    for name in (f"encoder.layer.{i}" for i in range(LAYERS)):
        x = norm(f"{name}.attention.output.LayerNorm", x + attention(f"{name}.attention", x))
        wide = gelu(linear(f"{name}.intermediate.dense", x))
        x = norm(f"{name}.output.LayerNorm", x + linear(f"{name}.output.dense", wide))
        rows = x.reshape(texts, length, -1).mean(axis=1)
        means.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return np.hstack([means[-1], means[-2]])


def gelu(x):
    """x times the share of a normal distribution below x; its error function by Abramowitz and Stegun 7.1.26."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.float32(1.061405429) * t
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series += np.float32(factor)
        series *= t
    half = series * np.exp(-z * z) / 2
    return x * np.where(x < 0, half, 1 - half)


def main(documents, model, out):
    texts = read_glosses(documents)
    tokens = tokenizer(Path(model) / "vocab.txt")
    weights = read_weights(Path(model) / "model.safetensors")
    lists = [tokens(text) for text in texts]
    order = sorted(range(len(lists)), key=lambda i: len(lists[i]))
    all_tokens, done, said = sum(map(len, lists)), 0, 0
    rows = np.empty((len(lists), 2 * DIM), dtype="<f4")
    for length, group in groupby(order, key=lambda i: len(lists[i])):
        group = list(group)
        step = max(1, BATCH // length)
        for batch in (group[at : at + step] for at in range(0, len(group), step)):
            rows[batch] = embed(weights, np.array([lists[i] for i in batch]))
            done += len(batch) * length
            if done * 10 // all_tokens > said:
                said = done * 10 // all_tokens
                print(f"  {said}0 % of {all_tokens:,} tokens", flush=True)
    rows.tofile(Path(out) / "vectors.f32")


if __name__ == "__main__":
    main(*sys.argv[1:])
