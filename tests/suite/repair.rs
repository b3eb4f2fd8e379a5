//! `repair`: what damage does not touch is saved as it was, what it touches is lost by name or by number, and what is
//! saved makes a database that opens.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use kithdb::base::{ManualClock, NoObserver, Object, Pool, Rng};
use kithdb::collection::{CollectionConfig, Document};
use kithdb::engine::repair::{Losses, salvage, sources};
use kithdb::engine::{Database, Env, JobKind};
use kithdb::host::{AddMode, CollectionHandle, Db, Rescued, repair};
use kithdb::storage::sim::Crash;
use kithdb::storage::{
    Blob, BlobId, BlobKind, FileRoot, MemoryRoot, ReadOnlyVfs, SimVfs, Storage, StorageRoot,
};
use kithdb::vectors::Stored;
use kithdb_tests::small_database::{self, document};

use super::verify::{fingerprint, look};

/// Documents of a collection: vector, metadata, time.
type Documents = BTreeMap<String, (Option<Vec<u32>>, Object, i64)>;

fn documents(collection: &CollectionHandle) -> Documents {
    let rows = collection.view().expect("open").all_rows().expect("sound");
    let vector = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect();
    let all = rows.iter().map(|row| {
        assert!(
            collection.get(&row.id, None).expect("sound").is_some(),
            "{} is listed and not found",
            row.id
        );
        (row.id.to_string(), (row.vector.as_deref().map(vector), row.metadata.clone(), row.valid_from))
    });
    all.collect()
}

fn settle(storage: &dyn Storage, ticket: kithdb::storage::Ticket) {
    storage.poll(ticket).of(ticket).expect("settled").expect("kept");
}

/// What was lost of each collection, by its name.
type Lost = BTreeMap<String, (Losses, u64, u64)>;

/// Saves a disk into a new database in memory, which is opened: losses, generation and unfinished bytes of each.
fn rescue(vfs: &SimVfs) -> (Lost, Db) {
    let calls = vfs.calls();
    let old = FileRoot::open(Arc::new(ReadOnlyVfs::copying(Arc::new(vfs.clone()))), "db").expect("opens");
    let new = Arc::new(MemoryRoot::new());
    let (clock, observer) = (Arc::new(ManualClock::at(1)), Arc::new(NoObserver));
    let env = Env { clock, observer, pool: Arc::new(Pool::single()) };
    let mut database = Database::open(Arc::clone(&new) as Arc<dyn StorageRoot>, env).expect("a new one");
    let mut lost = Lost::new();
    for source in sources(&old).expect("listed") {
        let Ok(saved) = salvage(&*old.storage(source.number).expect("opens"), source.collection_id) else {
            continue;
        };
        let staged = database.stage_salvaged(&source.name, 99, &saved).expect("staged");
        settle(&*staged.storage, staged.ticket);
        let ticket = database.admit(staged);
        settle(&*database.storage(), ticket);
        lost.insert(source.name, (saved.losses, saved.generation, saved.unfinished_bytes));
    }
    assert_eq!(vfs.calls(), calls, "the old one was only read");
    (lost, Db::with_root(new, small_database::options()).expect("opens"))
}

