//! The leaves of a scene: outline, edge, colour and texture. Lengths are in pixels of the final
//! image.

use std::f32::consts::{PI, TAU};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{ScenesConfig, log_uniform, normal, texture::Texture};

/// Smallest and largest radius, as shares of the image's size (the root of its area): about one
/// pixel of 32, and almost the whole image.
const RADII: [f32; 2] = [0.03, 0.9];

/// Unless told otherwise, least and most of the scene's zoom: some scenes are all detail, some a few
/// calm areas.
pub(super) const ZOOMS: [f64; 2] = [0.6, 3.5];

/// Sum of the leaves' areas over that of the image. Leaves fall at random, so a share `exp(-2.5)`,
/// 8 %, of the image stays uncovered and shows the background; more leaves cost time and stay
/// hidden.
const DEPTH: f32 = 2.5;

/// Ratio of the axes of an ellipse, at least; thinner ones look like lines.
const FLATTEST: f32 = 0.3;

/// Sides of a polygon, and how far each is turned, as a share of the angle between sides, and
/// moved, as a share of the radius, from those of the regular one.
const SIDES: [usize; 2] = [4, 7];
const TURN: f32 = 0.25;
const MOVE: f32 = 0.4;

/// A polygon's corners are cut off this many radii away from its centre: turned sides may meet
/// far outside.
const CORNER: f32 = 1.6;

/// Share of the leaves that are out of focus, and the width of their edges in pixels. Hard edges
/// make the heavy tails of the noise; soft ones make gradients without noise.
const SOFT_SHARE: f32 = 0.25;
const SOFT_WIDTHS: [f32; 2] = [0.5, 6.0];

/// Luminance of a scene: mean and standard deviation over scenes of its level, range of its
/// contrast (the standard deviation over its leaves). The 0.25 of photographs, over all pixels, is
/// the sum of both.
const LEVEL: [f32; 2] = [0.46, 0.12];
const CONTRASTS: [f32; 2] = [0.07, 0.3];

/// Standard deviation of the difference in luminance between the middle of a scene and its edge, as
/// between a sky and a ground: photographs have more contrast between far points than leaves alone
/// give.
const SLOPE: f32 = 0.15;

/// Standard deviations of the two colour differences, red to blue and green to purple, relative to
/// the luminance: of the scene, and of its leaves. They are small, so that the channels of the
/// noise are almost fully correlated; the second is the smaller, as it is under daylight.
const SCENE_CHROMA: [f32; 2] = [0.2, 0.06];
const LEAF_CHROMA: [f32; 2] = [0.1, 0.05];

/// Share of leaves without texture: calm areas, where there is no noise.
const FLAT_SHARE: f32 = 0.25;

/// Unless told otherwise, least and most of the textures' contrast. This sets the noise of the whole
/// set: with these values noisy images have 20.7 dB, like the photographs of the reference.
pub(super) const TEXTURES: [f64; 2] = [0.15, 0.55];

/// A shape painted with one colour and one texture.
pub(super) struct Leaf {
    centre: [f32; 2],
    outline: Outline,
    /// No point of the leaf is farther from its centre, along x or along y.
    reach: f32,
    /// Width of the edge, 0 if it is hard.
    pub softness: f32,
    pub colour: [f32; 3],
    pub texture: Texture,
    /// Standard deviation of the texture, relative to the colour.
    pub contrast: f32,
}

enum Outline {
    /// Points with `a x^2 + 2 b x y + c y^2 <= 1` around the centre, and the shorter axis.
    Ellipse { a: f32, b: f32, c: f32, axis: f32 },
    /// Points with `x nx + y ny <= distance` around the centre, for every side.
    Polygon {
        sides: [[f32; 3]; SIDES[1]],
        len: usize,
    },
}

