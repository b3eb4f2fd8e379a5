//! Vectors beside JSON in one body: what the remote client of `js/` sends and gets, so that no component is printed and
//! read as text.
//!
//! All little-endian: the length of the JSON as u32; how many vectors there are as u32; the JSON, which spaces fill up
//! to a multiple of four bytes; the length of each vector as i32, -1 for none; the components of all, one vector behind
//! the other, as f32. Packed bodies may follow one another: each tells its own length.

use crate::base::limits::{BULK_MAX, DIM_MAX};
use crate::base::{Error, InputError, Result};

use super::{Columns, Vectors};

/// The media type of a body that is packed, or several.
pub const PACKED_TYPE: &str = "application/vnd.kithdb.packed";

/// A body taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed<'a> {
    /// Everything but the vectors.
    pub json: &'a [u8],
    /// In the order of what they belong to.
    pub vectors: Vec<Option<Vec<f32>>>,
}

impl<'a> Packed<'a> {
    /// Reads a body that is packed.
    ///
    /// # Errors
    /// `invalid_request` when it is none, `too_large` for more vectors than a batch can have, or a longer one than there can be.
    pub fn parse(body: &'a [u8]) -> Result<Self> {
        let (json_len, rest) = count(body)?;
        let (count_of, rest) = count(rest)?;
        if count_of > BULK_MAX {
            let (what, got, limit) = ("a packed body", count_of as u64, BULK_MAX as u64);
            return Err(InputError::TooLarge { what, got, limit }.into());
        }
        let (json, rest) = rest.split_at_checked(json_len).ok_or_else(cut)?;
        let lengths_len = count_of.checked_mul(4).ok_or_else(cut)?;
        let (lengths, mut components) = rest.split_at_checked(lengths_len).ok_or_else(cut)?;
        let mut vectors = Vec::with_capacity(count_of);
        for length in lengths.chunks_exact(4) {
            let length = i32::from_le_bytes(length.try_into().expect("four bytes"));
            let Ok(length) = usize::try_from(length) else {
                vectors.push(None);
                continue;
            };
            if length > DIM_MAX {
                let (what, got, limit) = ("the dimension of a vector", length as u64, DIM_MAX as u64);
                return Err(InputError::TooLarge { what, got, limit }.into());
            }
            let (own, others) = components.split_at_checked(length * 4).ok_or_else(cut)?;
            let component = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
            vectors.push(Some(own.chunks_exact(4).map(component).collect()));
            components = others;
        }
        if components.is_empty() { Ok(Self { json, vectors }) } else { Err(cut()) }
    }

    /// The vectors, when there are as many as there is to be given one.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn vectors_of(self, wanted: usize) -> Result<Vec<Option<Vec<f32>>>> {
        if self.vectors.len() == wanted {
            return Ok(self.vectors);
        }
        let got = format!("{} vectors", self.vectors.len());
        Err(InputError::Request { got, expected: format!("a packed body of {wanted} vectors, -1 for none") }
            .into())
    }
}

/// The number at the beginning, and what follows it.
fn count(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk().ok_or_else(cut)?;
    Ok((u32::from_le_bytes(*number) as usize, rest))
}

fn cut() -> Error {
    let expected = "a packed body whose lengths add up to the length of the body".to_owned();
    InputError::Request { got: "other lengths".into(), expected }.into()
}

impl Columns {
    /// Adds itself to a body, packed.
    ///
    /// # Panics
    /// Never: an answer is far from 4 GiB.
    pub fn write_packed(&self, body: &mut Vec<u8>) {
        let none = Vectors { components: vec![], lengths: vec![] };
        let Vectors { components, lengths } = self.vectors.as_ref().unwrap_or(&none);
        let padding = self.json.len().next_multiple_of(4) - self.json.len();
        let number = |n: usize| u32::try_from(n).expect("an answer is far from 4 GiB").to_le_bytes();
        body.reserve(8 + self.json.len() + padding + 4 * (lengths.len() + components.len()));
        body.extend(number(self.json.len() + padding));
        body.extend(number(lengths.len()));
        body.extend(self.json.bytes());
        body.extend(std::iter::repeat_n(b' ', padding));
        body.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
        body.extend(components.iter().flat_map(|component| component.to_le_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Columns {
        let vectors = Vectors { components: vec![1.5, -2.0, f32::MIN_POSITIVE], lengths: vec![2, -1, 0, 1] };
        Columns { json: "{\"a\":\"\u{e9}\"}".into(), vectors: Some(vectors) }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut body = vec![];
        sample().write_packed(&mut body);
        assert_eq!(body.len() % 4, 0, "so that a reader can look at it as numbers");
        let packed = Packed::parse(&body).expect("sound");
        assert_eq!(packed.json.trim_ascii_end(), sample().json.as_bytes());
        let vectors = vec![Some(vec![1.5, -2.0]), None, Some(vec![]), Some(vec![f32::MIN_POSITIVE])];
        assert_eq!(packed.clone().vectors_of(4), Ok(vectors));
        assert_eq!(packed.vectors_of(3).map_err(|e| e.code()), Err("invalid_request"));
        let plain = Columns { json: "[]".into(), vectors: None };
        body.clear();
        plain.write_packed(&mut body);
        assert_eq!(Packed::parse(&body), Ok(Packed { json: b"[]  ", vectors: vec![] }));
    }

    #[test]
    fn every_cut_and_every_other_length_is_refused() {
        let mut body = vec![];
        sample().write_packed(&mut body);
        for len in 0..body.len() {
            assert!(Packed::parse(&body[..len]).is_err(), "cut to {len}");
        }
        for at in 0..8 {
            let mut other = body.clone();
            other[at] ^= 0xFF;
            assert!(Packed::parse(&other).is_err(), "byte {at}");
        }
        let huge = [0_u32, 1, 70_000].map(u32::to_le_bytes).concat();
        assert_eq!(Packed::parse(&huge).map_err(|e| e.code()), Err("too_large"));
    }
}
