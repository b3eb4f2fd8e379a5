//! The benchmark of the server: what HTTP adds to a search and to storing documents.
//!
//! `kithdb-bench-server FOLDER SERVER DOCUMENTS ROUNDS EF` stores vectors of 100 dimensions in a directory, searches them
//! in this process and through the server `SERVER` in turns, both of which only read it, then has another server store
//! the same vectors in batches of JSON, and prints one line of JSON.

mod client;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use kithdb::base::Rng;
use kithdb::collection::{CollectionConfig, Document, SearchRequest};
use kithdb::engine::JobKind;
use kithdb::host::{AddMode, CollectionHandle, Db, Options};
use kithdb::wire::{AddBody, PACKED_TYPE, parse};
use serde_json::json;

use client::{Client, Server};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COLLECTION: &str = "vectors";
const DIM: usize = 100;
/// Vectors lie around so many centres.
const CENTRES: usize = 1_000;
/// Queries of one round.
const QUERIES: usize = 1_000;
/// Queries whose exact answer is asked for.
const CHECKED: usize = 100;
const K: usize = 10;
/// Connections of the load: more than the server and the client together have cores here.
const CONNECTIONS: usize = 4;
/// Documents of one request.
const BATCH: usize = 1_000;
/// Documents of one bulk import.
const IMPORT: usize = 20_000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, program, documents, rounds, ef] = &args[..] else {
        return Err("usage: kithdb-bench-server FOLDER SERVER DOCUMENTS ROUNDS EF".into());
    };
    let (documents, rounds, ef): (usize, usize, usize) = (documents.parse()?, rounds.parse()?, ef.parse()?);
    let mut rng = Rng::new(7);
    let centres: Vec<Vec<f32>> = (0..CENTRES).map(|_| vector(&mut rng, None)).collect();
    let mut some = |count: usize| -> Vec<Vec<f32>> {
        let near = |rng: &mut Rng| {
            let centre = rng.below(CENTRES as u64) as usize;
            vector(rng, Some(&centres[centre]))
        };
        (0..count).map(|_| near(&mut rng)).collect()
    };
    let (vectors, queries) = (some(documents), some(QUERIES));
    let (read, written) = (Path::new(folder).join("read"), Path::new(folder).join("written"));
    store(&read, &vectors)?;
    let search = searches(&read, Path::new(program), &queries, rounds, ef)?;
    let ingest = ingest(&written, Path::new(program), &vectors)?;
    println!(
        "{}",
        json!({"documents": documents, "dim": DIM, "k": K, "ef": ef, "rounds": rounds, "batch": BATCH,
        "search": search, "ingest": ingest})
    );
    Ok(())
}

/// A vector, near another one if there is one.
fn vector(rng: &mut Rng, near: Option<&[f32]>) -> Vec<f32> {
    let component = |i: usize| {
        // The sum of four is about normal.
        let noise: f32 = (0..4).map(|_| rng.unit_f32() - 0.5).sum();
        near.map_or(noise, |near| near[i] + 0.7 * noise)
    };
    (0..DIM).map(component).collect()
}

/// Stores the vectors as one segment with links.
fn store(directory: &Path, vectors: &[Vec<f32>]) -> Result<()> {
    let db = Db::open(directory, Options { auto_jobs: false, ..Options::default() })?;
    let collection = db.create(COLLECTION, CollectionConfig::default())?;
    for (i, chunk) in vectors.chunks(IMPORT).enumerate() {
        let document = |(j, vector): (usize, &Vec<f32>)| Document {
            id: (i * IMPORT + j).to_string(),
            vector: Some(vector.clone()),
            ..Document::default()
        };
        collection.add_bulk(chunk.iter().enumerate().map(document).collect(), AddMode::Insert)?;
    }
    collection.run(JobKind::Optimize)?;
    Ok(db.close()?)
}

/// Queries a second, in turns: in this process, by JSON on one connection, packed, and by JSON on several.
fn searches(
    directory: &Path,
    program: &Path,
    queries: &[Vec<f32>],
    rounds: usize,
    ef: usize,
) -> Result<serde_json::Value> {
    let db = Db::open(directory, Options { read_only: true, ..Options::default() })?;
    let collection = db.collection(COLLECTION)?;
    let server = Server::start(program, directory, &["--read-only"])?;
    let mut client = Client::connect(server.address())?;
    let mut clients: Vec<Client> =
        (0..CONNECTIONS).map(|_| Client::connect(server.address())).collect::<Result<_>>()?;
    let path = format!("/v1/collections/{COLLECTION}/search");
    let bodies: Vec<Vec<u8>> = queries
        .iter()
        .map(|query| serde_json::to_vec(&json!({"vector": query, "k": K, "ef": ef})))
        .collect::<std::result::Result<_, _>>()?;
    let packed: Vec<Vec<u8>> = queries.iter().map(|query| packed(query, ef)).collect();
    let [mut inside, mut json_qps, mut packed_qps, mut load_qps] = [(); 4].map(|()| Vec::new());
    // The first round of each warms what it reads.
    for _ in 0..=rounds {
        inside
            .push(qps(queries, |query| collection.search(request(query, ef)).map(drop).map_err(Into::into))?);
        json_qps.push(qps(&bodies, |body| client.post(&path, "application/json", body).map(drop))?);
        packed_qps.push(qps(&packed, |body| client.post(&path, PACKED_TYPE, body).map(drop))?);
        load_qps.push(load(&mut clients, &path, &bodies)?);
    }
    let recall = recall(&collection, &mut client, &path, queries, ef)?;
    let [inside, json_qps, packed_qps, load_qps] =
        [inside, json_qps, packed_qps, load_qps].map(|qps| median(&qps[1..]));
    Ok(
        json!({"recall": recall, "in_process_qps": inside, "http_qps": json_qps, "http_packed_qps": packed_qps,
        "http_share": json_qps / inside, "http_packed_share": packed_qps / inside,
        "connections": CONNECTIONS, "load_qps": load_qps, "load_share": load_qps / inside}),
    )
}

