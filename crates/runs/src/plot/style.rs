//! Colours, dashes and markers: each curve is known by its marker and dashes too, without its colour.

use plotters::style::RGBColor;

/// Colours that also differ for the colour-blind: Okabe and Ito, "Color Universal Design" (2008).
pub const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
];

/// A colour of a reference that belongs to no run: as far from white as from black.
const GREY: Paint = Paint::Rgb(RGBColor(118, 118, 118));

/// Lengths of dashes and gaps in pixels; none for a whole line.
pub(super) type Dashes = &'static [f64];

/// Dashes of runs: each goes with all colours and markers in turn.
const DASHES: [Dashes; 4] = [&[], &[9.0, 4.0], &[9.0, 3.0, 2.0, 3.0], &[4.0, 3.0]];

/// Dashes of references.
const DOTS: Dashes = &[1.6, 2.6];

/// Dashes of levels.
pub(super) const LEVEL_DASHES: Dashes = &[7.0, 5.0];

/// What draws a line or a letter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Paint {
    /// Text and axes.
    Ink,
    /// A colour.
    Rgb(RGBColor),
}

/// A shape on a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    Wedge,
}

const MARKERS: [Marker; 6] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Cross,
    Marker::Wedge,
];

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub paint: Paint,
    pub width: f64,
    pub dashes: Dashes,
    pub marker: Marker,
    /// Whether markers are outlines.
    pub is_hollow: bool,
}

impl Style {
    /// Of the runs with this number.
    pub fn of_runs(number: usize) -> Self {
        let place = number % COLORS.len();
        Self {
            paint: Paint::Rgb(COLORS[place]),
            width: 1.8,
            dashes: DASHES[number / COLORS.len() % DASHES.len()],
            marker: MARKERS[place],
            is_hollow: false,
        }
    }

    /// Of a reference, with the colour and the marker of the runs with this number.
    pub fn of_reference(number: usize) -> Self {
        Self {
            width: 1.4,
            dashes: DOTS,
            is_hollow: true,
            ..Self::of_runs(number)
        }
    }

    /// Of a reference without runs, the `number`-th of all.
    pub fn of_other_reference(number: usize) -> Self {
        Self {
            paint: GREY,
            ..Self::of_reference(number)
        }
    }
}

impl Marker {
    /// Its corners around `[x, y]`.
    pub fn corners(self, [x, y]: [f64; 2], radius: f64) -> Vec<[f64; 2]> {
        /// Corners of what looks round.
        const ROUND: usize = 12;
        let polygon = |corners: usize, first: f64, radius: f64| -> Vec<[f64; 2]> {
            let angles = (0..corners).map(|corner| {
                let turn = corner as f64 / corners as f64 + first;
                (turn * std::f64::consts::TAU).sin_cos()
            });
            angles
                .map(|(sin, cos)| [x + radius * cos, y - radius * sin])
                .collect()
        };
        match self {
            Self::Circle => polygon(ROUND, 0.0, radius),
            Self::Square => polygon(4, 0.125, 1.2 * radius),
            Self::Triangle => polygon(3, 0.25, 1.35 * radius),
            Self::Diamond => polygon(4, 0.0, 1.35 * radius),
            Self::Wedge => polygon(3, 0.75, 1.35 * radius),
            Self::Cross => {
                // A plus: four arms of a third of its width.
                let (long, short) = (1.3 * radius, 0.4 * radius);
                let ring = [
                    [short, long],
                    [short, short],
                    [long, short],
                    [long, -short],
                    [short, -short],
                    [short, -long],
                    [-short, -long],
                    [-short, -short],
                    [-long, -short],
                    [-long, short],
                    [-short, short],
                    [-short, long],
                ];
                ring.iter().map(|[dx, dy]| [x + dx, y + dy]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_differ_without_their_colours() {
        let mut seen: Vec<(Marker, Dashes)> = Vec::new();
        for number in 0..COLORS.len() * DASHES.len() {
            let style = Style::of_runs(number);
            let look = (style.marker, style.dashes);
            assert!(!seen.contains(&look), "{number}: {look:?}");
            seen.push(look);
        }
        let reference = Style::of_reference(1);
        assert_eq!(reference.paint, Style::of_runs(1).paint);
        assert!(reference.is_hollow && !DASHES.contains(&reference.dashes));
    }
}
