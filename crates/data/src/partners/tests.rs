use std::sync::Arc;

use n2n_files::{Raster, SampleKind, Samples};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{ChosenBy, SceneInfo};

const SIDE: usize = 96;

/// Scenes of waves whose shots move to the right and fade.
#[derive(Clone)]
struct Moving {
    /// From shot to shot.
    pixels: f64,
    gain: f64,
    shots: usize,
    noise: f64,
    /// Whether the second shot is another scene.
    mistaken: bool,
    /// Whether all shots have the same noise.
    copies: bool,
}

const RESTING: Moving = Moving {
    pixels: 0.0,
    gain: 1.0,
    shots: 2,
    noise: 0.1,
    mistaken: false,
    copies: false,
};

impl SceneSource for Moving {
    fn len(&self) -> usize {
        6
    }

    fn channels(&self) -> usize {
        1
    }

    fn kind(&self) -> SampleKind {
        SampleKind::F32
    }

    fn info(&self, _scene: usize) -> SceneInfo {
        SceneInfo {
            shots: self.shots,
            clean: false,
            height: SIDE,
            width: SIDE,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        format!("scene {scene}, {view:?}")
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        let View::Shot(shot) = view else {
            panic!("there is no clean image");
        };
        let mut rng = ChaCha8Rng::seed_from_u64(scene as u64);
        rng.set_stream(if self.copies { 0 } else { shot as u64 });
        let number = if self.mistaken {
            scene + 7 * shot
        } else {
            scene
        };
        let (shift, gain) = (self.pixels * shot as f64, self.gain.powi(shot as i32));
        let value = |at: usize| {
            let (y, x) = ((at / SIDE) as f64, (at % SIDE) as f64 - shift);
            let (a, b) = (3.0 + number as f64 % 5.0, 4.0 + number as f64 % 3.0);
            let wave = (x / a + number as f64).sin() * (y / b).cos() + (x / 17.0 - y / a).sin();
            let uniform: f64 = rng.random_range(-1.0..1.0);
            (gain * (0.5 + 0.2 * wave) + self.noise * uniform) as f32
        };
        Ok(Arc::new(Raster {
            channels: 1,
            height: SIDE,
            width: SIDE,
            samples: Samples::F32((0..SIDE * SIDE).map(value).collect()),
            alpha: None,
        }))
    }

    fn ordered(&self) -> bool {
        self.shots == 2
    }
}

fn report(scenes: Moving, pairing: Option<Pairing>) -> PartnerReport {
    let images = ImageCache::new(Arc::new(scenes), 1 << 26);
    let chosen = pairing.map(|pairing| Chosen {
        pairing,
        by: ChosenBy::Config,
    });
    PartnerReport::of(&images, chosen, false).expect("pairs")
}

/// The only warning.
fn warning(scenes: Moving, pairing: Option<Pairing>) -> String {
    let warnings = report(scenes, pairing).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings.concat()
}

#[test]
fn resting_scenes_are_not_warned_about() {
    for (shots, pairing) in [
        (2, None),
        (9, Some(Pairing::Any)),
        (9, Some(Pairing::Neighbours)),
    ] {
        let found = report(Moving { shots, ..RESTING }, pairing);
        assert_eq!(found.warnings(), Vec::<String>::new(), "{found:?}");
        assert!(found.shift_px.is_some_and(|shift| shift < 0.3), "{found:?}");
        assert!(found.gain.is_some_and(|gain| (gain - 1.0).abs() < 0.02));
        found.check().unwrap();
    }
}

#[test]
fn shifted_pairs_are_measured_in_pixels() {
    for pixels in [1.5, 3.0] {
        let scenes = Moving { pixels, ..RESTING };
        let found = report(scenes.clone(), None);
        // A tenth of a pixel: the noise of a part.
        assert!((found.shift_px.unwrap() - pixels).abs() < 0.15, "{found:?}");
        assert!(warning(scenes, None).contains("align the images"));
    }
}

#[test]
fn series_move_too_much_where_their_pairs_do() {
    let series = |pixels| Moving {
        pixels,
        shots: 9,
        ..RESTING
    };
    let slow = report(series(1.0), Some(Pairing::Neighbours));
    assert_eq!(slow.warnings(), Vec::<String>::new());
    // Any two are 3 pixels apart.
    let any = warning(series(1.0), Some(Pairing::Any));
    assert!(any.contains("data.pairing = \"neighbours\""), "{any}");
    let fast = warning(series(2.0), Some(Pairing::Neighbours));
    assert!(fast.contains("from frame to frame by 2"), "{fast}");
}

#[test]
fn fading_pairs_are_told_with_their_gain() {
    let fading = Moving {
        gain: 0.8,
        ..RESTING
    };
    let found = report(fading.clone(), None);
    assert!((found.gain.unwrap() - 0.8).abs() < 0.02, "{found:?}");
    assert!(warning(fading, None).contains("data.match_gain"));
}

#[test]
fn other_scenes_and_copies_are_no_pairs() {
    let mistaken = Moving {
        mistaken: true,
        ..RESTING
    };
    let found = report(mistaken, None);
    let odd = found.unrelated.clone().expect("other scenes");
    assert!(odd.count > 3, "{odd:?}");
    assert!(found.warnings().concat().contains("different things"));
    found.check().unwrap();

    let copies = Moving {
        copies: true,
        ..RESTING
    };
    let found = report(copies.clone(), None);
    assert!(warning(copies, None).contains("equal or nearly so"));
    let error = found.check().unwrap_err().to_string();
    assert!(
        error.contains("scene 0, Shot(0) and scene 0, Shot(1)"),
        "{error}"
    );
    assert!(error.contains("0.0 %"), "{error}");
}

#[test]
fn noise_alone_is_no_motion_and_no_other_scene() {
    let nothing = Moving {
        noise: 1.0e3,
        ..RESTING
    };
    let found = report(nothing, None);
    assert_eq!(found.warnings(), Vec::<String>::new(), "{found:?}");
    assert_eq!(found.gain, None);
}
