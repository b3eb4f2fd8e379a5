//! The write-ahead log of one collection: its bytes, and what a reader makes of a damaged end.
//!
//! A frame is valid only within its own file (the checksum is seeded with the file's id), and lsns follow one another.
//! With D = the highest `durable_lsn` of any valid frame: a bad frame at or below D is corruption; beyond D it is the
//! unsynced tail of a crash, and everything from there on is set aside. Layout: docs/FORMAT.md, "Logs".

use crate::base::crc32c::crc32c_append;
use crate::base::limits::{COUNT_END, FRAME_BYTES_MAX};
use crate::base::{DecodeError, Error, Lsn, Reader, Result, StorageError, Writer};
use crate::collection::Op;
use crate::storage::blob::{FORMAT_VERSION, MIN_READER_VERSION, checksum, file_id};
use crate::storage::range_checksums::RangeChecksums;

const MAGIC: &[u8; 8] = b"KITHWAL1";
/// Bytes of a log's header.
pub const HEADER_BYTES: usize = 40;
const FRAME_HEADER_BYTES: usize = 28;
const FRAME_OPS: u8 = 1;
const COMMIT: u8 = 1;
/// A batch is split into frames of about this size; its last frame commits it.
const FRAME_TARGET_BYTES: usize = 4 << 20;
/// Logs are numbered apart from blobs, so their file ids must not meet.
const LOG_SPACE: u64 = 1 << 63;

fn log_id(collection_id: u64, generation: u64) -> u64 {
    file_id(collection_id, generation | LOG_SPACE)
}

/// The header of a log whose first frame will have this lsn.
#[must_use]
pub fn header(collection_id: u64, generation: u64, first: Lsn) -> Vec<u8> {
    let id = log_id(collection_id, generation);
    let mut w = Writer::new();
    w.raw(MAGIC);
    w.u16(FORMAT_VERSION);
    w.u16(MIN_READER_VERSION);
    w.u64(id);
    w.u64(generation);
    w.u64(first.0);
    let crc = checksum(id, w.as_slice());
    w.u32(crc);
    debug_assert_eq!(w.len(), HEADER_BYTES);
    w.finish()
}

/// The frames of a batch, to be appended at once, and the lsn of the last of them.
///
/// # Errors
/// `too_large` when a single op does not fit a frame.
pub fn frames(
    collection_id: u64,
    generation: u64,
    first: Lsn,
    durable: Lsn,
    ops: &[Op],
) -> Result<(Vec<u8>, Lsn)> {
    let id = log_id(collection_id, generation);
    let mut payloads = Vec::new();
    let mut payload = Writer::new();
    for op in ops {
        op.encode(&mut payload);
        if payload.len() >= FRAME_TARGET_BYTES {
            payloads.push(std::mem::take(&mut payload));
        }
    }
    if !payload.is_empty() || payloads.is_empty() {
        payloads.push(payload);
    }
    let (mut out, mut lsn) = (Writer::new(), first.0);
    let count = payloads.len();
    for (i, payload) in payloads.iter().enumerate() {
        if payload.len() > FRAME_BYTES_MAX {
            let (got, limit) = (payload.len() as u64, FRAME_BYTES_MAX as u64);
            return Err(crate::base::InputError::TooLarge { what: "a document", got, limit }.into());
        }
        let flags = if i + 1 == count { COMMIT } else { 0 };
        let head = frame_head(payload.len(), flags, Lsn(lsn), durable);
        let mut crc = checksum(id, &head);
        crc = crc32c_append(crc, payload.as_slice());
        out.raw(&head);
        out.u32(crc);
        out.raw(payload.as_slice());
        lsn += 1;
    }
    Ok((out.finish(), Lsn(lsn - 1)))
}

fn frame_head(len: usize, flags: u8, lsn: Lsn, durable: Lsn) -> Vec<u8> {
    let mut w = Writer::new();
    w.u32(len as u32);
    w.u8(FRAME_OPS);
    w.u8(flags);
    w.u16(0);
    w.u64(lsn.0);
    w.u64(durable.0);
    w.finish()
}

struct Frame<'a> {
    commits: bool,
    lsn: Lsn,
    durable: Lsn,
    payload: &'a [u8],
    begin: usize,
    end: usize,
}

/// What may be a frame: all but the checksum is as it should be.
struct Candidate<'a> {
    frame: Frame<'a>,
    /// The checksum of its head.
    head: u32,
    /// What the checksum of head and payload must be.
    crc: u32,
}

