//! BMP: the resolution and the profile of its header.

use std::{
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use super::{Attached, MAX_BYTES, Resolution, ResolutionUnit, too_much};
use crate::{FileError, input::read_error};

/// Bytes before the header that holds its own length.
const FILE_HEADER: u64 = 14;

/// Bytes of headers: the shortest with a resolution, with a colour space, and with a profile.
const INFO: usize = 40;
const WITH_COLOURS: usize = 108;
const WITH_PROFILE: usize = 124;

pub(super) fn read(mut input: impl Read + Seek, path: &Path) -> Result<Attached, FileError> {
    let error = |error| read_error(error, path, "its header");
    input.seek(SeekFrom::Start(FILE_HEADER)).map_err(error)?;
    let mut len = [0; 4];
    input.read_exact(&mut len).map_err(error)?;
    let len = (u32::from_le_bytes(len) as usize).min(WITH_PROFILE);
    let mut header = vec![0; len.max(4)];
    input.read_exact(&mut header[4..]).map_err(error)?;
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).unwrap_or(&[0; 4]);
        bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u32::from(byte))
    };
    let mut attached = Attached::default();
    if len >= INFO {
        let (x, y) = (number(24), number(28));
        attached.resolution = Resolution::new([x, 100], [y, 100], ResolutionUnit::Centimeter);
    }
    if len < WITH_COLOURS {
        return Ok(attached);
    }
    match &number(56).to_be_bytes() {
        b"MBED" if len == WITH_PROFILE => {
            let (place, len) = (u64::from(number(112)), number(116) as usize);
            if len > MAX_BYTES {
                return Err(too_much(path));
            }
            input
                .seek(SeekFrom::Start(FILE_HEADER + place))
                .map_err(error)?;
            let mut profile = Vec::new();
            input
                .take(len as u64)
                .read_to_end(&mut profile)
                .map_err(error)?;
            attached.icc = Some(profile).filter(|icc| icc.len() == len && len > 0);
        }
        b"LINK" => attached.unread.push("the name of its profile".to_owned()),
        // The endpoints and the gamma of its colours, where there are any.
        [0, 0, 0, 0] if (60..108).step_by(4).any(|at| number(at) != 0) => {
            attached.unread.push("what its colours mean".to_owned());
        }
        _ => {}
    }
    Ok(attached)
}
