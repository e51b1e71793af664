//! TFRecord: how messages follow each other in a file.
//!
//! Source: <https://www.tensorflow.org/tutorials/load_data/tfrecord>.

use n2n_files::crc32c;

/// Added to a checksum, so that a checksum of bytes that hold checksums is no trivial one.
const MASK: u32 = 0xa282_ead8;

/// Frames a message: its length, the checksum of that, the message, its checksum.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), message, &masked(message)].concat()
}

fn masked(bytes: &[u8]) -> [u8; 4] {
    let rotated = crc32c(bytes).rotate_right(15);
    rotated.wrapping_add(MASK).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first record of a file of `tensorboard.summary.writer.record_writer`, one second after 1970.
    const RECORD: [u8; 40] = *b"\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\
        \x09\0\0\0\0\0\0\xf0\x3f\x1a\x0dbrain.Event:2\x86\xbf\x57\x7a";

    #[test]
    fn frames_are_those_of_tensorboards_own_writer() {
        assert_eq!(framed(&RECORD[12..36]), RECORD);
    }
}
