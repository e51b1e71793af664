//! FITS: images and cubes of telescopes.

use std::path::Path;

use self::{
    card::{Card, find, keyword},
    hdu::Hdu,
    stored::Stored,
};
use crate::{
    Attached, Axis, FileError, Header, Own, Raster, SampleKind, Stack,
    element::Element,
    input::{Input, truncated, unsupported},
    sections::Sections,
    stack::check_index,
};

pub(crate) mod card;
pub(crate) mod hdu;
pub(crate) mod stored;

/// How a file begins.
pub(crate) const START: &[u8] = b"SIMPLE  =";

/// Cards that speak of the numbers in a file, and of no others.
const OF_NUMBERS: [&[u8]; 4] = [b"CHECKSUM", b"DATASUM", b"DATAMIN", b"DATAMAX"];

/// The planes of the first image of a FITS file: that of its first part, else of its first extension of
/// images. Rows are as they are stored.
pub struct FitsStack {
    sections: Sections,
    stored: Stored,
    /// What all planes have in common.
    header: Header,
    /// The axes of the planes, the slowest first.
    axes: Vec<(Axis, usize)>,
    /// What stands beside them.
    attached: Attached,
}

/// The header of an image of FITS, which its results keep.
#[derive(Clone, Debug, PartialEq)]
pub struct FitsHeader {
    /// The header before it, where the image is an extension, in whole blocks.
    pub(crate) primary: Option<Vec<u8>>,
    /// The cards, without that of the end and those that only speak of the old numbers.
    pub(crate) cards: Vec<Card>,
}

impl FitsStack {
    /// Opens the file and reads the headers of all its parts.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or too short, or has no image of two axes or more that is
    /// not compressed.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let input = Input::open_unpacked(path)?;
        let Found {
            hdu,
            primary,
            others,
        } = find_image(&input)?;
        let (kind, stored, header_kind) = Stored::of(&hdu, path)?;
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let [width, height] = [size(hdu.axes[0]), size(hdu.axes[1])];
        // That of all axes is no larger than 64 bits hold, or the header would not have been read.
        let pages = size(hdu.axes[2..].iter().product());
        let axes = hdu.axes.iter().enumerate().skip(2).rev();
        let axes: Vec<_> = axes
            .map(|(axis, &len)| (told(&hdu.cards, axis + 1), size(len)))
            .collect();
        let sections = Sections::new(
            input,
            hdu.data,
            Element::new(kind, true),
            [pages, height, width],
        )?;
        let header = Header {
            kind: header_kind,
            ..*sections.header()
        };
        header.check_size(header_kind.bytes(), path)?;
        let (numbers, cards): (Vec<Card>, Vec<Card>) = hdu
            .cards
            .into_iter()
            .partition(|card| OF_NUMBERS.contains(&keyword(card)));
        let mut unread = Vec::new();
        if let (Stored::Scaled { .. }, Some(_)) = (stored, kind.bounds()) {
            let bits = hdu.bits;
            unread.push(format!(
                "its integers of {bits} bits with BSCALE, BZERO or BLANK, which become {header_kind}"
            ));
        } else if stored != Stored::Plain && kind.is_float() {
            unread.push("its BSCALE and BZERO of floats, which are put into them".to_owned());
        }
        if !numbers.is_empty() {
            let names = numbers
                .iter()
                .map(|card| String::from_utf8_lossy(keyword(card)));
            unread.push(format!("its {}", names.collect::<Vec<_>>().join(", ")));
        }
        if others > 0 {
            unread.push(format!("other parts of its FITS file ({others})"));
        }
        Ok(Self {
            sections,
            stored,
            header,
            axes,
            attached: Attached {
                own: Some(Own::Fits(Box::new(FitsHeader { primary, cards }))),
                unread,
                ..Attached::default()
            },
        })
    }

    /// The header, which belongs to all planes.
    pub fn attached(&self) -> &Attached {
        &self.attached
    }

    pub(crate) fn axes(&self) -> &[(Axis, usize)] {
        &self.axes
    }

    pub(crate) fn header(&self) -> Header {
        self.header
    }
}

