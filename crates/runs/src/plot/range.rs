//! Which part of the curves is drawn.

use super::figure::{Curve, Level};

/// Share of the validations of each curve that may be outside: its steep start.
const OUTSIDE: f64 = 0.1;

/// Space above and below the curves, as a share of their range.
const MARGIN: f64 = 0.05;

/// Levels are inside of an axis that is at most this much longer for them, as a share of the curves' range: curves that
/// differ little would be flat else.
const LONGER: f64 = 0.8;

/// Returns the ends of the axis of curves that rise or fall, and the levels that are outside of it.
///
/// With `cuts_start`, the tenth of each curve that is worst may be outside.
pub fn of(
    curves: &[Curve],
    levels: &[Level],
    rises: bool,
    cuts_start: bool,
) -> ([f64; 2], Vec<Level>) {
    let [mut low, mut high] = [f64::INFINITY, f64::NEG_INFINITY];
    for curve in curves {
        let mut values: Vec<f64> = curve.points.iter().map(|point| point[1]).collect();
        values.sort_by(f64::total_cmp);
        let outside = (OUTSIDE * values.len() as f64) as usize;
        let inside = if !cuts_start {
            &values[..]
        } else if rises {
            &values[outside..]
        } else {
            &values[..values.len() - outside]
        };
        let (Some(smallest), Some(largest)) = (inside.first(), inside.last()) else {
            continue;
        };
        (low, high) = (low.min(*smallest), high.max(*largest));
    }
    let range = high - low;
    let is_outside = |level: &&Level| {
        let away = (low - level.y).max(level.y - high);
        away > LONGER * range.max(f64::MIN_POSITIVE)
    };
    let outside: Vec<Level> = levels.iter().filter(is_outside).cloned().collect();
    for level in levels.iter().filter(|level| !outside.contains(level)) {
        (low, high) = (low.min(level.y), high.max(level.y));
    }
    let margin = match high - low {
        0.0 => 0.05 * high.abs().max(f64::MIN_POSITIVE),
        range => MARGIN * range,
    };
    // Losses and rates are not negative.
    let bottom = match low - margin {
        bottom if bottom < 0.0 && low >= 0.0 => 0.0,
        bottom => bottom,
    };
    ([bottom, high + margin], outside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Origin;

    fn curve(values: impl IntoIterator<Item = f64>) -> Curve {
        let points = values.into_iter().zip(0_u32..);
        Curve {
            label: String::new(),
            origin: Origin::Runs(0),
            runs: Vec::new(),
            points: points.map(|(y, x)| [f64::from(x), y]).collect(),
            band: Vec::new(),
            beyond: Vec::new(),
        }
    }

    fn level(y: f64) -> Level {
        Level {
            label: String::new(),
            y,
        }
    }

    #[test]
    fn the_steep_start_is_outside() {
        let rising = curve([&[12.0, 18.0][..], &[24.0; 17], &[25.0]].concat());
        let bounds = |rises, cuts| of(std::slice::from_ref(&rising), &[], rises, cuts).0;
        assert_eq!(bounds(true, true), [24.0 - 0.05, 25.0 + 0.05]);
        assert_eq!(bounds(true, false)[0], 12.0 - 0.65);
        assert_eq!(bounds(false, true)[1], 24.0 + 0.6);
        // Of few validations, all are inside.
        assert!(of(&[curve([12.0, 24.0])], &[], true, true).0[0] < 12.0);
    }

    #[test]
    fn levels_far_away_are_outside() {
        let curves = [curve([24.0; 3]), curve([25.0; 3])];
        let (range, outside) = of(&curves, &[level(23.3), level(20.0)], true, true);
        assert_eq!(outside, [level(20.0)]);
        assert!(range[0] < 23.3 && range[0] > 23.0, "{range:?}");
    }

    #[test]
    fn flat_curves_have_an_axis_too() {
        let (range, _) = of(&[curve([1e-3; 3])], &[], false, true);
        assert!(
            0.0 < range[0] && range[0] < 1e-3 && range[1] > 1e-3,
            "{range:?}"
        );
        assert_eq!(of(&[curve([0.0, 1.0])], &[], false, true).0[0], 0.0);
    }
}
