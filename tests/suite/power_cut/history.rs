//! What four writers did to two collections, and what of it a power cut may take.
//!
//! A writer has ids of its own and waits for each answer, so a collection must hold, of each writer, the state after
//! some number of its writes: no fewer than were promised, no more than were sent. And what is there of one writer
//! had to come after all that was answered to the others before it was sent: the log has an end, never a hole.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kithdb::base::Rng;
use kithdb::storage::Level;
use kithdb_tests::block_disk::PowerCut;

pub const DIM: usize = 16;
pub const IDS_A_WRITER: u64 = 40;
/// What `everysec` may lose, besides one fsync.
pub const EVERY_SECOND: Duration = Duration::from_millis(1_500);

/// Of each document the number of the write that it is from. Those not there were deleted or never written.
pub type State = BTreeMap<String, u64>;

/// A moment, by three clocks.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Counts sends and answers.
    pub order: u64,
    /// How much the disk had been asked to do.
    pub position: usize,
    pub at: Instant,
}

/// A batch: all of `ids` written, or all deleted.
#[derive(Debug, Clone)]
pub struct Op {
    pub number: u64,
    pub ids: Vec<String>,
    pub is_delete: bool,
    pub level: Level,
    pub sent: Stamp,
    /// When it was answered, if it was.
    pub acknowledged: Option<Stamp>,
}

impl Op {
    fn apply(&self, state: &mut State) {
        for id in &self.ids {
            if self.is_delete {
                state.remove(id);
            } else {
                state.insert(id.clone(), self.number);
            }
        }
    }

    /// Whether a power cut must leave it. `fsync` is how long one may take.
    fn is_promised(&self, cut: &PowerCut, fsync: Duration) -> bool {
        let Some(answer) = self.acknowledged.filter(|answer| answer.position <= cut.position) else {
            return false;
        };
        match self.level {
            Level::Always => true,
            Level::Everysec => answer.at + EVERY_SECOND + fsync < cut.at,
            _ => false,
        }
    }
}

/// What one writer did since a state.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    pub base: State,
    pub ops: Vec<Op>,
}

/// What was found to be wrong.
#[derive(Debug, Default)]
pub struct Findings {
    /// Promised writes that are not there.
    pub lost: u64,
    pub told: Vec<String>,
}

/// How much was promised and looked for.
#[derive(Debug, Default, Clone, Copy)]
pub struct Promised {
    pub always: u64,
    pub everysec: u64,
    /// Collections made or dropped.
    pub names: u64,
}

impl Writer {
    /// So many of the first writes must be there at the least, and so many of each level are promised.
    pub fn promised(&self, cut: &PowerCut, fsync: Duration) -> (usize, Promised) {
        let (mut least, mut promised) = (0, Promised::default());
        for (at, op) in self.ops.iter().enumerate().filter(|(_, op)| op.is_promised(cut, fsync)) {
            least = at + 1;
            let of_level =
                if op.level == Level::Always { &mut promised.always } else { &mut promised.everysec };
            *of_level += 1;
        }
        (least, promised)
    }

    /// After how many writes it was in this state: the least and the greatest such number, of those sent before the cut.
    fn when(&self, found: &State, cut: &PowerCut) -> Option<(usize, usize)> {
        let sent = self.ops.partition_point(|op| op.sent.position <= cut.position);
        let mut state = self.base.clone();
        let mut when = None;
        for count in 0..=sent {
            if state == *found {
                when = Some((when.map_or(count, |(least, _)| least), count));
            }
            if let Some(op) = self.ops.get(count) {
                op.apply(&mut state);
            }
        }
        when
    }

    /// What differs from the state after so many writes.
    fn differences(&self, found: &State, count: usize) -> String {
        let mut state = self.base.clone();
        self.ops[..count].iter().for_each(|op| op.apply(&mut state));
        let ids = state.keys().chain(found.keys()).filter(|id| state.get(*id) != found.get(*id));
        let each = ids.map(|id| format!("{id}: {:?} instead of {:?}", found.get(id), state.get(id)));
        each.take(8).collect::<Vec<_>>().join(", ")
    }
}

