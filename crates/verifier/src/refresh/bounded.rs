//! Reading of files up to a size limit.

use std::{fs::File, io, io::Read, path::Path};

/// Reads a file of at most `limit` bytes.
pub(super) fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let most = (limit as u64).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut content)?;
    match content.len() <= limit {
        true => Ok(content),
        false => Err(io::Error::other("it is too large")),
    }
}
