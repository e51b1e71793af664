//! The memory that pictures take: one budget for those that all threads decode at once, and how much
//! reading and writing one takes.

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::{
    FileError, Header, PictureFormat, exr,
    input::{caught, read_error},
    picture, tiff,
};

/// Bytes of decoded pixels that threads work on at once; one picture alone may have more. Decoders hold
/// up to four times as many: their own, those in planes, the compressed file.
const BUDGET: u64 = 192 << 20;

static USED: Mutex<u64> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

/// Bytes of memory that reading a picture takes at most, its samples included; `header` is what
/// [`read_header`](crate::read_header) says.
///
/// # Errors
/// When the file cannot be read, or is in no known format.
pub fn reading_bytes(path: &Path, header: &Header) -> Result<u64, FileError> {
    let samples = header.decoded_bytes();
    let (input, format) = picture::open(path)?;
    Ok(match format {
        // The file, and the coefficients of all pixels, in 2 bytes each.
        PictureFormat::Jpeg => {
            let metadata = input.get_ref().metadata();
            let file = metadata.map_err(|error| read_error(error, path, "the file"))?;
            file.len() + 3 * samples
        }
        // Pixels with alpha, whether there is any or not, of a frame and of the canvas.
        PictureFormat::WebP => 4 * samples,
        PictureFormat::Exr => samples + caught(path, || exr::block_bytes(path))?,
        PictureFormat::Tiff => 2 * samples + caught(path, || tiff::unpacking_bytes(path))?,
        // As they are.
        PictureFormat::Mrc => samples,
        // Pixel by pixel, and plane by plane.
        _ => 2 * samples,
    })
}

impl PictureFormat {
    /// Bytes of memory that [`write_picture`](crate::write_picture) takes at most, the samples that it is
    /// given included.
    pub fn writing_bytes(self, header: &Header) -> u64 {
        let samples = header.decoded_bytes();
        let pixel = (header.height * header.width * header.kind.bytes()) as u64;
        let pixels = match header.channels {
            1 => samples + 2 * pixel,
            _ => samples,
        };
        match self {
            // Row by row.
            Self::Png | Self::Mrc => samples,
            // Of other signs, or compressed.
            Self::Tiff | Self::Jpeg | Self::Fits => 2 * samples,
            // Its encoder keeps up to a quarter more on its way, as measured.
            Self::Exr => 2 * samples + samples / 4,
            // As RGB.
            Self::Bmp | Self::Hdr => samples + pixels,
            // A file in memory that grows by doubling, of pixels that may not shrink at all.
            Self::WebP => 4 * samples,
        }
    }
}

/// A part of the budget, given back when it is dropped.
pub(crate) struct Share(u64);

/// Waits until `bytes` more fit into the budget, or no other picture is being decoded.
pub(crate) fn share(bytes: u64) -> Share {
    let used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |used: &mut u64| *used == 0 || *used + bytes <= BUDGET;
    let waited = GIVEN_BACK.wait_while(used, |used| !fits(used));
    *waited.unwrap_or_else(PoisonError::into_inner) += bytes;
    Share(bytes)
}

impl Drop for Share {
    fn drop(&mut self) {
        *USED.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        GIVEN_BACK.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn shares_at_once_stay_within_the_budget() {
        let (at_once, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let work = |bytes: u64| {
            let _share = share(bytes);
            let now = at_once.fetch_add(bytes, Ordering::SeqCst) + bytes;
            most.fetch_max(now, Ordering::SeqCst);
            thread::yield_now();
            at_once.fetch_sub(bytes, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            for number in 1..=16 {
                scope.spawn(move || (0..50).for_each(|_| work(number * BUDGET / 20)));
            }
        });
        assert!(most.into_inner() <= BUDGET);
        // Alone, a larger one is let through.
        let _share = share(3 * BUDGET);
    }
}
