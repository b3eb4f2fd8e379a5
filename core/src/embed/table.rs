//! Reads the table of token vectors from a `safetensors` file.

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde_json::Value as Json;

use crate::base::ids::shorten;
use crate::base::limits::{DIM_MAX, EMBEDDER_FILE_BYTES_MAX, EMBEDDER_VOCABULARY_MAX};
use crate::base::{InputError, Reader, Result};

/// Longest header of the file; that of one tensor has a hundred bytes.
const HEADER_BYTES_MAX: usize = 1 << 20;

/// Vectors of tokens, `[rows, dim]`.
#[derive(Debug)]
pub(super) struct Table {
    dim: usize,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    /// Whole numbers of some unit, the same for the whole table: at length one, what it was does not show.
    I8(Vec<i8>),
    F16(Vec<f16>),
    F32(Vec<f32>),
}

fn refuse<T>(got: impl Into<String>, expected: impl Into<String>) -> Result<T> {
    let (got, expected) = (got.into(), expected.into());
    Err(InputError::File { what: "safetensors", got: shorten(&got), expected }.into())
}

impl Table {
    /// The only matrix of the file.
    ///
    /// # Errors
    /// `invalid_file` when the file is not of this form, its tensor is none of I8, F16 and F32, or a number not finite.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > EMBEDDER_FILE_BYTES_MAX {
            return refuse(
                format!("{} bytes", bytes.len()),
                format!("at most {EMBEDDER_FILE_BYTES_MAX} bytes"),
            );
        }
        let mut r = Reader::new(bytes);
        let header_len =
            r.u64().ok().and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= HEADER_BYTES_MAX);
        let Some(header) = header_len.and_then(|n| r.raw(n, "the header").ok()) else {
            return refuse(format!("{} bytes", bytes.len()), "a header and its length before it");
        };
        let data = &bytes[r.offset()..];
        let header: Json = match serde_json::from_slice(header) {
            Ok(header) => header,
            Err(e) => return refuse(e.to_string(), "a header of JSON"),
        };
        let tensors = header.as_object().into_iter().flatten().filter(|(name, _)| *name != "__metadata__");
        let [tensor] = tensors.map(|(_, tensor)| tensor).collect::<Vec<_>>()[..] else {
            return refuse("none or several tensors", "one tensor, the table");
        };
        Self::of_tensor(tensor, data)
    }

    fn of_tensor(tensor: &Json, data: &[u8]) -> Result<Self> {
        let pair = |json: &Json| -> Option<(usize, usize)> {
            let [a, b] = json.as_array()?.as_slice() else { return None };
            Some((usize::try_from(a.as_u64()?).ok()?, usize::try_from(b.as_u64()?).ok()?))
        };
        let shape = pair(&tensor["shape"])
            .filter(|&(rows, dim)| rows <= EMBEDDER_VOCABULARY_MAX && (1..=DIM_MAX).contains(&dim));
        let Some((rows, dim)) = shape else {
            return refuse(format!("shape {}", tensor["shape"]), "[tokens, dimension]");
        };
        let bytes = pair(&tensor["data_offsets"]).and_then(|(start, end)| data.get(start..end));
        let width = match tensor["dtype"].as_str() {
            Some("I8") => 1,
            Some("F16") => 2,
            Some("F32") => 4,
            _ => return refuse(format!("type {}", tensor["dtype"]), "I8, F16 or F32"),
        };
        let whole = rows.checked_mul(dim).and_then(|numbers| numbers.checked_mul(width));
        let Some(bytes) = bytes.filter(|bytes| Some(bytes.len()) == whole) else {
            return refuse(format!("offsets {}", tensor["data_offsets"]), "offsets of the whole table");
        };
        let numbers = match width {
            1 => Numbers::I8(bytes.iter().map(|&byte| byte.cast_signed()).collect()),
            2 => Numbers::F16(bytes.as_chunks().0.iter().map(|&pair| f16::from_le_bytes(pair)).collect()),
            _ => Numbers::F32(bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()),
        };
        let finite = match &numbers {
            Numbers::I8(_) => true,
            Numbers::F16(numbers) => numbers.iter().all(|x| x.is_finite()),
            Numbers::F32(numbers) => numbers.iter().all(|x| x.abs() <= crate::base::limits::COMPONENT_MAX),
        };
        if !finite {
            return refuse("a number that is not", "finite numbers");
        }
        Ok(Self { dim, numbers })
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Adds the row of a token to a sum, component by component; says whether it has one.
    pub fn add_row(&self, token: u32, row: &mut [f32], sum: &mut [f32]) -> bool {
        let range = token as usize * self.dim..(token as usize + 1) * self.dim;
        match &self.numbers {
            Numbers::I8(numbers) => match numbers.get(range) {
                Some(small) => row.iter_mut().zip(small).for_each(|(x, &n)| *x = f32::from(n)),
                None => return false,
            },
            Numbers::F16(numbers) => match numbers.get(range) {
                // Exact, whether by an instruction or by shifts.
                Some(half) => half.convert_to_f32_slice(row),
                None => return false,
            },
            Numbers::F32(numbers) => match numbers.get(range) {
                Some(whole) => row.copy_from_slice(whole),
                None => return false,
            },
        }
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
        true
    }
}
