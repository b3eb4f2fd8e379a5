//! The primary blob of a segment: ids, versions, vectors, metadata. Slots are in the order of seq.
//!
//! Layout: docs/FORMAT.md, "rows". Ids, versions and offsets are pinned; vectors and metadata are read by row.

use std::borrow::Cow;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, OnceLock};

use crate::base::limits::{DIM_MAX, SLOTS_MAX};
use crate::base::value::{decode_fields, decode_object};
use crate::base::{DecodeError, Error, Key, Object, Reader, Result, Seq, Slot};
use crate::storage::{Blob, Pinned, Rows, Section};
use crate::vectors::Stored;

use super::expiry::{ExpiryByKey, ExpiryView};
use super::row::{Row, SharedRow};
use super::rows_builder::RowsBuilder;

/// Counts: slots `u64`, vectors `u64`, dimension `u64`.
pub(super) const COUNTS: u16 = 1;
/// Slots sorted by (id, slot): `u32` each.
pub(super) const ID_ORDER: u16 = 2;
/// Ends of the ids of slots in `ID_BYTES`: `u64` each, after a leading 0.
pub(super) const ID_OFFSETS: u16 = 3;
/// UTF-8 of the ids.
pub(super) const ID_BYTES: u16 = 4;
/// Key of each slot: `u32`.
pub(super) const KEYS: u16 = 5;
/// Seq of each slot, ascending: `u64`.
pub(super) const SEQS: u16 = 6;
/// When each version became valid: `i64`, ns since 1970 UTC.
pub(super) const VALID_FROM: u16 = 7;
/// Slots that have a vector, ascending: `u32`. Empty when all have one.
pub(super) const VECTOR_SLOTS: u16 = 8;
/// Vectors in the order of their slots, in the form f32: `[n, dim]` `f32`, row-major.
pub(super) const VECTORS_F32: u16 = 9;
/// 1 / length of each vector: `f32`.
pub(super) const INVERSE_NORMS: u16 = 10;
/// Ends of the metadata of slots in `METADATA`: `u64` each, after a leading 0.
pub(super) const METADATA_OFFSETS: u16 = 11;
/// Canonical metadata.
pub(super) const METADATA: u16 = 12;

/// Slots that expire, ascending: `u32`.
pub(super) const EXPIRY_SLOTS: u16 = 13;
/// When each of them expires: `i64`.
pub(super) const EXPIRY_TIMES: u16 = 14;
/// Places in the two above, the first to expire first, ties by slot: `u32`.
pub(super) const EXPIRY_ORDER: u16 = 15;
/// In place of `VECTORS_F32`, in the form f16: `[n, dim]` `u16`, the bits of each.
pub(super) const VECTORS_F16: u16 = 16;
/// In place of `VECTORS_F32`, in the form int8: of each vector its scale `f32`, then `[dim]` `i8`.
pub(super) const VECTORS_INT8: u16 = 17;

/// Where vectors of this form are.
pub(super) fn vectors_section(form: Stored) -> u16 {
    match form {
        Stored::F32 => VECTORS_F32,
        Stored::F16 => VECTORS_F16,
        Stored::Int8 => VECTORS_INT8,
    }
}

/// The form of the vectors of a blob.
pub(super) fn stored_form(blob: &Blob) -> Stored {
    let has = |form: &Stored| blob.has(vectors_section(*form));
    Stored::ALL.into_iter().find(has).unwrap_or_default()
}

/// The sections of a rows blob with these rows, which are in the order of seq.
///
/// # Panics
/// When rows are out of order or vectors differ in dimension.
#[must_use]
pub fn sections(rows: &[SharedRow], stored: Stored) -> Vec<Section> {
    let mut builder = RowsBuilder::new(stored);
    rows.iter().for_each(|row| builder.push(row));
    builder.sections()
}

/// An open rows blob. Nothing but its counts is read before something else is asked for; then all that is read whole is
/// checked, once.
#[derive(Debug)]
pub struct RowsReader {
    blob: Blob,
    slots: usize,
    vectors: usize,
    dim: usize,
    stored: Stored,
    weight: u64,
    /// Whether any version expires.
    expires: bool,
    /// All that had expired by this time has ended.
    swept: AtomicI64,
    expiry_by_key: OnceLock<ExpiryByKey>,
    pins: OnceLock<Pins>,
}