fn candidate_at(id: u64, bytes: &[u8], at: usize) -> Option<Candidate<'_>> {
    let head = bytes.get(at..at + FRAME_HEADER_BYTES)?;
    // First what hardly any other bytes have: behind a torn frame every offset is asked.
    let (kind, flags, reserved) = (head[4], head[5], &head[6..8]);
    if kind != FRAME_OPS || flags & !COMMIT != 0 || reserved != [0, 0] {
        return None;
    }
    let mut r = Reader::new(head);
    let (len, _) = (r.u32().ok()? as usize, r.u32().ok()?);
    let (lsn, durable, crc) = (Lsn(r.u64().ok()?), Lsn(r.u64().ok()?), r.u32().ok()?);
    if len > FRAME_BYTES_MAX || durable >= lsn || lsn.0 >= COUNT_END {
        return None;
    }
    let end = at + FRAME_HEADER_BYTES + len;
    let payload = bytes.get(at + FRAME_HEADER_BYTES..end)?;
    let frame = Frame { commits: flags & COMMIT != 0, lsn, durable, payload, begin: at, end };
    Some(Candidate { frame, head: checksum(id, &head[..FRAME_HEADER_BYTES - 4]), crc })
}

/// The frame that begins at an offset, if one does.
fn frame_at(id: u64, bytes: &[u8], at: usize) -> Option<Frame<'_>> {
    let Candidate { frame, head, crc } = candidate_at(id, bytes, at)?;
    (crc32c_append(head, frame.payload) == crc).then_some(frame)
}

/// All frames of a log that verify, in order. Behind a bad one the next may begin anywhere, and anybody's document may
/// hold what looks like the heads of many long frames: from there on no checksum reads a payload by itself.
struct Frames<'a> {
    id: u64,
    bytes: &'a [u8],
    at: usize,
    /// What begins with the first bad frame, and its offset.
    torn: Option<(usize, RangeChecksums<'a>)>,
    /// How many bytes went into checksums before it.
    read: u64,
}

impl<'a> Frames<'a> {
    fn new(id: u64, bytes: &'a [u8]) -> Self {
        Self { id, bytes, at: HEADER_BYTES.min(bytes.len()), torn: None, read: 0 }
    }

    fn frame(&mut self) -> Option<Frame<'a>> {
        let Candidate { frame, head, crc } = candidate_at(self.id, self.bytes, self.at)?;
        self.read += FRAME_HEADER_BYTES as u64;
        let found = match &mut self.torn {
            Some((at, sums)) => sums.append(head, frame.begin + FRAME_HEADER_BYTES - *at..frame.end - *at),
            None => {
                self.read += frame.payload.len() as u64;
                crc32c_append(head, frame.payload)
            }
        };
        (found == crc).then_some(frame)
    }

    /// How many bytes went into checksums until now.
    #[cfg(test)]
    fn read(&self) -> u64 {
        self.read + self.torn.as_ref().map_or(0, |(_, sums)| sums.read())
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        while self.at < self.bytes.len() {
            if let Some(frame) = self.frame() {
                self.at = frame.end;
                return Some(frame);
            }
            let (at, bytes) = (self.at, self.bytes);
            self.torn.get_or_insert_with(|| (at, RangeChecksums::new(&bytes[at..])));
            self.at += 1;
        }
        None
    }
}

/// A committed batch read back.
#[derive(Debug)]
pub struct Batch {
    /// The lsn of its last frame.
    pub last: Lsn,
    /// Its ops.
    pub ops: Vec<Op>,
}

/// What a collection's logs hold.
#[derive(Debug, Default)]
pub struct Replay {
    /// Committed batches after the cut, in order.
    pub batches: Vec<Batch>,
    /// The last committed lsn.
    pub last: Lsn,
    /// How many bytes the frames of these batches take.
    pub bytes: u64,
    /// The log that takes the next frames, if there is one.
    pub open_log: Option<u64>,
    /// An unsynced tail to set aside: log generation, offset, how many bytes.
    pub tail: Option<(u64, u64, u64)>,
    /// A log that was being started when the machine stopped; nothing was ever written to it.
    pub unborn: Option<u64>,
}

