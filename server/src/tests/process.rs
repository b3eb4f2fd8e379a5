//! What the process computes and what its memory is.

use std::time::Duration;

use serde_json::Value;

use super::Server;

#[tokio::test]
async fn memory_is_told_as_far_as_it_is_known() {
    let server = Server::with_collection().await;
    let before = server.get("/v1/memory").await.json();
    let documents =
        r#"{"documents": [{"id": "a", "vector": [1, 2, 3], "metadata": {"text": "some words"}}]}"#;
    assert_eq!(server.post("/v1/collections/c/documents", documents).await.status, 200);
    let after = server.get("/v1/memory").await.json();
    let of = |told: &Value, pointer: &str| told.pointer(pointer).and_then(Value::as_u64);
    let unsealed = |told| of(told, "/database/unsealed_bytes").expect("a count");
    assert!(unsealed(&after) > unsealed(&before), "{before} {after}");
    assert_eq!(of(&after, "/database/collections_open"), Some(1));
    assert!(of(&after, "/database/unsealed_bytes_max") < of(&after, "/database/memory_bytes_max"), "{after}");
    assert_eq!(of(&after, "/requests/body_bytes"), Some(0));
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        let (taken, used) = (of(&after, "/heap/taken_bytes"), of(&after, "/heap/used_bytes"));
        assert!(used > Some(1 << 10) && taken >= used, "{after}");
        assert!(of(&after, "/process/resident_bytes") > Some(1 << 20), "{after}");
    }
    let text = String::from_utf8(server.get("/metrics").await.body).expect("UTF-8");
    for name in ["kithdb_unsealed_bytes", "kithdb_memory_max_bytes", "kithdb_copied_bytes"] {
        let line = format!("# TYPE {name} gauge\n{name} ");
        assert_eq!(text.matches(&line).count(), 1, "{name} in\n{text}");
    }
    assert_eq!(text.contains("\nprocess_open_fds "), cfg!(unix), "{text}");
}

#[tokio::test]
async fn a_profile_is_bounded() {
    let server = Server::new();
    for query in
        ["", "?seconds=0", "?seconds=61", "?seconds=-1", "?seconds=1&more=1", "?seconds=1&format=png"]
    {
        let refused = server.get(&format!("/v1/profile{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
    }
}

/// What computes is named in each form; while it is watched no other watches, and whoever leaves makes room.
#[cfg(all(
    any(target_os = "linux", target_os = "macos"),
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_names_what_computes() {
    use std::hint::black_box;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::profile::Watch;

    #[inline(never)]
    fn what_is_looked_for() {
        let next = |sum: u64, i| black_box(sum.wrapping_mul(31).wrapping_add(i));
        black_box((0..black_box(100_000_u64)).fold(0, next));
    }

    let server = Server::new();
    let goes_on = Arc::new(AtomicBool::new(true));
    let computes = Arc::clone(&goes_on);
    let computing = std::thread::spawn(move || {
        while computes.load(Ordering::Relaxed) {
            what_is_looked_for();
        }
    });
    let watch = Watch::begin(60).expect("nobody watches");
    assert_eq!(server.get("/v1/profile?seconds=1").await.problem(), (503, "overloaded".into()));
    drop(watch);
    // Whoever leaves ends what they asked for.
    assert!(futures_util::FutureExt::now_or_never(server.get("/v1/profile?seconds=60")).is_none());
    for (format, kind) in [
        ("folded", "text/plain; charset=utf-8"),
        ("svg", "image/svg+xml"),
        ("pprof", "application/octet-stream"),
    ] {
        // A machine with much to do may not come to it within the first second.
        loop {
            let answer = server.get(&format!("/v1/profile?seconds=1&format={format}")).await;
            let is_named = String::from_utf8_lossy(&answer.body).contains("what_is_looked_for");
            assert_eq!(answer.status, 200);
            if is_named {
                assert_eq!(answer.header(axum::http::header::CONTENT_TYPE), kind);
                break;
            }
        }
    }
    goes_on.store(false, Ordering::Relaxed);
    computing.join().expect("it ends");
    // A server that is told to end answers what it has seen until then.
    server.1.end();
    let answer = tokio::time::timeout(Duration::from_secs(30), server.get("/v1/profile?seconds=60")).await;
    assert_eq!(answer.expect("it does not wait for its end").status, 200);
}
