//! What `data/generate.py` says of the files beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use n2n_files::{
    CifarFile, FileError, NpyStack, Sample, SampleKind, Samples, Stack, TiffStack, open_npz,
    open_torch, with_samples,
};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Expected {
    pub arrays: Vec<Vec<f64>>,
    pub pictures: Vec<ExpectedPicture>,
    pub stacks: Vec<ExpectedStack>,
}

#[derive(Deserialize)]
pub struct ExpectedPicture {
    pub file: String,
    pub shape: [usize; 3],
    pub kind: String,
    pub pages: usize,
    /// Most that a sample may differ by.
    pub lossy: f32,
    /// Positions in [`Expected::arrays`].
    pub samples: usize,
    pub alpha: Option<usize>,
}

#[derive(Deserialize)]
pub struct ExpectedStack {
    pub file: String,
    /// The array of an archive.
    pub entry: Option<String>,
    pub images: usize,
    pub shape: [usize; 3],
    pub kind: String,
    /// Position in [`Expected::arrays`].
    pub samples: usize,
}

pub fn expected() -> Expected {
    let text = fs::read_to_string(data("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// A stack and its name, if it is the array of an archive.
pub type Named = (String, Box<dyn Stack>);

/// All stacks of a file, by its ending.
pub fn open_stacks(path: &Path) -> Result<Vec<Named>, FileError> {
    fn boxed(stack: impl Stack + 'static) -> Vec<Named> {
        vec![(String::new(), Box::new(stack))]
    }
    Ok(match path.extension().unwrap().to_str().unwrap() {
        "tif" => boxed(TiffStack::open(path)?),
        "npy" => boxed(NpyStack::open(path)?),
        "bin" => boxed(CifarFile::open(path)?),
        "npz" => open_npz(path)?
            .into_iter()
            .map(|(name, stack)| (name, Box::new(stack) as Box<dyn Stack>))
            .collect(),
        "pkl" => open_torch(path)?.into_iter().flat_map(boxed).collect(),
        other => panic!("no stack ends in {other}"),
    })
}

/// The samples as numbers that hold all of those in the files exactly.
pub fn numbers(samples: &Samples) -> Vec<f64> {
    with_samples!(samples, samples => samples.iter().map(|sample| sample.to_f64()).collect())
}

pub fn kind(name: &str) -> SampleKind {
    SampleKind::ALL
        .into_iter()
        .find(|kind| kind.to_string() == name)
        .unwrap()
}
