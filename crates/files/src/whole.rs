//! Truncation checks for formats whose decoders accept truncated files.

use std::{
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use crate::{
    FileError, PictureFormat,
    input::{read_error, truncated},
};

/// Refuses a PNG without its last chunk, and a WebP or BMP shorter than it says; and rewinds.
pub(crate) fn check_whole(
    input: &mut (impl Read + Seek),
    format: PictureFormat,
    path: &Path,
) -> Result<(), FileError> {
    let whole = match format {
        PictureFormat::Png => png_is_whole(input),
        PictureFormat::WebP => announces(input, 4, 8),
        PictureFormat::Bmp => announces(input, 2, 0),
        _ => Ok(true),
    };
    let part = "its pixels";
    match whole.and_then(|whole| input.rewind().map(|()| whole)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(truncated(path, part)),
        Err(error) => Err(read_error(error, path, part)),
    }
}

/// Walks the chunks: a length, a name, the bytes, a checksum.
fn png_is_whole(input: &mut (impl Read + Seek)) -> io::Result<bool> {
    let len = input.seek(SeekFrom::End(0))?;
    let mut place = 8;
    loop {
        let mut start = [0; 8];
        input.seek(SeekFrom::Start(place))?;
        match input.read_exact(&mut start) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        let [a, b, c, d, name @ ..] = start;
        place += 12 + u64::from(u32::from_be_bytes([a, b, c, d]));
        if place > len || name == *b"IEND" {
            return Ok(place <= len);
        }
    }
}

/// Whether the file is as long as the number at `place`, which does not count `before` bytes.
fn announces(input: &mut (impl Read + Seek), place: u64, before: u64) -> io::Result<bool> {
    let len = input.seek(SeekFrom::End(0))?;
    let mut announced = [0; 4];
    input.seek(SeekFrom::Start(place))?;
    input.read_exact(&mut announced)?;
    Ok(before + u64::from(u32::from_le_bytes(announced)) <= len)
}
