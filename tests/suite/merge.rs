//! Seal, merge, index and optimize over a long life: a handful of segments, nothing lost, links that go on.

use kithdb::base::value::parse_object;
use kithdb::base::{Object, Rng};
use kithdb::collection::{
    CollectionConfig, Document, History, LinkRequest, Maintenance, Mutation, Part, Settings, UnlinkRequest,
};
use kithdb::engine::JobKind;
use kithdb::engine::stats::Figures;
use kithdb::graph::EdgesReader;
use kithdb::storage::{Level, Ticket};

use crate::life::{Life, SEAL_BYTES, job};

#[test]
fn segments_stay_a_handful_and_documents_what_they_were_through_many_seals() {
    let mut life = Life::new(CollectionConfig::default());
    let mut rng = Rng::new(7);
    let (mut most, mut merges) = (0, 0);
    for round in 0..60i64 {
        let count = 1 + rng.below(120);
        let numbers: Vec<u64> = (0..count).map(|_| rng.below(3_000)).collect();
        let distinct: std::collections::BTreeSet<u64> = numbers.into_iter().collect();
        life.put(distinct.into_iter().map(|number| (number, round)), 4);
        life.delete((0..rng.below(20)).map(|_| rng.below(3_000)).collect::<Vec<_>>().into_iter());
        life.run(JobKind::Seal);
        merges += life.run_due().iter().filter(|kind| **kind == JobKind::Merge).count();
        most = most.max(life.view().stats().segments);
        if round % 7 == 0 {
            life.reopen();
        }
        life.check(&format!("round {round}"));
    }
    assert!((4..=8).contains(&most) && merges >= 15, "at most {most} segments, {merges} merges");
}

#[test]
fn optimize_makes_one_linked_segment_of_everything() {
    let mut life = Life::new(CollectionConfig::default());
    for round in 0..3 {
        life.put((0..200).map(|i| (150 * round + i, round as i64)), 4);
        life.run(JobKind::Seal);
    }
    life.put((600..650).map(|i| (i, 9)), 4);
    life.delete(0..30);
    assert!(!JobKind::ALL.into_iter().any(|kind| life.collection.is_due(kind, SEAL_BYTES)));
    assert!(life.run(JobKind::Optimize));
    let stats = life.view().stats();
    assert_eq!((stats.segments, stats.indexed, stats.memtable, stats.ended), (1, 1, 0, 0));
    life.check("optimized");
    assert!(!life.run(JobKind::Optimize), "it is so already");
    life.reopen();
    life.check("opened again");
    life.delete(30..40);
    assert!(life.run(JobKind::Optimize), "something has ended");
    assert_eq!(life.view().stats().ended, 0);
    life.reopen();
    life.check("optimized again");
}

#[test]
fn optimize_only_links_a_segment_that_lacks_nothing_else() {
    let mut life = Life::new(CollectionConfig::default());
    assert!(!life.run(JobKind::Optimize), "nothing is there");
    life.put((0..200).map(|i| (i, 1)), 4);
    life.run(JobKind::Seal);
    let rows = |life: &Life| life.collection.storage().list().expect("listed").objects;
    let before = rows(&life);
    assert!(life.run(JobKind::Optimize));
    assert_eq!(life.view().stats().indexed, 1);
    let blob = |object: &&kithdb::storage::Object| matches!(object, kithdb::storage::Object::Blob(..));
    let after = rows(&life);
    assert_eq!(after.iter().filter(blob).count(), before.iter().filter(blob).count() + 1, "one more blob");
}

