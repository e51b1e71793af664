//! The parameters of a network: `torch.save(network.state_dict(), path)`.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufReader, Read, Seek},
    path::{Path, PathBuf},
    rc::Rc,
};

use super::{
    content::Content,
    storages::{Storages, open_storages},
    value::{Pickle, Tensor, Value},
};
use crate::{
    FileError,
    input::{malformed, open_file},
};

#[cfg(test)]
mod tests;

/// Where checkpoints of more than a network keep it, the likeliest first.
const PLACES: [&str; 6] = [
    "state_dict",
    "model_state_dict",
    "model",
    "network",
    "net",
    "params",
];

/// Most names that a message lists.
const MAX_LISTED: usize = 8;

/// One tensor of a state dict, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TorchTensor {
    /// Its name, such as `conv0.weight`.
    pub name: String,
    /// Its shape; empty for a single number.
    pub shape: Vec<usize>,
    /// How its values are stored, such as `float32`.
    pub dtype: &'static str,
}

/// A state dict in a file of `torch.save`: names and shapes in its order, and values when asked for.
pub struct StateDictFile<R> {
    path: PathBuf,
    storages: Storages<R>,
    place: Option<String>,
    tensors: Vec<TorchTensor>,
    views: Vec<Rc<Tensor>>,
    others: Vec<String>,
    /// Views that were read, and the bytes that they cover.
    read: HashSet<View>,
    read_bytes: u64,
}

/// Key of a storage, offset, shape and strides.
type View = (Rc<str>, usize, Vec<usize>, Vec<usize>);

/// Opens the state dict of a file: a dictionary of tensors by name, alone or, in a dictionary of
/// several things, under `state_dict`, `model` or another usual name.
///
/// Reading runs no code from the file.
///
/// # Errors
/// When the file cannot be read, is damaged, asks to run code, or holds something else.
pub fn open_state_dict(path: &Path) -> Result<StateDictFile<BufReader<File>>, FileError> {
    read_state_dict(BufReader::new(open_file(path)?), path)
}

/// As [`open_state_dict`], from bytes that came from `path`.
///
/// # Errors
/// As for [`open_state_dict`].
pub fn read_state_dict<R: Read + Seek>(
    reader: R,
    path: &Path,
) -> Result<StateDictFile<R>, FileError> {
    let (pickle, storages) = open_storages(reader, Content::StateDict, path)?;
    let (place, dict) = find(&pickle, path)?;
    let mut file = StateDictFile {
        path: path.to_owned(),
        storages,
        others: Vec::new(),
        place: place.map(str::to_owned),
        tensors: Vec::new(),
        views: Vec::new(),
        read: HashSet::new(),
        read_bytes: 0,
    };
    let mut names = HashSet::new();
    for (key, value) in dict {
        let Value::Text(name) = key else { continue };
        let Value::Tensor(tensor) = value else {
            file.others.push(name.to_string());
            continue;
        };
        if !names.insert(name) {
            return Err(malformed(path, format!("two of its tensors are {name}")));
        }
        file.tensors.push(TorchTensor {
            name: name.to_string(),
            shape: tensor.shape.clone(),
            dtype: tensor.storage.element.dtype,
        });
        file.views.push(Rc::clone(tensor));
    }
    Ok(file)
}

impl<R: Read + Seek> StateDictFile<R> {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key under which the file has the state dict, if it has more than that.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// The tensors, in the file's order; no two have one name.
    pub fn tensors(&self) -> &[TorchTensor] {
        &self.tensors
    }

