//! The contact sheet of a set: some scenes with their noise, and diagrams of samples and noise.

use n2n_data::quality::Reference;
use n2n_data::{ExampleIndex, Examples, NoiseLevel, NoisyPair, Opened, SceneSource, View};
use n2n_files::with_samples;

use crate::sheet::{self, Cell, Diagram, Row, cut_caption};

/// Scenes that are shown.
const SHOWN: usize = 3;

/// Differences are multiplied by this.
const GAIN: f32 = 3.0;

/// Bars of a histogram.
const BARS: usize = 64;

/// Scenes whose samples are counted.
const COUNTED: usize = 16;

/// Samples that are counted of an image, spread over it.
const COUNTED_SAMPLES: usize = 1 << 20;

/// The sheet as a PNG.
///
/// # Errors
/// When an image cannot be read, or the picture not be drawn.
pub fn png(opened: &Opened, levels: &[NoiseLevel]) -> anyhow::Result<Vec<u8>> {
    let validation = &opened.validation;
    let stride = validation.len().div_ceil(SHOWN).max(1);
    let rows = (0..validation.len()).step_by(stride).map(|index| {
        let pair = validation.pair(ExampleIndex { epoch: 0, index })?;
        Ok(row(title(opened, index), &pair, validation))
    });
    let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
    let mut diagrams: Vec<Diagram> = histogram(&*opened.scenes[0]).into_iter().collect();
    diagrams.extend(levels.first().map(noise));
    sheet::png(&rows, &diagrams)
}

fn title(opened: &Opened, index: usize) -> String {
    let source = &opened.scenes[1];
    let scene = index.min(source.len() - 1);
    let view = match source.info(scene).shots {
        0 => View::Clean,
        _ => View::Shot(0),
    };
    source.name(scene, view)
}

/// Two noisy images, their difference, and the clean one if there is one.
fn row(title: String, pair: &NoisyPair, validation: &Examples) -> Row {
    let cell = |values: Vec<f32>, name: &str, below: String| Cell {
        values,
        caption: [name.to_owned(), below],
    };
    let [first, second] = match validation.reference() {
        Reference::SubImage => ["sub-image 1", "sub-image 2"],
        _ => ["noisy 1", "noisy 2"],
    };
    let input = &pair.noisy_input;
    let mut cells = vec![cell(input.clone(), first, cut_caption(pair.shape))];
    let difference = |other: &[f32]| -> Vec<f32> {
        let pixels = input.iter().zip(other);
        pixels.map(|(a, b)| 0.5 + GAIN * (a - b)).collect()
    };
    let below = || format!("times {GAIN}, grey is 0");
    if let Some(target) = &pair.noisy_target {
        cells.push(cell(target.clone(), second, String::new()));
        cells.push(cell(difference(target), "difference", below()));
    }
    if let Some(clean) = &pair.clean_target {
        cells.push(cell(clean.clone(), "clean", String::new()));
        if pair.noisy_target.is_none() {
            cells.push(cell(difference(clean), "difference", below()));
        }
    }
    Row::new(title, pair.shape, cells)
}

/// How often samples occur.
fn histogram(source: &dyn SceneSource) -> Option<Diagram> {
    let stride = source.len().div_ceil(COUNTED).max(1);
    let mut samples: Vec<f64> = Vec::new();
    for scene in (0..source.len()).step_by(stride) {
        let view = match source.info(scene).shots {
            0 => View::Clean,
            _ => View::Shot(0),
        };
        if let Ok(image) = source.look(scene, view) {
            with_samples!(&image.samples, values => {
                let step = values.len().div_ceil(COUNTED_SAMPLES);
                let values = values.iter().step_by(step.max(1));
                let values = values.map(|value| n2n_files::Sample::to_f64(*value));
                samples.extend(values.filter(|value| value.is_finite()));
            });
        }
    }
    let low = samples.iter().copied().reduce(f64::min)?;
    let high = samples.iter().copied().reduce(f64::max)?;
    let step = if high > low {
        (high - low) / BARS as f64
    } else {
        1.0
    };
    let mut counts = [0_usize; BARS];
    for sample in &samples {
        counts[(((sample - low) / step) as usize).min(BARS - 1)] += 1;
    }
    let points = counts.iter().enumerate().map(|(bar, count)| {
        let middle = low + step * (bar as f64 + 0.5);
        [middle, 100.0 * *count as f64 / samples.len() as f64]
    });
    Some(Diagram {
        title: "samples of noisy images".to_owned(),
        axes: ["sample".to_owned(), "% of the pixels".to_owned()],
        points: points.collect(),
        bars: true,
        line: None,
    })
}

/// How noise depends on brightness.
fn noise(level: &NoiseLevel) -> Diagram {
    let ends = level.extent();
    Diagram {
        title: match level.channel {
            Some(channel) => format!("noise of channel {}", channel + 1),
            None => "noise".to_owned(),
        },
        axes: ["sample".to_owned(), "variance".to_owned()],
        points: level.points.clone(),
        bars: false,
        line: Some(ends.map(|sample| [sample, level.variance(sample)])),
    }
}