/// What the leaves of one scene have in common.
struct Theme {
    middle: [f32; 2],
    radii: [f32; 2],
    level: f32,
    /// Change of luminance per pixel, along x and y.
    slope: [f32; 2],
    contrast: f32,
    chroma: [f32; 2],
    leaf_chroma: [f32; 2],
    texture: f32,
    grain: f32,
}

/// The leaves of a scene, front first; the last is the background, larger than the image.
pub(super) fn scene(config: &ScenesConfig, rng: &mut ChaCha8Rng) -> Vec<Leaf> {
    let (height, width) = (config.height as f32, config.width as f32);
    let theme = Theme::random(config, rng);
    let mut leaves = Vec::with_capacity(512);
    let mut area = 0.0;
    while area < DEPTH * height * width {
        let radius = power_law(theme.radii, rng);
        area += PI * radius * radius;
        let centre = [(width, radius), (height, radius)]
            .map(|(len, radius)| rng.random_range(-radius..len + radius));
        leaves.push(theme.leaf(centre, radius, rng));
    }
    let mut background = theme.leaf(theme.middle, 1.0, rng);
    background.outline = Outline::ellipse([height + width; 2], 0.0);
    background.reach = height + width;
    background.softness = 0.0;
    leaves.push(background);
    leaves
}

/// A number with the density `r^-3`, for which images look alike at every scale.
fn power_law([least, most]: [f32; 2], rng: &mut ChaCha8Rng) -> f32 {
    let (least, most) = (least.powi(-2), most.powi(-2));
    (least + (most - least) * rng.random::<f32>()).powf(-0.5)
}

impl Theme {
    fn random(config: &ScenesConfig, rng: &mut ChaCha8Rng) -> Self {
        let (height, width) = (config.height as f32, config.width as f32);
        let size = (height * width).sqrt();
        let [zoom, texture] =
            [config.zoom, config.texture].map(|range| range.map(|end| end as f32));
        let chroma = config.chroma as f32;
        let zoom = log_uniform(zoom[0], zoom[1], rng);
        Self {
            middle: [width / 2.0, height / 2.0],
            radii: [RADII[0] * zoom * size, RADII[1] * size],
            level: LEVEL[0] + LEVEL[1] * normal(rng),
            slope: [width, height].map(|len| SLOPE * normal(rng) / (len / 2.0)),
            contrast: rng.random_range(CONTRASTS[0]..CONTRASTS[1]),
            chroma: SCENE_CHROMA.map(|deviation| chroma * deviation * normal(rng)),
            leaf_chroma: LEAF_CHROMA.map(|deviation| chroma * deviation),
            texture: log_uniform(texture[0], texture[1], rng),
            grain: config.grain as f32,
        }
    }

    fn leaf(&self, centre: [f32; 2], radius: f32, rng: &mut ChaCha8Rng) -> Leaf {
        let (outline, reach) = Outline::random(radius, rng);
        let softness = if rng.random::<f32>() < SOFT_SHARE {
            log_uniform(SOFT_WIDTHS[0], SOFT_WIDTHS[1], rng).min(radius)
        } else {
            0.0
        };
        let contrast = if rng.random::<f32>() < FLAT_SHARE {
            0.0
        } else {
            self.texture * normal(rng).abs()
        };
        Leaf {
            centre,
            outline,
            // The edge of an ellipse widens towards its far ends, by the ratio of its axes.
            reach: reach + softness / 2.0 / FLATTEST,
            softness,
            colour: self.colour(centre, rng),
            texture: Texture::random(self.grain, rng),
            contrast,
        }
    }

    /// A luminance, and two differences relative to it: red to blue, and green to both.
    fn colour(&self, centre: [f32; 2], rng: &mut ChaCha8Rng) -> [f32; 3] {
        let slope = |axis: usize| self.slope[axis] * (centre[axis] - self.middle[axis]);
        let luminance = self.level + slope(0) + slope(1) + self.contrast * normal(rng);
        let luminance = luminance.clamp(0.02, 0.98);
        let warm = self.chroma[0] + self.leaf_chroma[0] * normal(rng);
        let purple = self.chroma[1] + self.leaf_chroma[1] * normal(rng);
        [warm + purple, -purple, purple - warm].map(|difference| luminance * (1.0 + difference))
    }
}

