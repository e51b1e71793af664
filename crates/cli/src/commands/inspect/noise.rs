//! The noise of a set, in words.

use n2n_data::{NoiseCheck, NoiseLevel, SingleNoise};

use crate::digits::digits;

/// Noise whose variance grows by more than this over the range of brightness depends on it.
const GROWS: f64 = 1.5;

/// The lines that tell how strong noise is and how it depends on itself and on the scene.
pub fn lines(
    levels: &[NoiseLevel],
    pairs: Option<&NoiseCheck>,
    singles: Option<&SingleNoise>,
) -> Vec<String> {
    let mut lines: Vec<String> = levels.iter().map(level).collect();
    if let Some(check) = pairs {
        lines.push(format!(
            "noise: correlation {:.3} with the scene, {:.3} from pixel to pixel",
            check.difference_and_sum, check.difference_and_neighbour
        ));
    }
    if let Some(noise) = singles {
        lines.push(format!(
            "noise: correlation about {:.2} from pixel to pixel, texture of the scene included",
            noise.neighbours
        ));
        if noise.is_shared() {
            let line = "noise: it is stronger than measured, as neighbouring pixels share it";
            lines.push(line.to_owned());
        }
        lines.extend(noise.warning().map(|warning| format!("warning: {warning}")));
    }
    lines
}

fn level(level: &NoiseLevel) -> String {
    let channel = level.channel;
    let channel = channel.map_or_else(String::new, |channel| {
        format!(" of channel {}", channel + 1)
    });
    let [dark, bright] = level.extent();
    let [low, high] = [dark, bright].map(|sample| level.variance(sample).sqrt());
    let depends = if high.powi(2) > GROWS * low.powi(2) {
        "it grows with brightness, as that of light does"
    } else if low.powi(2) > GROWS * high.powi(2) {
        "it falls with brightness, as where bright samples are cut off"
    } else {
        "it is about the same at every brightness"
    };
    format!(
        "noise{channel}: deviation {} at a sample of {}, {} at {}; variance = {} x sample {} {}: {depends}",
        digits(low),
        digits(dark),
        digits(high),
        digits(bright),
        digits(level.slope),
        if level.offset < 0.0 { "-" } else { "+" },
        digits(level.offset.abs()),
    )
}