    /// Names in the state dict that stand for no tensor.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// The values of tensor `index` as 32-bit floats, in C order.
    ///
    /// # Errors
    /// When the tensor is not of floats, or the file is damaged or cannot be read.
    ///
    /// # Panics
    /// When `index` is not below the number of tensors.
    pub fn values(&mut self, index: usize) -> Result<Vec<f32>, FileError> {
        let (tensor, name) = (&self.views[index], &self.tensors[index].name);
        let element = tensor.storage.element;
        let Some(float) = element.float else {
            return Err(FileError::ParameterType {
                path: self.path.clone(),
                name: name.clone(),
                found: element.dtype,
            });
        };
        if tensor.strides.len() != tensor.shape.len() {
            let (strides, axes) = (tensor.strides.len(), tensor.shape.len());
            let found = format!("{name} has {strides} strides for {axes} axes");
            return Err(malformed(&self.path, found));
        }
        // An empty tensor spans nothing.
        let empty = tensor.shape.contains(&0);
        let needed = if empty { Some(0) } else { tensor.span() };
        let (needed, held) = (needed.unwrap_or(usize::MAX), tensor.storage.len);
        if needed > held {
            return Err(FileError::TensorBounds {
                path: self.path.clone(),
                tensor: name.clone(),
                needed,
                held,
            });
        }
        // Shared blocks are one view under many names; other views of the same elements would let
        // a small file ask for any amount of memory.
        let elements: usize = tensor.shape.iter().product();
        let storage = &tensor.storage;
        if self.read.insert((
            storage.key.clone(),
            tensor.offset,
            tensor.shape.clone(),
            tensor.strides.clone(),
        )) {
            self.read_bytes += (elements * element.bytes) as u64;
        }
        if self.read_bytes > self.storages.file_len() {
            let found = "its tensors overlap: together they are larger than itself";
            return Err(malformed(&self.path, found));
        }
        let bytes = self.storages.read(storage, &self.path)?;
        let start = |at: usize| at * element.bytes;
        Ok(places(tensor, elements)
            .map(|at| float(&bytes[start(at)..start(at + 1)]))
            .collect())
    }
}

/// Where the elements of a tensor are in its storage, in C order.
fn places(tensor: &Tensor, elements: usize) -> impl Iterator<Item = usize> {
    let axes: Vec<(usize, usize)> = tensor
        .shape
        .iter()
        .copied()
        .zip(tensor.strides.iter().copied())
        .collect();
    let mut index = vec![0; axes.len()];
    let mut at = tensor.offset;
    (0..elements).map(move |_| {
        let place = at;
        for (index, &(size, stride)) in index.iter_mut().zip(&axes).rev() {
            *index += 1;
            // The stride of an axis of one element may be any number.
            at = at.wrapping_add(stride);
            if *index < size {
                break;
            }
            at = at.wrapping_sub(stride.wrapping_mul(size));
            *index = 0;
        }
        place
    })
}

/// A dictionary with tensors and, if it is not the whole object, its key.
type Found<'a> = (Option<&'a str>, &'a [(Value, Value)]);

/// Finds the state dict: the object itself, or what it has under a usual name, or its one
/// dictionary of tensors.
fn find<'a>(pickle: &'a Pickle, path: &Path) -> Result<Found<'a>, FileError> {
    let containers = &pickle.containers;
    let other = |found| Content::StateDict.refusal(found, path);
    let Some(object) = containers.entries(&pickle.value) else {
        return Err(other(containers.describe(&pickle.value)));
    };
    if has_tensors(object) {
        return Ok((None, object));
    }
    let candidates: Vec<(&str, &[(Value, Value)])> = object
        .iter()
        .filter_map(|(key, value)| match key {
            Value::Text(key) => Some((&**key, containers.entries(value)?)),
            _ => None,
        })
        .filter(|(_, entries)| has_tensors(entries))
        .collect();
    let mut usual = PLACES.iter();
    let usual = usual.find_map(|place| candidates.iter().find(|(key, _)| key == place));
    match (usual, candidates.as_slice()) {
        (Some((key, dict)), _) | (None, [(key, dict)]) => Ok((Some(key), dict)),
        (None, []) => {
            let keys = object.iter().filter_map(|(key, _)| match key {
                Value::Text(key) => Some(&**key),
                _ => None,
            });
            let keys = listed(keys);
            Err(other(match keys.as_str() {
                "" => "a dictionary without tensors".to_owned(),
                keys => format!("a dictionary of {keys} without a state dict"),
            }))
        }
        (None, several) => {
            let keys = listed(several.iter().map(|(key, _)| *key));
            Err(other(format!("several state dicts: {keys}")))
        }
    }
}

fn has_tensors(entries: &[(Value, Value)]) -> bool {
    entries
        .iter()
        .any(|entry| matches!(entry, (Value::Text(_), Value::Tensor(_))))
}

/// The first of some names, and how many more there are.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let first = names[..names.len().min(MAX_LISTED)].join(", ");
    match names.len().saturating_sub(MAX_LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
