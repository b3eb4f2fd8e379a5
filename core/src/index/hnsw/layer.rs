//! One layer of neighbour lists, as both the builder and the opened links show it.

use crate::kernels::prefetch;

/// Fills a list behind its last neighbour.
pub(super) const NONE: u32 = u32::MAX;

/// A layer. Within it a vector goes by its *place* among the layer's members; in the base layer that is its number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer<'a> {
    /// Numbers of the members, ascending; none for the base layer, where all are.
    pub members: Option<&'a [u32]>,
    /// `width` places for each member.
    pub lists: &'a [u32],
    /// Longest list.
    pub width: usize,
}

impl<'a> Layer<'a> {
    /// How many members.
    pub fn len(&self) -> usize {
        self.lists.len() / self.width
    }

    /// The number of the vector at a place.
    #[inline]
    pub fn number(&self, place: u32) -> u32 {
        self.members.map_or(place, |members| members[place as usize])
    }

    /// The place of a vector, when it is a member.
    pub fn place(&self, number: u32) -> Option<u32> {
        match self.members {
            None => Some(number),
            Some(members) => members.binary_search(&number).ok().map(|place| place as u32),
        }
    }

    /// Asks for the list of a member that will be looked at soon.
    #[inline]
    pub fn prefetch(&self, place: u32) {
        prefetch(&self.lists[place as usize * self.width..][..self.width]);
    }

    /// The places of a member's neighbours.
    #[inline]
    pub fn neighbours(&self, place: u32) -> impl Iterator<Item = u32> + use<'a> {
        let list = &self.lists[place as usize * self.width..][..self.width];
        list.iter().copied().take_while(|&place| place != NONE)
    }

    /// The same in a layer that is being built, where what fills a list stands behind its neighbours alone.
    pub fn list(&self, place: u32) -> &'a [u32] {
        let list = &self.lists[place as usize * self.width..][..self.width];
        &list[..list.partition_point(|&place| place != NONE)]
    }
}
