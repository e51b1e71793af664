//! Axes of charts: their ends, their ticks, and what stands at those.

/// About as many ticks as fit.
const TICKS: f64 = 5.0;

/// Values that differ by more than this factor are on a logarithmic axis, where one makes sense.
const MAGNITUDES: f64 = 20.0;

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    /// Between two ticks; `None` on a logarithmic axis.
    step: Option<f64>,
}

impl Axis {
    /// From 0 to a value, which is the end.
    pub fn from_zero(high: f64) -> Self {
        let high = if high > 0.0 { high } else { 1.0 };
        Self {
            low: 0.0,
            high,
            step: Some(step(high)),
        }
    }

    /// Around values, with ticks at both ends; logarithmic where that is wanted, and values are of several magnitudes.
    pub fn around(values: &[f64], logarithmic: bool) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if logarithmic && low > 0.0 && high / low > MAGNITUDES {
            return Self {
                low,
                high,
                step: None,
            };
        }
        // A value by itself is in the middle.
        let alone = if high > low { 0.0 } else { low.abs().max(1e-6) };
        let (low, high) = (low - alone / 2.0, high + alone / 2.0);
        let step = step(high - low);
        let low = (low / step).floor() * step;
        let high = ((high / step).ceil() * step).max(low + step);
        Self {
            low,
            high,
            step: Some(step),
        }
    }

    /// Where a value is, from 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        match self.step {
            Some(_) => (value - self.low) / (self.high - self.low),
            None => (value / self.low).max(f64::MIN_POSITIVE).ln() / (self.high / self.low).ln(),
        }
    }

    /// The values that are marked.
    pub fn ticks(&self) -> Vec<f64> {
        let Some(step) = self.step else {
            return self.magnitudes();
        };
        // A tick is at its place in spite of rounding.
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|number| number as f64 * step).collect()
    }

    fn magnitudes(&self) -> Vec<f64> {
        let [first, last] = [self.low, self.high].map(|end| end.log10().floor() as i32);
        let within = |value: &f64| (self.low..=self.high).contains(value);
        let ticks = |factors: &[f64]| -> Vec<f64> {
            let powers = first..=last;
            let all =
                powers.flat_map(|power| factors.iter().map(move |one| one * 10_f64.powi(power)));
            all.filter(within).collect()
        };
        if f64::from(last - first) < TICKS / 2.0 {
            ticks(&[1.0, 2.0, 5.0])
        } else {
            ticks(&[1.0])
        }
    }

    /// What stands at a tick.
    pub fn label(&self, value: f64) -> String {
        let magnitude = value.abs();
        match self.step {
            _ if magnitude >= 1e6 => format!("{}M", decimal(value / 1e6)),
            _ if magnitude >= 1e4 => format!("{}k", decimal(value / 1e3)),
            None if magnitude < 1e-3 => format!("{value:e}"),
            Some(_) if magnitude < 1e-12 => "0".to_owned(),
            Some(step) if step < 1e-3 => format!("{value:.1e}"),
            Some(step) => format!("{value:.*}", (-step.log10().floor()).max(0.0) as usize),
            None => decimal(value),
        }
    }
}

/// A number with three digits after the point at most.
fn decimal(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A round distance of ticks.
fn step(extent: f64) -> f64 {
    let rough = extent / TICKS;
    let power = 10_f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors.into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        let ticks = axis.ticks().into_iter();
        ticks.map(|tick| axis.label(tick)).collect()
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis::around(&[20.73, 23.68, 22.0], false);
        assert_eq!(labels(&axis), ["20", "21", "22", "23", "24"]);
        assert_eq!(axis.share(22.0), 0.5);
        let axis = Axis::from_zero(12_000.0);
        assert_eq!(labels(&axis), ["0", "5000", "10k"]);
        assert_eq!(axis.share(12_000.0), 1.0);
        let axis = Axis::around(&[0.01, 0.013], false);
        assert_eq!(labels(&axis), ["0.010", "0.011", "0.012", "0.013"]);
    }

    #[test]
    fn values_of_several_magnitudes_are_logarithmic() {
        let axis = Axis::around(&[1e-3, 1e-5], true);
        assert_eq!(labels(&axis).len(), 7);
        assert_eq!(axis.label(1e-5), "1e-5");
        assert!((axis.share(1e-4) - 0.5).abs() < 1e-12);
        // A constant learning rate is no reason for one, and has a place.
        let axis = Axis::around(&[1e-3; 4], true);
        assert!(axis.ticks().len() > 1 && (0.0..=1.0).contains(&axis.share(1e-3)));
    }
}