/// Looks whether the writers of one collection find what they may find there. `found` is what it holds.
pub fn check(writers: &[(u64, &Writer)], found: &State, cut: &PowerCut, fsync: Duration) -> Findings {
    let mut findings = Findings::default();
    let mut known = Vec::new();
    for (number, writer) in writers {
        let own: State =
            found.iter().filter(|(id, _)| owner(id) == *number).map(|(id, n)| (id.clone(), *n)).collect();
        let (least, promised) = writer.promised(cut, fsync);
        match writer.when(&own, cut) {
            Some((first, last)) if last >= least => known.push((*number, *writer, first, last)),
            Some((_, last)) => {
                let lost = writer.ops[last..least].iter().filter(|op| op.is_promised(cut, fsync));
                let levels: Vec<Level> = lost.map(|op| op.level).collect();
                findings.lost += levels.len() as u64;
                findings.told.push(format!(
                    "writer {number}: {least} writes were promised, {last} are there, without those of {levels:?}"
                ));
            }
            None => {
                findings.lost += promised.always + promised.everysec;
                let differences = writer.differences(&own, least);
                findings.told.push(format!("writer {number} never was in this state: {differences}"));
            }
        }
    }
    for (number, writer, first, _) in &known {
        let Some(newest) = first.checked_sub(1).map(|at| &writer.ops[at]) else { continue };
        for (other, behind, _, last) in &known {
            let next = behind.ops.get(*last).and_then(|op| op.acknowledged);
            if next.is_some_and(|answer| answer.order < newest.sent.order) {
                findings
                    .told
                    .push(format!("a hole: write {first} of {number} is there, {last} of {other} not"));
            }
        }
    }
    let strangers = found.keys().filter(|id| writers.iter().all(|(number, _)| owner(id) != *number));
    findings.told.extend(strangers.map(|id| format!("nobody wrote {id}")));
    findings
}

/// Whose document this is.
fn owner(id: &str) -> u64 {
    id[1..].parse::<u64>().map_or(u64::MAX, |number| number / IDS_A_WRITER)
}

/// The vector of a document from this write.
pub fn vector(id: &str, count: u64) -> Vec<f32> {
    let number: u64 = id[1..].parse().expect("ids are numbered");
    let mut rng = Rng::new(number << 48 ^ count);
    (0..DIM).map(|_| rng.unit_f32() + 0.01).collect()
}

/// Two writers of one collection: the first wrote `w000` and `w001`, and deleted both; the second wrote `w040` after
/// that was answered. All at the same level, an answer for each entry of the disk.
fn sample(level: Level) -> [Writer; 2] {
    let begin = Instant::now();
    let stamp = |order: u64| Stamp { order, position: order as usize, at: begin };
    let op = |number: u64, ids: &[&str], is_delete: bool, order: u64| Op {
        number,
        ids: ids.iter().map(|&id| id.to_owned()).collect(),
        is_delete,
        level,
        sent: stamp(order),
        acknowledged: Some(stamp(order + 1)),
    };
    let first = vec![op(1, &["w000", "w001"], false, 0), op(2, &["w000", "w001"], true, 2)];
    let second = vec![op(1, &["w040"], false, 4)];
    [first, second].map(|ops| Writer { base: State::new(), ops })
}

#[test]
fn what_a_power_cut_may_not_leave_is_found() {
    let look = |level: Level, position: usize, found: &[(&str, u64)]| {
        let [first, second] = sample(level);
        let found = found.iter().map(|&(id, count)| (id.to_owned(), count)).collect();
        let cut = PowerCut { durable: position, position, at: Instant::now() };
        check(&[(0, &first), (1, &second)], &found, &cut, Duration::ZERO)
    };
    let is_right = |findings: Findings| findings.told.is_empty() && findings.lost == 0;
    let batch = [("w000", 1), ("w001", 1)];
    assert!(is_right(look(Level::Always, 1, &batch)));
    assert!(is_right(look(Level::Always, 3, &[])));
    assert!(is_right(look(Level::Always, 5, &[("w040", 1)])));
    assert!(is_right(look(Level::Everysec, 5, &batch)), "a second is not over");

    assert_eq!(look(Level::Always, 1, &[]).lost, 1, "a promised batch");
    assert_eq!(look(Level::Always, 3, &batch).lost, 1, "a promised delete");
    assert_eq!(look(Level::Always, 5, &[]).lost, 1, "the last promise");
    assert!(!is_right(look(Level::Os, 5, &batch[..1])), "half a batch");
    assert!(!is_right(look(Level::Os, 0, &[("w000", 2)])), "content that was not sent");
    assert!(!is_right(look(Level::Os, 0, &[("w040", 1)])), "not sent yet");
    assert!(!is_right(look(Level::Os, 5, &[("w999", 1)])), "nobody's document");
    assert!(!is_right(look(Level::Os, 5, &[("w000", 1), ("w001", 1), ("w040", 1)])), "a hole");
}

#[test]
fn a_second_and_a_half_and_an_fsync_later_everysec_is_a_promise() {
    let [first, _] = sample(Level::Everysec);
    let answered = first.ops[1].acknowledged.expect("it was").at;
    let least = |after: u64, fsync: u64| {
        let cut = PowerCut { durable: 9, position: 9, at: answered + Duration::from_millis(after) };
        first.promised(&cut, Duration::from_millis(fsync)).0
    };
    assert_eq!([least(1_400, 0), least(1_600, 0), least(1_600, 200), least(1_800, 200)], [0, 2, 0, 2]);
}
