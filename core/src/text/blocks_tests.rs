//! Lists of every length at the borders of blocks, and lists whose bytes are wrong.

use proptest::prelude::*;

use super::*;

const N_SLOTS: u32 = 1 << 31;

/// So many postings whose gaps and frequencies have up to so many bits.
fn postings(len: usize, seed: u64, gap_bits: u32, tf_bits: u32) -> Vec<Posting> {
    let mut rng = crate::base::Rng::new(seed);
    let mut slot = 0u32;
    let posting = |_| {
        let room = u64::from(N_SLOTS - slot) / (len as u64 + 1);
        slot += rng.below((1 << gap_bits).min(room.max(1))) as u32;
        let tf = 1 + rng.below(1 << tf_bits) as u32;
        let posting = Posting { slot, tf, field_length: tf.saturating_add(rng.below(40) as u32) };
        slot += 1;
        posting
    };
    (0..len).map(posting).collect()
}

fn written(postings: &[Posting]) -> Vec<u8> {
    let mut w = Writer::new();
    write(postings, &mut w);
    w.finish()
}

/// All (slot, tf) of a list; checks what a table promises.
fn read(bytes: &[u8], df: u32, n_slots: u32) -> Result<Vec<(u32, u32)>, DecodeError> {
    let (mut decoded, mut all) = (Decoded::new(), Vec::new());
    if df as usize <= BLOCK {
        decode_short(bytes, df, n_slots, &mut decoded)?;
        all.extend(decoded.slots.iter().copied().zip(decoded.tfs).take(decoded.len));
    } else {
        for block in read_table(bytes, df, n_slots)? {
            decode(bytes, &block, &mut decoded)?;
            assert_eq!(decoded.len, block.len);
            assert!(decoded.slots[0] >= block.first && decoded.slots[block.len - 1] == block.last);
            all.extend(decoded.slots.iter().copied().zip(decoded.tfs).take(decoded.len));
        }
    }
    assert_eq!(all.len(), df as usize);
    assert!(all.is_sorted_by(|a, b| a.0 < b.0) && all.last().is_none_or(|last| last.0 < n_slots));
    Ok(all)
}

proptest! {
    #[test]
    fn lists_come_back(
        len in prop::sample::select(vec![0usize, 1, 2, 127, 128, 129, 255, 256, 257, 1000]),
        seed: u64,
        gap_bits in 0u32..32,
        tf_bits in 0u32..32,
    ) {
        let postings = postings(len, seed, gap_bits, tf_bits);
        let bytes = written(&postings);
        prop_assert!(bytes.len() as u64 >= bytes_min(len as u32));
        let expected: Vec<(u32, u32)> = postings.iter().map(|posting| (posting.slot, posting.tf)).collect();
        let end = postings.last().map_or(0, |last| last.slot + 1);
        prop_assert_eq!(read(&bytes, len as u32, end).expect("written above"), expected);
        if len > 0 {
            prop_assert!(read(&bytes, len as u32, end - 1).is_err(), "a slot beyond the segment");
        }
    }

    #[test]
    fn damaged_lists_are_refused_or_read_cleanly(
        len in prop::sample::select(vec![1usize, 100, 128, 129, 300]),
        seed: u64,
        at: prop::sample::Index,
        byte: u8,
        df in 1u32..400,
        how in 0..4,
    ) {
        let postings = postings(len, seed, 9, 2);
        let mut bytes = written(&postings);
        let at = at.index(bytes.len());
        let mut df_read = len as u32;
        match how {
            0 => bytes.truncate(at),
            1 => bytes[at] = byte,
            2 => bytes.push(byte),
            _ => df_read = df,
        }
        let _ = read(&bytes, df_read, N_SLOTS);
    }

    #[test]
    fn any_bytes_decode_or_fail_cleanly(bytes: Vec<u8>, df in 1u32..1000) {
        let _ = read(&bytes, df, N_SLOTS);
    }
}

#[test]
fn consecutive_slots_with_one_term_each_take_a_table_alone() {
    let posting = |slot| Posting { slot, tf: 1, field_length: 3 };
    let bytes = written(&(0..256).map(posting).collect::<Vec<_>>());
    assert_eq!(bytes.len(), 2 * ENTRY_BYTES);
    assert_eq!(read(&bytes, 256, 256).expect("written above").len(), 256);
}

#[test]
fn a_table_without_room_for_its_postings_is_refused() {
    let posting = |slot: u32| Posting { slot: slot * 2, tf: 1, field_length: 3 };
    let bytes = written(&(0..256).map(posting).collect::<Vec<_>>());
    for (at, byte) in [(0, 100), (4, 32), (5, 32), (ENTRY_BYTES, 255)] {
        let mut wrong = bytes.clone();
        wrong[at] = byte;
        assert!(read(&wrong, 256, 512).is_err(), "{byte} at {at}");
    }
}
