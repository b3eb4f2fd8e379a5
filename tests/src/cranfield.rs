//! The Cranfield collection and nDCG@10.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Surface, places};

/// Documents, queries, judgements and their vectors.
pub struct Cranfield {
    documents: Vec<(String, String, String)>,
    queries: Vec<(String, String)>,
    judgements: HashMap<String, HashMap<String, u32>>,
    document_vectors: Vec<Vec<f32>>,
    query_vectors: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct File {
    docs: Vec<(String, String, String)>,
    queries: Vec<(String, String)>,
    qrels: HashMap<String, HashMap<String, u32>>,
}

impl Cranfield {
    /// Reads it; `None` where the data is not there.
    ///
    /// # Panics
    /// When it is there and cannot be read.
    #[must_use]
    pub fn load() -> Option<Self> {
        let folder = places::test_data()?.join("cranfield");
        let text = std::fs::read_to_string(folder.join("cranfield.json")).ok()?;
        let File { docs, queries, qrels } = serde_json::from_str(&text).expect("cranfield.json");
        Some(Self {
            documents: docs,
            queries,
            judgements: qrels,
            document_vectors: npy(&folder.join("documents_minilm.npy")),
            query_vectors: npy(&folder.join("queries_minilm.npy")),
        })
    }

    /// Stores all documents in a collection `cranfield` of an open surface.
    pub fn store(&self, surface: &mut dyn Surface) {
        let config = json!({ "metric": "cosine", "text": { "language": "english", "fields": ["text"] } });
        surface.must("create", &json!({ "name": "cranfield", "config": config }));
        let documents: Vec<Value> = self
            .documents
            .iter()
            .zip(&self.document_vectors)
            .map(|((id, title, text), vector)| {
                json!({ "id": id, "vector": vector, "metadata": { "text": format!("{title} {text}") } })
            })
            .collect();
        for batch in documents.chunks(350) {
            surface.must("add", &json!({ "name": "cranfield", "documents": batch, "mode": "insert" }));
        }
    }

    /// nDCG@10 of each way to search: words, vectors, both; and every ranking with its scores.
    pub fn measure(&self, surface: &mut dyn Surface) -> ([f64; 3], Vec<Value>) {
        let mut sums = [0.0; 3];
        let mut rankings = Vec::new();
        for ((id, text), vector) in self.queries.iter().zip(&self.query_vectors) {
            let requests = [
                json!({ "text": text, "k": 10 }),
                json!({ "vector": vector, "k": 10 }),
                json!({ "text": text, "vector": vector, "k": 10, "alpha": 0.5 }),
            ];
            for (sum, request) in sums.iter_mut().zip(requests) {
                let answer = surface.must("search", &json!({ "name": "cranfield", "request": request }));
                let hits: Vec<Value> = answer["hits"].as_array().expect("hits").clone();
                let ids: Vec<&str> = hits.iter().filter_map(|hit| hit["id"].as_str()).collect();
                *sum += self.ndcg(id, &ids);
                rankings.push(hits.iter().map(|hit| json!([hit["id"], hit["score"].as_f64()])).collect());
            }
        }
        (sums.map(|sum| sum / self.queries.len() as f64), rankings)
    }

    fn ndcg(&self, query: &str, ids: &[&str]) -> f64 {
        let Some(grades) = self.judgements.get(query) else { return 0.0 };
        let gain = |grade: u32, rank: usize| f64::from(grade) / ((rank + 2) as f64).log2();
        let found = ids.iter().enumerate().map(|(rank, id)| gain(*grades.get(*id).unwrap_or(&0), rank));
        let mut ideal: Vec<u32> = grades.values().copied().collect();
        ideal.sort_unstable_by(|a, b| b.cmp(a));
        let best: f64 = ideal.iter().take(10).enumerate().map(|(rank, grade)| gain(*grade, rank)).sum();
        if best == 0.0 { 0.0 } else { found.sum::<f64>() / best }
    }
}

/// A two-dimensional little-endian f32 array in NumPy's format 1.0.
fn npy(path: &std::path::Path) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(path).expect("readable");
    let header_len = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = String::from_utf8_lossy(&bytes[10..10 + header_len]).into_owned();
    assert!(header.contains("'<f4'") && header.contains("False"), "{header}");
    let shape = header.split("'shape': (").nth(1).and_then(|s| s.split(')').next()).expect("a shape");
    let dim: usize = shape.split(',').nth(1).expect("two dimensions").trim().parse().expect("a number");
    let numbers: Vec<f32> = bytes[10 + header_len..]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    numbers.chunks_exact(dim).map(<[f32]>::to_vec).collect()
}
