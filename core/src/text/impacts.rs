//! What a block of postings can add to a score, whatever the collection's statistics are.
//!
//! A score grows with the term frequency and falls with the length of the field, so a block is bounded by those of its
//! (tf, length) pairs that no other one beats in both. Scores themselves are not stored: average length and idf change as
//! documents come and go. Each number is a byte: exact below 16, then three bits behind the leading one; frequencies are
//! rounded up and lengths down, so that a pair never promises too little.
//!
//! Source: Ding & Suel, "Faster top-k document retrieval using block-max indexes", SIGIR 2011; the pairs instead of scores
//! are those of Lucene 8.

use super::postings::Posting;

/// Pairs of a block.
pub(super) const PAIRS: usize = 5;
/// Bytes of the pairs of a block.
pub(super) const BYTES: usize = 2 * PAIRS;

/// Numbers below this are their own code.
const EXACT: u32 = 16;

/// The code of the largest number that is not above `x` and has one.
fn floor_code(x: u32) -> u8 {
    if x < EXACT {
        return x as u8;
    }
    let shift = 28 - x.leading_zeros();
    (EXACT + (shift - 1) * 8 + (x >> shift) - 8) as u8
}

/// The code of the smallest number that is not below `x` and has one.
fn ceiling_code(x: u32) -> u8 {
    let code = floor_code(x);
    if number(code) < u64::from(x) { code + 1 } else { code }
}

/// The number of a code.
fn number(code: u8) -> u64 {
    let code = u64::from(code);
    if code < u64::from(EXACT) {
        return code;
    }
    let above = code - u64::from(EXACT);
    (8 + above % 8) << (above / 8 + 1)
}

/// The pairs of postings: the highest frequency first; (0, 0) where there are fewer than [`PAIRS`].
pub(super) fn of_block(postings: &[Posting]) -> [u8; BYTES] {
    let code = |posting: &Posting| (ceiling_code(posting.tf), floor_code(posting.field_length));
    let mut pairs: Vec<(u8, u8)> = postings.iter().map(code).collect();
    pairs.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut shortest = None;
    pairs.retain(|&(_, length)| {
        let is_shorter = shortest.is_none_or(|shortest| length < shortest);
        if is_shorter {
            shortest = Some(length);
        }
        is_shorter
    });
    while pairs.len() > PAIRS {
        // Two neighbours become one that is at least as good as either; those that are nearest to one another.
        let loss = |i: &usize| {
            let ((tf, length), (lower, shorter)) = (pairs[*i], pairs[*i + 1]);
            u32::from(tf - lower) * u32::from(length - shorter)
        };
        let Some(at) = (0..pairs.len() - 1).min_by_key(loss) else { break };
        pairs[at].1 = pairs[at + 1].1;
        pairs.remove(at + 1);
    }
    let mut bytes = [0; BYTES];
    for (pair, (tf, length)) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
        *pair = [tf, length];
    }
    bytes
}

/// Each pair of a block as (tf, length).
pub(super) fn pairs(bytes: &[u8; BYTES]) -> impl Iterator<Item = (u64, u64)> {
    let pairs = bytes.as_chunks::<2>().0.iter();
    pairs.take_while(|pair| pair[0] > 0).map(|&[tf, length]| (number(tf), number(length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_ascend_with_their_numbers_and_hold_every_u32() {
        assert!((0..255).all(|code| number(code) < number(code + 1)));
        for x in (0..5000)
            .chain((0..32).flat_map(|bit| [(1u32 << bit) - 1, 1 << bit, (1 << bit) | 1]))
            .chain([u32::MAX])
        {
            assert!(number(floor_code(x)) <= u64::from(x) && u64::from(x) <= number(ceiling_code(x)), "{x}");
            assert!(number(ceiling_code(x)) - number(floor_code(x)) <= u64::from(x) / 8, "{x}");
        }
    }

    proptest! {
        #[test]
        fn every_posting_is_within_a_pair(
            numbers in prop::collection::vec((1u32.., 0u32..), 1..129),
            shift in 0u32..31,
        ) {
            let posting = |(tf, more): &(u32, u32)| {
                let tf = (*tf >> shift).max(1);
                Posting { slot: 0, tf, field_length: tf.saturating_add(*more >> shift) }
            };
            let postings: Vec<Posting> = numbers.iter().map(posting).collect();
            let bytes = of_block(&postings);
            for posting in postings {
                let is_within = |(tf, length): (u64, u64)| {
                    tf >= u64::from(posting.tf) && length <= u64::from(posting.field_length)
                };
                prop_assert!(pairs(&bytes).any(is_within));
            }
        }
    }
}
