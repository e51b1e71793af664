//! 12-bit counts as a camera on a microscope stores them: 16-bit integers that use little of their range.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::random::Random;

/// Scenes, and their sides in pixels.
const SCENES: usize = 8;
const HEIGHT: usize = 240;
const WIDTH: usize = 256;

/// Counts without light, at the brightest spots, and the largest that 12 bits hold.
const OFFSET: f64 = 100.0;
const BRIGHTEST: f64 = 2600.0;
const LARGEST: f64 = 4095.0;

/// Counts of one photon, and the deviation of the noise of reading.
const GAIN: f64 = 4.0;
const READ_NOISE: f64 = 12.0;

/// Spots and threads in a scene.
const SPOTS: usize = 60;
const THREADS: usize = 12;

/// Draws two shots and the clean image of each scene into the arrays `a`, `b` and `clean`.
pub fn draw(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut random = Random(1);
    let mut arrays = [vec![], vec![], vec![]];
    for _ in 0..SCENES {
        for light in scene(&mut random) {
            let electrons = light / GAIN;
            let mut shot = || {
                let shot_noise = electrons.sqrt() * random.normal();
                let counts =
                    OFFSET + GAIN * (electrons + shot_noise) + READ_NOISE * random.normal();
                counts.round().clamp(0.0, LARGEST) as u16
            };
            let shots = [shot(), shot()];
            let clean = (OFFSET + light).round() as u16;
            for (array, count) in arrays.iter_mut().zip([shots[0], shots[1], clean]) {
                array.extend(count.to_le_bytes());
            }
        }
    }
    for (name, array) in ["a", "b", "clean"].into_iter().zip(arrays) {
        fs::write(
            folder.join(format!("{name}.npy")),
            [header(), array].concat(),
        )?;
    }
    Ok(())
}

/// Light of a scene, in counts: round spots and curved threads on a slope.
fn scene(random: &mut Random) -> Vec<f64> {
    let mut light = vec![0.0_f64; HEIGHT * WIDTH];
    let slope = [random.uniform(), random.uniform()].map(|slope| 0.06 * slope);
    for (at, light) in light.iter_mut().enumerate() {
        let (y, x) = ((at / WIDTH) as f64, (at % WIDTH) as f64);
        *light = 0.02 + slope[0] * y / HEIGHT as f64 + slope[1] * x / WIDTH as f64;
    }
    for _ in 0..SPOTS {
        let middle = [within(random, HEIGHT), within(random, WIDTH)];
        let radius = 1.5 + 10.0 * random.uniform().powi(3);
        spot(&mut light, middle, radius, 0.1 + 0.8 * random.uniform());
    }
    for _ in 0..THREADS {
        let mut at = [within(random, HEIGHT), within(random, WIDTH)];
        let (mut angle, bend) = (6.3 * random.uniform(), 0.06 * (random.uniform() - 0.5));
        let (radius, brightness) = (0.8 + random.uniform(), 0.1 + 0.2 * random.uniform());
        for _ in 0..120 {
            spot(&mut light, at, radius, brightness);
            angle += bend;
            at = [at[0] + angle.sin(), at[1] + angle.cos()];
        }
    }
    light
        .iter()
        .map(|light| (BRIGHTEST - OFFSET) * light.min(1.0))
        .collect()
}

/// A place on an axis.
fn within(random: &mut Random, side: usize) -> f64 {
    side as f64 * random.uniform()
}

/// Raises light to that of a round spot where it is brighter.
fn spot(light: &mut [f64], middle: [f64; 2], radius: f64, brightness: f64) {
    let reach = 3.0 * radius;
    let pixels = |middle: f64, side: usize| {
        let last = (middle + reach).min(side as f64 - 1.0);
        ((middle - reach).max(0.0) as usize)..=(last.max(0.0) as usize)
    };
    for y in pixels(middle[0], HEIGHT) {
        for x in pixels(middle[1], WIDTH) {
            let distance = (y as f64 - middle[0]).powi(2) + (x as f64 - middle[1]).powi(2);
            let of_spot = brightness * (-distance / (2.0 * radius * radius)).exp();
            let light = &mut light[y * WIDTH + x];
            *light = light.max(of_spot);
        }
    }
}

/// Header of a NumPy file of 16-bit integers.
fn header() -> Vec<u8> {
    let mut text = format!(
        "{{'descr': '<u2', 'fortran_order': False, 'shape': ({SCENES}, {HEIGHT}, {WIDTH}), }}"
    );
    // The first element stands at a multiple of 64.
    text += &" ".repeat(128 - 10 - 1 - text.len());
    text += "\n";
    let len = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &len[..], text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_use_little_of_their_type() {
        let folder = tempfile::tempdir().unwrap();
        draw(folder.path()).unwrap();
        let read = |name: &str| -> Vec<f64> {
            let bytes = fs::read(folder.path().join(name)).unwrap();
            let (counts, _) = bytes[128..].as_chunks::<2>();
            counts
                .iter()
                .map(|&count| f64::from(u16::from_le_bytes(count)))
                .collect()
        };
        let [a, b, clean] = ["a.npy", "b.npy", "clean.npy"].map(read);
        assert_eq!(clean.len(), SCENES * HEIGHT * WIDTH);
        assert!(a.iter().all(|count| *count <= LARGEST));
        // The mean of a difference is 0; its deviation is that of the noise, which light raises.
        let differences = || a.iter().zip(&b).map(|(a, b)| a - b);
        let count = clean.len() as f64;
        assert!((differences().sum::<f64>() / count).abs() < 0.5);
        let variance = differences().map(|d| d * d).sum::<f64>() / count / 2.0;
        let light = clean.iter().sum::<f64>() / count - OFFSET;
        let expected = READ_NOISE * READ_NOISE + GAIN * light;
        assert!(
            (variance / expected - 1.0).abs() < 0.05,
            "{variance} {expected}"
        );
    }
}