fn fill(vfs: &SimVfs, fill: impl FnOnce(Arc<dyn StorageRoot>)) {
    fill(Arc::new(FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens")));
}

/// The edges of every collection, as [`small_database::edges`] tells them.
fn all_edges(db: &Db) -> BTreeMap<String, String> {
    let names = db.names().expect("open").into_iter();
    let edges = |name: &str| small_database::edges(&db.collection(name).expect("open")).expect("sound");
    names.map(|name| (name.clone(), edges(&name))).collect()
}

fn sample() -> (SimVfs, BTreeMap<String, Documents>, BTreeMap<String, String>) {
    let vfs = SimVfs::new();
    fill(&vfs, small_database::fill);
    let (lost, db) = rescue(&vfs);
    assert!(lost.values().all(|(losses, _, unfinished)| losses.is_none() && *unfinished == 0), "{lost:?}");
    // What repair makes of a sound database is what the database says of itself.
    let root = FileRoot::open(Arc::new(vfs.after(Crash::Process, &mut Rng::new(0))), "db").expect("opens");
    let original = Db::with_root(Arc::new(root), small_database::options()).expect("opens");
    let all = |db: &Db| -> BTreeMap<String, Documents> {
        let names = db.names().expect("open");
        names.iter().map(|name| (name.clone(), documents(&db.collection(name).expect("open")))).collect()
    };
    assert_eq!(all(&db), all(&original));
    assert_eq!(all_edges(&db), all_edges(&original));
    (vfs, all(&original), all_edges(&original))
}

/// Nothing is saved that was not there, and what is not saved is told of.
fn check(at: &str, original: &Documents, saved: &Documents, losses: &Losses, unfinished: u64) {
    // A lost frame may have held a delete, and lost ends did.
    let may_be_older = losses.frames > 0 || losses.ends > 0 || losses.settings || unfinished > 0;
    for (id, document) in saved {
        let is_same = original.get(id) == Some(document);
        assert!(is_same || may_be_older, "{at}: {id} was saved as something else");
    }
    let missing: Vec<&String> = original.keys().filter(|id| !saved.contains_key(*id)).collect();
    let unnamed = missing.iter().filter(|id| !losses.ids.contains(**id)).count();
    let told = unnamed <= losses.nameless || losses.segments > 0 || losses.frames > 0 || unfinished > 0;
    assert!(told, "{at}: {missing:?} are missing, and told is {losses:?}");
    let named = losses.ids.iter().all(|id| !saved.contains_key(id));
    assert!(named, "{at}: saved and lost at once: {losses:?}");
}

#[test]
fn after_any_flipped_byte_what_is_left_opens_and_losses_are_told() {
    let (vfs, original, edges) = sample();
    let (mut whole, mut partly) = (0, 0);
    for file in small_database::files(&vfs) {
        let mut len = 0;
        vfs.damage(&file, |bytes| len = bytes.len());
        for at in (0..len).filter(|at| *at < 64 || *at + 300 > len || at % 3 == 0) {
            let flip = |bytes: &mut Vec<u8>| bytes[at] ^= 1 << (at % 8);
            vfs.damage(&file, flip);
            let (lost, db) = rescue(&vfs);
            let at = format!("flip in {file} at {at} of {len}");
            let edges_of = all_edges(&db);
            for (name, documents_of) in &original {
                let original = name;
                // Without its catalog a collection has the name of its storage.
                let number = if name == "main" { 1 } else { 2 };
                let names = [name.clone(), format!("recovered-{number}")];
                let found = names.iter().find(|name| lost.contains_key(*name));
                let name = found.unwrap_or_else(|| panic!("{at}: {name} was not saved"));
                let saved = documents(&db.collection(name).expect("open"));
                let (losses, _, unfinished) = &lost[name];
                check(&at, documents_of, &saved, losses, *unfinished);
                if losses.is_none() && *unfinished == 0 {
                    assert_eq!(&saved, documents_of, "{at}");
                    assert_eq!(edges_of[name], edges[original], "{at}");
                    whole += 1;
                } else {
                    partly += 1;
                }
            }
            vfs.damage(&file, flip);
        }
    }
    println!("{whole} collections saved whole, {partly} with losses that were told");
    assert!(whole > 5_000 && partly > 200, "{whole} {partly}");
}

const MANY: u32 = 25_000;

/// One segment of so many documents that every section has blocks enough to lose one.
fn many(stored: Stored) -> (SimVfs, Documents) {
    let (vfs, mut all) = (SimVfs::new(), Documents::new());
    fill(&vfs, |root| {
        let db = Db::with_root(root, small_database::options()).expect("opens");
        let config = CollectionConfig { stored, ..CollectionConfig::default() };
        let many = db.create_with_id("many", 11, config).expect("made");
        let named = |i| Document { id: format!("document-{i:05}"), ..document(i) };
        many.add((0..MANY).map(named).collect(), AddMode::Insert, None).expect("stored");
        many.run(JobKind::Seal).expect("sealed");
        all = documents(&many);
        db.close().expect("closed");
    });
    // The generation before has all of it in its log.
    vfs.lose("db/c/1/MANIFEST-1");
    (vfs, all)
}

/// Slots whose bytes, which end at these offsets, touch a range.
fn touching(ends: &[u64], range: &Range<u64>) -> BTreeSet<u32> {
    let touches = |slot: &usize| ends[*slot] < range.end && ends[*slot + 1] > range.start;
    (0..ends.len() - 1).filter(touches).map(|slot| slot as u32).collect()
}

/// The lost slots, and whether their ids can be read.
fn expected(section: u16, blob: &Blob, block: &Range<u64>) -> (BTreeSet<u32>, bool) {
    let numbers = |section| blob.pinned(section).expect("sound").numbers::<u64>().expect("aligned").to_vec();
    let with_vector: Vec<u32> = (0..MANY).filter(|i| !i.is_multiple_of(3)).collect();
    let slots = |width: u64| (block.start / width) as u32..(block.end.div_ceil(width) as u32).min(MANY);
    let (lost, named) = match section {
        // An end belongs to two slots: the one before it and the one behind.
        3 => (slots(8).start.saturating_sub(1)..slots(8).end, false),
        11 => (slots(8).start.saturating_sub(1)..slots(8).end, true),
        4 => return (touching(&numbers(3), block), false),
        12 => return (touching(&numbers(11), block), true),
        7 => (slots(8), true),
        8 => {
            let edge = |ordinal: u32| with_vector.get(ordinal as usize).copied().unwrap_or(MANY);
            let first = slots(4).start.checked_sub(1).map_or(0, |ordinal| edge(ordinal) + 1);
            (first..edge(slots(4).end), true)
        }
        // Vectors of two components, in each of the stored forms.
        9 | 16 | 17 => {
            let width = [8, 4, 6][usize::from(section.saturating_sub(15))];
            let of = slots(width).start as usize..(slots(width).end as usize).min(with_vector.len());
            return (with_vector[of].iter().copied().collect(), true);
        }
        _ => (0..0, true),
    };
    (lost.collect(), named)
}

#[test]
fn a_damaged_block_costs_the_documents_it_touches_and_no_more() {
    // Counts, the order of ids, keys, seqs and inverse norms are not needed: these sections are damaged all at once.
    damage_blocks(Stored::F32, &[&[1, 2, 5, 6, 10], &[3], &[4], &[7], &[8], &[9], &[11], &[12]]);
    damage_blocks(Stored::F16, &[&[1, 2, 5, 6, 10], &[16]]);
    damage_blocks(Stored::Int8, &[&[1, 2, 5, 6, 10], &[17]]);
}

fn damage_blocks(stored: Stored, all_sections: &[&[u16]]) {
    let (vfs, all) = many(stored);
    let root = FileRoot::open(Arc::new(vfs.clone()), "db").expect("opens");
    let id = BlobId::new(11, 1, BlobKind::Rows);
    let sound = Blob::open(id, root.storage(1).expect("opens").blob(id).expect("there")).expect("sound");
    let flip = |section: u16| {
        let bits = if [9, 12, 16, 17].contains(&section) { 12 } else { 16 };
        let len = sound.rows(section).expect("there").len();
        // The second block, where there is one.
        let start = if len > 1 << bits { 1 << bits } else { 0 };
        let at = (sound.offset_of(section).expect("there") + start + 3) as usize;
        vfs.damage("db/c/1/1.rows", |bytes| bytes[at] ^= 1);
        start..(start + (1 << bits)).min(len)
    };
    for sections in all_sections {
        let block = sections.iter().map(|section| flip(*section)).next_back().expect("one");
        let (lost, db) = rescue(&vfs);
        let losses = &lost["many"].0;
        let (slots, named) = expected(sections[0], &sound, &block);
        let ids: BTreeSet<String> = slots.iter().map(|slot| format!("document-{slot:05}")).collect();
        if named {
            assert!(losses.nameless == 0 && losses.ids.iter().eq(&ids), "sections {sections:?}");
        } else {
            assert_eq!((losses.ids.len(), losses.nameless), (0, ids.len()), "sections {sections:?}");
        }
        let saved = documents(&db.collection("many").expect("open"));
        let left = all.iter().filter(|(id, _)| !ids.contains(*id));
        assert!(saved.iter().eq(left), "sections {sections:?}: {} saved", saved.len());
        assert!(
            !saved.is_empty() && ids.is_empty() == (sections.len() > 1),
            "{sections:?}: the test shows nothing"
        );
        for section in *sections {
            flip(*section);
        }
    }
}

/// Two sealed segments, merged: the blobs from before the merge are still there.
fn merged() -> (SimVfs, Documents) {
    let (vfs, mut all) = (SimVfs::new(), Documents::new());
    fill(&vfs, |root| {
        let db = Db::with_root(root, small_database::options()).expect("opens");
        let main = db.create_with_id("main", 11, CollectionConfig::default()).expect("made");
        for numbers in [0..10, 10..20] {
            main.add(numbers.map(document).collect(), AddMode::Insert, None).expect("stored");
            main.run(JobKind::Seal).expect("sealed");
        }
        main.run(JobKind::Merge).expect("merged");
        main.delete(vec!["d3".into()], None).expect("deleted");
        all = documents(&main);
        db.close().expect("closed");
    });
    (vfs, all)
}

fn rows_files(vfs: &SimVfs) -> Vec<String> {
    let mut files: Vec<String> = vfs.files().into_iter().filter(|file| file.ends_with(".rows")).collect();
    files.sort_by_key(|file| (file.len(), file.clone()));
    files
}

#[test]
fn what_the_newest_generation_lost_is_taken_from_the_one_before() {
    let (vfs, all) = merged();
    let files = rows_files(&vfs);
    let [first, _, newest] = files.as_slice() else { panic!("{files:?}") };
    // Only the middle of the metadata, so that ids can be read.
    let middle = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(4).rposition(|word| word == b"word").expect("metadata");
        bytes[at] ^= 1;
    };
    vfs.damage(newest, middle);
    let (lost, db) = rescue(&vfs);
    assert!(lost["main"].0.is_none(), "{lost:?}");
    assert_eq!(documents(&db.collection("main").expect("open")), all);
    // The first of the older segments is damaged too: what both have lost is lost.
    vfs.damage(first, middle);
    let (lost, db) = rescue(&vfs);
    let ids: BTreeSet<String> = (0..10).filter(|i| *i != 3).map(|i| format!("d{i}")).collect();
    assert_eq!(lost["main"].0, Losses { ids: ids.iter().cloned().collect(), ..Losses::default() });
    let saved = documents(&db.collection("main").expect("open"));
    let left: Documents = all.into_iter().filter(|(id, _)| !ids.contains(id)).collect();
    assert_eq!(saved, left);
}

#[test]
fn frames_behind_a_damaged_one_are_saved() {
    let (vfs, original, _) = sample();
    let log = vfs.files().into_iter().rfind(|file| file.contains("/c/1/wal-")).expect("there is one");
    // The first frame behind the header, which later ones know to be durable: d30 and d31.
    vfs.damage(&log, |bytes| bytes[80] ^= 1);
    let (lost, db) = rescue(&vfs);
    assert_eq!(lost["main"].0, Losses { frames: 1, ..Losses::default() });
    let saved = documents(&db.collection("main").expect("open"));
    let mut left = original["main"].clone();
    left.retain(|id, _| id != "d30" && id != "d31");
    assert_eq!(saved, left);
}

#[test]
fn without_a_catalog_collections_are_found_by_their_storages() {
    let (vfs, original, _) = sample();
    let catalogs: Vec<String> = vfs.files().into_iter().filter(|file| file.contains("/catalog/")).collect();
    let newest = catalogs.iter().rfind(|file| file.contains("MANIFEST")).expect("there is one");
    let older = vfs.after(Crash::Process, &mut Rng::new(0));
    older.damage(newest, |bytes| bytes[20] ^= 1);
    let (_, db) = rescue(&older);
    assert_eq!(db.names().expect("open"), ["main", "recovered-2"], "the catalog before names one of them");
    catalogs.iter().for_each(|file| vfs.lose(file));
    let (lost, db) = rescue(&vfs);
    assert_eq!(db.names().expect("open"), ["recovered-1", "recovered-2"]);
    assert!(lost.values().all(|(losses, ..)| losses.is_none()));
    for (number, name) in [(1, "main"), (2, "side")] {
        let saved = documents(&db.collection(&format!("recovered-{number}")).expect("open"));
        assert_eq!(saved, original[name]);
    }
}

#[test]
fn a_lost_file_costs_no_more_than_what_is_told() {
    let (sound, original, _) = sample();
    for file in small_database::files(&sound) {
        let vfs = sound.after(Crash::Process, &mut Rng::new(0));
        vfs.lose(&file);
        let (lost, db) = rescue(&vfs);
        for (name, number) in [("main", 1), ("side", 2)] {
            let names = [name.to_owned(), format!("recovered-{number}")];
            let found = names.iter().find(|name| lost.contains_key(*name));
            let Some(found) = found else {
                assert!(file.contains(&format!("c/{number}/MANIFEST")), "{file}: nothing of {name}");
                continue;
            };
            let saved = documents(&db.collection(found).expect("open"));
            check(&file, &original[name], &saved, &lost[found].0, lost[found].2);
        }
    }
}

#[test]
fn the_old_directory_is_left_as_it_is_and_the_new_one_is_sound() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let (old, new) = (path("old"), path("new"));
    let os: Arc<dyn kithdb::storage::vfs::Vfs> = Arc::new(kithdb::storage::OsVfs);
    small_database::fill(Arc::new(FileRoot::open(os, &old.to_string_lossy()).expect("opens")));
    let db = Db::open(&old, small_database::options()).expect("opens");
    let original = documents(&db.collection("main").expect("open"));
    let held = save(&old, &new).expect_err("somebody writes");
    assert_eq!(held.code(), "database_locked");
    db.close().expect("closed");
    let pointer = old.join("c/1/CURRENT");
    let mut bytes = std::fs::read(&pointer).expect("readable");
    bytes[9] ^= 1;
    std::fs::write(&pointer, bytes).expect("writable");
    let before = fingerprint(&old);
    for refused in [old.join("new"), old.clone(), directory.path().to_owned()] {
        assert_eq!(save(&old, &refused).expect_err("not there").code(), "invalid_parameter", "{refused:?}");
    }
    assert!(!new.exists());
    let rescued = save(&old, &new).expect("saved");
    assert!(rescued.iter().all(Rescued::is_whole), "{rescued:?}");
    assert_eq!(fingerprint(&old), before);
    let again = Db::open(&new, small_database::options()).expect("opens");
    assert_eq!(documents(&again.collection("main").expect("open")), original);
    again.close().expect("closed");
}

fn save(from: &Path, into: &Path) -> kithdb::base::Result<Vec<Rescued>> {
    let mut told = Vec::new();
    repair(from, into, &mut |rescued| told.push(rescued.clone()))?;
    Ok(told)
}

#[test]
fn the_sample_of_a_merge_is_sound() {
    let (told, summary) = look(&merged().0);
    assert!(summary.is_clean(), "{told:?}");
}
