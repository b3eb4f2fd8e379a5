//! The embedder's files over HTTP: the bytes as they are, and nothing else of the directory.

use std::fs;

use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use serde_json::json;
use tempfile::TempDir;

use super::Server;

/// A directory `small` with a sound embedder of three tokens, its table longer than one piece that is read at once.
fn small() -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let directory = folder.path().join("small");
    fs::create_dir(&directory).expect("made");
    let (rows, dim) = (3, 40_000);
    let data: Vec<u8> = (0..rows * dim).flat_map(|i| ((i % 7) as f32).to_le_bytes()).collect();
    let header =
        json!({"t": {"dtype": "F32", "shape": [rows, dim], "data_offsets": [0, data.len()]}}).to_string();
    let model = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat();
    let tokenizer = json!({
        "normalizer": null, "pre_tokenizer": null,
        "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": false,
            "vocab": {"<unk>": 0, "a": 1, "b": 2}, "merges": []},
    });
    fs::write(directory.join("model.safetensors"), model).expect("written");
    fs::write(directory.join("tokenizer.json"), tokenizer.to_string()).expect("written");
    fs::write(directory.join("secret.txt"), "not for you").expect("written");
    folder
}

#[tokio::test]
async fn the_embedder_is_described_and_its_files_come_whole() {
    let folder = small();
    let directory = folder.path().join("small");
    let server = Server::with_embedder(&directory);
    let answer = server.get("/v1/embedder").await;
    let info = answer.json();
    assert_eq!((&info["name"], &info["dim"]), (&json!("small"), &json!(40_000)));
    assert_eq!(info["hash"].as_str().map(str::len), Some(16));
    assert!(!String::from_utf8_lossy(&answer.body).contains("tmp"), "{info}");
    for (name, content_type) in
        [("model.safetensors", "application/octet-stream"), ("tokenizer.json", "application/json")]
    {
        let path = format!("/v1/embedder/{name}");
        let file = server.get(&path).await;
        let bytes = fs::read(directory.join(name)).expect("there");
        assert_eq!((file.status.as_u16(), file.header(CONTENT_TYPE)), (200, content_type), "{name}");
        assert_eq!(info["files"][name]["bytes"], bytes.len(), "{name}");
        assert!(file.body == bytes, "{name}: {} of {} bytes", file.body.len(), bytes.len());
        let tag = file.header(ETAG);
        assert_eq!(server.get_unless(&path, tag).await.status, 304, "{name}");
        let head = server.ask("HEAD", &path, "").await;
        assert_eq!((head.header(CONTENT_LENGTH), head.header(ETAG)), (&*bytes.len().to_string(), tag));
    }
}

#[tokio::test]
async fn nothing_else_of_the_directory_is_served() {
    let folder = small();
    let server = Server::with_embedder(&folder.path().join("small"));
    for name in ["secret.txt", "..%2fsmall%2fsecret.txt", "../small/model.safetensors", "model", ""] {
        let answer = server.get(&format!("/v1/embedder/{name}")).await;
        assert_eq!(answer.problem(), (404, "unknown_route".into()), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_went_away_is_told_without_its_path() {
    let folder = small();
    let directory = folder.path().join("small");
    let server = Server::with_embedder(&directory);
    let tag = server.get("/v1/embedder/tokenizer.json").await.header(ETAG).to_owned();
    fs::write(directory.join("tokenizer.json"), "{}").expect("written");
    let changed = server.get_unless("/v1/embedder/tokenizer.json", &tag).await;
    assert_eq!((changed.status.as_u16(), &*changed.body), (200, &b"{}"[..]));
    fs::remove_file(directory.join("tokenizer.json")).expect("there");
    for path in ["/v1/embedder", "/v1/embedder/tokenizer.json"] {
        let answer = server.get(path).await;
        assert_eq!(answer.problem(), (500, "io_failed".into()), "{path}");
        let told = String::from_utf8_lossy(&answer.body);
        assert!(told.contains("the embedder's tokenizer.json"), "{told}");
        assert!(!told.contains(&*directory.to_string_lossy()), "{told}");
    }
}

#[tokio::test]
async fn a_server_without_an_embedder_says_so() {
    let server = Server::new();
    for path in ["/v1/embedder", "/v1/embedder/model.safetensors", "/v1/embedder/tokenizer.json"] {
        let answer = server.get(path).await;
        assert_eq!(answer.problem(), (404, "no_embedder".into()), "{path}");
        assert_eq!(answer.json()["hint"], "start it with --embedder DIR");
    }
}
