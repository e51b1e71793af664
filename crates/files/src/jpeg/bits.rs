//! The bits of a JPEG's scan, and its codes.

/// Huffman codes.
pub(super) struct Table {
    /// For the next 16 bits, the length of the code they begin with and what it stands for; a
    /// length of 0 for none.
    codes: Vec<(u8, u8)>,
}

impl Table {
    /// Reads a table and gives what follows it.
    pub fn parse(segment: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = segment.split_first_chunk::<16>()?;
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, rest) = rest.split_at_checked(total)?;
        let lengths = (1..=16_u8).zip(counts);
        let lengths = lengths.flat_map(|(len, &count)| (0..count).map(move |_| len));
        let mut codes = Vec::with_capacity(1 << 16);
        // Codes of one length follow each other, and longer ones follow them.
        for (len, &symbol) in lengths.zip(symbols) {
            codes.resize(codes.len() + (1 << (16 - len)), (len, symbol));
            if codes.len() > 1 << 16 {
                return None;
            }
        }
        codes.resize(1 << 16, (0, 0));
        Some((Self { codes }, rest))
    }
}

/// The bits up to the next marker.
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    /// The next `count` bits are its lowest ones.
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub fn new(rest: &'a [u8]) -> Self {
        Self {
            rest,
            buffer: 0,
            count: 0,
        }
    }

    /// What the next code stands for.
    pub fn code(&mut self, table: &Table) -> Option<u8> {
        self.fill();
        let next = match self.count {
            0..16 => self.buffer << (16 - self.count),
            _ => self.buffer >> (self.count - 16),
        };
        let (len, symbol) = table.codes[(next & 0xffff) as usize];
        self.count = self.count.checked_sub(len.into())?;
        (len > 0).then_some(symbol)
    }

    /// The next `len` bits, 16 at most.
    pub fn take(&mut self, len: u32) -> Option<u32> {
        self.fill();
        self.count = self.count.checked_sub(len)?;
        Some((self.buffer >> self.count) as u32 & ((1 << len) - 1))
    }

    /// Skips that many bits.
    pub fn take_many(&mut self, len: usize) -> Option<()> {
        (0..len).try_for_each(|_| self.take(1).map(drop))
    }

    /// Goes on behind the restart marker of this number, where nothing else precedes it.
    pub fn restart(&mut self, number: usize) -> Option<()> {
        self.count -= self.count % 8;
        if self.take(8).is_some() {
            return None;
        }
        while let [0xff, 0xff, ..] = self.rest {
            self.rest = &self.rest[1..];
        }
        self.rest = self.rest.strip_prefix(&[0xff, 0xd0 + (number % 8) as u8])?;
        self.count = 0;
        Some(())
    }

    /// What follows the scan; only bytes of one value may fill it up.
    pub fn end(mut self) -> Option<&'a [u8]> {
        self.count -= self.count % 8;
        let filler = self.take(8);
        if filler.is_some() {
            while let Some(byte) = self.take(8) {
                if Some(byte) != filler {
                    return None;
                }
            }
        }
        Some(self.rest)
    }

    /// Keeps more than 16 bits at hand, as far as there are any.
    fn fill(&mut self) {
        if self.count > 16 {
            return;
        }
        if let Some((bytes, rest)) = self.rest.split_first_chunk::<4>()
            && !bytes.contains(&0xff)
        {
            self.buffer = self.buffer << 32 | u64::from(u32::from_be_bytes(*bytes));
            self.count += 32;
            self.rest = rest;
            return;
        }
        while self.count <= 16 {
            let (byte, rest) = match self.rest {
                [0xff, 0, rest @ ..] => (0xff, rest),
                [0xff, ..] | [] => return,
                [byte, rest @ ..] => (*byte, rest),
            };
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.count += 8;
            self.rest = rest;
        }
    }
}