/// Reads logs, given as (generation, bytes) in ascending order, from just behind `cut`. The first is the one that the
/// manifest names.
///
/// # Errors
/// `corrupt` when a frame that was once durable is not there any more; `unsupported_version`.
pub fn replay(collection_id: u64, cut: Lsn, logs: &[(u64, Vec<u8>)]) -> Result<Replay> {
    let mut out = Replay { last: cut, ..Replay::default() };
    let durable = known_durable(collection_id, logs)?;
    let mut expected: Option<Lsn> = None;
    for (i, (generation, bytes)) in logs.iter().enumerate() {
        let name = format!("log {generation}");
        let is_last = i + 1 == logs.len();
        let id = log_id(collection_id, *generation);
        let first = match read_header(collection_id, *generation, bytes)? {
            Some(first) => first,
            // A header is durable before the first frame is written behind it, and that of the manifest's own log
            // before the manifest.
            None if is_last && i > 0 && bytes.len() <= HEADER_BYTES && next_of(expected, cut) > durable => {
                out.unborn = Some(*generation);
                break;
            }
            None => return Err(Error::corrupt(name, 0, "a log header with the right checksum")),
        };
        if expected.is_some_and(|e| e != first) || (expected.is_none() && first.0 > cut.0 + 1) {
            let after = next_of(expected, cut).0;
            return Err(Error::corrupt(name, 0, format!("a log that begins at frame {after}")));
        }
        let committed =
            read_batches(id, bytes, HEADER_BYTES, first, cut, &mut out).map_err(|e| e.within(&name, 0))?;
        out.open_log = Some(*generation);
        let next = Lsn(committed.lsn.0 + 1);
        expected = Some(next);
        if committed.end < bytes.len() {
            if next.0 <= durable.0 {
                let what = format!("frame {}, which was durable", next.0);
                return Err(Error::corrupt(name, committed.end as u64, what));
            }
            if !is_last {
                // A later log is started only after this one is durable to its last byte.
                return Err(Error::corrupt(
                    name,
                    committed.end as u64,
                    "the end of a log that another follows",
                ));
            }
            out.tail = Some((*generation, committed.end as u64, (bytes.len() - committed.end) as u64));
        }
        if is_last && next.0 <= durable.0 {
            let what = format!("frame {}, which was durable", next.0);
            return Err(Error::corrupt(name, committed.end as u64, what));
        }
    }
    Ok(out)
}

fn next_of(expected: Option<Lsn>, cut: Lsn) -> Lsn {
    expected.unwrap_or(Lsn(cut.0 + 1))
}

struct Committed {
    lsn: Lsn,
    end: usize,
}

/// Reads whole batches from `at` on, where frame `first` begins, until the first frame that is not there.
fn read_batches(
    id: u64,
    bytes: &[u8],
    mut at: usize,
    first: Lsn,
    cut: Lsn,
    out: &mut Replay,
) -> Result<Committed, DecodeError> {
    let mut done = Committed { lsn: Lsn(first.0 - 1), end: at };
    let (mut next, mut ops) = (first, Vec::new());
    while let Some(frame) = frame_at(id, bytes, at).filter(|f| f.lsn == next) {
        let mut r = Reader::new(frame.payload);
        while r.remaining() > 0 {
            let op = Op::decode(&mut r)
                .map_err(|e| DecodeError { offset: at + FRAME_HEADER_BYTES + e.offset, ..e })?;
            ops.push(op);
        }
        (at, next) = (frame.end, Lsn(frame.lsn.0 + 1));
        if frame.commits {
            let begun = done.end;
            done = Committed { lsn: frame.lsn, end: at };
            let ops = std::mem::take(&mut ops);
            if frame.lsn > cut {
                out.bytes += (at - begun) as u64;
                out.batches.push(Batch { last: frame.lsn, ops });
            }
            out.last = out.last.max(frame.lsn);
        }
    }
    Ok(done)
}

/// The batches behind `last` of frames that were appended to a log at once; `None` when they are not whole, or not those that
/// come next.
///
/// # Errors
/// `corrupt` when a frame that verifies cannot be read.
pub fn appended(collection_id: u64, generation: u64, last: Lsn, frames: &[u8]) -> Result<Option<Vec<Batch>>> {
    let id = log_id(collection_id, generation);
    let Some(first) = frame_at(id, frames, 0).map(|frame| frame.lsn) else { return Ok(None) };
    let mut out = Replay::default();
    let done = read_batches(id, frames, 0, first, last, &mut out)
        .map_err(|e| e.within(&format!("log {generation}"), 0))?;
    Ok((done.end == frames.len() && first.0 <= last.0 + 1).then_some(out.batches))
}

