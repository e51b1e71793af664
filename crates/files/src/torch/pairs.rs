//! Images in two or three tensors: `torch.save((noisy, noisy), path)`.

use std::{
    io::{BufReader, Read, Seek},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use super::{
    content::Content,
    storages::open_storages,
    value::{Pickle, Tensor, Value},
};
use crate::{
    FileError, Raster, SampleKind, Samples, Stack,
    input::{malformed, open_file},
    stack::check_index,
};

#[cfg(test)]
mod tests;

/// The storage class of uint8 tensors.
const BYTE_STORAGE: &str = "ByteStorage";

/// One uint8 tensor `[images, 1 or 3, height, width]` of a file, kept in memory.
pub struct TorchStack {
    path: PathBuf,
    /// Shared by the tensors that view it, so that memory never exceeds the file.
    storage: Arc<Vec<u8>>,
    offset: usize,
    shape: [usize; 4],
    strides: [usize; 4],
}

/// Reads the two or three tensors of a `torch.save`d tuple, all of one shape.
///
/// Reading runs no code from the file.
///
/// # Errors
/// When the file cannot be read, is damaged, asks to run code, or holds something else than two
/// or three uint8 tensors of one shape `[images, 1 or 3, height, width]`.
pub fn open_torch(path: &Path) -> Result<Vec<TorchStack>, FileError> {
    read_torch(BufReader::new(open_file(path)?), path)
}

/// As [`open_torch`], from bytes that came from `path`.
///
/// # Errors
/// As for [`open_torch`].
pub fn read_torch(reader: impl Read + Seek, path: &Path) -> Result<Vec<TorchStack>, FileError> {
    let (pickle, mut storages) = open_storages(reader, Content::Pairs, path)?;
    let tensors = tensors(&pickle, path)?;
    let mut stacks = Vec::with_capacity(tensors.len());
    for (index, tensor) in tensors.iter().enumerate() {
        let storage = storages.read(&tensor.storage, path)?;
        stacks.push(stack(tensor, storage, index, path)?);
    }
    Ok(stacks)
}

impl Stack for TorchStack {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&self) -> usize {
        self.shape[0]
    }

    fn shape(&self) -> [usize; 3] {
        let [_, channels, height, width] = self.shape;
        [channels, height, width]
    }

    fn kind(&self) -> SampleKind {
        SampleKind::U8
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        check_index(self, index);
        let [_, channels, height, width] = self.shape;
        let [n, c, y, x] = self.strides;
        let mut samples = Vec::with_capacity(channels * height * width);
        for channel in 0..channels {
            for row in 0..height {
                let start = self.offset + index * n + channel * c + row * y;
                match x {
                    1 => samples.extend_from_slice(&self.storage[start..][..width]),
                    _ => samples.extend((0..width).map(|column| self.storage[start + column * x])),
                }
            }
        }
        let samples = Samples::U8(samples);
        Ok(Raster::from_planes(samples, self.shape(), false))
    }
}

/// The two or three tensors of a file, all of them uint8 and of one shape.
fn tensors(pickle: &Pickle, path: &Path) -> Result<Vec<Rc<Tensor>>, FileError> {
    let (object, containers) = (&pickle.value, &pickle.containers);
    let not_pairs = |found| Content::Pairs.refusal(found, path);
    let items = match containers.items(object) {
        Some(items) if (2..=3).contains(&items.len()) => items,
        _ => return Err(not_pairs(containers.describe(object))),
    };
    let mut tensors: Vec<Rc<Tensor>> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let Value::Tensor(tensor) = item else {
            let found = format!("{} as item {index}", containers.describe(item));
            return Err(not_pairs(found));
        };
        check_tensor(tensor, tensors.first().unwrap_or(tensor), index, path)?;
        tensors.push(Rc::clone(tensor));
    }
    if tensors[0].shape[0] == 0 {
        return Err(FileError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(tensors)
}

fn check_tensor(
    tensor: &Tensor,
    first: &Tensor,
    index: usize,
    path: &Path,
) -> Result<(), FileError> {
    let found = tensor.shape.clone();
    let class = tensor.storage.element.class;
    if class != BYTE_STORAGE {
        let (path, found) = (path.to_owned(), format!("torch.{class}"));
        return Err(FileError::TensorType { path, index, found });
    }
    match found[..] {
        [_, 1 | 3, height, width] if height > 0 && width > 0 => (),
        _ => {
            let path = path.to_owned();
            return Err(FileError::TensorShape { path, index, found });
        }
    }
    if found != first.shape {
        return Err(FileError::ShapesDiffer {
            path: path.to_owned(),
            index,
            found,
            expected: first.shape.clone(),
        });
    }
    if tensor.strides.len() != found.len() {
        let strides = tensor.strides.len();
        let found = format!("tensor {index} has {strides} strides for 4 axes");
        return Err(malformed(path, found));
    }
    Ok(())
}

fn stack(
    tensor: &Tensor,
    storage: Arc<Vec<u8>>,
    index: usize,
    path: &Path,
) -> Result<TorchStack, FileError> {
    let needed = tensor.span().unwrap_or(usize::MAX);
    if needed > storage.len() {
        let (path, held) = (path.to_owned(), storage.len());
        return Err(FileError::TensorBounds {
            path,
            tensor: format!("tensor {index}"),
            needed,
            held,
        });
    }
    let axes = |numbers: &[usize]| [numbers[0], numbers[1], numbers[2], numbers[3]];
    Ok(TorchStack {
        path: path.to_owned(),
        storage,
        offset: tensor.offset,
        shape: axes(&tensor.shape),
        strides: axes(&tensor.strides),
    })
}