/// The sections of a rows blob, checked.
#[derive(Debug)]
struct Pins {
    id_order: Pinned,
    id_offsets: Pinned,
    id_bytes: Pinned,
    keys: Pinned,
    seqs: Pinned,
    valid_from: Pinned,
    vector_slots: Pinned,
    vector_rows: Rows,
    inverse_norms: Pinned,
    metadata_offsets: Pinned,
    metadata: Rows,
    expiry_slots: Pinned,
    expiry_times: Pinned,
    expiry_order: Pinned,
}

fn corrupt<T>(blob: &Blob, expected: &str) -> Result<T> {
    Err(Error::corrupt(name(blob), 0, expected))
}

fn name(blob: &Blob) -> String {
    format!("blob {}.rows", blob.id().number)
}

impl Pins {
    fn open(blob: &Blob, stored: Stored) -> Result<Self> {
        Ok(Self {
            id_order: blob.pinned(ID_ORDER)?,
            id_offsets: blob.pinned(ID_OFFSETS)?,
            id_bytes: blob.pinned(ID_BYTES)?,
            keys: blob.pinned(KEYS)?,
            seqs: blob.pinned(SEQS)?,
            valid_from: blob.pinned(VALID_FROM)?,
            vector_slots: blob.pinned(VECTOR_SLOTS)?,
            vector_rows: blob.rows(vectors_section(stored))?,
            inverse_norms: blob.pinned(INVERSE_NORMS)?,
            metadata_offsets: blob.pinned(METADATA_OFFSETS)?,
            metadata: blob.rows(METADATA)?,
            expiry_slots: blob.pinned(EXPIRY_SLOTS)?,
            expiry_times: blob.pinned(EXPIRY_TIMES)?,
            expiry_order: blob.pinned(EXPIRY_ORDER)?,
        })
    }

    /// Lengths that fit, offsets that ascend, ids that are text and in order: what lookups rely on.
    fn check(&self, rows: &RowsReader) -> Result<()> {
        let blob = &rows.blob;
        let (n, vectors) = (rows.slots, rows.vectors);
        let sparse = if vectors == n { 0 } else { vectors };
        let lengths = [
            (self.id_order.len() as u64, n, 4),
            (self.id_offsets.len() as u64, n + 1, 8),
            (self.keys.len() as u64, n, 4),
            (self.seqs.len() as u64, n, 8),
            (self.valid_from.len() as u64, n, 8),
            (self.vector_slots.len() as u64, sparse, 4),
            (self.vector_rows.len(), vectors, rows.stored.width(rows.dim) as u64),
            (self.inverse_norms.len() as u64, vectors, 4),
            (self.metadata_offsets.len() as u64, n + 1, 8),
        ];
        if lengths.iter().any(|(got, count, width)| *got != *count as u64 * width) {
            return corrupt(blob, "sections of the lengths that the counts give");
        }
        let ascending = |ends: &[u64], total: u64| {
            ends[0] == 0 && ends.windows(2).all(|w| w[0] <= w[1]) && ends[n] == total
        };
        if !ascending(numbers_of(&self.id_offsets)?, self.id_bytes.len() as u64)
            || !ascending(numbers_of(&self.metadata_offsets)?, self.metadata.len())
        {
            return corrupt(blob, "offsets that ascend to the end of their bytes");
        }
        if !numbers_of::<u64>(&self.seqs)?.windows(2).all(|w| w[0] < w[1])
            || !numbers_of::<i64>(&self.valid_from)?.windows(2).all(|w| w[0] < w[1])
        {
            return corrupt(blob, "seqs and times in ascending order");
        }
        let slots = numbers_of::<u32>(&self.vector_slots)?;
        if !slots.windows(2).all(|w| w[0] < w[1]) || slots.last().is_some_and(|s| *s as usize >= n) {
            return corrupt(blob, "slots of vectors in ascending order");
        }
        self.check_expiry(blob, n)?;
        self.check_ids(blob, n)
    }

