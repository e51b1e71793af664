//! What a model file says beside its weights.

use std::path::Path;

use n2n_data::{Normalization, Range};
use n2n_model::{FileError, NetworkConfig};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Newest version of [`ModelMetadata`].
const FORMAT: u32 = 2;

/// The version of models without what came with the newest: outputs brought back to the units of the
/// images, ranges per channel, other channels than 1 and 3.
const FIRST_FORMAT: u32 = 1;

/// What a model file says beside its weights: all that is needed to use them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelMetadata {
    /// Version of this structure.
    pub format: u32,
    /// The network.
    pub network: NetworkConfig,
    /// Normalization of its inputs, with statistics.
    pub normalization: Normalization,
    /// Samples that were 0 and 1 in training; without it, 0 and the largest of an integer type, or 1.0 of
    /// floats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
}

impl ModelMetadata {
    /// Metadata in the oldest format that has room for them.
    pub fn new(network: NetworkConfig, normalization: Normalization, range: Option<Range>) -> Self {
        let is_restored = network.has_input_units() && normalization != Normalization::None;
        let is_new = is_restored
            || matches!(range, Some(Range::PerChannel(_)))
            || !matches!(network.channels_or_default(), 1 | 3);
        Self {
            format: if is_new { FORMAT } else { FIRST_FORMAT },
            network,
            normalization,
            range,
        }
    }

    /// Parses what a model file says; `path` is what errors call it. The version comes first: a newer file
    /// may say anything else.
    ///
    /// # Errors
    /// When the file is newer than this program, or says what no version does.
    pub fn parse(said: serde_json::Value, path: &Path) -> Result<Self, Error> {
        let format = said.get("format").and_then(serde_json::Value::as_u64);
        if let Some(found) = format.filter(|found| *found > FORMAT.into()) {
            return Err(Error::Format {
                path: path.to_owned(),
                found,
                newest: FORMAT,
            });
        }
        let parsed = serde_json::from_value(said);
        parsed.map_err(|source| {
            Error::from(FileError::Metadata {
                path: path.to_owned(),
                source,
            })
        })
    }

    /// Channels of the network's images.
    pub fn channels(&self) -> usize {
        self.network.channels_or_default()
    }

