//! Words that every layer shares: errors, numbers, values, bytes, bits. Imports nothing of the crate.

pub mod aligned;
pub mod bitmap;
pub mod bytes;
pub mod crc32c;
pub mod date;
pub mod error;
pub mod host_traits;
pub mod ids;
pub mod limits;
pub mod number_map;
pub mod par;
pub mod rng;
pub mod sorted_map;
pub mod string_table;
pub mod sync;
pub mod time;
pub mod top_k;
pub mod unicode;
pub mod value;

pub use aligned::AlignedBytes;
pub use bitmap::Bitmap;
pub use bytes::{DecodeError, Reader, Writer};
pub use date::Date;
pub use error::{Error, FilterError, FilterTreeError, InputError, Report, StateError, StorageError};
pub use host_traits::{Change, Clock, Event, ManualClock, NoObserver, Observer};
pub use ids::{Key, Lsn, Seq, Slot, check_id, check_name};
pub use par::Pool;
pub use rng::Rng;
pub use sorted_map::SortedMap;
pub use string_table::StringTable;
pub use time::NEVER;
pub use top_k::TopK;
pub use value::{Object, Value};

/// What core functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
