//! The files of the page: which are served, as what, and when a browser may keep them.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};

use super::Server;

#[tokio::test]
async fn the_page_serves_nothing_but_its_own_files() {
    let server = Server::new();
    let others = [
        "/ui/..%2fCargo.toml",
        "/ui/../Cargo.toml",
        "/ui/%2e%2e%2fsrc%2fmain.rs",
        "/ui/%2fetc%2fpasswd",
        "/ui//etc/passwd",
        "/ui/package.json",
        "/ui/web/offline.js",
        "/ui/kithdb/",
        "/ui/kithdb/node/node.js",
        "/ui/kithdb/node/native/addon.js",
        "/ui/kithdb/kithdb.node",
        "/ui/kithdb/../../Cargo.toml",
        "/ui/explorer/../../Cargo.toml",
        "/ui/explorer/src/main.ts",
        "/ui/dist/index.html",
    ];
    for path in others {
        assert_eq!(server.get(path).await.problem(), (404, "unknown_route".into()), "{path}");
    }
}

#[tokio::test]
async fn every_listed_file_is_there_and_is_fetched_once() {
    let server = Server::new();
    let list = server.get("/ui/files.json").await;
    assert_eq!(list.header(CACHE_CONTROL), "no-cache");
    let version = list.json()["version"].as_str().expect("a version").to_owned();
    assert_eq!(server.get_unless("/ui/files.json", &format!("\"{version}\"")).await.status, 304);
    let list = list.json();
    let names: Vec<&str> =
        list["files"].as_array().expect("files").iter().filter_map(|name| name.as_str()).collect();
    assert!(names.contains(&"offline.js") && names.contains(&"icon.svg"), "{names:?}");
    assert_eq!(list["engine"], names.contains(&"kithdb/browser.js"));
    for name in names {
        let path = format!("/ui/{name}");
        let first = server.get(&path).await;
        assert_eq!((first.status.as_u16(), first.header(CACHE_CONTROL)), (200, "no-cache"), "{name}");
        assert!(!first.body.is_empty(), "{name}");
        let tag = first.header(ETAG);
        for known in [tag.to_owned(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
            let again = server.get_unless(&path, &known).await;
            assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{name} {known}");
            assert_eq!(again.header(ETAG), tag);
        }
        assert_eq!(server.get_unless(&path, "\"other\"").await.body, first.body, "{name}");
    }
}

#[tokio::test]
async fn files_are_of_the_type_that_a_browser_wants() {
    let server = Server::new();
    let table = [
        ("/ui/", "text/html; charset=utf-8"),
        ("/ui/offline.js", "text/javascript; charset=utf-8"),
        ("/ui/api.css", "text/css; charset=utf-8"),
        ("/ui/icon.svg", "image/svg+xml"),
        ("/ui/files.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
    ];
    for (path, content_type) in table {
        assert_eq!(server.get(path).await.header(CONTENT_TYPE), content_type, "{path}");
    }
}

#[tokio::test]
async fn the_explorer_is_where_a_proxy_put_it() {
    let server = Server::new();
    for (from, to) in [("/", "ui/"), ("/ui", "ui/"), ("/ui/explorer", "./"), ("/ui/explorer/", "../")] {
        let led = server.get(from).await;
        assert_eq!((led.status.as_u16(), led.header(LOCATION)), (308, to), "{from}");
    }
    let page = String::from_utf8(server.get("/ui/").await.body).expect("text");
    // Built or not, nothing in it is named from the root of a host.
    assert!(page.contains("KithDB Explorer") && !page.contains("=\"/"), "{page}");
}
