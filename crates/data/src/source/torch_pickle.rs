//! Files made by PyTorch: `torch.save((noisy, noisy), path)` and its like.

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
    path::Path,
};

use self::{
    storages::{open_storages, read_error},
    value::{Tensor, Value},
};
use crate::{DataError, NoisyPair, PairSource, Target};

mod pickle;
mod storages;
#[cfg(test)]
mod tests;
mod value;

/// The storage class of uint8 tensors.
const BYTE_STORAGE: &str = "torch.ByteStorage";

/// Pairs from a `torch.save`d tuple of uint8 tensors `[images, channels, height, width]`, kept in
/// memory as bytes.
///
/// Two tensors are a noisy input and the target that the caller names; three are (noisy, noisy,
/// clean). Values are divided by 255. Reading runs no code from the file.
pub struct TorchPairs {
    len: usize,
    shape: [usize; 3],
    noisy_input: Vec<u8>,
    noisy_target: Option<Vec<u8>>,
    clean_target: Option<Vec<u8>>,
}

impl TorchPairs {
    /// Reads the file; `second` says what the second of two tensors is, and three tensors do not
    /// ask.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, asks to run code, or holds something else than two
    /// or three uint8 tensors of one shape `[images, 1 or 3, height, width]`.
    pub fn open(path: &Path, second: Target) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|error| read_error(error, path, "the file"))?;
        Self::read(BufReader::new(file), path, second)
    }

    fn read(reader: impl Read + Seek, path: &Path, second: Target) -> Result<Self, DataError> {
        let (tensors, mut storages) = open_storages(reader, path)?;
        let mut images = Vec::with_capacity(tensors.len());
        for (index, tensor) in tensors.iter().enumerate() {
            let bytes = storages.read(&tensor.storage, path)?;
            images.push(gather(tensor, bytes, index, path)?);
        }
        let (len, shape) = (tensors[0].shape[0], &tensors[0].shape[1..]);
        let mut images = images.into_iter();
        let (first, middle, last) = (images.next(), images.next(), images.next());
        let (noisy_target, clean_target) = match (last, second) {
            (Some(last), _) => (middle, Some(last)),
            (None, Target::Noisy) => (middle, None),
            (None, Target::Clean) => (None, middle),
        };
        Ok(Self {
            len,
            shape: [shape[0], shape[1], shape[2]],
            noisy_input: first.unwrap_or_default(),
            noisy_target,
            clean_target,
        })
    }

    fn image(&self, images: &[u8], index: usize) -> Vec<f32> {
        let size = self.shape.iter().product::<usize>();
        let bytes = &images[index * size..][..size];
        bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect()
    }
}

impl PairSource for TorchPairs {
    fn len(&self) -> usize {
        self.len
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn has(&self, target: Target) -> bool {
        match target {
            Target::Noisy => self.noisy_target.is_some(),
            Target::Clean => self.clean_target.is_some(),
        }
    }

    fn pair(&self, index: usize) -> Result<NoisyPair, DataError> {
        assert!(
            index < self.len,
            "index {index} of a set of {} pairs",
            self.len
        );
        let image = |images: &Vec<u8>| self.image(images, index);
        Ok(NoisyPair {
            noisy_input: image(&self.noisy_input),
            noisy_target: self.noisy_target.as_ref().map(image),
            clean_target: self.clean_target.as_ref().map(image),
        })
    }
}

/// The two or three tensors of a file, all of them uint8 and of one shape.
fn tensors(object: &Value, path: &Path) -> Result<Vec<Tensor>, DataError> {
    let not_pairs = |found| DataError::NotPairs {
        path: path.to_owned(),
        found,
    };
    let (Value::Tuple(items) | Value::List(items)) = object else {
        return Err(not_pairs(object.describe()));
    };
    if !(2..=3).contains(&items.len()) {
        return Err(not_pairs(object.describe()));
    }
    let mut tensors: Vec<Tensor> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let Value::Tensor(tensor) = item else {
            return Err(not_pairs(format!("{} as item {index}", item.describe())));
        };
        check_tensor(tensor, tensors.first().unwrap_or(tensor), index, path)?;
        tensors.push((**tensor).clone());
    }
    if tensors[0].shape[0] == 0 {
        return Err(DataError::Empty {
            name: path.display().to_string(),
        });
    }
    Ok(tensors)
}

fn check_tensor(
    tensor: &Tensor,
    first: &Tensor,
    index: usize,
    path: &Path,
) -> Result<(), DataError> {
    let (path, found) = (path.to_owned(), tensor.shape.clone());
    if &*tensor.storage.class != BYTE_STORAGE {
        let found = tensor.storage.class.to_string();
        return Err(DataError::TensorType { path, index, found });
    }
    match found[..] {
        [_, 1 | 3, height, width] if height > 0 && width > 0 => (),
        _ => return Err(DataError::TensorShape { path, index, found }),
    }
    if found != first.shape {
        return Err(DataError::ShapesDiffer {
            path,
            index,
            found,
            expected: first.shape.clone(),
        });
    }
    if tensor.strides.len() != found.len() {
        let found = format!(
            "tensor {index} has {} strides for 4 axes",
            tensor.strides.len()
        );
        return Err(DataError::Malformed { path, found });
    }
    Ok(())
}

/// The elements of `tensor` in C order.
fn gather(
    tensor: &Tensor,
    storage: Vec<u8>,
    index: usize,
    path: &Path,
) -> Result<Vec<u8>, DataError> {
    let needed = span(tensor).unwrap_or(usize::MAX);
    if needed > storage.len() {
        let (path, held) = (path.to_owned(), storage.len());
        return Err(DataError::TensorBounds {
            path,
            index,
            needed,
            held,
        });
    }
    let (shape, strides) = (&tensor.shape, &tensor.strides);
    let [_, _, height, width] = [shape[0], shape[1], shape[2], shape[3]];
    let in_c_order = [shape[1] * height * width, height * width, width, 1];
    if tensor.offset == 0 && strides[..] == in_c_order && needed == storage.len() {
        return Ok(storage);
    }
    let mut elements = Vec::with_capacity(shape.iter().product());
    for n in 0..shape[0] {
        for c in 0..shape[1] {
            for y in 0..height {
                let row = tensor.offset + n * strides[0] + c * strides[1] + y * strides[2];
                elements.extend((0..width).map(|x| storage[row + x * strides[3]]));
            }
        }
    }
    Ok(elements)
}

/// Bytes of storage a tensor needs: up to its last element, and no fewer than it has elements, so
/// that repeated elements (stride 0) cannot ask for more memory than the file has bytes. `None` on
/// overflow.
fn span(tensor: &Tensor) -> Option<usize> {
    let mut elements = 1_usize;
    let mut last = tensor.offset;
    for (&size, &stride) in tensor.shape.iter().zip(&tensor.strides) {
        elements = elements.checked_mul(size)?;
        last = last.checked_add(size.checked_sub(1)?.checked_mul(stride)?)?;
    }
    Some(elements.max(last.checked_add(1)?))
}
