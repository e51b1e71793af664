//! Axes: what they show, and where their ticks are.

use serde::Serialize;

/// One axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// Title, with the unit.
    pub title: String,
    /// The ends.
    pub range: [f64; 2],
    /// Whether its scale is logarithmic.
    pub is_log: bool,
}

impl Axis {
    /// The place of a value: 0 at the lower end, 1 at the upper one.
    pub(super) fn place(&self, value: f64) -> f64 {
        let [low, high] = self.range.map(|end| self.scaled(end));
        (self.scaled(value) - low) / (high - low)
    }

    fn scaled(&self, value: f64) -> f64 {
        if self.is_log {
            value.max(f64::MIN_POSITIVE).ln()
        } else {
            value
        }
    }

    /// About `count` values in round numbers, with their texts.
    pub(super) fn ticks(&self, count: f64) -> Vec<(f64, String)> {
        let ticks = if self.is_log {
            self.log_ticks(count)
        } else {
            self.linear_ticks(count)
        };
        let step = ticks.windows(2).map(|pair| pair[1] - pair[0]);
        let step = step.fold(f64::INFINITY, f64::min);
        let largest = ticks
            .iter()
            .fold(0.0_f64, |largest, tick| largest.max(tick.abs()));
        let text = |tick: f64| {
            if self.is_log {
                short(tick)
            } else {
                number(tick, largest, step)
            }
        };
        ticks.into_iter().map(|tick| (tick, text(tick))).collect()
    }

    fn linear_ticks(&self, count: f64) -> Vec<f64> {
        let [low, high] = self.range;
        let rough = (high - low) / count;
        let power = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = step.into_iter().find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(rough);
        // An end that is a tick, but for rounding, is one.
        let slack = 1e-9 * step;
        let (first, last) = ((low - slack) / step, (high + slack) / step);
        let mut ticks = Vec::new();
        let mut tick = first.ceil();
        while tick <= last {
            ticks.push(tick * step);
            tick += 1.0;
        }
        ticks
    }

    fn log_ticks(&self, count: f64) -> Vec<f64> {
        let [low, high] = self.range;
        let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let ticks = |factors: &'static [f64]| -> Vec<f64> {
            let ticks = powers.clone().flat_map(|power| {
                let power = 10.0_f64.powi(power);
                factors.iter().map(move |factor| factor * power)
            });
            let inside = |tick: &f64| (low * 0.999..=high * 1.001).contains(tick);
            ticks.filter(inside).collect()
        };
        let fine = ticks(&[1.0, 2.0, 5.0]);
        let coarse = ticks(&[1.0]);
        if fine.len() as f64 <= 1.5 * count || coarse.len() < 2 {
            fine
        } else {
            coarse
        }
    }
}

/// A tick among others `step` apart, with the thousands as `k` and the millions as `M`.
fn number(tick: f64, largest: f64, step: f64) -> String {
    let (unit, name) = match largest {
        2e6.. => (1e6, "M"),
        1e4.. => (1e3, "k"),
        _ => (1.0, ""),
    };
    let step = step / unit;
    let decimals = (0..8).find(|decimals| {
        let scaled = step * 10.0_f64.powi(*decimals);
        (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0) && scaled > 0.5
    });
    let decimals = decimals.unwrap_or(2) as usize;
    if tick.abs() < 1e-9 * largest {
        return "0".to_owned();
    }
    format!("{:.decimals$}{name}", tick / unit)
}

/// A number of a logarithmic axis.
fn short(tick: f64) -> String {
    // Powers of ten are not exact.
    let tick: f64 = format!("{tick:.6e}").parse().unwrap_or(tick);
    match tick {
        1e6.. => format!("{}M", tick / 1e6),
        1e3.. => format!("{}k", tick / 1e3),
        0.001.. => tick.to_string(),
        _ => format!("{tick:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(range: [f64; 2], is_log: bool, count: f64) -> Vec<String> {
        let axis = Axis {
            title: String::new(),
            range,
            is_log,
        };
        axis.ticks(count)
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        let linear = |low, high, count| texts([low, high], false, count);
        assert_eq!(linear(0.0, 150_000.0, 4.0), ["0", "50k", "100k", "150k"]);
        assert_eq!(
            linear(0.0, 4000.0, 5.0),
            ["0", "1000", "2000", "3000", "4000"]
        );
        assert_eq!(linear(23.87, 24.21, 4.0), ["23.9", "24.0", "24.1", "24.2"]);
        assert_eq!(linear(0.0, 0.01, 2.0), ["0", "0.005", "0.010"]);
        assert_eq!(linear(0.0, 5e6, 3.0), ["0", "2M", "4M"]);
        assert_eq!(linear(0.0, 25_000.0, 10.0)[1], "2.5k".replace("2.5k", "5k"));
        assert_eq!(linear(-1.0, 1.0, 2.0), ["-1", "0", "1"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten() {
        assert_eq!(texts([1e-5, 1e-3], true, 3.0), ["1e-5", "1e-4", "0.001"]);
        assert_eq!(
            texts([900.0, 60_000.0], true, 6.0),
            ["1k", "2k", "5k", "10k", "20k", "50k"]
        );
        assert_eq!(texts([3.0, 6.0], true, 5.0), ["5"]);
    }

    /// Logarithms are rounded.
    const ROUNDING: f64 = 1e-12;

    #[test]
    fn places_are_shares_of_the_axis() {
        let mut axis = Axis {
            title: String::new(),
            range: [10.0, 1000.0],
            is_log: true,
        };
        assert!((axis.place(100.0) - 0.5).abs() < ROUNDING);
        axis.is_log = false;
        assert_eq!(axis.place(505.0), 0.5);
    }
}
