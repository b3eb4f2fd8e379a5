//! Logs: frames, batches and ops, as recovery and repair read them.

use kithdb::base::{Lsn, Reader, Writer};
use kithdb::collection::Op;
use kithdb::engine::log::{HEADER_BYTES, Replay, frames, header, replay, salvage};
use kithdb::storage::blob::{checksum, file_id};

use super::{read_u32, seed, seeds, write_u32};

/// The collection whose logs these are.
const COLLECTION_ID: u64 = 11;
const FRAME_HEADER_BYTES: usize = 28;

/// Bits of the first byte: checksums are put right, the bytes are two logs, they are ops without a log.
const REPAIR: u8 = 1;
const TWO: u8 = 2;
const OPS: u8 = 4;

pub(super) fn run(data: &[u8]) {
    let Some((&[choice, cut, split], bytes)) = data.split_first_chunk::<3>() else { return };
    if choice & OPS != 0 {
        return ops(bytes);
    }
    let at = if choice & TWO != 0 { bytes.len() * usize::from(split) / 256 } else { bytes.len() };
    let mut logs = vec![(1, bytes[..at].to_vec())];
    if choice & TWO != 0 {
        logs.push((2, bytes[at..].to_vec()));
    }
    if choice & REPAIR != 0 {
        logs.iter_mut().for_each(|(generation, bytes)| repair(*generation, bytes));
    }
    let cut = Lsn(if cut == u8::MAX { (1 << 63) - 1 } else { u64::from(cut) });
    if let Ok(found) = replay(COLLECTION_ID, cut, &logs) {
        check(cut, logs.clone(), &found);
    }
    let saved = salvage(COLLECTION_ID, cut, &logs);
    let bytes: usize = logs.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(saved.ops.len() <= bytes && saved.unread_bytes <= bytes as u64);
}

/// What was replayed comes back from logs that hold nothing else, and a second recovery finds the same.
fn check(cut: Lsn, mut logs: Vec<(u64, Vec<u8>)>, found: &Replay) {
    if found.last.0 == (1 << 63) - 1 {
        return; // there is no position behind it
    }
    let mut before = cut;
    let mut again = header(COLLECTION_ID, 1, Lsn(cut.0 + 1));
    let mut next = Lsn(cut.0 + 1);
    for batch in &found.batches {
        assert!(batch.last > before, "batches ascend");
        before = batch.last;
        let (bytes, last) = frames(COLLECTION_ID, 1, next, cut, &batch.ops).expect("small");
        again.extend(bytes);
        next = Lsn(last.0 + 1);
    }
    assert!(found.last >= before);
    let same = replay(COLLECTION_ID, cut, &[(1, again)]).expect("written above");
    assert_eq!(same.tail, None);
    assert_eq!(encoded(&same), encoded(found));
    if let Some((generation, offset, _)) = found.tail {
        let (_, last) = logs.iter_mut().find(|(number, _)| *number == generation).expect("one of them");
        last.truncate(offset as usize);
    }
    if found.unborn.is_none() {
        let second = replay(COLLECTION_ID, cut, &logs).expect("the tail was cut off");
        assert_eq!((second.tail, second.last, encoded(&second)), (None, found.last, encoded(found)));
    }
}

fn encoded(replay: &Replay) -> Vec<Vec<u8>> {
    let bytes = |ops: &[Op]| {
        let mut w = Writer::new();
        ops.iter().for_each(|op| op.encode(&mut w));
        w.finish()
    };
    replay.batches.iter().map(|batch| bytes(&batch.ops)).collect()
}

/// Every op that is read has the bytes that it was read from: there is one way to write it.
fn ops(bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    while r.remaining() > 0 {
        let begun = r.offset();
        let Ok(op) = Op::decode(&mut r) else { return };
        let mut w = Writer::new();
        op.encode(&mut w);
        assert_eq!(w.as_slice(), &bytes[begun..r.offset()]);
    }
}

/// Gives the header, and every frame that can be followed from it, the checksum it asks for.
fn repair(generation: u64, bytes: &mut [u8]) {
    let id = file_id(COLLECTION_ID, generation | 1 << 63);
    let Some(head) = bytes.get(..HEADER_BYTES - 4) else { return };
    let crc = checksum(id, head);
    write_u32(bytes, HEADER_BYTES - 4, crc);
    let mut at = HEADER_BYTES;
    while let Some(len) = read_u32(bytes, at) {
        let begin = at + FRAME_HEADER_BYTES;
        let end = begin + len as usize;
        let Some(payload) = bytes.get(begin..end) else { return };
        let mut whole = bytes[at..begin - 4].to_vec();
        whole.extend_from_slice(payload);
        let crc = checksum(id, &whole);
        write_u32(bytes, begin - 4, crc);
        at = end;
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let ops_of = |numbers: std::ops::Range<u32>| numbers.map(seeds::put).collect::<Vec<_>>();
    let mut first = header(COLLECTION_ID, 1, Lsn(1));
    let (mut next, mut durable) = (1, 0);
    for batch in [
        ops_of(0..2),
        vec![seeds::delete(1), seeds::link(2)],
        ops_of(2..3),
        vec![seeds::unlink(2), seeds::link(5)],
    ] {
        let (bytes, last) = frames(COLLECTION_ID, 1, Lsn(next), Lsn(durable), &batch).expect("small");
        first.extend(bytes);
        (durable, next) = (next - 1, last.0 + 1);
    }
    let mut second = header(COLLECTION_ID, 2, Lsn(next));
    let (more, _) = frames(COLLECTION_ID, 2, Lsn(next), Lsn(next - 1), &ops_of(3..4)).expect("small");
    second.extend(more);
    let split = (first.len() * 256).div_ceil(first.len() + second.len()) as u8;
    let mut plain = Writer::new();
    ops_of(0..3).iter().for_each(|op| op.encode(&mut plain));
    [seeds::delete(2), seeds::link(3), seeds::unlink(3)].iter().for_each(|op| op.encode(&mut plain));
    let torn = &first[..first.len() - 3];
    let last = header(COLLECTION_ID, 1, Lsn((1 << 63) - 1));
    vec![
        seed(&[REPAIR, u8::MAX, 0], &last),
        seed(&[REPAIR, 0, 0], &first),
        seed(&[REPAIR, 2, 0], &first),
        seed(&[0, 0, 0], torn),
        seed(&[REPAIR | TWO, 0, split], &[&first[..], &second[..]].concat()),
        seed(
            &[REPAIR | TWO, 0, 128],
            &[header(COLLECTION_ID, 1, Lsn(1)), header(COLLECTION_ID, 2, Lsn(1))].concat(),
        ),
        seed(&[OPS, 0, 0], plain.as_slice()),
    ]
}
