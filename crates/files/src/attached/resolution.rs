//! Pixels per unit of length.

use ::png::{PixelDimensions, Unit};
use image::codecs::jpeg::{PixelDensity, PixelDensityUnit};

/// Pixels in a unit of length, as fractions of a numerator and a denominator above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Along a row.
    pub x: [u32; 2],
    /// Along a column.
    pub y: [u32; 2],
    /// The unit of length.
    pub unit: ResolutionUnit,
}

/// A unit of length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolutionUnit {
    /// Unknown to the format. ImageJ names its unit in the description.
    None,
    /// 2.54 cm.
    Inch,
    /// 1 cm.
    Centimeter,
}

impl Resolution {
    /// Where it says something: a number above 0, and more than that pixels are square.
    pub(crate) fn new(x: [u32; 2], y: [u32; 2], unit: ResolutionUnit) -> Option<Self> {
        let says_nothing = unit == ResolutionUnit::None && x == [1, 1] && y == [1, 1];
        let is_sound = [x, y].iter().flatten().all(|&number| number > 0);
        (is_sound && !says_nothing).then_some(Self { x, y, unit })
    }

    /// Of integers.
    pub(crate) fn integers(x: u32, y: u32, unit: ResolutionUnit) -> Option<Self> {
        Self::new([x, 1], [y, 1], unit)
    }

    /// Both numbers, where they are integers above 0.
    pub(crate) fn whole(self) -> Option<[u32; 2]> {
        let whole = |[n, d]: [u32; 2]| {
            let number = n.checked_div(d).filter(|&number| number > 0)?;
            (number * d == n).then_some(number)
        };
        Some([whole(self.x)?, whole(self.y)?])
    }

    /// Both numbers times `n / d`, rounded to integers above 0.
    pub(crate) fn rounded(self, n: u32, d: u32) -> Option<[u32; 2]> {
        let rounded = |[numerator, denominator]: [u32; 2]| {
            let denominator = u128::from(denominator) * u128::from(d);
            let number = (u128::from(numerator) * u128::from(n) + denominator / 2)
                .checked_div(denominator)?;
            u32::try_from(number).ok().filter(|&number| number > 0)
        };
        Some([rounded(self.x)?, rounded(self.y)?])
    }
}

/// Whole pixels per centimetre or inch, or where there is no unit, what they are to each other.
pub(crate) fn pixel_density(resolution: Resolution) -> Option<PixelDensity> {
    let density = |unit, [x, y]: [u32; 2]| {
        Some(PixelDensity {
            density: (u16::try_from(x).ok()?, u16::try_from(y).ok()?),
            unit,
        })
    };
    match resolution.unit {
        ResolutionUnit::None => density(PixelDensityUnit::PixelAspectRatio, resolution.whole()?),
        ResolutionUnit::Inch => density(PixelDensityUnit::Inches, resolution.rounded(1, 1)?),
        ResolutionUnit::Centimeter => match resolution.whole() {
            Some(whole) => density(PixelDensityUnit::Centimeters, whole),
            // Inches are the longer unit, so that less is rounded off.
            None => density(PixelDensityUnit::Inches, resolution.rounded(254, 100)?),
        },
    }
}

/// Whole pixels per metre, or where there is no unit, what they are to each other.
pub(crate) fn pixel_dimensions(resolution: Resolution) -> Option<PixelDimensions> {
    let (unit, [xppu, yppu]) = match resolution.unit {
        ResolutionUnit::None => (Unit::Unspecified, resolution.whole()?),
        _ => (Unit::Meter, pixels_per_metre(resolution)?),
    };
    Some(PixelDimensions { xppu, yppu, unit })
}

/// Whole pixels per metre, of a resolution with a unit.
pub(crate) fn pixels_per_metre(resolution: Resolution) -> Option<[u32; 2]> {
    match resolution.unit {
        ResolutionUnit::None => None,
        ResolutionUnit::Inch => resolution.rounded(10_000, 254),
        ResolutionUnit::Centimeter => resolution.rounded(100, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolution_without_information_is_none() {
        let none = ResolutionUnit::None;
        assert_eq!(Resolution::integers(1, 1, none), None);
        assert_eq!(Resolution::integers(0, 72, ResolutionUnit::Inch), None);
        assert_eq!(
            Resolution::new([72, 0], [72, 1], ResolutionUnit::Inch),
            None
        );
        assert!(Resolution::integers(2, 1, none).is_some());
        assert!(Resolution::integers(1, 1, ResolutionUnit::Inch).is_some());
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_above_zero() {
        let of = |x, y| Resolution {
            x,
            y,
            unit: ResolutionUnit::Inch,
        };
        // 300 and 72 pixels per inch are 11811.02 and 2834.65 per metre.
        assert_eq!(
            of([300, 1], [144, 2]).rounded(10_000, 254),
            Some([11811, 2835])
        );
        assert_eq!(of([1, 3], [7, 1]).rounded(1, 1), None);
        assert_eq!(of([u32::MAX, 1], [7, 1]).rounded(2, 1), None);
        assert_eq!(of([12, 4], [7, 1]).whole(), Some([3, 7]));
        assert_eq!(of([12, 5], [7, 1]).whole(), None);
        for nothing in [[0, 0], [0, 7], [7, 0]] {
            assert_eq!(of(nothing, [7, 1]).whole(), None);
            assert_eq!(of([7, 1], nothing).rounded(1, 1), None);
        }
    }
}
