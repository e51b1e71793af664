//! An open OpenEXR file.

use std::{fmt, io::BufReader, path::Path};

use ::exr::{
    block::{chunk::Chunk, reader::Reader},
    error::Error,
    math::Vec2,
    meta::{MetaData, attribute::Compression, header::Header as Layer},
};

use super::{
    dwa, exr_error,
    layers::{self, Colours},
    zstd::{self, Start},
};
use crate::{FileError, input::Input};

/// A file of layers, one of which has the colours that are read.
///
/// It stays open while its colours are denoised, so that the others are those of the same file.
pub(crate) struct ExrFile {
    input: Input,
    start: Start,
    meta: MetaData,
    colours: Colours,
}

impl ExrFile {
    /// Reads the headers of all layers, and chooses the colours.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let input = Input::open(path)?;
        let start = Start::read(&input);
        let reader = BufReader::new(input.reader(start.bytes.clone()));
        let meta = Reader::read_from_buffered(reader, false).map(Reader::into_meta_data);
        let meta = meta.map_err(|error| exr_error(error, path))?;
        let colours = layers::choose(&meta.headers, path)?;
        Ok(Self {
            input,
            start,
            meta,
            colours,
        })
    }

    pub fn path(&self) -> &Path {
        self.input.path()
    }

    pub fn meta(&self) -> &MetaData {
        &self.meta
    }

    pub fn layers(&self) -> &[Layer] {
        &self.meta.headers
    }

    /// What is read as a picture.
    pub fn colours(&self) -> &Colours {
        &self.colours
    }

    /// Whether the blocks of a layer cannot be written as they are.
    pub fn is_unpacked(&self, layer: usize) -> bool {
        self.start.zstd.get(layer) == Some(&true)
    }

    /// What the file holds besides its colours, in words.
    pub fn rest(&self) -> Vec<String> {
        let layer = &self.layers()[self.colours.layer];
        let list = layer.channels.list.iter().enumerate();
        let others: Vec<String> = list
            .filter(|(index, _)| !self.colours.channels.contains(index))
            .map(|(_, channel)| channel.name.to_string())
            .collect();
        let channels = match &others[..] {
            [] => None,
            [one] => Some(format!("its channel {one}")),
            _ => Some(format!("its channels {}", others.join(", "))),
        };
        let layers = match self.layers().len() {
            1 => None,
            2 => Some("its other layer".to_owned()),
            count => Some(format!("its other {} layers", count - 1)),
        };
        channels.into_iter().chain(layers).collect()
    }

    /// The blocks of pixels, those of the layers and levels that are `wanted`, in the order of the file and
    /// compressed in a way that the decoder knows.
    pub fn chunks(
        &self,
        wanted: impl Fn(usize, Vec2<usize>) -> bool,
    ) -> Result<impl Iterator<Item = Result<Chunk, Error>>, Error> {
        let reader = BufReader::new(self.input.reader(self.start.bytes.clone()));
        let reader = Reader::read_from_buffered(reader, false)?;
        let chunks = reader.filter_chunks(false, |_, _, block| wanted(block.layer, block.level))?;
        Ok(chunks.map(|chunk| {
            let mut chunk = chunk?;
            let layer = chunk.layer_index;
            if self.is_unpacked(layer) {
                zstd::unpack(&mut chunk, &self.layers()[layer])?;
            } else if layer == self.colours.layer {
                let layer = &self.layers()[layer];
                if matches!(
                    layer.compression,
                    Compression::DWAA(_) | Compression::DWAB(_)
                ) {
                    dwa::check(&chunk, layer)?;
                }
            }
            Ok(chunk)
        }))
    }
}

impl fmt::Debug for ExrFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ExrFile")
            .field(&self.path())
            .finish()
    }
}

/// Two files are the same where they are at one place and say the same of their layers.
impl PartialEq for ExrFile {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path() && self.meta == other.meta
    }
}
