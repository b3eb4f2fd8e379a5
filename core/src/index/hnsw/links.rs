//! The links as bytes: written by the builder, opened and checked here.

use super::layer::{Layer, NONE};
use super::{HnswParams, LEVEL_MAX};
use crate::base::limits::SLOTS_MAX;
use crate::base::{DecodeError, Error, Reader, Result, Writer};
use crate::storage::{Blob, Pinned, Section};

/// Section of the parameters: version u8, `links_max` u32, `ef_construction` u32, seed u64, entry u32, layers u8, and
/// for each layer from the base up its number of members u32.
pub const PARAMETERS_SECTION: u16 = 1;
/// Section of the base layer: `[n, 2 links_max]` u32, each list ended by `0xFFFF_FFFF` when it is not full.
pub const BASE_SECTION: u16 = 2;
/// Section of the members of the layers above, from the lowest up: numbers u32, ascending within a layer.
pub const MEMBERS_SECTION: u16 = 3;
/// Section of the lists of the layers above: `[members, links_max]` u32, places among the layer's members.
pub const UPPER_SECTION: u16 = 4;

const VERSION: u8 = 1;
const OBJECT: &str = "hnsw links";

/// What the parameters section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub params: HnswParams,
    pub entry: u32,
    /// Members of each layer, the base first; empty without vectors.
    pub lens: Vec<u32>,
}

impl Header {
    fn write(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION);
        w.u32(self.params.links_max as u32);
        w.u32(self.params.ef_construction as u32);
        w.u64(self.params.seed);
        w.u32(self.entry);
        w.u8(self.lens.len() as u8);
        self.lens.iter().for_each(|&len| w.u32(len));
        w.finish()
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let refuse = |offset, expected| Err(DecodeError { offset, expected });
        if r.u8()? != VERSION {
            return refuse(0, "version 1");
        }
        let (links_max, ef_construction) = (r.u32()? as usize, r.u32()? as usize);
        let params = HnswParams { links_max, ef_construction, seed: r.u64()? };
        if params.check().is_err() {
            return refuse(1, "parameters that links can be built with");
        }
        let entry = r.u32()?;
        let layers = usize::from(r.u8()?);
        if layers > LEVEL_MAX + 1 {
            return refuse(21, "at most 32 layers");
        }
        let lens = (0..layers).map(|_| r.u32()).collect::<Result<Vec<_>, _>>()?;
        r.end()?;
        let shrinking = lens.windows(2).all(|pair| pair[0] >= pair[1]);
        if !shrinking || lens.contains(&0) || lens.iter().any(|&len| len as usize > SLOTS_MAX) {
            return refuse(22, "layers that have members, fewer in each than below");
        }
        if lens.first().is_some_and(|&n| entry >= n) {
            return refuse(17, "an entry that is one of the vectors");
        }
        Ok(Self { params, entry, lens })
    }
}

