# Hybrid search over HTTP: vectors, words and a filter in one query.
url=${KITHDB_URL:-http://127.0.0.1:9091}/v1/collections
post() { curl -sS --fail-with-body -H 'content-type: application/json' -d "$2" "$url$1" && echo; }
post '' '{"name": "films", "metric": "cosine", "text": {"language": "english"}}'
post /films/documents '{"documents": [
  {"id": "alien", "vector": [0.9, 0.1, 0.3], "metadata": {"plot": "A crew meets a creature in deep space", "year": 1979}},
  {"id": "up", "vector": [0.1, 0.9, 0.2], "metadata": {"plot": "A house flies away under balloons", "year": 2009}},
  {"id": "moon", "vector": [0.8, 0.3, 0.1], "metadata": {"plot": "A man alone in space talks to himself", "year": 2009}}]}'
post /films/search '{"vector": [1, 0.2, 0.2], "text": "alone in space", "filter": "year >= 2000", "k": 2, "explain": true}'
