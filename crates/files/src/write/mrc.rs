//! MRC: one section or many.

use std::io::{Seek, SeekFrom, Write};

use super::{
    EncodeError,
    kept::Kept,
    rows::{write_all, write_samples},
};
use crate::{
    Attached, Header, Own, PictureFormat, Sample, SampleKind, Samples,
    mrc::header::{
        ANGLES, AXES, DENSITIES, EXTENDED, IMOD_FLAGS, INTERVALS, LEN, MACHINE, MAP, MODE,
        MrcHeader, RMS, SIGNED_BYTES, SIZES, VERSION, int,
    },
    with_samples,
};

/// DMIN, DMAX, DMEAN and RMS that say that nobody knows them, after MRC2014.
const UNKNOWN: [f32; 4] = [0.0, -1.0, -2.0, -1.0];

/// The version of MRC2014.
const MRC2014: i32 = 20140;

/// Writes the sections of an MRC file, one at a time. With the last one come the smallest and the largest
/// number, their mean and their deviation from it.
///
/// Unsigned bytes are of mode 0 only where the header of IMOD that is kept says so; else they become 16 bits,
/// because other programs take them for signed ones.
pub(super) struct MrcWriter<W: Write + Seek> {
    writer: W,
    kind: SampleKind,
    big_endian: bool,
    widens: bool,
    statistics: Statistics,
    /// Sections still to come.
    missing: usize,
}

impl<W: Write + Seek> MrcWriter<W> {
    /// Begins a file of `header.pages` sections; `attached` may hold the header of another one.
    pub fn new(mut writer: W, header: &Header, attached: &Attached) -> Result<Self, EncodeError> {
        PictureFormat::Mrc.supports(header)?;
        let own = match Kept::new(attached, PictureFormat::Mrc, header.channels).own {
            Some(Own::Mrc(own)) => (**own).clone(),
            _ => new_header(),
        };
        let MrcHeader {
            mut bytes,
            extended,
            big_endian,
        } = own.clone();
        let widens = header.kind == SampleKind::U8 && !own.has_unsigned_bytes();
        let mut put = |place: usize, number: i32| {
            bytes[place..place + 4].copy_from_slice(&in_order(number.to_le_bytes(), big_endian));
        };
        put(MODE, mode(header.kind, widens));
        if header.kind == SampleKind::I8 && own.is_of_imod() {
            let flags = int(&own.bytes, IMOD_FLAGS, big_endian);
            put(IMOD_FLAGS, flags | SIGNED_BYTES);
        }
        // `supports` has refused larger ones.
        let sizes = [header.width, header.height, header.pages];
        let sizes = sizes.map(|size| i32::try_from(size).unwrap_or(i32::MAX));
        let is_new = int(&bytes, SIZES, big_endian) == 0;
        let mut put = |place: usize, number: i32| {
            bytes[place..place + 4].copy_from_slice(&in_order(number.to_le_bytes(), big_endian));
        };
        for (at, size) in sizes.into_iter().enumerate() {
            put(SIZES + 4 * at, size);
            if is_new {
                // A stack of images: one section of a cell each.
                put(INTERVALS + 4 * at, if at == 2 { 1 } else { size });
            }
        }
        put(EXTENDED, extended.len() as i32);
        let statistics = Statistics::default();
        statistics.put(&mut bytes, big_endian);
        writer.write_all(&bytes)?;
        writer.write_all(&extended)?;
        Ok(Self {
            writer,
            kind: header.kind,
            big_endian,
            widens,
            statistics,
            missing: header.pages,
        })
    }

    /// Writes the next section.
    ///
    /// # Panics
    /// When it is not of the kind announced, or all sections are written.
    pub fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        assert_eq!(
            samples.kind(),
            self.kind,
            "kind of a section, and announced"
        );
        assert!(self.missing > 0, "more sections than announced");
        with_samples!(samples, samples => {
            samples.iter().for_each(|sample| self.statistics.add(sample.to_f64()));
        });
        match samples {
            Samples::U8(samples) if self.widens => {
                write_all(&mut self.writer, samples, self.big_endian, u16::from)?;
            }
            samples => write_samples(&mut self.writer, samples, self.big_endian)?,
        }
        self.missing -= 1;
        if self.missing == 0 {
            let mut bytes = vec![0; LEN];
            self.statistics.put(&mut bytes, self.big_endian);
            for (place, len) in [(DENSITIES, 12), (RMS, 4)] {
                self.writer.seek(SeekFrom::Start(place as u64))?;
                self.writer.write_all(&bytes[place..place + len])?;
            }
            self.writer.seek(SeekFrom::End(0))?;
        }
        Ok(())
    }
}

/// A header that says nothing of the images yet.
fn new_header() -> MrcHeader {
    let mut bytes = vec![0; LEN];
    let mut put = |place: usize, number: [u8; 4]| bytes[place..place + 4].copy_from_slice(&number);
    for at in 0..3 {
        put(ANGLES + 4 * at, 90_f32.to_le_bytes());
        put(AXES + 4 * at, (at as i32 + 1).to_le_bytes());
    }
    put(VERSION, MRC2014.to_le_bytes());
    put(MAP, *b"MAP ");
    put(MACHINE, [0x44, 0x44, 0, 0]);
    MrcHeader {
        bytes,
        extended: Vec::new(),
        big_endian: false,
    }
}

/// The mode of a kind that `supports` has let through.
fn mode(kind: SampleKind, widens: bool) -> i32 {
    match kind {
        SampleKind::I8 => 0,
        SampleKind::U8 if !widens => 0,
        SampleKind::I16 => 1,
        SampleKind::F16 => 12,
        SampleKind::F32 => 2,
        _ => 6,
    }
}

/// Little-endian bytes, turned where they are to be big-endian.
fn in_order(mut bytes: [u8; 4], big_endian: bool) -> [u8; 4] {
    if big_endian {
        bytes.reverse();
    }
    bytes
}

/// Of numbers as they come; those that are not finite do not count.
#[derive(Default)]
struct Statistics {
    count: f64,
    smallest: f64,
    largest: f64,
    mean: f64,
    /// The sum of squares of what differs from the mean.
    squares: f64,
}

impl Statistics {
    fn add(&mut self, number: f64) {
        if !number.is_finite() {
            return;
        }
        if self.count == 0.0 {
            (self.smallest, self.largest) = (number, number);
        }
        self.smallest = self.smallest.min(number);
        self.largest = self.largest.max(number);
        self.count += 1.0;
        // Welford's way, which does not cancel.
        let before = number - self.mean;
        self.mean += before / self.count;
        self.squares += before * (number - self.mean);
    }

    /// Puts them at their places of a header.
    fn put(&self, bytes: &mut [u8], big_endian: bool) {
        let [smallest, largest, mean, rms] = if self.count == 0.0 {
            UNKNOWN
        } else {
            let rms = (self.squares / self.count).sqrt();
            [self.smallest, self.largest, self.mean, rms].map(|number| number as f32)
        };
        let places = [DENSITIES, DENSITIES + 4, DENSITIES + 8, RMS];
        for (place, number) in places.into_iter().zip([smallest, largest, mean, rms]) {
            bytes[place..place + 4].copy_from_slice(&in_order(number.to_le_bytes(), big_endian));
        }
    }
}