/// The first lsn of a log; `None` when its header is not whole.
fn read_header(collection_id: u64, generation: u64, bytes: &[u8]) -> Result<Option<Lsn>> {
    let id = log_id(collection_id, generation);
    let Some(head) = bytes.get(..HEADER_BYTES) else { return Ok(None) };
    let mut r = Reader::new(head);
    let of = |e: DecodeError| e.within("log header", 0);
    r.raw(28, "a header").map_err(of)?;
    let first = Lsn(r.u64().map_err(of)?);
    let crc_ok = r.u32().map_err(of)? == checksum(id, &head[..HEADER_BYTES - 4]);
    let needs = u16::from_le_bytes([head[10], head[11]]);
    if crc_ok && needs > FORMAT_VERSION {
        let object = format!("log {generation}");
        return Err(StorageError::UnsupportedVersion { object, needs, reads: FORMAT_VERSION }.into());
    }
    Ok((crc_ok && (1..COUNT_END).contains(&first.0)).then_some(first))
}

/// The highest lsn that any valid frame, or the start of a later log, knows to be durable.
fn known_durable(collection_id: u64, logs: &[(u64, Vec<u8>)]) -> Result<Lsn> {
    let mut durable = Lsn(0);
    for (generation, bytes) in logs {
        if let Some(first) = read_header(collection_id, *generation, bytes)? {
            // A log is started only after all earlier ones are durable.
            durable = durable.max(Lsn(first.0 - 1));
        }
        let frames = Frames::new(log_id(collection_id, *generation), bytes);
        durable = frames.map(|frame| frame.durable).fold(durable, Lsn::max);
    }
    Ok(durable)
}

/// The lsn of a log's first frame, when its header can be read.
#[must_use]
pub fn first_lsn(collection_id: u64, generation: u64, bytes: &[u8]) -> Option<Lsn> {
    read_header(collection_id, generation, bytes).ok().flatten()
}

/// What damaged logs still hold.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// The ops of each frame that verifies, in the order of lsn, up to the last that commits a batch.
    pub ops: Vec<Op>,
    /// How many frames up to there are not to be found.
    pub missing_frames: u64,
    /// Bytes that belong to no frame, or to a batch that nothing commits: a write that was not finished, or a damaged one.
    pub unread_bytes: u64,
}

/// Gathers every frame behind the cut that verifies, before and behind what does not. A batch that lost a frame is not
/// left out: its other frames were written as well as it was.
#[must_use]
pub fn salvage(collection_id: u64, cut: Lsn, logs: &[(u64, Vec<u8>)]) -> Salvaged {
    let (mut out, mut frames) = (Salvaged::default(), std::collections::BTreeMap::new());
    for (generation, bytes) in logs {
        let mut read = HEADER_BYTES.min(bytes.len());
        for frame in Frames::new(log_id(collection_id, *generation), bytes) {
            out.unread_bytes += (frame.begin - read) as u64;
            read = frame.end;
            if frame.lsn > cut
                && let Ok(ops) = read_ops(frame.payload)
            {
                frames.entry(frame.lsn).or_insert((frame.commits, (frame.end - frame.begin) as u64, ops));
            }
        }
        out.unread_bytes += (bytes.len() - read) as u64;
    }
    let last = frames.iter().rev().find(|(_, (commits, ..))| *commits).map_or(cut, |(lsn, _)| *lsn);
    let mut next = cut.0 + 1;
    for (lsn, (_, len, ops)) in frames {
        if lsn > last {
            out.unread_bytes += len;
            continue;
        }
        out.missing_frames += lsn.0 - next;
        next = lsn.0 + 1;
        out.ops.extend(ops);
    }
    // A frame that was durable is missed even when nothing follows it.
    let durable = known_durable(collection_id, logs).unwrap_or_default();
    out.missing_frames += (durable.0 + 1).saturating_sub(next);
    out
}

