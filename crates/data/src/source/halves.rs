//! Scenes whose two shots are the mean of every second image of another source.

use std::sync::Arc;

use n2n_files::{Raster, Region, Sample, SampleKind, Samples, with_samples};

use crate::{DataError, SceneInfo, SceneSource, View};

/// The means of the even and of the odd shots of each scene of another source: two shots, in the units of the
/// shots. Scenes of one shot stay as they are.
pub(crate) struct Halves {
    source: Arc<dyn SceneSource>,
}

impl Halves {
    /// Halves of the scenes of `source`.
    pub fn new(source: Arc<dyn SceneSource>) -> Self {
        Self { source }
    }

    /// The mean of the images that `view` is made of, each read by `read`.
    fn mean(
        &self,
        scene: usize,
        view: View,
        read: impl Fn(View) -> Result<Arc<Raster>, DataError>,
    ) -> Result<Arc<Raster>, DataError> {
        let shots = self.source.info(scene).shots;
        let half = match view {
            View::Shot(half) if shots > 1 => half,
            view => return read(view),
        };
        let mut shape = [0; 3];
        let (mut sums, mut count) = (Vec::new(), 0.0);
        for shot in (half..shots).step_by(2) {
            let image = read(View::Shot(shot))?;
            shape = image.shape();
            sums.resize(image.samples.len(), 0.0);
            with_samples!(&image.samples, samples => add(&mut sums, samples));
            count += 1.0;
        }
        let means = sums.into_iter().map(|sum| sum / count);
        let samples = match self.kind() {
            SampleKind::F64 => Samples::F64(means.collect()),
            _ => Samples::F32(means.map(|mean| mean as f32).collect()),
        };
        let [channels, height, width] = shape;
        Ok(Arc::new(Raster {
            channels,
            height,
            width,
            samples,
            alpha: None,
        }))
    }
}

fn add<T: Sample>(sums: &mut [f64], samples: &[T]) {
    let samples = samples.iter().map(|sample| sample.to_f64());
    sums.iter_mut()
        .zip(samples)
        .for_each(|(sum, sample)| *sum += sample);
}

impl SceneSource for Halves {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn channels(&self) -> usize {
        self.source.channels()
    }

    /// Floats, as means of integers are; of 64 bits where 32 do not hold every sample.
    fn kind(&self) -> SampleKind {
        match self.source.kind() {
            SampleKind::F32 => SampleKind::F32,
            kind if kind.bytes() > 2 => SampleKind::F64,
            _ => SampleKind::F32,
        }
    }

    fn info(&self, scene: usize) -> SceneInfo {
        let info = self.source.info(scene);
        SceneInfo {
            shots: info.shots.min(2),
            ..info
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        let name = self.source.name(scene, view);
        match view {
            View::Shot(_) => format!("{name} and every second image after it"),
            View::Clean => name,
        }
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        self.mean(scene, view, |view| self.source.read(scene, view))
    }

    fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        let read = |view| self.source.read_region(scene, view, region);
        self.mean(scene, view, read)
    }

    fn reads_regions(&self, scene: usize) -> bool {
        self.source.reads_regions(scene)
    }

    fn ordered(&self) -> bool {
        self.source.ordered()
    }

    fn may_skip(&self) -> bool {
        self.source.may_skip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::numbered::Numbered;

    #[test]
    fn halves_are_means_of_every_second_shot() {
        let scenes = Numbered {
            shots: 5,
            ordered: false,
            ..Numbered::default()
        };
        let halves = Halves::new(Arc::new(scenes));
        assert_eq!(halves.info(0).shots, 2);
        assert_eq!(halves.kind(), SampleKind::F32);
        // Shots 0, 2 and 4, and 1 and 3: each lies 100 above the one before.
        for (view, mean) in [
            (View::Shot(0), 200.0),
            (View::Shot(1), 200.0),
            (View::Clean, 900.0),
        ] {
            let read = [
                halves.read(3, view).unwrap(),
                halves.read_region(3, view, Region::all([1, 4, 6])).unwrap(),
            ];
            for image in read {
                let first = with_samples!(&image.samples, samples => samples[7].to_f64());
                assert_eq!(first, 3000.0 + mean + 11.0);
            }
        }
        let name = halves.name(1, View::Shot(1));
        assert_eq!(name, "scene 1, Shot(1) and every second image after it");
    }
}
