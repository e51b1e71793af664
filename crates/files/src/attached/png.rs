//! PNG: the chunks iCCP, eXIf and pHYs.

use std::{
    borrow::Cow,
    io::{BufRead, Seek},
    path::Path,
};

use ::png::{Decoder, DecodingError, Limits, PixelDimensions, Unit};

use super::{Attached, MAX_BYTES, Resolution, ResolutionUnit, too_much};
use crate::{
    FileError,
    input::{malformed, read_error},
};

pub(super) fn read(input: impl BufRead + Seek, path: &Path) -> Result<Attached, FileError> {
    let mut decoder = Decoder::new_with_limits(input, Limits { bytes: MAX_BYTES });
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder
        .read_info()
        .map_err(|error| png_error(error, path))?;
    // EXIF data may stand behind the pixels, which are not decoded for it.
    reader.finish().map_err(|error| png_error(error, path))?;
    let info = reader.info();
    Ok(Attached {
        icc: info.icc_profile.clone().map(Cow::into_owned),
        exif: info.exif_metadata.clone().map(Cow::into_owned),
        resolution: info.pixel_dims.and_then(resolution),
        ..Attached::default()
    })
}

fn resolution(found: PixelDimensions) -> Option<Resolution> {
    let PixelDimensions { xppu, yppu, unit } = found;
    match unit {
        Unit::Unspecified => Resolution::integers(xppu, yppu, ResolutionUnit::None),
        Unit::Meter => Resolution::new([xppu, 100], [yppu, 100], ResolutionUnit::Centimeter),
    }
}

fn png_error(error: DecodingError, path: &Path) -> FileError {
    match error {
        DecodingError::IoError(error) => read_error(error, path, "its chunks"),
        DecodingError::LimitsExceeded => too_much(path),
        other => malformed(path, other.to_string()),
    }
}
