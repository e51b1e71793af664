//! Images of other channels than the network's.

use crate::Error;

/// How the channels of an image pass through a network.
///
/// - As many as the network's: as they are.
/// - A grey image through a network for colour: in each of the channels, and back as the mean of its
///   three outputs.
/// - Any image through a network for grey: one channel after the other.
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
        if image == network || network == 1 || (image, network) == (1, 3) {
            Ok(())
        } else {
            Err(Error::Channels { image, network })
        }
    }

    /// Images in the network's batch.
    pub fn batch_size(self) -> usize {
        self.image.div_ceil(self.network)
    }

    /// What the network gets of planar values: `[batch_size, network, ...]`.
    pub fn to_network(self, values: Vec<f32>) -> Vec<f32> {
        if self.image < self.network {
            values.repeat(self.network)
        } else {
            values
        }
    }

    /// What becomes of its output.
    pub fn to_image(self, output: Vec<f32>) -> Vec<f32> {
        if self.image >= self.network {
            return output;
        }
        let area = output.len() / self.network;
        let mean = |at: usize| {
            let values = output.iter().skip(at).step_by(area);
            values.sum::<f32>() / self.network as f32
        };
        (0..area).map(mean).collect()
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
    fn only_grey_and_colour_stand_for_each_other() {
        for (image, network, fits) in [
            (1, 3, true),
            (3, 1, true),
            (5, 1, true),
            (5, 5, true),
            (5, 3, false),
            (1, 5, false),
        ] {
            let checked = ChannelRule { image, network }.check();
            assert_eq!(checked.is_ok(), fits, "{image} {network}");
        }
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