    fn check_ids(&self, blob: &Blob, n: usize) -> Result<()> {
        let order = numbers_of::<u32>(&self.id_order)?;
        if order.iter().any(|slot| *slot as usize >= n) {
            return corrupt(blob, "an id order of slots that exist");
        }
        for slot in 0..n {
            self.id(blob, Slot(slot as u32))?;
        }
        let of = |slot: u32| self.id(blob, Slot(slot));
        for w in order.windows(2) {
            if (of(w[0])?, w[0]) >= (of(w[1])?, w[1]) {
                return corrupt(blob, "ids in ascending order");
            }
        }
        Ok(())
    }

    fn check_expiry(&self, blob: &Blob, n: usize) -> Result<()> {
        let (slots, times) = (numbers_of::<u32>(&self.expiry_slots)?, numbers_of::<i64>(&self.expiry_times)?);
        let order = numbers_of::<u32>(&self.expiry_order)?;
        let m = slots.len();
        if times.len() != m || order.len() != m {
            return corrupt(blob, "one time for each slot that expires");
        }
        if !slots.windows(2).all(|w| w[0] < w[1]) || slots.last().is_some_and(|s| *s as usize >= n) {
            return corrupt(blob, "slots that expire in ascending order");
        }
        let in_order = |w: &[u32]| (times[w[0] as usize], w[0]) < (times[w[1] as usize], w[1]);
        if order.iter().any(|at| *at as usize >= m) || !order.windows(2).all(in_order) {
            return corrupt(blob, "what expires first to come first");
        }
        Ok(())
    }

    fn id(&self, blob: &Blob, slot: Slot) -> Result<&str> {
        let ends = numbers_of::<u64>(&self.id_offsets)?;
        let range = ends[slot.index()] as usize..ends[slot.index() + 1] as usize;
        std::str::from_utf8(&self.id_bytes[range]).or_else(|_| corrupt(blob, "ids that are UTF-8"))
    }
}

