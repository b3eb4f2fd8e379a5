//! What a server leaves on the disk: files for its user alone, whatever the shell that started it lets others read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kithdb_tests::rest_surface::Server;
use serde_json::json;

/// Every path below a directory that its group or others may use, and how many paths there are.
fn open_to_others(directory: &Path, found: &mut Vec<String>) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(directory).expect("listed") {
        let path = entry.expect("listed").path();
        let metadata = fs::symlink_metadata(&path).expect("there");
        if metadata.permissions().mode() & 0o077 != 0 {
            found.push(path.display().to_string());
        }
        count += 1;
        if metadata.is_dir() {
            count += open_to_others(&path, found);
        }
    }
    count
}

/// A server asks others for a token, and its files lay there for each user of the machine to read.
#[test]
fn what_a_server_writes_is_for_its_user_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let server = Server::start(&data, &[]).expect("starts");
    server.ask("POST", "/v1/collections", Some(&json!({ "name": "notes" }))).expect("made");
    let documents = json!({ "documents": [{ "id": "kept", "metadata": { "title": "mine" } }] });
    server.ask("POST", "/v1/collections/notes/documents", Some(&documents)).expect("stored");
    server.stop();
    let mut found = vec![];
    let count = open_to_others(directory.path(), &mut found);
    assert!(count > 8, "a lock, a catalog, a collection with its log: {count}");
    assert_eq!(found, [""; 0]);
}
