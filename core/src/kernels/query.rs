//! The code of a query, made ready for kernels that compare it with many rows.

/// An int8 code, also as int16, which x86 multiplies. Kept from one query to the next.
#[derive(Debug, Clone, Default)]
pub struct CodeQuery {
    bytes: Vec<i8>,
    wide: Vec<i16>,
}

impl CodeQuery {
    /// Makes it `len` zeros and gives them to `fill`.
    pub fn set<T>(&mut self, len: usize, fill: impl FnOnce(&mut [i8]) -> T) -> T {
        self.bytes.clear();
        self.bytes.resize(len, 0);
        let result = fill(&mut self.bytes);
        self.wide.clear();
        self.wide.extend(self.bytes.iter().map(|&x| i16::from(x)));
        result
    }

    /// The code.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[i8] {
        &self.bytes
    }

    /// The code, each component as int16.
    #[must_use]
    #[inline]
    pub fn wide(&self) -> &[i16] {
        &self.wide
    }
}
