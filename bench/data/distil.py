"""Tables of token vectors that stand for all-MiniLM-L6-v2: the rows whose mean comes nearest to the model's vector of a text.

Usage: distil.py MODEL WORDNET OUT DIM... MODEL is a folder with the model's weights, vocabulary and tokenizer, WORDNET the
demo's. OUT gets a folder `minilm-static-DIM` of each dimension, with `model.safetensors`, a byte a number, and
`tokenizer.json`, as the embedder reads them.

1. Each token goes through the model by itself, between [CLS] and [SEP]. That is what Model2Vec does, and where we begin.
2. The model embeds texts of WordNet: glosses behind their words, words alone, and glosses of synsets that are linked.
3. Ridge regression finds the rows: the mean of a text's rows, at length one, is to be the model's vector. A row that the texts
   say little about stays near where it began; where that is, a first regression tells for all tokens together. How much
   a token weighs comes out of this by itself, and those that are frequent everywhere are weighed down further, as Model2Vec
   does by their rank in the vocabulary.
4. The directions that the texts use least are left out, and numbers become bytes.

Nothing here reads what the benchmark of relevance asks. The third step has its idea from `tokenlearn`, by Model2Vec's authors,
which descends along gradients over texts of the Web.
"""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from glosses import tokenizer
from minilm import Model

SEED = 42
# How many texts the model embeds.
TEXTS = 40_000
# What the model is given at most, and what ends it.
TOKENS_MAX, END = 256, 102
# Glosses in a text of several.
GLOSSES_MAX = 6
# How much a row is held where it began, against one text that is one token.
HOLD = 3.0
# Rounds of a regression, each with the lengths of the last, and steps of conjugate gradients in one.
ROUNDS, STEPS = 2, 12
# A token whose share of all tokens is so large is weighed by half: before the regression, and once more after it.
HALF, HALF_AFTER = 1e-4, 1e-3
# Tokens that so many texts have tell the first regression where rows lie.
FREQUENT = 20
# The vocabulary begins with what is no word: marks, then characters, then words, the most frequent first.
FIRST_WORD = 1996
# The largest number of the table is so many times the mean square; what is above is cut off.
RANGE = 6.0


def texts_of(wordnet):
    """Texts about the same things, short and long."""
    read = lambda name: [json.loads(line) for line in (wordnet / name).read_text(encoding="ascii").splitlines()]
    synsets = {synset["id"]: synset["metadata"] for synset in read("documents.jsonl")}
    near = defaultdict(list)
    for edge in read("edges.jsonl"):
        if edge["relation"] in ("hypernym", "hyponym"):
            near[edge["from"]].append(edge["to"])
    words = [word for synset in synsets.values() for word in synset["lemmas"]]
    told = [f"{', '.join(synset['lemmas'])}: {synset['gloss']}" for synset in synsets.values()]
    random = np.random.default_rng(SEED)
    linked = []
    for name in (name for name in synsets if len(near[name]) > 2):
        others = random.permutation(near[name])[: GLOSSES_MAX - 1]
        linked.append(". ".join(synsets[at]["gloss"] for at in [name, *others]))
    all_texts = list(dict.fromkeys(told + words + linked))
    return [all_texts[i] for i in random.permutation(len(all_texts))[:TEXTS]]


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def counts_of(lists, width):
    """How often each text has each token, [texts, width], without what begins and ends it."""
    inner = [tokens[1:-1] for tokens in lists]
    rows = np.repeat(np.arange(len(inner)), [len(tokens) for tokens in inner])
    columns = np.fromiter((token for tokens in inner for token in tokens), dtype=np.int64)
    counts = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(len(inner), width))
    counts.sum_duplicates()
    return counts


def regress(counts, targets, start):
    """The rows R for which `unit(counts R)` is nearest to the targets, held near the start."""
    rows = start.copy()
    for number in range(ROUNDS):
        # The lengths of the last rows turn "at length one" into numbers, and what is left is linear.
        lengths = np.linalg.norm(counts @ rows, axis=1)
        scaled = (sparse.diags_array((1 / np.maximum(lengths, 1e-6)).astype(np.float32)) @ counts).tocsr()
        rows = conjugate(scaled, targets, start, rows)
        cosine = np.einsum("ij,ij->i", unit(counts @ rows), targets).mean()
        print(f"  round {number + 1}: mean cosine {cosine:.4f}", flush=True)
    return rows


