//! Whether the scans of a JPEG hold all of its blocks.
//!
//! A JPEG has no checksums, and its decoder makes up the blocks that a damaged scan lacks. Here the
//! codes of each scan are read without making pixels of them: damage soon leaves too few or too
//! many.

use super::bits::{Bits, Table};

/// Scans of a picture that are read; the decoder refuses more. Each may walk over all blocks.
const MOST_SCANS: usize = 100;

/// Whether each scan has a code for each of its blocks, all bits of all coefficients are sent, and
/// the end marker follows. More than [`MOST_SCANS`] are not looked at.
pub(super) fn are_whole(bytes: &[u8]) -> bool {
    let mut jpeg = Jpeg {
        rest: bytes,
        tables: Default::default(),
        restart_interval: 0,
        frame: None,
        scans: 0,
    };
    jpeg.walk().is_some() || jpeg.scans > MOST_SCANS
}

/// What is left of a file, and what was said before it. Its methods give `None` where it breaks
/// off.
struct Jpeg<'a> {
    rest: &'a [u8],
    /// Four of DC codes, then four of AC codes.
    tables: [Option<Table>; 8],
    /// Units between two restart markers; 0 for none.
    restart_interval: usize,
    frame: Option<Frame>,
    /// Scans so far.
    scans: usize,
}

struct Frame {
    progressive: bool,
    /// Units of all components along each axis.
    units: [usize; 2],
    components: Vec<Component>,
}

struct Component {
    id: u8,
    /// Blocks of a unit along each axis: rows, columns.
    sampling: [usize; 2],
    /// Blocks in its own rows and columns.
    blocks: [usize; 2],
    /// Blocks of a row, those that only fill the last unit included.
    stride: usize,
    /// For each block of a progressive frame, the coefficients that are not 0, as bits.
    nonzero: Vec<u64>,
    /// For each coefficient, how many of its bits are still to come.
    missing: [u8; 64],
}

/// The coefficients that a scan sends.
struct Band {
    first: usize,
    last: usize,
    /// Whether their upper bits were sent before.
    refines: bool,
    /// How many of their bits are left for later.
    left: u8,
}

