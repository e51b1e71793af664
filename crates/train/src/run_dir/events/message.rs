//! The protocol buffers that an event file is made of.
//!
//! Only what is written here, with the numbers of `event.proto` and `summary.proto`. A message within another is
//! written as its bytes are. Source: <https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto>.

use prost::encoding;

/// Version of the format.
const VERSION: &str = "brain.Event:2";

/// `SessionLog.START`.
const START: i32 = 1;

/// Channels of the pictures.
const RGB: i32 = 3;

/// `Event`. Times are in seconds since 1970.
pub enum Event<'a> {
    /// The first of a file.
    Version { wall_time: f64 },
    /// Whatever was read before, from other files, is void.
    Start { wall_time: f64 },
    /// Numbers and a PNG, by their names, after a number of images.
    Validation {
        wall_time: f64,
        step: i64,
        scalars: Vec<(&'a str, f32)>,
        picture: Option<(&'a str, &'a [u8])>,
    },
}

impl Event<'_> {
    /// Returns the message.
    pub fn encoded(&self) -> Vec<u8> {
        let mut event = Vec::new();
        match self {
            Self::Version { wall_time } => {
                encoding::double::encode(1, wall_time, &mut event);
                encoding::string::encode(3, &VERSION.to_owned(), &mut event);
            }
            Self::Start { wall_time } => {
                encoding::double::encode(1, wall_time, &mut event);
                let mut log = Vec::new();
                encoding::int32::encode(1, &START, &mut log);
                encoding::bytes::encode(7, &log, &mut event);
            }
            Self::Validation {
                wall_time,
                step,
                scalars,
                picture,
            } => {
                encoding::double::encode(1, wall_time, &mut event);
                encoding::int64::encode(2, step, &mut event);
                let summary = summary(scalars, *picture);
                encoding::bytes::encode(5, &summary, &mut event);
            }
        }
        event
    }
}

/// `Summary`: a `Summary.Value` for each number, and one for the picture.
fn summary(scalars: &[(&str, f32)], picture: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut summary = Vec::new();
    for (name, number) in scalars {
        let mut value = named(name);
        encoding::float::encode(2, number, &mut value);
        encoding::bytes::encode(1, &value, &mut summary);
    }
    if let Some((name, png)) = picture {
        let mut value = named(name);
        encoding::bytes::encode(4, &image(png), &mut value);
        encoding::bytes::encode(1, &value, &mut summary);
    }
    summary
}

/// The beginning of a `Summary.Value`.
fn named(name: &str) -> Vec<u8> {
    let mut value = Vec::new();
    encoding::string::encode(1, &name.to_owned(), &mut value);
    value
}

/// `Summary.Image`.
fn image(png: &[u8]) -> Vec<u8> {
    let mut image = Vec::new();
    // A PNG that says nothing of its size is shown all the same.
    let [width, height] = size(png).unwrap_or_default();
    encoding::int32::encode(1, &height, &mut image);
    encoding::int32::encode(2, &width, &mut image);
    encoding::int32::encode(3, &RGB, &mut image);
    encoding::bytes::encode(4, &png.to_vec(), &mut image);
    image
}

/// Width and height of a PNG, which its first chunk begins with.
fn size(png: &[u8]) -> Option<[i32; 2]> {
    let (width, rest) = png.get(16..)?.split_first_chunk()?;
    let height = rest.first_chunk()?;
    Some([*width, *height].map(i32::from_be_bytes))
}
