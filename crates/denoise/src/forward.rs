//! A tile through the network: channels, normalization, the forward pass, failures of the device.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use burn::tensor::{Device, Tensor, TensorData, TensorReadError};
use n2n_data::Normalization;
use n2n_model::Network;

use crate::Error;
use crate::channels::ChannelRule;
use crate::memory::is_out_of_memory;
use crate::samples::Pixels;
use crate::symmetry::mean_over_symmetries;

/// A network for the tiles of one image.
pub(crate) struct Forward<'a> {
    pub network: &'a Network,
    pub device: &'a Device,
    pub self_ensemble: bool,
    pub rule: ChannelRule,
    /// The normalization of each image of the batch.
    pub normalizations: Vec<Normalization>,
    /// Whether outputs are in the units of the normalized input, so that they are brought back.
    pub restores: bool,
}

/// The normalization of each image of the network's batch. Statistics per image are those of the whole
/// image, not of a tile.
///
/// # Shapes
/// - `image`: `[channels, height, width]`, with an `area` of `height * width`
pub(crate) fn normalizations(
    kind: &Normalization,
    image: Pixels<'_>,
    rule: ChannelRule,
    [height, width]: [usize; 2],
) -> Vec<Normalization> {
    let area = height * width;
    let of_batch = |index: usize| {
        kind.of_image([rule.network, height, width], |at| {
            let channel = rule.seen(index, at / area);
            image.number(channel * area + at % area)
        })
    };
    (0..rule.batch_size()).map(of_batch).collect()
}

impl Forward<'_> {
    /// Denoises a tile.
    ///
    /// # Shapes
    /// - `values`, output: `[channels, height, width]`, with the channels of the image
    ///
    /// # Errors
    /// [`Error::DeviceMemory`], another failure of the device, or [`Error::OutputNotFinite`].
    pub fn tile(&self, values: Vec<f32>, [height, width]: [usize; 2]) -> Result<Vec<f32>, Error> {
        let Self { rule, .. } = *self;
        let mut values = rule.to_network(values);
        let pixels = height * width;
        let images = values.chunks_exact_mut(rule.network * pixels);
        for (image, normalization) in images.zip(&self.normalizations) {
            normalization.apply(image, [rule.network, height, width]);
        }
        let shape = [rule.batch_size(), rule.network, height, width];
        let computed = panic::catch_unwind(AssertUnwindSafe(|| {
            let x = Tensor::<4>::from_data(TensorData::new(values, shape), self.device);
            let y = if self.self_ensemble {
                mean_over_symmetries(x, |x| self.network.forward(x))
            } else {
                self.network.forward(x)
            };
            let mut output = y.try_into_vec_as::<f32>()?;
            if self.restores {
                let images = output.chunks_exact_mut(rule.network * pixels);
                for (image, normalization) in images.zip(&self.normalizations) {
                    normalization.restore(image, [rule.network, height, width]);
                }
            }
            Ok::<_, TensorReadError>(output)
        }));
        let out_of_memory = |said: &str| {
            is_out_of_memory(said).then(|| Error::DeviceMemory {
                pixels,
                said: said.to_owned(),
            })
        };
        match computed {
            Ok(Ok(output)) if output.iter().all(|value| value.is_finite()) => {
                Ok(rule.to_image(output))
            }
            Ok(Ok(_)) => Err(Error::OutputNotFinite { height, width }),
            Ok(Err(error)) => Err(out_of_memory(&error.to_string()).unwrap_or(error.into())),
            // Devices fail by panics too.
            Err(payload) => match text(&*payload).and_then(out_of_memory) {
                Some(error) => Err(error),
                None => panic::resume_unwind(payload),
            },
        }
    }
}

/// The message of a panic.
fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied())
}