impl Jpeg<'_> {
    fn walk(&mut self) -> Option<()> {
        loop {
            let marker = self.marker()?;
            match marker {
                0xd9 => break,
                // Markers that stand alone.
                0x01 | 0xd0..=0xd8 => continue,
                _ => (),
            }
            let len: usize = u16::from_be_bytes(*self.rest.first_chunk()?).into();
            let (segment, rest) = self.rest.split_at_checked(len)?;
            let segment = segment.get(2..)?;
            self.rest = rest;
            match marker {
                0xc4 => self.define_tables(segment)?,
                0xc0..=0xc2 if self.frame.is_none() => {
                    self.frame = Some(Frame::parse(segment, marker == 0xc2)?);
                }
                // Another frame, or one of a kind that is not decoded.
                0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return None,
                0xdd => self.restart_interval = u16::from_be_bytes(*segment.first_chunk()?).into(),
                0xda => {
                    self.scans += 1;
                    if self.scans > MOST_SCANS {
                        return None;
                    }
                    self.scan(segment)?;
                }
                _ => (),
            }
        }
        let components = &self.frame.as_ref()?.components;
        let whole = |component: &Component| component.missing == [0; 64];
        components.iter().all(whole).then_some(())
    }

    /// The next marker, which bytes of another meaning may precede.
    fn marker(&mut self) -> Option<u8> {
        let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff);
        let at = self.rest.windows(2).position(is_marker)?;
        let marker = self.rest[at + 1];
        self.rest = &self.rest[at + 2..];
        Some(marker)
    }

    fn define_tables(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&place, rest)) = segment.split_first() {
            let (table, rest) = Table::parse(rest)?;
            let index = usize::from(place >> 4) * 4 + usize::from(place & 15);
            *self.tables.get_mut(index).filter(|_| place & 15 < 4)? = Some(table);
            segment = rest;
        }
        Some(())
    }

    fn scan(&mut self, segment: &[u8]) -> Option<()> {
        let frame = self.frame.as_mut()?;
        let (&count, rest) = segment.split_first()?;
        let (selectors, band) = rest.split_at_checked(2 * usize::from(count))?;
        let &[first, last, shifts] = band.first_chunk()?;
        let band = if frame.progressive {
            Band::parse(first, last, shifts)?
        } else {
            Band {
                first: 0,
                last: 63,
                refines: false,
                left: 0,
            }
        };
        // Position of each component, its DC table and its AC table.
        let mut members = Vec::new();
        for selector in selectors.chunks_exact(2) {
            let mut ids = frame.components.iter().map(|component| component.id);
            let component = ids.position(|id| id == selector[0])?;
            let [dc, ac] = [selector[1] >> 4, selector[1] & 15].map(usize::from);
            members.push((component, *[0, 1, 2, 3].get(dc)?, *[4, 5, 6, 7].get(ac)?));
            frame.components[component].receive(&band)?;
        }
        let mut scan = Scan {
            bits: Bits::new(self.rest),
            band,
            progressive: frame.progressive,
            blocks_to_skip: 0,
        };
        let [rows, columns] = match members[..] {
            // A component alone is not cut into units.
            [(component, ..)] => frame.components[component].blocks,
            _ => frame.units,
        };
        if scan.band.first > 0 && members.len() != 1 {
            return None;
        }
        for unit in 0..rows * columns {
            if self.restart_interval > 0 && unit > 0 && unit % self.restart_interval == 0 {
                scan.bits.restart(unit / self.restart_interval - 1)?;
                scan.blocks_to_skip = 0;
            }
            let [row, column] = [unit / columns, unit % columns];
            for &(component, dc, ac) in &members {
                let component = &mut frame.components[component];
                let tables = [dc, ac].map(|table| self.tables[table].as_ref());
                let [high, wide] = match members.len() {
                    1 => [1, 1],
                    _ => component.sampling,
                };
                for block in 0..high * wide {
                    let [row, column] = [row * high + block / wide, column * wide + block % wide];
                    let place = row * component.stride + column;
                    let mut none = 0;
                    let nonzero = component.nonzero.get_mut(place).unwrap_or(&mut none);
                    scan.block(tables, nonzero)?;
                }
            }
        }
        self.rest = scan.bits.end()?;
        Some(())
    }
}

impl Frame {
    fn parse(segment: &[u8], progressive: bool) -> Option<Self> {
        let (&[_precision, h1, h0, w1, w0, count], rest) = segment.split_first_chunk()?;
        let [height, width] =
            [[h1, h0], [w1, w0]].map(|size| usize::from(u16::from_be_bytes(size)));
        let parts = rest.get(..3 * usize::from(count))?.chunks_exact(3);
        let samplings = parts.map(|part| (part[0], [part[1] & 15, part[1] >> 4].map(usize::from)));
        let samplings: Vec<_> = samplings.collect();
        let most = |axis: usize| samplings.iter().map(|(_, sampling)| sampling[axis]).max();
        let most = [most(0)?, most(1)?];
        if height == 0 || samplings.iter().any(|(_, sampling)| sampling.contains(&0)) {
            return None;
        }
        let units = [height.div_ceil(8 * most[0]), width.div_ceil(8 * most[1])];
        let component = |(id, sampling): (u8, [usize; 2])| {
            let stride = units[1] * sampling[1];
            let kept = if progressive {
                units[0] * sampling[0] * stride
            } else {
                0
            };
            Component {
                id,
                sampling,
                blocks: [
                    (height * sampling[0]).div_ceil(8 * most[0]),
                    (width * sampling[1]).div_ceil(8 * most[1]),
                ],
                stride,
                nonzero: vec![0; kept],
                missing: [u8::MAX; 64],
            }
        };
        Some(Self {
            progressive,
            units,
            components: samplings.into_iter().map(component).collect(),
        })
    }
}

impl Component {
    /// Notes what a scan sends of it, which must not have come before.
    fn receive(&mut self, band: &Band) -> Option<()> {
        let expected = if band.refines { band.left + 1 } else { u8::MAX };
        for missing in &mut self.missing[band.first..=band.last] {
            if *missing != expected {
                return None;
            }
            *missing = band.left;
        }
        Some(())
    }
}