def conjugate(scaled, targets, start, rows):
    """Minimises `|scaled R - targets|^2 + HOLD |R - start|^2`, all columns at once, begun at the given rows."""
    turned = scaled.T.tocsr()
    apply = lambda x: turned @ (scaled @ x) + HOLD * x
    weight = 1 / (np.asarray(scaled.multiply(scaled).sum(axis=0)).reshape(-1, 1) + HOLD)
    rest = turned @ targets + HOLD * start - apply(rows)
    along = weight * rest
    size = np.einsum("ij,ij->j", rest, along)
    for _ in range(STEPS):
        pushed = apply(along)
        step = size / np.maximum(np.einsum("ij,ij->j", along, pushed), 1e-20)
        rows, rest = rows + step * along, rest - step * pushed
        eased = weight * rest
        size, before = np.einsum("ij,ij->j", rest, eased), size
        along = eased + size / np.maximum(before, 1e-20) * along
    return rows.astype(np.float32)


def weights_of(width, half):
    """A weight a token, by Zipf's law and the order of the vocabulary."""
    share = 1 / np.maximum(np.arange(width) - FIRST_WORD + 1, 1)
    share[:FIRST_WORD] = share[-1]
    return (half / (half + share / share.sum())).astype(np.float32).reshape(-1, 1)


def rows_of(single, counts, targets):
    """The rows of all tokens, as wide as the model's vectors."""
    width = len(single)
    print("the rows of frequent tokens", flush=True)
    first = regress(counts, targets, single * weights_of(width, HALF))
    frequent = np.asarray((counts > 0).sum(axis=0)).ravel() >= FREQUENT
    seen = single[frequent]
    where = np.linalg.solve(seen.T @ seen + np.eye(single.shape[1]), seen.T @ first[frequent])
    print("the rows of all tokens", flush=True)
    return regress(counts, targets, (single @ where).astype(np.float32)) * weights_of(width, HALF_AFTER)


def write(folder, rows, tokens, file):
    """The table and its tokenizer, without the rows that no text can have."""
    kept = [i for i, token in enumerate(tokens) if not token.startswith("[unused")]
    scale = RANGE * np.sqrt(np.square(rows).mean())
    numbers = np.clip(np.rint(rows[kept] / scale * 127), -127, 127).astype(np.int8)
    about = {"embeddings": {"dtype": "I8", "shape": list(numbers.shape), "data_offsets": [0, numbers.nbytes]}}
    header = json.dumps(about, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + numbers.tobytes())
    model = file["model"] | {"vocab": {tokens[i]: number for number, i in enumerate(kept)}}
    named = {"version": file["version"], "normalizer": file["normalizer"], "pre_tokenizer": file["pre_tokenizer"], "model": model}
    (folder / "tokenizer.json").write_text(json.dumps(named, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def main(model, wordnet, out, *dims):
    model, wordnet, out = Path(model), Path(wordnet), Path(out)
    vocabulary = (model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    cut = tokenizer(model / "vocab.txt")
    lists = [tokens if len(tokens) <= TOKENS_MAX else [*tokens[: TOKENS_MAX - 1], END] for tokens in map(cut, texts_of(wordnet))]
    begin = lists[0][0]
    network = Model(model, len(os.sched_getaffinity(0)))
    single = network.rows([[begin, i, END] for i in range(len(vocabulary))], "tokens")
    single -= single.mean(axis=0)
    single /= np.linalg.norm(single, axis=1).mean()
    targets = unit(network.rows(lists, "texts"))
    counts = counts_of(lists, len(vocabulary))
    rows = rows_of(single, counts, targets)
    made = unit(counts @ rows)
    # Not centred: what all texts have in common is part of a cosine.
    _, _, directions = np.linalg.svd(made.T @ made)
    file = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    for dim in map(int, dims):
        write(out / f"minilm-static-{dim}", rows @ directions[:dim].T, vocabulary, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