impl RowsReader {
    /// Opens the blob and reads its counts.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn open(blob: &Blob) -> Result<Self> {
        let counts = blob.pinned(COUNTS)?;
        let &[slots, vectors, dim] = counts.numbers::<u64>()? else {
            return corrupt(blob, "three counts");
        };
        // Within these limits no product below overflows 64 bits.
        let dims = if vectors > 0 { 1..=DIM_MAX as u64 } else { 0..=0 };
        if slots > SLOTS_MAX as u64 || vectors > slots || !dims.contains(&dim) {
            return corrupt(blob, "counts within limits");
        }
        let stored = stored_form(blob);
        let mut weight = 64 * slots;
        for section in [ID_BYTES, vectors_section(stored), METADATA] {
            weight += blob.rows(section)?.len();
        }
        let expires = !blob.rows(EXPIRY_SLOTS)?.is_empty();
        let swept = AtomicI64::new(i64::MIN);
        let (slots, vectors, dim) = (slots as usize, vectors as usize, dim as usize);
        let (blob, pins) = (blob.clone(), OnceLock::new());
        Ok(Self {
            blob,
            slots,
            vectors,
            dim,
            stored,
            weight,
            expires,
            swept,
            expiry_by_key: OnceLock::new(),
            pins,
        })
    }

    /// Checks that all the blob says is possible, but for vectors and metadata, which are checked as they are read.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn check(&self) -> Result<()> {
        self.pins().map(|_| ())
    }

    fn pins(&self) -> Result<&Pins> {
        if let Some(pins) = self.pins.get() {
            return Ok(pins);
        }
        let pins = Pins::open(&self.blob, self.stored)?;
        pins.check(self)?;
        Ok(self.pins.get_or_init(|| pins))
    }

    /// How many slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots == 0
    }

    /// About how many bytes its rows take, counted the same everywhere: what decides when segments are merged.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// How many slots have a vector.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.vectors
    }

    /// Dimension of the vectors; 0 when there are none.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The form that its vectors are stored in.
    #[must_use]
    pub fn stored(&self) -> Stored {
        self.stored
    }

    /// The id of a slot.
    ///
    /// # Errors
    /// `corrupt` when its bytes are not text.
    pub fn id(&self, slot: Slot) -> Result<&str> {
        self.pins()?.id(&self.blob, slot)
    }

    /// The key of a slot.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn key(&self, slot: Slot) -> Result<Key> {
        Ok(Key(numbers_of::<u32>(&self.pins()?.keys)?[slot.index()]))
    }

    /// The seqs of all slots, ascending.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn seqs(&self) -> Result<&[u64]> {
        numbers_of(&self.pins()?.seqs)
    }

    /// Since when the version in a slot is valid.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn valid_from(&self, slot: Slot) -> Result<i64> {
        Ok(numbers_of::<i64>(&self.pins()?.valid_from)?[slot.index()])
    }

    /// How many slots hold versions that began at a time or before: versions begin in the order of slots.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn begun_by(&self, time: i64) -> Result<usize> {
        Ok(numbers_of::<i64>(&self.pins()?.valid_from)?.partition_point(|from| *from <= time))
    }

    /// When the versions expire.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn expiry(&self) -> Result<ExpiryView<'_>> {
        if !self.expires {
            return Ok(ExpiryView::new(&[], &[], &[]));
        }
        let (slots, times) =
            (numbers_of(&self.pins()?.expiry_slots)?, numbers_of(&self.pins()?.expiry_times)?);
        Ok(ExpiryView::new(slots, times, numbers_of(&self.pins()?.expiry_order)?))
    }

    /// The same by key, put in order when it is first asked for.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn expiry_by_key(&self) -> Result<&ExpiryByKey> {
        if let Some(found) = self.expiry_by_key.get() {
            return Ok(found);
        }
        let keyed = |(slot, at)| Ok((self.key(slot)?, at, slot));
        let expiring = self.expiry()?.iter().map(keyed).collect::<Result<_>>()?;
        Ok(self.expiry_by_key.get_or_init(|| ExpiryByKey::new(expiring)))
    }

    /// Until when it is known that all that expires has ended.
    pub fn swept(&self) -> &AtomicI64 {
        &self.swept
    }

    /// The newest version of an id that is in one of the first `slots` slots.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn find_within(&self, id: &str, slots: usize) -> Result<Option<Slot>> {
        let order = numbers_of::<u32>(&self.pins()?.id_order)?;
        let mut after = self.after(id)?;
        while after > 0 {
            let slot = Slot(order[after - 1]);
            if self.id(slot)? != id {
                return Ok(None);
            }
            if slot.index() < slots {
                return Ok(Some(slot));
            }
            after -= 1;
        }
        Ok(None)
    }

    /// The slots of an id, the newest first.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn slots_of(&self, id: &str) -> Result<Vec<Slot>> {
        let order = numbers_of::<u32>(&self.pins()?.id_order)?;
        let mut slots = Vec::new();
        for slot in order[..self.after(id)?].iter().rev().map(|slot| Slot(*slot)) {
            if self.id(slot)? != id {
                break;
            }
            slots.push(slot);
        }
        Ok(slots)
    }

    /// The newest version of an id.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn find(&self, id: &str) -> Result<Option<Slot>> {
        self.find_within(id, self.slots)
    }

    /// How many entries of the id order are of this id or of ids before it.
    fn after(&self, id: &str) -> Result<usize> {
        let pins = self.pins()?;
        let (order, ends) = (numbers_of::<u32>(&pins.id_order)?, numbers_of::<u64>(&pins.id_offsets)?);
        // That they are text was checked with all of them; so its bytes are in the order of texts.
        let at = |slot: u32| &pins.id_bytes[ends[slot as usize] as usize..ends[slot as usize + 1] as usize];
        let (mut low, mut high) = (0, order.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if at(order[middle]) <= id.as_bytes() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Which vector a slot has, counted in the order of slots.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn ordinal(&self, slot: Slot) -> Result<Option<u32>> {
        if self.vectors == self.slots {
            return Ok(Some(slot.0));
        }
        Ok(numbers_of::<u32>(&self.pins()?.vector_slots)?.binary_search(&slot.0).ok().map(|at| at as u32))
    }

    /// The slots that have a vector, by ordinal; `None` when ordinal and slot are the same.
    ///
    /// # Errors
    /// `corrupt`.
    #[cfg_attr(kithdb_small, optimize(speed))]
    pub fn vector_slots(&self) -> Result<Option<&[u32]>> {
        if self.vectors == self.slots { Ok(None) } else { Ok(Some(numbers_of(&self.pins()?.vector_slots)?)) }
    }

    /// 1 / length of each vector, by ordinal.
    ///
    /// # Errors
    /// `corrupt`.
    pub fn inverse_norms(&self) -> Result<&[f32]> {
        numbers_of(&self.pins()?.inverse_norms)
    }

    /// The bytes of a run of vectors, in the form that they are stored in.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn vector_bytes(&self, ordinals: std::ops::Range<usize>) -> Result<Cow<'_, [u8]>> {
        let row = self.stored.width(self.dim) as u64;
        self.pins()?.vector_rows.read(ordinals.start as u64 * row..ordinals.end as u64 * row)
    }

    /// A run of vectors, one after another: `[len, dim]`.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn vectors_of(&self, ordinals: std::ops::Range<usize>) -> Result<Cow<'_, [f32]>> {
        Ok(match self.vector_bytes(ordinals)? {
            Cow::Borrowed(bytes) => self.stored.decode(bytes, self.dim),
            Cow::Owned(bytes) => Cow::Owned(self.stored.decode(&bytes, self.dim).into_owned()),
        })
    }

    /// Calls `f` with a vector.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn with_vector<T>(&self, ordinal: u32, f: impl FnOnce(&[f32]) -> T) -> Result<T> {
        let bytes = self.vector_bytes(ordinal as usize..ordinal as usize + 1)?;
        Ok(f(&self.stored.decode(&bytes, self.dim)))
    }

    /// The vector of a slot; `None` without one.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn vector(&self, slot: Slot) -> Result<Option<Vec<f32>>> {
        let ordinal = self.ordinal(slot)?;
        ordinal.map(|ordinal| self.with_vector(ordinal, <[f32]>::to_vec)).transpose()
    }

    /// The metadata of a slot.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn metadata(&self, slot: Slot) -> Result<Object> {
        self.metadata_by(slot, decode_object)
    }

    /// The fields of the metadata of a slot that are wanted; others are not read.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn fields(&self, slot: Slot, is_wanted: impl Fn(&str) -> bool) -> Result<Object> {
        self.metadata_by(slot, |r| decode_fields(r, is_wanted))
    }

    fn metadata_by(
        &self,
        slot: Slot,
        decode: impl FnOnce(&mut Reader<'_>) -> Result<Object, DecodeError>,
    ) -> Result<Object> {
        let ends = numbers_of::<u64>(&self.pins()?.metadata_offsets)?;
        let range = ends[slot.index()]..ends[slot.index() + 1];
        let bytes = self.pins()?.metadata.read(range.clone())?;
        let mut r = Reader::new(&bytes);
        let of = |e: DecodeError| e.within(&name(&self.blob), range.start);
        let fields = decode(&mut r).map_err(of)?;
        r.end().map_err(of)?;
        Ok(fields)
    }

    /// All of a slot.
    ///
    /// # Errors
    /// `corrupt`, `not_resident`.
    pub fn row(&self, slot: Slot) -> Result<SharedRow> {
        let inverse_norm = match self.ordinal(slot)? {
            Some(ordinal) => self.inverse_norms()?[ordinal as usize],
            None => 0.0,
        };
        Ok(Arc::new(Row {
            id: self.id(slot)?.into(),
            key: self.key(slot)?,
            seq: Seq(self.seqs()?[slot.index()]),
            valid_from: self.valid_from(slot)?,
            expires_at: self.expiry()?.at(slot),
            vector: self.vector(slot)?.map(Vec::into_boxed_slice),
            inverse_norm,
            metadata: self.metadata(slot)?,
        }))
    }
}

fn numbers_of<T: bytemuck::AnyBitPattern>(pinned: &Pinned) -> Result<&[T]> {
    pinned.numbers()
}