impl Band {
    fn parse(first: u8, last: u8, shifts: u8) -> Option<Self> {
        let (before, left) = (shifts >> 4, shifts & 15);
        // The first coefficient has separate scans.
        let in_range = if first == 0 {
            last == 0
        } else {
            first <= last && last < 64
        };
        let in_steps = before == 0 || before == left + 1;
        (in_range && in_steps).then_some(Self {
            first: first.into(),
            last: last.into(),
            refines: before > 0,
            left,
        })
    }
}

/// A scan in reading.
struct Scan<'a> {
    bits: Bits<'a>,
    band: Band,
    progressive: bool,
    /// Blocks without new coefficients that are announced and still to come.
    blocks_to_skip: u32,
}

impl Scan<'_> {
    /// Reads past one block, with its DC and AC tables.
    fn block(&mut self, tables: [Option<&Table>; 2], nonzero: &mut u64) -> Option<()> {
        let [dc, ac] = tables;
        match (self.band.first, self.band.refines) {
            (0, true) => {
                self.bits.take(1)?;
            }
            (0, false) => {
                let len = self.bits.code(dc?)?;
                self.bits.take(len.into())?;
            }
            _ => (),
        }
        match (self.progressive, self.band.first, self.band.refines) {
            (false, ..) => self.coefficients(1, ac?, nonzero),
            (true, 0, _) => Some(()),
            (true, first, false) => self.coefficients(first, ac?, nonzero),
            (true, first, true) => self.refinements(first, ac?, nonzero),
        }
    }

    /// The first bits of a block's coefficients.
    fn coefficients(&mut self, first: usize, ac: &Table, nonzero: &mut u64) -> Option<()> {
        if self.blocks_to_skip > 0 {
            self.blocks_to_skip -= 1;
            return Some(());
        }
        let mut at = first;
        while at <= self.band.last {
            let (zeros, len) = self.run(ac)?;
            match (zeros, len) {
                (15, 0) => at += 16,
                (_, 0) => {
                    self.blocks_to_skip = self.announced(zeros)? - 1;
                    break;
                }
                _ => {
                    at += zeros;
                    if at > self.band.last {
                        return None;
                    }
                    self.bits.take(len)?;
                    *nonzero |= 1 << at;
                    at += 1;
                }
            }
        }
        Some(())
    }

    /// One more bit of each coefficient that is not 0, and those that now are not.
    fn refinements(&mut self, first: usize, ac: &Table, nonzero: &mut u64) -> Option<()> {
        let mut at = first;
        while at <= self.band.last && self.blocks_to_skip == 0 {
            let (mut zeros, len) = self.run(ac)?;
            if len == 0 && zeros < 15 {
                self.blocks_to_skip = self.announced(zeros)?;
                break;
            }
            // The sign of the new coefficient.
            self.bits.take(len.min(1))?;
            while at <= self.band.last {
                if *nonzero >> at & 1 == 1 {
                    self.bits.take(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                at += 1;
            }
            if len > 0 {
                if at > self.band.last {
                    return None;
                }
                *nonzero |= 1 << at;
            }
            at += 1;
        }
        if self.blocks_to_skip > 0 {
            let rest = (at..=self.band.last).filter(|&at| *nonzero >> at & 1 == 1);
            self.bits.take_many(rest.count())?;
            self.blocks_to_skip -= 1;
        }
        Some(())
    }

    /// A code for zeros and the length of the number behind them.
    fn run(&mut self, ac: &Table) -> Option<(usize, u32)> {
        let code = self.bits.code(ac)?;
        Some((usize::from(code >> 4), u32::from(code & 15)))
    }

    /// How many blocks, this one included, have no further coefficients.
    fn announced(&mut self, len: usize) -> Option<u32> {
        match (self.progressive, len) {
            (false, 0) => Some(1),
            (false, _) => None,
            (true, _) => Some((1 << len) + self.bits.take(len as u32)?),
        }
    }
}
