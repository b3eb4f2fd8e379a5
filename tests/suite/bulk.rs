//! What a bulk import stored outlives damage: no log could bring it back.

use std::sync::Arc;

use kithdb::collection::CollectionConfig;
use kithdb::host::{AddMode, Db};
use kithdb::storage::{FileRoot, SimVfs};
use kithdb_tests::small_database::{document, options};

fn open(vfs: &SimVfs) -> Db {
    let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
    Db::with_root(Arc::new(root), options()).expect("opens")
}

/// The generation before the import and its log told nothing of it. When the newest manifest could not be read, the
/// imported documents were gone without a word, and those that they had replaced were back.
#[test]
fn an_import_is_in_the_generation_to_fall_back_on() {
    for damaged in 0..2 {
        let vfs = SimVfs::new();
        let db = open(&vfs);
        let main = db.create("main", CollectionConfig::default()).expect("made");
        main.add((0..10).map(document).collect(), AddMode::Insert, None).expect("stored");
        main.add_bulk((5..40).map(document).collect(), AddMode::Upsert).expect("stored");
        main.delete(vec!["d30".into()], None).expect("deleted");
        db.close().expect("closed");
        let manifests: Vec<String> =
            vfs.files().into_iter().filter(|file| file.starts_with("db/c/1/MANIFEST-")).collect();
        assert_eq!(manifests.len(), 2, "{manifests:?}");
        vfs.damage(&manifests[damaged], |bytes| bytes[30] ^= 1);
        let db = open(&vfs);
        let main = db.collection("main").expect("falls back");
        assert_eq!(main.info().expect("open").stats.documents, 39, "{manifests:?}, {damaged}");
        assert!(main.get("d30", None).expect("sound").is_none());
        assert_eq!(main.get("d5", None).expect("sound").expect("imported").valid_from, 1_010);
    }
}
