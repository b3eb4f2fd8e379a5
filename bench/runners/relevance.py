"""Ranks by bm25s: reads {"documents": [[id, text]], "queries": [[id, text]], "k", "stop_words"} on stdin, writes for each
setting the ids of the best documents of each query. Words are cut as bm25s cuts them and stemmed by Snowball's English."""

import json
import sys

import bm25s
import Stemmer

# Its own parameters, and those of KithDB with the same formula of idf.
SETTINGS = {"bm25s": {}, "bm25s_alike": {"method": "lucene", "k1": 1.2, "b": 0.75}}


def main():
    asked = json.load(sys.stdin)
    ids = [name for name, _ in asked["documents"]]
    stemmer = Stemmer.Stemmer("english")

    def tokens(pairs):
        texts = [text for _, text in pairs]
        return bm25s.tokenize(texts, stopwords=asked["stop_words"], stemmer=stemmer, return_ids=False, show_progress=False)

    documents, queries = tokens(asked["documents"]), tokens(asked["queries"])
    told = {"version": bm25s.__version__}
    for name, setting in SETTINGS.items():
        index = bm25s.BM25(**setting)
        index.index(documents, show_progress=False)
        found, scores = index.retrieve(queries, k=asked["k"], show_progress=False)
        told[name] = [
            [ids[at] for at, score in zip(row, of_row) if score > 0] for row, of_row in zip(found.tolist(), scores.tolist())
        ]
    json.dump(told, sys.stdout)


main()