fn read_ops(payload: &[u8]) -> Result<Vec<Op>, DecodeError> {
    let mut r = Reader::new(payload);
    let mut ops = Vec::new();
    while r.remaining() > 0 {
        ops.push(Op::decode(&mut r)?);
    }
    Ok(ops)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delete(id: &str) -> Op {
        Op::Delete { id: id.into(), valid_to: 1 }
    }

    /// A log of three batches of one frame; the third knows that `durable` is durable.
    fn sample(durable: u64) -> Vec<u8> {
        let mut log = header(5, 1, Lsn(1));
        for lsn in 1..=3 {
            let known = if lsn == 3 { durable } else { 0 };
            let (bytes, last) = frames(5, 1, Lsn(lsn), Lsn(known), &[delete("x")]).expect("small");
            assert_eq!(last, Lsn(lsn));
            log.extend(bytes);
        }
        log
    }

    fn read(log: Vec<u8>) -> Result<Replay> {
        replay(5, Lsn(0), &[(1, log)])
    }

    #[test]
    fn frames_that_were_appended_go_on_from_what_is_there_or_not_at_all() {
        let log = sample(0);
        let frames = &log[HEADER_BYTES..];
        let lsns = |last: u64, frames: &[u8]| {
            let batches = appended(5, 1, Lsn(last), frames).expect("they can be read");
            batches.map(|batches| batches.iter().map(|batch| batch.last.0).collect::<Vec<_>>())
        };
        assert_eq!(lsns(0, frames), Some(vec![1, 2, 3]));
        assert_eq!(lsns(2, frames), Some(vec![3]), "what is here is passed over");
        assert_eq!(lsns(9, frames), Some(vec![]));
        let second = frames.len() / 3;
        assert_eq!(lsns(1, &frames[second..]), Some(vec![2, 3]));
        assert_eq!(lsns(0, &frames[second..]), None, "the first is missing");
        for len in (0..frames.len()).filter(|len| len % second != 0).chain([0]) {
            assert_eq!(lsns(0, &frames[..len]), None, "cut at {len}");
        }
        assert_eq!(appended(5, 2, Lsn(0), frames).expect("of another log").map(|b| b.len()), None);
    }

    #[test]
    fn every_truncation_loses_only_the_torn_batches() {
        let log = sample(0);
        let frame = (log.len() - HEADER_BYTES) / 3;
        for len in HEADER_BYTES..=log.len() {
            let replay = read(log[..len].to_vec()).expect("an unsynced tail is no corruption");
            let whole = len.saturating_sub(HEADER_BYTES) / frame;
            assert_eq!(replay.batches.len(), whole, "cut at {len}");
        }
    }

    #[test]
    fn a_log_that_was_being_started_is_started_again_and_one_that_was_started_is_corrupt() {
        let second = header(5, 2, Lsn(4));
        for len in 0..HEADER_BYTES {
            let logs = [(1, sample(0)), (2, second[..len].to_vec())];
            assert_eq!(replay(5, Lsn(0), &logs).expect("nothing was written to it").unborn, Some(2));
            assert_eq!(read(sample(0)[..len].to_vec()).expect_err("the manifest names it").code(), "corrupt");
        }
    }

    #[test]
    fn a_flipped_bit_beyond_what_is_durable_ends_the_log_there() {
        let log = sample(0);
        for at in HEADER_BYTES..log.len() {
            let mut bad = log.clone();
            bad[at] ^= 1;
            let replay = read(bad).expect("nothing of it was known to be durable");
            assert!(replay.batches.len() < 3 && replay.tail.is_some(), "flip at {at}");
        }
    }

    #[test]
    fn a_flipped_bit_in_what_was_durable_is_corruption() {
        let log = sample(2);
        let frame = (log.len() - HEADER_BYTES) / 3;
        for at in 0..HEADER_BYTES + 2 * frame {
            let mut bad = log.clone();
            bad[at] ^= 1;
            let code = read(bad).expect_err("frames 1 and 2 were durable").code();
            assert_eq!(code, "corrupt", "flip at {at}");
        }
    }

    /// Positions are counted up from what is read: a header or a frame at the end of all numbers would have the next one
    /// wrap to 0, or panic where arithmetic is checked.
    #[test]
    fn positions_that_leave_no_room_for_later_ones_are_not_valid() {
        let end = Lsn(COUNT_END);
        let (frame, _) = frames(5, 1, end, Lsn(0), &[delete("x")]).expect("small");
        let at_end = [header(5, 1, end), frame.clone()].concat();
        assert_eq!(first_lsn(5, 1, &at_end), None);
        assert_eq!(read(at_end).expect_err("no such header is written").code(), "corrupt");
        let behind = [sample(0), frame].concat();
        assert_eq!(salvage(5, Lsn(0), &[(1, behind.clone())]).ops.len(), 3);
        assert!(read(behind).expect("a torn tail").tail.is_some());
    }

    #[test]
    fn frames_of_another_log_do_not_count() {
        let (foreign, _) = frames(6, 1, Lsn(4), Lsn(3), &[delete("y")]).expect("small");
        let mut log = sample(0);
        log.extend(foreign);
        let replay = read(log).expect("a foreign frame is a torn tail");
        assert_eq!(replay.batches.len(), 3);
        assert!(replay.tail.is_some());
    }

    #[test]
    fn a_batch_of_many_frames_counts_whole_or_not_at_all() {
        let big = Op::Put {
            key: crate::base::Key(1),
            id: "big".into(),
            valid_from: 0,
            expires_at: crate::base::NEVER,
            vector: Some(vec![1.0; 65_536].into()),
            metadata: Default::default(),
        };
        let ops = vec![big; 40];
        let (bytes, last) = frames(5, 1, Lsn(1), Lsn(0), &ops).expect("fits");
        assert!(last.0 > 1, "several frames");
        let mut log = header(5, 1, Lsn(1));
        log.extend(&bytes);
        assert_eq!(read(log.clone()).expect("whole").batches[0].ops.len(), 40);
        log.truncate(log.len() - 1);
        let torn = read(log).expect("torn");
        assert!(torn.batches.is_empty());
        assert_eq!(torn.tail.expect("all of it").1, HEADER_BYTES as u64);
    }

    #[test]
    fn what_verifies_before_and_behind_a_damaged_frame_is_saved() {
        let log = sample(2);
        let frame = (log.len() - HEADER_BYTES) / 3;
        for at in 0..log.len() {
            let mut bad = log.clone();
            bad[at] ^= 1;
            let found = salvage(5, Lsn(0), &[(1, bad)]);
            let (ops, missing, unread) = match at {
                // Frames are found without their header.
                _ if at < HEADER_BYTES => (3, 0, 0),
                // Nobody knows whether the third was durable: it counts as unfinished.
                _ if at >= HEADER_BYTES + 2 * frame => (2, 0, frame),
                _ => (2, 1, frame),
            };
            let got = (found.ops.len(), found.missing_frames, found.unread_bytes);
            assert_eq!(got, (ops, missing, unread as u64), "flip at {at}");
        }
        let second = header(5, 2, Lsn(4));
        let cut = salvage(5, Lsn(0), &[(1, log[..log.len() - 1].to_vec()), (2, second)]);
        assert_eq!((cut.ops.len(), cut.missing_frames), (2, 1), "log 2 knows that frame 3 was durable");
    }

    /// Somebody stores a document that is made of heads of frames, each of which claims all that follows, and the machine
    /// stops while it is written. Every head is in order but for its checksum: reading the rest of the file for each, as
    /// was done once, takes minutes for a log of a few megabytes.
    #[test]
    fn heads_that_claim_long_frames_are_looked_at_in_linear_time() {
        let mut log = sample(2);
        let behind = frames(5, 1, Lsn(4), Lsn(3), &[delete("y")]).expect("small").0;
        log.push(0);
        const HEADS: usize = 20_000;
        for left in (1..=HEADS).rev() {
            let head = frame_head(left * FRAME_HEADER_BYTES - FRAME_HEADER_BYTES, COMMIT, Lsn(9), Lsn(8));
            log.extend(head);
            log.extend([0; 4]);
        }
        log.extend(&behind);
        let mut frames = Frames::new(log_id(5, 1), &log);
        let lsns: Vec<u64> = frames.by_ref().map(|frame| frame.lsn.0).collect();
        assert_eq!(lsns, [1, 2, 3, 4], "what is whole is found behind all of them");
        let (read, len) = (frames.read(), log.len() as u64);
        assert!(read > len && read < 6 * len, "{read} bytes of {len} went into checksums");
        assert_eq!(read_durable(&log), Lsn(3));
        assert_eq!(salvage(5, Lsn(0), &[(1, log)]).ops.len(), 4);
    }

    fn read_durable(log: &[u8]) -> Lsn {
        known_durable(5, &[(1, log.to_vec())]).expect("a sound header")
    }

    #[test]
    fn bytes_behind_the_frames_of_a_log_that_another_follows_are_corruption() {
        let mut first = sample(0);
        first.push(0);
        let found = replay(5, Lsn(0), &[(1, first), (2, header(5, 2, Lsn(4)))]);
        assert_eq!(found.expect_err("nobody wrote that byte").code(), "corrupt");
    }

    #[test]
    fn a_second_log_proves_that_the_first_was_durable() {
        let first = sample(0);
        let cut = first.len() - 1;
        let second = header(5, 2, Lsn(4));
        let found = replay(5, Lsn(0), &[(1, first[..cut].to_vec()), (2, second)]);
        assert_eq!(found.expect_err("frame 3 was durable").code(), "corrupt");
    }
}
