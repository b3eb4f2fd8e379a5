//! Loading an embedder from its directory.

use std::path::Path;
use std::sync::Arc;

use crate::base::limits::EMBEDDER_FILE_BYTES_MAX;
use crate::base::{Error, InputError, Result};
use crate::embed::Embedder;
use crate::storage::OsVfs;
use crate::storage::vfs::Vfs;

/// Loads `model.safetensors` and `tokenizer.json` from a directory; the directory's name is the embedder's.
///
/// # Errors
/// `invalid_file` when one of them cannot be read or is not what it should be.
pub fn load_embedder(directory: &Path) -> Result<Arc<Embedder>> {
    let read = |name: &str| {
        let path = directory.join(name);
        OsVfs.read(&path.to_string_lossy(), EMBEDDER_FILE_BYTES_MAX as u64).map_err(|e| {
            let expected = format!("a readable {name} in the embedder's directory");
            Error::from(InputError::File { what: "embedder", got: e.to_string(), expected })
        })
    };
    let name = directory.file_name().map_or_else(|| "embedder".into(), |name| name.to_string_lossy());
    let embedder = Embedder::load(&name, &read("model.safetensors")?, &read("tokenizer.json")?)?;
    Ok(Arc::new(embedder))
}
