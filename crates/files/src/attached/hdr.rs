//! Radiance HDR: the lines of its header.

use std::{io::BufRead, path::Path};

use image::codecs::hdr::HdrDecoder;

use super::Attached;
use crate::{FileError, picture::image_error};

/// The line that every file has.
const FORMAT: &str = "FORMAT";

pub(super) fn read(input: impl BufRead, path: &Path) -> Result<Attached, FileError> {
    let decoder = HdrDecoder::new(input).map_err(|error| image_error(error, path))?;
    let lines = decoder.metadata().custom_attributes;
    let names: Vec<String> = lines
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty() && name != FORMAT)
        .collect();
    let mut attached = Attached::default();
    if !names.is_empty() {
        let words = format!("the lines of its header ({})", names.join(", "));
        attached.unread.push(words);
    }
    Ok(attached)
}
