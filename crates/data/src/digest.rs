//! What a set of scenes is known by, so that a run notices when it is given another one.

use std::fmt::Write;

use n2n_files::{Raster, Sample, with_samples};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::image_cache::ImageCache;
use crate::{SceneInfo, View};

/// Pixels that the digest of the content reads, spread over the scenes: all of a small set, a second's
/// work in a large one.
const PIXELS: usize = 16 << 20;

/// Least and largest number of scenes that it reads.
const SCENES: [usize; 2] = [8, 1024];

/// What a set of scenes is known by, wherever it lies: names, sizes and sampled content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Number of scenes.
    pub scenes: usize,
    /// SHA-256 of the names of all images, below the folder that holds all of them.
    pub names: String,
    /// SHA-256 of the sizes and numbers of images of all scenes.
    pub sizes: String,
    /// SHA-256 of the samples of some scenes.
    pub content: String,
}

impl Digest {
    /// The digest of the scenes behind a cache. An image that cannot be read counts as such.
    pub(crate) fn of(images: &ImageCache) -> Self {
        let source = images.source();
        let all = 0..source.len();
        let views = |scene| views(source.info(scene)).map(move |view| (scene, view));
        let names: Vec<String> = all
            .clone()
            .flat_map(views)
            .map(|(scene, view)| source.name(scene, view).replace('\\', "/"))
            .collect();
        let folder = common_folder(&names);
        let mut of_names = Sha256::new();
        for name in &names {
            of_names.update(&name.as_bytes()[folder..]);
            of_names.update([0]);
        }
        let mut of_sizes = Sha256::new();
        let mut pixels = 0;
        for scene in all.clone() {
            let SceneInfo {
                shots,
                clean,
                height,
                width,
            } = source.info(scene);
            for number in [shots, clean.into(), height, width] {
                of_sizes.update((number as u64).to_le_bytes());
            }
            pixels += (shots + usize::from(clean)) * height * width;
        }
        let average = (pixels / source.len().max(1)).max(1);
        let sampled = (PIXELS / average).clamp(SCENES[0], SCENES[1]);
        let stride = source.len().div_ceil(sampled).max(1);
        // In order, whatever thread reads what.
        let scenes: Vec<[u8; 32]> = all
            .into_par_iter()
            .step_by(stride)
            .flat_map_iter(views)
            .map(|(scene, view)| match images.look(scene, view) {
                Ok(raster) => content(&raster),
                Err(_) => [0; 32],
            })
            .collect();
        let mut of_content = Sha256::new();
        scenes.iter().for_each(|digest| of_content.update(digest));
        Self {
            scenes: source.len(),
            names: hex(of_names),
            sizes: hex(of_sizes),
            content: hex(of_content),
        }
    }

    /// What is different in another set, in words.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.scenes != other.scenes {
            return Some(format!(
                "{} scenes instead of {}",
                other.scenes, self.scenes
            ));
        }
        let parts = [
            (self.sizes != other.sizes, "sizes"),
            (self.names != other.names, "names"),
            (self.content != other.content, "content"),
        ];
        let different = parts.iter().filter(|(differs, _)| *differs);
        let different: Vec<&str> = different.map(|(_, part)| *part).collect();
        (!different.is_empty()).then(|| format!("other {} of images", different.join(" and ")))
    }
}

/// The images of a scene.
fn views(info: SceneInfo) -> impl Iterator<Item = View> {
    let clean = info.clean.then_some(View::Clean);
    (0..info.shots).map(View::Shot).chain(clean)
}

/// Bytes of the folder that all names lie in, with its separator.
fn common_folder(names: &[String]) -> usize {
    let Some((first, rest)) = names.split_first() else {
        return 0;
    };
    let common = rest.iter().fold(first.len(), |common, name| {
        let pairs = first.bytes().zip(name.bytes());
        common.min(pairs.take_while(|(a, b)| a == b).count())
    });
    first.as_bytes()[..common]
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |at| at + 1)
}

/// SHA-256 of the samples of an image.
fn content(raster: &Raster) -> [u8; 32] {
    fn add<T: Sample>(hash: &mut Sha256, samples: &[T]) {
        for sample in samples {
            hash.update(sample.to_f64().to_le_bytes());
        }
    }
    let mut hash = Sha256::new();
    hash.update([raster.channels as u8]);
    with_samples!(&raster.samples, samples => add(&mut hash, samples));
    hash.finalize().into()
}

fn hex(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tests::numbered::Numbered;

    fn digest(change: impl FnOnce(&mut Numbered)) -> Digest {
        let mut scenes = Numbered::default();
        change(&mut scenes);
        Digest::of(&ImageCache::new(Arc::new(scenes), 0))
    }

    #[test]
    fn difference_names_what_changed() {
        let before = digest(|_| {});
        assert_eq!(before.difference(&digest(|_| {})), None);
        for (change, expected) in [
            (
                (|scenes| scenes.scenes = 3) as fn(&mut Numbered),
                "3 scenes instead of 5",
            ),
            (
                |scenes| scenes.size = [5, 6],
                "other sizes and content of images",
            ),
            (
                |scenes| scenes.clean = false,
                "other sizes and names and content of images",
            ),
            (|scenes| scenes.damaged = vec![2], "other content of images"),
        ] {
            let difference = before.difference(&digest(change));
            assert_eq!(difference.as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_folder_that_moves_stays_the_same() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (given, expected) in [
            (&["/data/a/0.png", "/data/b/0.png"][..], "/data/"),
            (&["/data/a/0.png", "/data/a/01.png"], "/data/a/"),
            (
                &["/data/all.npy, image 0", "/data/all.npy, image 1"],
                "/data/",
            ),
            (&["scene 0", "scene 1"], ""),
            (&[], ""),
        ] {
            assert_eq!(common_folder(&names(given)), expected.len());
        }
    }
}