/// What an axis stands for, after the card of its kind of coordinate.
fn told(cards: &[Card], axis: usize) -> Axis {
    const TIMES: [&str; 8] = ["TIME", "UTC", "UT1", "TAI", "TT", "TDB", "MJD", "JD"];
    const SPECTRA: [&str; 13] = [
        "FREQ", "ENER", "WAVN", "VRAD", "WAVE", "VOPT", "ZOPT", "AWAV", "VELO", "BETA", "FELO",
        "STOKES", "LAMBDA",
    ];
    let kind = find(cards, &format!("CTYPE{axis}")).unwrap_or_default();
    // Behind it, the way in which it was sampled.
    let kind = kind.split('-').next().unwrap_or_default().trim();
    if kind == "RGB" {
        Axis::Channel
    } else if TIMES.contains(&kind) {
        Axis::Time
    } else if SPECTRA.contains(&kind) {
        Axis::Depth
    } else {
        Axis::Unknown
    }
}

impl Stack for FitsStack {
    fn path(&self) -> &Path {
        self.sections.path()
    }

    fn len(&self) -> usize {
        self.header.pages
    }

    fn shape(&self) -> [usize; 3] {
        self.header.shape()
    }

    fn kind(&self) -> SampleKind {
        self.header.kind
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        check_index(self, index);
        let stored = self.sections.read(index)?;
        let samples = self.stored.apply(stored, self.header.kind);
        Ok(Raster::from_planes(samples, self.shape(), false))
    }
}

impl FitsHeader {
    /// What it says that is more than the form of the image, in words.
    pub(crate) fn words(&self) -> Vec<String> {
        let is_form = |card: &Card| {
            let keyword = keyword(card);
            let of_form: [&[u8]; 9] = [
                b"SIMPLE",
                b"XTENSION",
                b"BITPIX",
                b"EXTEND",
                b"PCOUNT",
                b"GCOUNT",
                b"BSCALE",
                b"BZERO",
                b"BLANK",
            ];
            keyword.is_empty() || keyword.starts_with(b"NAXIS") || of_form.contains(&keyword)
        };
        let says_more = self.primary.is_some() || !self.cards.iter().all(is_form);
        says_more
            .then(|| "the cards of its FITS header".to_owned())
            .into_iter()
            .collect()
    }
}

/// An image in a file.
struct Found {
    hdu: Hdu,
    /// The header of the first part, where the image is not in it.
    primary: Option<Vec<u8>>,
    /// Parts with data that are not the image.
    others: usize,
}

/// Looks through the parts of a file.
fn find_image(input: &Input) -> Result<Found, FileError> {
    let path = input.path();
    let (mut found, mut primary, mut others) = (None, None, 0);
    let (mut start, mut compressed) = (0_u64, false);
    while input.holds(start.saturating_add(1))? {
        let hdu = match Hdu::read(input, start) {
            Ok(hdu) => hdu,
            // What stands behind the image does not spoil it.
            Err(_) if found.is_some() => {
                others += 1;
                break;
            }
            Err(error) => return Err(error),
        };
        let (end, next) = (hdu.end(), hdu.next());
        let is_held = end.map_or(Ok(false), |end| input.holds(end))?;
        if found.is_none() && !is_held {
            return Err(truncated(path, "its pixels"));
        }
        if found.is_none() && hdu.is_image() {
            found = Some(hdu);
        } else {
            compressed |= hdu.is_compressed_image();
            let is_empty = hdu.data_len == 0;
            if start == 0 && is_empty {
                let mut bytes = vec![0; hdu.data as usize];
                input.read_exact_at(0, &mut bytes, "its header")?;
                primary = Some(bytes);
            }
            others += usize::from(!is_empty);
        }
        match next {
            Some(next) => start = next,
            None => break,
        }
    }
    match found {
        Some(hdu) => {
            let is_extension = card::find(&hdu.cards, "XTENSION").is_some();
            let primary = is_extension.then(|| primary.unwrap_or_else(hdu::empty));
            Ok(Found {
                hdu,
                primary,
                others,
            })
        }
        None if compressed => {
            let way_out = "unpack it with funpack";
            Err(unsupported(path, "an image compressed in a table", way_out))
        }
        None => Err(FileError::Empty {
            path: path.to_owned(),
        }),
    }
}
