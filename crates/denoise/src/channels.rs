//! Images of other channels than the network's.

use crate::Error;

/// How the channels of an image pass through a network.
///
/// - As many as the network's: as they are.
/// - Any through a network for grey: one after the other.
/// - Any through a network for colour: one after the other, each in all three of its channels, and back as
///   the mean of its three outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ChannelRule {
    /// Channels of the image.
    pub image: usize,
    /// Channels of the network.
    pub network: usize,
}

impl ChannelRule {
    /// Checks that one of these is the case.
    pub fn check(self) -> Result<(), Error> {
        let Self { image, network } = self;
        if image == network || matches!(network, 1 | 3) {
            Ok(())
        } else {
            Err(Error::Channels { image, network })
        }
    }

    /// Images in the network's batch.
    pub fn batch_size(self) -> usize {
        if self.is_joint() { 1 } else { self.image }
    }

    /// The channel of the image that a channel of the network sees of image `index` of the batch.
    pub fn seen(self, index: usize, channel: usize) -> usize {
        if self.is_joint() { channel } else { index }
    }

    /// What the network gets of planar values: `[batch_size, network, ...]`.
    pub fn to_network(self, values: Vec<f32>) -> Vec<f32> {
        if self.is_joint() || self.network == 1 {
            return values;
        }
        let area = values.len() / self.image;
        let channels = values.chunks_exact(area);
        channels
            .flat_map(|channel| channel.repeat(self.network))
            .collect()
    }

    /// What becomes of its output.
    pub fn to_image(self, output: Vec<f32>) -> Vec<f32> {
        if self.is_joint() || self.network == 1 {
            return output;
        }
        let image = output.len() / self.image;
        let area = image / self.network;
        let images = output.chunks_exact(image);
        images
            .flat_map(|image| {
                (0..area).map(move |at| {
                    let values = image.iter().skip(at).step_by(area);
                    values.sum::<f32>() / self.network as f32
                })
            })
            .collect()
    }

    /// Whether the network sees all channels of the image together.
    fn is_joint(self) -> bool {
        self.image == self.network
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_fills_channels_and_returns_as_mean() {
        let rule = ChannelRule {
            image: 1,
            network: 3,
        };
        assert_eq!(rule.batch_size(), 1);
        assert_eq!(
            rule.to_network(vec![1.0, 2.0]),
            [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]
        );
        assert_eq!(
            rule.to_image(vec![1.0, 2.0, 3.0, 4.0, 5.0, 9.0]),
            [3.0, 5.0]
        );
    }

    #[test]
    fn networks_for_grey_and_colour_take_any_image() {
        for (image, network, fits) in [
            (1, 3, true),
            (3, 1, true),
            (5, 1, true),
            (5, 5, true),
            (5, 3, true),
            (3, 5, false),
            (1, 5, false),
        ] {
            let checked = ChannelRule { image, network }.check();
            assert_eq!(checked.is_ok(), fits, "{image} {network}");
        }
    }

    #[test]
    fn bands_pass_a_network_for_colour_one_by_one() {
        let rule = ChannelRule {
            image: 2,
            network: 3,
        };
        assert_eq!((rule.batch_size(), rule.seen(1, 2)), (2, 1));
        assert_eq!(
            rule.to_network(vec![1.0, 2.0, 3.0, 4.0]),
            [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 3.0, 4.0]
        );
        let output = (0..12_u8).map(f32::from).collect();
        assert_eq!(rule.to_image(output), [2.0, 3.0, 8.0, 9.0]);
    }

    #[test]
    fn colour_becomes_batch_of_grey_images() {
        let rule = ChannelRule {
            image: 3,
            network: 1,
        };
        assert_eq!(rule.batch_size(), 3);
        assert_eq!(rule.to_network(vec![1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
        assert_eq!(rule.to_image(vec![1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
    }
}
