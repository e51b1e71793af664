//! Errors about what holds no data.

use std::path::Path;

use n2n_files::refusal;

use super::{listing::Listing, roles};
use crate::DataError;

/// The error of a folder in which nothing is understood: it names the first file whose format is known and not read.
pub(super) fn no_data(listing: &Listing) -> DataError {
    let refused = listing.files.iter().find_map(|path| refusal(path));
    refused.map_or_else(
        || DataError::NoData {
            path: listing.folder.clone(),
            names: roles::known(),
        },
        DataError::File,
    )
}

/// The error of a file that holds no scenes.
pub(super) fn unknown_kind(path: &Path) -> DataError {
    refusal(path).map_or_else(
        || DataError::UnknownKind {
            path: path.to_owned(),
        },
        DataError::File,
    )
}