/// The sections of a blob with these layers, the base first.
pub(super) fn sections(params: HnswParams, entry: u32, layers: &[Layer<'_>]) -> Vec<Section> {
    let lens = layers.iter().map(|layer| layer.len() as u32).collect();
    let bytes = |numbers: &[u32]| crate::base::bytes::le_bytes(numbers).to_vec();
    let upper = layers.get(1..).unwrap_or_default();
    let members: Vec<u32> =
        upper.iter().flat_map(|layer| layer.members.unwrap_or_default()).copied().collect();
    let lists: Vec<u32> = upper.iter().flat_map(|layer| layer.lists).copied().collect();
    vec![
        Section::pinned(PARAMETERS_SECTION, Header { params, entry, lens }.write()),
        Section::pinned(BASE_SECTION, bytes(layers.first().map_or(&[], |base| base.lists))),
        Section::pinned(MEMBERS_SECTION, bytes(&members)),
        Section::pinned(UPPER_SECTION, bytes(&lists)),
    ]
}

/// The links of a segment's vectors.
#[derive(Debug, Clone)]
pub struct Hnsw {
    header: Header,
    base: Pinned,
    members: Pinned,
    upper: Pinned,
}

impl Hnsw {
    /// Pins the lists and checks every number in them, so that no search can leave them.
    ///
    /// # Complexity
    /// Reads all of the links once.
    ///
    /// # Errors
    /// `corrupt` when anything points at what is not there; `not_resident`.
    pub fn open(blob: &Blob) -> Result<Self> {
        let header = Header::read(&blob.pinned(PARAMETERS_SECTION)?).map_err(|e| e.within(OBJECT, 0))?;
        let base = blob.hot(BASE_SECTION)?;
        let (members, upper) = (blob.pinned(MEMBERS_SECTION)?, blob.pinned(UPPER_SECTION)?);
        let links = Self { header, base, members, upper };
        links.check()?;
        Ok(links)
    }

    fn check(&self) -> Result<()> {
        let refuse = |expected: &str| Err(Error::corrupt(OBJECT, 0, expected));
        let above: usize = self.header.lens.iter().skip(1).map(|&len| len as usize).sum();
        let fits = |section: &Pinned, rows: usize, width: usize| {
            rows.checked_mul(4 * width) == Some(section.len()) && section.numbers::<u32>().is_ok()
        };
        let params = self.header.params;
        let sizes_fit = fits(&self.base, self.len(), params.width(0))
            && fits(&self.members, above, 1)
            && fits(&self.upper, above, params.width(1));
        if !sizes_fit {
            return refuse("lists for every member of every layer");
        }
        for level in 0..self.level_count() {
            let layer = self.layer(level);
            if !lists_are_sound(&layer) {
                return refuse("neighbours that are members of the layer, and nothing behind the last");
            }
            let below = level.checked_sub(1).map(|below| self.layer(below));
            if !below.is_none_or(|below| members_are_sound(&layer, &below)) {
                return refuse("ascending members, each a member of the layer below");
            }
        }
        if self.level_count() > 0 && self.layer(self.level_count() - 1).place(self.entry()).is_none() {
            return refuse("an entry in the topmost layer");
        }
        Ok(())
    }

    /// How many vectors are linked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.header.lens.first().map_or(0, |&n| n as usize)
    }

    /// Whether none are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.lens.is_empty()
    }

    /// What the links were built with.
    #[must_use]
    pub fn params(&self) -> HnswParams {
        self.header.params
    }

    /// How many layers, the base included.
    #[must_use]
    pub fn level_count(&self) -> usize {
        self.header.lens.len()
    }

    /// The numbers of a vector's neighbours in the base layer.
    ///
    /// # Panics
    /// When `i` is not below the number of vectors.
    pub fn neighbours(&self, i: u32) -> impl Iterator<Item = u32> + '_ {
        self.layer(0).neighbours(i)
    }

    pub(super) fn entry(&self) -> u32 {
        self.header.entry
    }

    pub(super) fn layer(&self, level: usize) -> Layer<'_> {
        let numbers = |section| -> &[u32] { Pinned::numbers(section).expect("aligned, checked at open") };
        let width = self.header.params.width(level);
        if level == 0 {
            return Layer { members: None, lists: numbers(&self.base), width };
        }
        let before: usize = self.header.lens[1..level].iter().map(|&len| len as usize).sum();
        let after = before + self.header.lens[level] as usize;
        Layer {
            members: Some(&numbers(&self.members)[before..after]),
            lists: &numbers(&self.upper)[before * width..after * width],
            width,
        }
    }
}

fn lists_are_sound(layer: &Layer<'_>) -> bool {
    let len = layer.len();
    layer.lists.chunks_exact(layer.width).all(|list| {
        let end = list.iter().position(|&place| place == NONE).unwrap_or(list.len());
        list[..end].iter().all(|&place| (place as usize) < len)
            && list[end..].iter().all(|&place| place == NONE)
    })
}

fn members_are_sound(layer: &Layer<'_>, below: &Layer<'_>) -> bool {
    let members = layer.members.unwrap_or_default();
    let within = |number: u32| match below.members {
        None => (number as usize) < below.len(),
        Some(_) => below.place(number).is_some(),
    };
    members.is_sorted_by(|a, b| a < b) && members.iter().all(|&number| within(number))
}
