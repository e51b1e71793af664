//! Checkpoints of PyTorch.

pub(crate) mod candidate;
mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, TensorData};
use n2n_files::{StateDictFile, open_state_dict};
use n2n_model::{NetworkConfig, ParameterError, StateDict};

use self::candidate::{Candidate, Parameters};
use crate::Error;
use crate::networks::RECOGNIZERS;

/// The step counter of PyTorch's batch normalization; inference does not use it.
const COUNTER: &str = "num_batches_tracked";

/// A network from a checkpoint.
#[derive(Debug)]
pub struct Imported {
    /// The network, recognized by names and shapes of its parameters.
    pub network: NetworkConfig,
    /// Its parameters, under this project's names.
    pub state: StateDict,
    /// Number of values, with running statistics; shared ones count once.
    pub values: usize,
    /// The key under which the file holds them, beside other entries.
    pub place: Option<String>,
    /// Element types in the file, such as `float32`.
    pub dtypes: Vec<String>,
    /// Entries of the state dict that are not tensors, and were left out.
    pub ignored: Vec<String>,
}

/// Reads a checkpoint of the U-Net or the simple net, written by
/// `torch.save(network.state_dict(), path)`.
///
/// The state dict may be an entry of another dictionary, and its names may have a common prefix such as
/// `module.`. Reading runs no code from the file.
///
/// # Errors
/// When the file cannot be read, is damaged, asks to run code, or holds an unknown network.
pub fn import(path: &Path) -> Result<Imported, Error> {
    read(open_state_dict(path)?)
}

fn read<R: Read + Seek>(mut file: StateDictFile<R>) -> Result<Imported, Error> {
    let path = file.path().to_owned();
    let tensors = file.tensors().iter().enumerate();
    let is_counter = |name: &str| name.rsplit('.').next() == Some(COUNTER);
    let kept: Vec<_> = tensors.filter(|(_, at)| !is_counter(&at.name)).collect();
    let names: Vec<&str> = kept.iter().map(|(_, tensor)| &*tensor.name).collect();
    let prefix = names::common_prefix(&names).len();
    let found = kept.iter().map(|(_, tensor)| {
        let name = tensor.name[prefix..].to_owned();
        (name, tensor.shape.clone())
    });
    let parameters = Parameters {
        found: found.collect(),
    };
    let dtypes: BTreeSet<&str> = kept.iter().map(|(_, tensor)| tensor.dtype).collect();
    let dtypes = dtypes.into_iter().map(str::to_owned).collect();
    let places: Vec<usize> = kept.iter().map(|(place, _)| *place).collect();

    let Some(candidate) = recognize(&parameters, &path)? else {
        return Err(Error::UnknownNetwork {
            path,
            found: parameters.listed(),
            expected: RECOGNIZERS.map(|known| known.parameters).join(" or "),
        });
    };
    if let Err(source) = candidate.network.validate() {
        return Err(Error::Size {
            path,
            network: candidate.words,
            source,
        });
    }
    let mut state = StateDict::new();
    for ((place, name), (of_file, shape)) in places
        .into_iter()
        .zip(candidate.names)
        .zip(parameters.found)
    {
        let values = file.values(place)?;
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::NotFinite {
                path,
                name: of_file,
                value,
            });
        }
        state.insert(name, TensorData::new(values, shape));
    }
    let (network, values) = match checked(candidate.network, candidate.unshared, &state) {
        Ok(checked) => checked,
        Err(source) => {
            return Err(Error::Parameters {
                path,
                network: candidate.words,
                source,
            });
        }
    };
    Ok(Imported {
        network,
        state,
        values,
        place: file.place().map(str::to_owned),
        dtypes,
        ignored: file.others().to_vec(),
    })
}

/// The network with these parameters, and their number. Equal blocks are shared.
fn checked(
    network: NetworkConfig,
    unshared: Option<NetworkConfig>,
    state: &StateDict,
) -> Result<(NetworkConfig, usize), ParameterError> {
    let count = |network: &NetworkConfig| {
        let loaded = network.load(state.clone(), &Device::flex())?;
        Ok(loaded.num_params())
    };
    match (count(&network), unshared) {
        (Err(ParameterError::NotShared { .. }), Some(unshared)) => {
            let counted = count(&unshared)?;
            Ok((unshared, counted))
        }
        (counted, _) => Ok((network, counted?)),
    }
}

/// The result of the first recognizer that knows the parameters.
fn recognize(parameters: &Parameters, path: &Path) -> Result<Option<Candidate>, Error> {
    for known in &RECOGNIZERS {
        let candidate = (known.recognize)(parameters, path)?;
        if candidate.is_some() {
            return Ok(candidate);
        }
    }
    Ok(None)
}