    /// Checks that a network can be built and fed as this says; `path` is what errors call it.
    ///
    /// # Errors
    /// When a size, the statistics or the range cannot be.
    pub fn check(&self, path: &Path) -> Result<(), Error> {
        let path = path.to_owned();
        if let Err(source) = self.network.validate() {
            return Err(Error::Network { path, source });
        }
        let channels = self.channels();
        if let Some(range) = &self.range {
            range.validate()?;
            if let Some(ranges) = range.channels().filter(|ranges| *ranges != channels) {
                return Err(Error::RangeChannels {
                    path,
                    ranges,
                    channels,
                });
            }
        }
        let (count, mean, std) = match &self.normalization {
            Normalization::None | Normalization::PerImage => return Ok(()),
            Normalization::PerChannel { mean, std } => (channels, mean, std),
            Normalization::PerPixel { shape, mean, std } => {
                let [of_shape, height, width] = *shape;
                let count = height.checked_mul(width);
                let count = count.and_then(|area| area.checked_mul(channels));
                let fits = self.network.check_image(height, width).is_ok() && count != Some(0);
                let Some(count) = count.filter(|_| of_shape == channels && fits) else {
                    let divisor = self.network.divisor();
                    return Err(Error::Statistics {
                        path,
                        expected: format!(
                            "{channels} channels, and sides that are multiples of {divisor}"
                        ),
                    });
                };
                (count, mean, std)
            }
        };
        let sound = mean.iter().all(|mean| mean.is_finite())
            && std.iter().all(|std| std.is_finite() && *std > 0.0);
        if sound && mean.len() == count && std.len() == count {
            Ok(())
        } else {
            Err(Error::Statistics {
                path,
                expected: format!("{count} means, and as many deviations above 0"),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use n2n_model::{Output, UNetConfig};

    use super::*;

    fn check(change: impl FnOnce(&mut ModelMetadata)) -> Result<(), Error> {
        let mut metadata = ModelMetadata::new(NetworkConfig::default(), Normalization::None, None);
        change(&mut metadata);
        metadata.check(Path::new("some.safetensors"))
    }

    #[test]
    fn invalid_metadata_is_refused() {
        check(|_| {}).unwrap();
        let statistics = |shape: [usize; 3], count: usize, std: f32| Normalization::PerPixel {
            shape,
            mean: vec![0.5; count],
            std: vec![std; count],
        };
        check(|metadata| metadata.normalization = statistics([3, 16, 32], 1536, 0.1)).unwrap();
        for (shape, count, std) in [
            ([3, 16, 32], 1535, 0.1),
            ([3, 16, 32], 1536, 0.0),
            ([1, 16, 32], 512, 0.1),
            ([3, 16, 24], 1152, 0.1),
            ([3, 0, 32], 0, 0.1),
        ] {
            let checked = check(|metadata| metadata.normalization = statistics(shape, count, std));
            assert!(
                matches!(checked, Err(Error::Statistics { .. })),
                "{shape:?}"
            );
        }
        let checked = check(|metadata| metadata.range = Some(Range::Shared([1.0, 1.0])));
        assert!(matches!(checked, Err(Error::Range(_))));
        let two = || Some(Range::PerChannel(vec![[0.0, 1.0]; 2]));
        let checked = check(|metadata| metadata.range = two());
        assert!(matches!(
            checked,
            Err(Error::RangeChannels {
                ranges: 2,
                channels: 3,
                ..
            })
        ));
        check(|metadata| {
            metadata.network = NetworkConfig::default().with_channels(2);
            metadata.range = two();
        })
        .unwrap();
        let checked = check(|metadata| {
            metadata.network = NetworkConfig::default().with_channels(65);
        });
        assert!(matches!(checked, Err(Error::Network { .. })));
    }

    #[test]
    fn a_newer_format_is_told_before_anything_else() {
        let parse = |text: &str| {
            let said = serde_json::from_str(text).unwrap();
            ModelMetadata::parse(said, Path::new("some.safetensors"))
        };
        let newer = parse(r#"{"format":3,"network":{"kind":"transformer"},"phase":1}"#);
        assert!(matches!(newer, Err(Error::Format { found: 3, .. })));
        let unknown = parse(r#"{"format":2,"network":{"kind":"transformer"}}"#);
        assert!(matches!(unknown, Err(Error::ModelFile(_))));
        let product_wraps = parse(
            r#"{"format":1,"network":{"kind":"simple"},"normalization":{"kind":"per_pixel",
                "shape":[3,4611686018427387904,4],"mean":[],"std":[]}}"#,
        );
        let checked = product_wraps.unwrap().check(Path::new("some.safetensors"));
        assert!(matches!(checked, Err(Error::Statistics { .. })));
    }

    #[test]
    fn format_is_the_oldest_that_suffices() {
        let format = |output: Output, normalization: Normalization, range: Option<Range>| {
            let network = UNetConfig {
                output,
                ..UNetConfig::default()
            };
            ModelMetadata::new(NetworkConfig::UNet(network), normalization, range).format
        };
        let shared = || Some(Range::Shared([0.0, 4095.0]));
        assert_eq!(
            format(Output::Sigmoid, Normalization::PerImage, shared()),
            1
        );
        assert_eq!(format(Output::Residual, Normalization::None, None), 1);
        assert_eq!(format(Output::Residual, Normalization::PerImage, None), 2);
        assert_eq!(format(Output::Linear, Normalization::PerImage, None), 2);
    }

    #[test]
    fn files_without_a_range_still_load() {
        let old = r#"{"format":1,"network":{"kind":"simple","features":5},"normalization":{"kind":"none"}}"#;
        let metadata: ModelMetadata = serde_json::from_str(old).unwrap();
        assert_eq!(metadata.range, None);
        let again = serde_json::to_string(&metadata).unwrap();
        assert!(!again.contains("range"), "{again}");
    }
}
