//! What blobs hold, by the numbers that stand in them, and the names of their files.

/// What a blob holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum BlobKind {
    /// Primary: ids, versions, vectors, metadata.
    Rows = 1,
    /// Derived: what an index traverses, a byte a component.
    Codes = 2,
    /// Derived: neighbour lists of an index.
    Links = 3,
    /// Derived: postings of words.
    Text = 4,
    /// Derived: values of metadata fields, for filters.
    Columns = 5,
    /// Primary: edges between documents, with their history.
    Edges = 6,
    /// Primary: which slots have ended, and when.
    Ends = 7,
    /// Derived: what an index traverses, a bit a component.
    Bits = 8,
    /// Derived: what an index traverses, by product quantisation.
    Pq = 9,
    /// Derived: what an index traverses, by product quantisation of rotated vectors.
    Opq = 10,
}

impl BlobKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Rows,
        Self::Codes,
        Self::Links,
        Self::Text,
        Self::Columns,
        Self::Edges,
        Self::Ends,
        Self::Bits,
        Self::Pq,
        Self::Opq,
    ];

    /// The kind of a number in a file.
    #[must_use]
    pub fn from_number(n: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u16 == n)
    }

    /// Its name, also the ending of its file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Codes => "codes",
            Self::Links => "links",
            Self::Text => "text",
            Self::Columns => "columns",
            Self::Edges => "edges",
            Self::Ends => "ends",
            Self::Bits => "bits",
            Self::Pq => "pq",
            Self::Opq => "opq",
        }
    }

    /// The highest section that this version knows.
    pub(super) fn sections_max(self) -> u16 {
        match self {
            Self::Rows => 17,
            Self::Edges => 26,
            Self::Codes | Self::Bits | Self::Pq => 2,
            Self::Ends | Self::Opq => 3,
            Self::Links => 4,
            Self::Columns => 8,
            Self::Text => 10,
        }
    }

    /// Whether it can be made again from primary blobs.
    #[must_use]
    pub fn is_derived(self) -> bool {
        !matches!(self, Self::Rows | Self::Edges | Self::Ends)
    }
}
