//! What a model file says beside its weights.

use std::path::Path;

use n2n_data::Normalization;
use n2n_model::NetworkConfig;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Version of [`ModelMetadata`].
const FORMAT: u32 = 1;

/// What a model file says beside its weights: all that is needed to use them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelMetadata {
    /// Version of this structure.
    pub format: u32,
    /// The network.
    pub network: NetworkConfig,
    /// Normalization of its inputs, with statistics.
    pub normalization: Normalization,
    /// Samples that were 0 and 1 in training; without it, integers were divided by their type's largest
    /// value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f32; 2]>,
}

impl ModelMetadata {
    /// Metadata in the present format.
    pub fn new(
        network: NetworkConfig,
        normalization: Normalization,
        range: Option<[f32; 2]>,
    ) -> Self {
        Self {
            format: FORMAT,
            network,
            normalization,
            range,
        }
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
        if self.format > FORMAT {
            return Err(Error::Format {
                path,
                found: self.format,
                newest: FORMAT,
            });
        }
        if let Err(source) = self.network.validate() {
            return Err(Error::Network { path, source });
        }
        let channels = self.channels();
        if ![1, 3].contains(&channels) {
            return Err(Error::Channels { path, channels });
        }
        if let Some(range) = self.range {
            check_range(range)?;
        }
        if self.network.is_residual() && self.normalization != Normalization::None {
            return Err(Error::Statistics {
                path,
                expected: "none, because the network adds its input to its output".to_owned(),
            });
        }
        let (count, mean, std) = match &self.normalization {
            Normalization::None | Normalization::PerImage => return Ok(()),
            Normalization::PerChannel { mean, std } => (channels, mean, std),
            Normalization::PerPixel { shape, mean, std } => {
                let [of_shape, height, width] = *shape;
                let fits = self.network.check_image(height, width).is_ok() && height * width > 0;
                if of_shape != channels || !fits {
                    let divisor = self.network.divisor();
                    return Err(Error::Statistics {
                        path,
                        expected: format!(
                            "{channels} channels, and sides that are multiples of {divisor}"
                        ),
                    });
                }
                (shape.iter().product(), mean, std)
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

/// Whether samples can become 0 and 1.
pub(crate) fn check_range([low, high]: [f32; 2]) -> Result<(), Error> {
    if low.is_finite() && high.is_finite() && low < high {
        Ok(())
    } else {
        Err(Error::Range { low, high })
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
    fn metadata_that_cannot_be_is_refused() {
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
        let checked = check(|metadata| metadata.format = 2);
        assert!(matches!(checked, Err(Error::Format { found: 2, .. })));
        let checked = check(|metadata| metadata.range = Some([1.0, 1.0]));
        assert!(matches!(checked, Err(Error::Range { .. })));
        let checked = check(|metadata| {
            metadata.network = NetworkConfig::default().with_channels(4);
        });
        assert!(matches!(checked, Err(Error::Channels { channels: 4, .. })));
        let residual = NetworkConfig::UNet(UNetConfig {
            output: Output::Residual,
            ..UNetConfig::default()
        });
        check(|metadata| metadata.network = residual.clone()).unwrap();
        let checked = check(|metadata| {
            metadata.network = residual.clone();
            metadata.normalization = Normalization::PerImage;
        });
        assert!(matches!(checked, Err(Error::Statistics { .. })));
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