#[test]
fn what_happens_during_a_merge_or_optimize_is_carried_over() {
    for kind in [JobKind::Merge, JobKind::Optimize] {
        let mut life = Life::new(CollectionConfig::default());
        for round in 0..3 {
            life.put((0..100).map(|i| (100 * round + i, 0)), 4);
            life.run(JobKind::Seal);
        }
        life.put((300..320).map(|i| (i, 0)), 4);
        let mut batch: Vec<Mutation> =
            (0..320).step_by(9).map(|i| Mutation::Delete(format!("d{i}"))).collect();
        life.model.retain(|id, _| id[1..].parse::<u32>().is_ok_and(|i| i % 9 > 0));
        life.model.insert("new".into(), 5);
        let metadata = parse_object(r#"{"n":5}"#).expect("JSON");
        batch.push(Mutation::Add(Document { id: "new".into(), vector: None, metadata, expires_at: None }));
        let mut batch = Some(batch);
        let done = job(&mut life.collection, kind, 7, |collection| {
            let batch = batch.take().expect("once");
            collection.submit(batch, Level::Always).expect("stored");
        });
        assert!(done);
        life.check(kind.name());
        life.reopen();
        life.check(&format!("{}, opened again", kind.name()));
        life.run(JobKind::Optimize);
        life.reopen();
        life.check("optimized");
    }
}

#[test]
fn a_merge_keeps_the_links_of_its_largest_input() {
    let dim = 16;
    let mut life = Life::new(CollectionConfig::default());
    life.put((0..6_000).map(|i| (i, 0)), dim);
    life.run(JobKind::Seal);
    assert!(life.run(JobKind::Index));
    for round in 1..4 {
        life.put((0..300).map(|i| (20 * i + round, round as i64)), dim);
        life.put((0..200).map(|i| (7_000 + 1_000 * round + i, round as i64)), dim);
        life.run(JobKind::Seal);
    }
    let before = life.view().stats();
    assert_eq!((before.segments, before.indexed), (4, 1));
    while life.run(JobKind::Merge) {}
    let after = life.view().stats();
    assert_eq!((after.segments, after.indexed, after.ended, after.unlinked_vectors), (1, 1, 0, 0));
    life.check("merged");
    let recall = life.recall(dim);
    assert!(recall > 0.95, "recall {recall}");
    life.reopen();
    assert_eq!(life.recall(dim), recall);
}

#[test]
fn what_is_kept_as_history_makes_nothing_due_and_goes_on_with_its_links() {
    let dim = 16;
    let mut life = Life::new(CollectionConfig { history: History::Forever, ..CollectionConfig::default() });
    life.put((0..6_000).map(|i| (i, 0)), dim);
    life.run(JobKind::Seal);
    assert!(life.run(JobKind::Index));
    life.put((0..2_500).map(|i| (i, 1)), dim);
    life.delete(5_000..5_500);
    assert!(life.run_due().is_empty(), "nothing may be left out");
    assert!(life.run(JobKind::Seal) && life.run_due().is_empty());
    assert!(life.run(JobKind::Optimize));
    for at in ["optimized", "opened again"] {
        life.check(at);
        let view = life.view();
        let stats = view.stats();
        assert_eq!((stats.segments, stats.indexed, stats.ended), (1, 1, 3_000), "{at}");
        assert_eq!(view.versions("d7").expect("sound").len(), 2, "{at}");
        assert!(life.recall(dim) > 0.95, "{at}");
        life.reopen();
    }
    assert!(!life.run(JobKind::Optimize) && !life.run(JobKind::Merge), "there is nothing to gain");
}

#[test]
fn without_links_a_merge_builds_none() {
    let mut life = Life::new(CollectionConfig::default());
    for round in 0..2 {
        life.put((0..100).map(|i| (100 * round + i, 0)), 4);
        life.run(JobKind::Seal);
    }
    assert!(life.run(JobKind::Merge));
    let stats = life.view().stats();
    assert_eq!((stats.segments, stats.indexed, stats.unlinked_vectors), (1, 0, 200));
}

/// Deletes made neither a memtable grow nor a merge due: what had ended stayed for ever.
#[test]
fn a_segment_of_which_much_has_ended_is_written_again_by_itself() {
    let mut life = Life::new(CollectionConfig::default());
    life.put((0..6_000).map(|i| (i, 0)), 4);
    life.run(JobKind::Seal);
    assert!(life.run_due().is_empty());
    life.delete(0..1_200);
    assert!(life.run_due().is_empty(), "not more than a fifth");
    life.delete(1_200..1_201);
    assert_eq!(life.run_due(), [JobKind::Seal, JobKind::Vacuum]);
    assert_eq!(life.view().stats().ended, 0);
    life.check("written again");
}

/// The vacuum that was due for one segment wrote another one again, in which more had ended and a smaller share.
#[test]
fn a_vacuum_takes_the_segment_that_is_due() {
    let mut life = Life::new(CollectionConfig::default());
    life.put((0..20_000).map(|i| (i, 0)), 4);
    life.run(JobKind::Seal);
    life.put((20_000..24_000).map(|i| (i, 0)), 4);
    life.run(JobKind::Seal);
    life.delete(0..2_000);
    life.delete(20_000..21_500);
    life.run(JobKind::Seal);
    assert!(life.run(JobKind::Vacuum));
    assert_eq!(life.view().stats().ended, 2_000, "those of the large one");
    life.check("the small one");
}

#[test]
fn a_large_segment_is_linked_by_itself_and_a_small_one_when_a_query_scans_too_much() {
    let (mut life, dim) = (Life::new(CollectionConfig::default()), 4);
    life.put((0..9_000).map(|i| (i, 0)), dim);
    life.run(JobKind::Seal);
    assert!(life.run_due().is_empty(), "small");
    assert!(life.collection.is_due(JobKind::Index, 100_000), "when a query may scan 200 KB only");
    life.put((10_000..22_000).map(|i| (i, 0)), dim);
    life.run(JobKind::Seal);
    assert_eq!(life.run_due(), [JobKind::Index]);
    let stats = life.view().stats();
    assert_eq!((stats.segments, stats.indexed, stats.unlinked_vectors), (2, 1, 9_000));
}

#[test]
fn a_job_pauses_after_as_many_documents_as_it_was_asked_for() {
    let mut life = Life::new(CollectionConfig::default());
    life.put((0..1_000).map(|i| (i, 0)), 4);
    for (budget, at_least) in [(1, 1_000), (100, 10)] {
        let mut job = life.collection.begin(JobKind::Seal).expect("sound").expect("documents");
        let mut steps = 1;
        while !job.step(budget).expect("sound") {
            steps += 1;
            assert!(job.progress().done <= steps * budget);
        }
        assert!((at_least..3 * at_least + 5).contains(&steps), "{steps} steps of {budget}");
        life.collection.abandon();
    }
}

/// The figures of an open database were once read from its storage, where a job may switch manifests between two looks.
#[test]
fn figures_are_those_of_one_moment_though_jobs_go_on() {
    let mut life = Life::new(CollectionConfig::default());
    let put_and_seal = |life: &mut Life| {
        let first = life.model.len() as u64;
        life.put((first..first + 10).map(|i| (i, 0)), 4);
        life.run(JobKind::Seal);
    };
    put_and_seal(&mut life);
    put_and_seal(&mut life);
    let of = |figures: Figures| Figures { logs: Vec::new(), ..figures };
    let (known, then) = (life.collection.known(), life.collection.known().figures().expect("sound"));
    for _ in 0..3 {
        put_and_seal(&mut life);
        life.run(JobKind::Merge);
    }
    let storage = life.collection.storage();
    assert!(storage.poll(Ticket::LAST).failed.is_none());
    assert!(storage.manifest(then.generation).is_err(), "what it was made of has gone");
    assert_eq!((then.segments.len(), then.documents), (2, 20));
    assert!(then.segments.iter().flat_map(|segment| &segment.blobs).all(|(_, bytes)| *bytes > 0));
    assert_eq!(of(known.figures().expect("known")), of(then));
}

#[test]
fn a_vacuum_of_the_graph_looks_in_steps_for_what_other_segments_ended() {
    let maintenance = Maintenance { graph_retention: 1, ..Maintenance::default() };
    let settings = Settings { maintenance, ..Settings::default() };
    let mut life = Life::new(CollectionConfig { settings, ..CollectionConfig::default() });
    let ends = |n: u64| (format!("d{n}"), "near".to_owned(), format!("x{n}"));
    let link = |n: u64| {
        let ((source, relation, target), inverse, properties) = (ends(n), None, Object::new());
        Mutation::Link(LinkRequest { source, relation, target, inverse, weight: 1.0, properties })
    };
    let unlink = |n: u64| {
        let ((source, relation, target), inverse, erase) = (ends(n), None, false);
        Mutation::Unlink(UnlinkRequest { source, relation, target, inverse, erase })
    };
    for round in 0..3 {
        life.put([(round, 0)].into_iter(), 4);
        let ended = 0..if round == 2 { 30 } else { 0 };
        let batch = ended.map(unlink).chain((40 * round..40 * (round + 1)).map(link)).collect();
        life.collection.submit(batch, Level::Always).expect("stored");
        life.run(JobKind::Seal);
    }
    let entries = |life: &Life| -> Vec<usize> {
        let view = life.view();
        let of = |part: &Part| match part {
            Part::Segment(segment) => segment.edges().map_or(0, EdgesReader::len),
            Part::Chunk(_) => 0,
        };
        view.parts.iter().map(|part| of(&part.part)).collect()
    };
    assert_eq!(entries(&life), [40, 40, 70], "the third ends edges of the first");
    let mut job = life.collection.begin(JobKind::GraphVacuum).expect("sound").expect("edges");
    let mut steps = 1;
    while !job.step(10).expect("sound") {
        steps += 1;
    }
    assert_eq!((steps, job.is_idle()), (5, false), "forty entries, and what is left of them");
    life.collection.abandon();
    assert!(life.run(JobKind::GraphVacuum));
    assert_eq!(entries(&life), [10, 40, 70]);
    assert!(life.run(JobKind::GraphVacuum), "marks that end nothing");
    assert_eq!(entries(&life), [10, 40, 40]);
    assert!(!life.run(JobKind::GraphVacuum), "it looks through all and finds nothing");
    life.put([(9, 0)].into_iter(), 4);
    assert!(life.run(JobKind::Seal), "nothing of that job is left");
}
