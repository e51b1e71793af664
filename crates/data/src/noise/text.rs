use ab_glyph::{Font, FontRef, ScaleFont, point};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape};

/// Height of the letters' line, from the lowest descender to the highest ascender, in pixels.
const HEIGHT_PX: std::ops::Range<f32> = 8.0..32.0;

/// Letters in a string.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=16;

/// An antialiased letter leaves a pixel alone below this: half a step of 8-bit data.
const MIN_COVERAGE: f32 = 0.5 / 255.0;

/// Every visible ASCII character.
const LETTERS: std::ops::RangeInclusive<char> = '!'..='~';

/// Text over the image: strings of random letters, length, size and colour at random places, also on
/// top of each other, until the share `p` of the pixels is covered (Lehtinen et al., "Noise2Noise",
/// section 3.3).
///
/// Letters are visible ASCII of the font DejaVu Sans, upright, lines 8 to 32 pixels high, strings 2
/// to 16 letters long and possibly cut by the border. The colour belongs to a string: each channel
/// uniform in `[0, 1)`. Letters are added until `p` is reached, so that at most the area of one is
/// too much. A letter's pixel gets its colour if the letter covers half of the pixel or more, and
/// stays else; with `antialias` it gets the mixture of both.
///
/// With `q` the share of covered pixels, `p` and the excess: mean `(1 - q)·x + q/2`, variance
/// `(1 - q)·x² + q/3 - mean²`, but for `antialias`; strongly correlated in space. A colour is
/// unrelated to the image, so up to `q = 1/2` the median is `x`: the loss is L1.
#[derive(Clone, Debug)]
pub struct Text {
    p: Level,
    antialias: bool,
    font: FontRef<'static>,
}

impl Text {
    /// Covers the share `p` of the pixels.
    ///
    /// # Errors
    /// When `p` is negative or above 0.95.
    pub fn new(p: Level, antialias: bool) -> Result<Self, NoiseError> {
        // The last uncovered pixels take longer and longer to hit.
        let p = p.checked("p", "at least 0 and at most 0.95", |p| {
            (0.0..=0.95).contains(&p)
        })?;
        let font = FontRef::try_from_slice(dejavu::sans::regular());
        Ok(Self {
            p,
            antialias,
            font: font.map_err(|_| NoiseError::Font)?,
        })
    }

    /// The share of a pixel's new value that comes from a letter.
    fn opacity(&self, coverage: f32) -> f32 {
        if !self.antialias {
            f32::from(u8::from(coverage >= 0.5))
        } else if coverage < MIN_COVERAGE {
            0.0
        } else {
            coverage.min(1.0)
        }
    }

    /// Adds one string, letter by letter, until the page has enough of them.
    fn write(&self, page: &mut Page, rng: &mut ChaCha8Rng) {
        let font = self.font.as_scaled(rng.random_range(HEIGHT_PX));
        let length = rng.random_range(LENGTH);
        let letters: Vec<_> = (0..length)
            .map(|_| font.glyph_id(rng.random_range(LETTERS)))
            .collect();
        let colour: Vec<f32> = (0..page.shape[0]).map(|_| rng.random()).collect();
        let [_, height, width] = page.shape.map(|length| length as f32);
        // As much of the string may be outside as inside, so that no place is preferred.
        let string: f32 = letters.iter().map(|&id| font.h_advance(id)).sum();
        let mut x = rng.random_range(-string..width);
        let y = rng.random_range(font.descent()..height + font.ascent());
        // No ASCII letter reaches further beyond its own width than a line is high.
        let reach = font.height();
        for id in letters {
            let start = x;
            x += font.h_advance(id);
            if page.is_full() || start > width + reach {
                break;
            }
            if x < -reach {
                continue;
            }
            let glyph = id.with_scale_and_position(font.scale(), point(start, y));
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|column, row, coverage| {
                    let at = [
                        corner.y as i64 + i64::from(row),
                        corner.x as i64 + i64::from(column),
                    ];
                    page.paint(at, &colour, self.opacity(coverage));
                });
            }
        }
    }
}

impl NoiseModel for Text {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let plane = shape[1] * shape[2];
        let mut page = Page {
            shape,
            values: image.to_vec(),
            is_covered: vec![false; plane],
            covered: 0,
            wanted: (self.p.draw(rng) * plane as f64).round() as usize,
        };
        while !page.is_full() {
            self.write(&mut page, rng);
        }
        Corrupted::without_mask(page.values)
    }
}

/// An image that is written on.
struct Page {
    shape: [usize; 3],
    values: Vec<f32>,
    /// Whether a letter was painted on a pixel.
    is_covered: Vec<bool>,
    /// Number of covered pixels, now and at the end.
    covered: usize,
    wanted: usize,
}

impl Page {
    fn is_full(&self) -> bool {
        self.covered >= self.wanted
    }

    /// Mixes a colour into the pixel at `[row, column]`, if the image has it.
    fn paint(&mut self, at: [i64; 2], colour: &[f32], opacity: f32) {
        let [_, height, width] = self.shape;
        let [Ok(row), Ok(column)] = at.map(usize::try_from) else {
            return;
        };
        if opacity == 0.0 || row >= height || column >= width {
            return;
        }
        let pixel = row * width + column;
        self.covered += usize::from(!self.is_covered[pixel]);
        self.is_covered[pixel] = true;
        for (channel, colour) in colour.iter().enumerate() {
            let value = &mut self.values[channel * height * width + pixel];
            *value += opacity * (colour - *value);
        }
    }
}