impl Outline {
    /// A disc, an ellipse or a polygon, with equal shares, and its reach.
    fn random(radius: f32, rng: &mut ChaCha8Rng) -> (Self, f32) {
        match rng.random_range(0..3) {
            0 => (Self::ellipse([radius; 2], 0.0), radius),
            1 => {
                let flatness = rng.random_range(FLATTEST..1.0_f32).sqrt();
                let axes = [radius / flatness, radius * flatness];
                (Self::ellipse(axes, TAU * rng.random::<f32>()), axes[0])
            }
            _ => (Self::polygon(radius, rng), CORNER * radius),
        }
    }

    fn ellipse(axes: [f32; 2], angle: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        let [p, q] = axes.map(|axis| axis.powi(-2));
        Self::Ellipse {
            a: p * cos * cos + q * sin * sin,
            b: (p - q) * sin * cos,
            c: p * sin * sin + q * cos * cos,
            axis: axes[1],
        }
    }

    fn polygon(radius: f32, rng: &mut ChaCha8Rng) -> Self {
        let len = rng.random_range(SIDES[0]..=SIDES[1]);
        let start = rng.random::<f32>();
        let mut sides = [[0.0; 3]; SIDES[1]];
        for (i, side) in sides[..len].iter_mut().enumerate() {
            let turn = start + i as f32 + rng.random_range(-TURN..TURN);
            let (sin, cos) = (TAU * turn / len as f32).sin_cos();
            *side = [cos, sin, radius * (1.0 + rng.random_range(-MOVE..MOVE))];
        }
        Self::Polygon { sides, len }
    }
}

impl Leaf {
    /// Whether the leaf can touch a row between `top` and `bottom`.
    pub fn reaches(&self, top: f32, bottom: f32) -> bool {
        self.centre[1] + self.reach >= top && self.centre[1] - self.reach <= bottom
    }

    /// Where the row `y` enters and leaves the outline, moved outwards by `grow`.
    pub fn span(&self, y: f32, grow: f32) -> Option<(f32, f32)> {
        let y = y - self.centre[1];
        if y.abs() > self.reach {
            return None;
        }
        let (mut from, mut to) = (-self.reach, self.reach);
        match &self.outline {
            Outline::Ellipse { a, b, c, axis } => {
                let size = (1.0 + grow / axis).max(0.0).powi(2);
                let root = (b * b * y * y - a * (c * y * y - size)).sqrt();
                (from, to) = ((-b * y - root) / a, (-b * y + root) / a);
            }
            Outline::Polygon { sides, len } => {
                for [nx, ny, distance] in &sides[..*len] {
                    let x = (distance + grow - ny * y) / nx;
                    if *nx > 0.0 {
                        to = to.min(x)
                    } else {
                        from = from.max(x)
                    }
                }
            }
        }
        // False also where a root of a negative number made them NaN.
        (from <= to).then_some((from + self.centre[0], to + self.centre[0]))
    }

    /// How much of the light from behind a soft leaf it holds back, 0 to 1: a ramp across the
    /// outline.
    pub fn coverage(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x - self.centre[0], y - self.centre[1]);
        let inside = match &self.outline {
            Outline::Ellipse { a, b, c, axis } => {
                axis * (1.0 - (a * x * x + 2.0 * b * x * y + c * y * y).sqrt())
            }
            Outline::Polygon { sides, len } => sides[..*len]
                .iter()
                .map(|[nx, ny, distance]| distance - x * nx - y * ny)
                .fold(f32::INFINITY, f32::min),
        };
        (inside / self.softness + 0.5).clamp(0.0, 1.0)
    }
}
