//! Where things are: this repository, its programs, fetched data.

use std::path::PathBuf;

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let crate_root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crate_root.parent().expect("the crate is in the repository").to_owned()
}

/// The server's program: what `KITH_SERVER` names, else the debug build.
///
/// # Panics
/// When it was not built: `npm test` builds it.
#[must_use]
pub fn server() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let path = std::env::var_os("KITH_SERVER").map_or_else(|| target.join("debug/kithdb"), PathBuf::from);
    assert!(path.exists(), "{} is missing: run npm test, or cargo build -p kithdb-server", path.display());
    path
}

/// What was fetched for tests, under the cache folder; `None` when it was not.
#[must_use]
pub fn cached(path: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("KITH_CACHE").map(PathBuf::from).or_else(|| {
        let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
        Some(base?.join("kithdb"))
    });
    cache.map(|cache| cache.join(path)).filter(|path| path.exists())
}

/// The folder of shared test data: what `KITH_TEST_DATA` names; `None` when it names none.
#[must_use]
pub fn test_data() -> Option<PathBuf> {
    std::env::var_os("KITH_TEST_DATA").map(PathBuf::from).filter(|path| path.exists())
}
