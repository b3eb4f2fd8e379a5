//! What was written, told to whoever listens: an observer of the database keeps the last changes, numbered, and streams
//! read them at their own pace. Whoever writes waits for no reader: one that is too slow loses the oldest, and is told so.

mod ring;
mod stream;

pub use ring::{Batch, Events};
pub use stream::{Asked, stream};