/// Queries a second on several connections at once, each with its share of the queries.
fn load(clients: &mut [Client], path: &str, bodies: &[Vec<u8>]) -> Result<f64> {
    let share = bodies.len().div_ceil(clients.len());
    let begin = Instant::now();
    let asked = std::thread::scope(|scope| {
        let ask = |(client, bodies): (&'_ mut Client, &[Vec<u8>])| -> std::result::Result<(), String> {
            let mut ask = |body: &Vec<u8>| client.post(path, "application/json", body).map(drop);
            bodies.iter().try_for_each(&mut ask).map_err(|error| error.to_string())
        };
        let started: Vec<_> =
            clients.iter_mut().zip(bodies.chunks(share)).map(|one| scope.spawn(move || ask(one))).collect();
        started.into_iter().try_for_each(|one| one.join().map_err(|_| "a client panicked".to_owned())?)
    });
    asked?;
    Ok(bodies.len() as f64 / begin.elapsed().as_secs_f64())
}

/// A search whose vector stands beside its JSON (docs/JAVASCRIPT.md, "Packed bodies over HTTP").
fn packed(query: &[f32], ef: usize) -> Vec<u8> {
    let mut json = json!({"k": K, "ef": ef}).to_string();
    while !json.len().is_multiple_of(4) {
        json.push(' ');
    }
    let mut body = Vec::new();
    body.extend((json.len() as u32).to_le_bytes());
    body.extend(1u32.to_le_bytes());
    body.extend(json.as_bytes());
    body.extend((query.len() as i32).to_le_bytes());
    query.iter().for_each(|component| body.extend(component.to_le_bytes()));
    body
}

fn request(query: &[f32], ef: usize) -> SearchRequest {
    SearchRequest { vector: Some(query.to_vec()), k: K, ef: Some(ef), ..SearchRequest::default() }
}

fn qps<T>(all: &[T], mut ask: impl FnMut(&T) -> Result<()>) -> Result<f64> {
    let begin = Instant::now();
    all.iter().try_for_each(&mut ask)?;
    Ok(all.len() as f64 / begin.elapsed().as_secs_f64())
}

/// What of the exact answers the server finds.
fn recall(
    collection: &CollectionHandle,
    client: &mut Client,
    path: &str,
    queries: &[Vec<f32>],
    ef: usize,
) -> Result<f64> {
    let mut found = 0;
    for query in queries.iter().take(CHECKED) {
        let exact = collection.search(SearchRequest { exact: true, ..request(query, ef) })?;
        let body = serde_json::to_vec(&json!({"vector": query, "k": K, "ef": ef}))?;
        let answer: serde_json::Value =
            serde_json::from_slice(client.post(path, "application/json", &body)?)?;
        let hits = answer["hits"].as_array().ok_or("no hits")?;
        found += hits.iter().filter(|hit| exact.hits.iter().any(|exact| hit["id"] == *exact.id)).count();
    }
    Ok(found as f64 / (queries.len().min(CHECKED) * K) as f64)
}

/// Batches of JSON: documents a second, and the time of a batch over that of parsing the same body.
fn ingest(directory: &Path, program: &Path, vectors: &[Vec<f32>]) -> Result<serde_json::Value> {
    let server = Server::start(program, directory, &[])?;
    let mut client = Client::connect(server.address())?;
    client.post("/v1/collections", "application/json", &serde_json::to_vec(&json!({"name": COLLECTION}))?)?;
    let path = format!("/v1/collections/{COLLECTION}/documents");
    let (mut ratios, mut sending, mut parsing) = (Vec::new(), 0.0, 0.0);
    for (i, chunk) in vectors.chunks(BATCH).enumerate() {
        let document =
            |(j, vector): (usize, &Vec<f32>)| json!({"id": (i * BATCH + j).to_string(), "vector": vector});
        let documents: Vec<_> = chunk.iter().enumerate().map(document).collect();
        let body = serde_json::to_vec(&json!({"documents": documents}))?;
        let begin = Instant::now();
        let parsed: AddBody<'_> = parse(&body)?;
        let parse_s = begin.elapsed().as_secs_f64();
        drop(parsed);
        let begin = Instant::now();
        client.post(&path, "application/json", &body)?;
        let send_s = begin.elapsed().as_secs_f64();
        ratios.push(send_s / parse_s);
        (sending, parsing) = (sending + send_s, parsing + parse_s);
    }
    let documents_per_s = vectors.len() as f64 / sending;
    Ok(json!({"documents_per_s": documents_per_s, "over_parsing": median(&ratios), "parsing_s": parsing,
        "sending_s": sending}))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
