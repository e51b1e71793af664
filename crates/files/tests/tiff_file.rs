//! TIFF files made of tags, little-endian and with offsets of 32 bits.

/// Tags, and values of some.
pub const NEW_SUBFILE_TYPE: u16 = 254;
pub const BITS: u16 = 258;
pub const COMPRESSION: u16 = 259;
pub const PHOTOMETRIC: u16 = 262;
pub const DESCRIPTION: u16 = 270;
pub const SAMPLES: u16 = 277;
const SUB_IFDS: u16 = 330;
pub const BLACK_IS_ZERO: u16 = 1;
pub const RGB: u16 = 2;

/// A directory, in the order of its tags.
#[derive(Clone)]
pub struct Page {
    tags: Vec<(u16, Value)>,
    /// Tags of the places and lengths of strips or tiles.
    places: [u16; 2],
    chunks: Vec<Vec<u8>>,
    below: Vec<Page>,
}

/// Values of a tag.
#[derive(Clone)]
enum Value {
    Shorts(Vec<u16>),
    Longs(Vec<u32>),
    /// With the number of their type.
    Bytes(u16, Vec<u8>),
}

impl Page {
    /// Grey bytes in strips of so many rows.
    pub fn new([width, height]: [u16; 2], rows: u16, strips: Vec<Vec<u8>>) -> Self {
        Self::of([width, height], [273, 279], strips)
            .shorts(BITS, &[8])
            .shorts(PHOTOMETRIC, &[BLACK_IS_ZERO])
            .shorts(278, &[rows])
    }

    /// Grey bytes in one tile, as large as the image or larger.
    pub fn tiled([width, height]: [u16; 2], tile: [u16; 2], bytes: Vec<u8>) -> Self {
        Self::of([width, height], [324, 325], vec![bytes])
            .shorts(BITS, &[8])
            .shorts(PHOTOMETRIC, &[BLACK_IS_ZERO])
            .shorts(322, &[tile[0]])
            .shorts(323, &[tile[1]])
    }

    fn of([width, height]: [u16; 2], places: [u16; 2], chunks: Vec<Vec<u8>>) -> Self {
        let page = Self {
            tags: vec![],
            places,
            chunks,
            below: vec![],
        };
        page.shorts(256, &[width]).shorts(257, &[height])
    }

    /// Sets numbers of 16 bits.
    #[must_use]
    pub fn shorts(self, tag: u16, numbers: &[u16]) -> Self {
        self.set(tag, Value::Shorts(numbers.to_vec()))
    }

    /// Sets bytes of a type: 1 for plain ones, 2 for text, 7 for any.
    #[must_use]
    pub fn bytes(self, tag: u16, kind: u16, bytes: &[u8]) -> Self {
        self.set(tag, Value::Bytes(kind, bytes.to_vec()))
    }

    /// Sets three samples per pixel of bytes.
    #[must_use]
    pub fn rgb(self) -> Self {
        self.shorts(BITS, &[8; 3])
            .shorts(PHOTOMETRIC, &[RGB])
            .shorts(SAMPLES, &[3])
    }

    /// Adds a directory below.
    #[must_use]
    pub fn with_below(mut self, page: Page) -> Self {
        self.below.push(page);
        self
    }

    fn set(mut self, tag: u16, value: Value) -> Self {
        self.tags.retain(|(found, _)| *found != tag);
        self.tags.push((tag, value));
        self
    }
}

/// A file of these pages; pixels come behind the directories of all, and `behind` at the very end.
pub fn file(pages: &[Page], behind: &[u8]) -> Vec<u8> {
    let mut file = b"II*\0\0\0\0\0".to_vec();
    // Where the place of the next directory is to be written, and where places of pixels are.
    let (mut next, mut chunks) = (4, Vec::new());
    for page in pages {
        let (place, end) = directory(&mut file, page, &mut chunks);
        file[next..][..4].copy_from_slice(&place.to_le_bytes());
        next = end;
    }
    for (at, bytes) in chunks {
        let place = file.len() as u32;
        file[at..][..4].copy_from_slice(&place.to_le_bytes());
        file.extend(bytes);
    }
    file.extend(behind);
    file
}

/// Appends a directory; gives its place and that of the offset of the next one.
fn directory(file: &mut Vec<u8>, page: &Page, chunks: &mut Vec<(usize, Vec<u8>)>) -> (u32, usize) {
    let below = page.below.iter();
    let below: Vec<u32> = below.map(|page| directory(file, page, chunks).0).collect();
    let lens = page.chunks.iter().map(|chunk| chunk.len() as u32).collect();
    let mut tags = page.tags.clone();
    let [places, counts] = page.places;
    tags.push((places, Value::Longs(vec![0; page.chunks.len()])));
    tags.push((counts, Value::Longs(lens)));
    if !below.is_empty() {
        tags.push((SUB_IFDS, Value::Longs(below)));
    }
    tags.sort_by_key(|(tag, _)| *tag);
    let place = file.len();
    let mut entries = (tags.len() as u16).to_le_bytes().to_vec();
    let mut values: Vec<u8> = Vec::new();
    let end = place + 2 + 12 * tags.len();
    for (tag, value) in tags {
        let (kind, size, bytes) = match value {
            Value::Shorts(found) => (3, 2, found.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Value::Longs(found) => (4, 4, found.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Value::Bytes(kind, found) => (kind, 1, found),
        };
        let bytes: Vec<u8> = bytes;
        entries.extend(tag.to_le_bytes());
        entries.extend(kind.to_le_bytes());
        entries.extend(((bytes.len() / size) as u32).to_le_bytes());
        let at = if bytes.len() > 4 {
            let at = end + 4 + values.len();
            entries.extend((at as u32).to_le_bytes());
            values.extend(&bytes);
            at
        } else {
            let at = place + entries.len();
            entries.extend(&bytes);
            entries.extend(vec![0; 4 - bytes.len()]);
            at
        };
        if tag == places {
            let chunks_here = (0..).step_by(4).map(|step| at + step);
            chunks.extend(chunks_here.zip(page.chunks.iter().cloned()));
        }
    }
    file.extend(entries);
    file.extend([0; 4]);
    file.extend(values);
    (place as u32, end)
}
