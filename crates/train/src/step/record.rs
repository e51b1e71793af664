//! The state of an optimizer in a checkpoint: of each parameter, though the optimizer knows one vector of all, so that
//! a checkpoint does not depend on where parameters lie in it.
//!
//! Burn names the tensors and numbers of a parameter's state `ID.field`.

use std::collections::BTreeMap;

use burn::module::ParamId;
use burn::store::RecordError;
use burn::tensor::Bytes;
use burn_pack::{Reader, Scalar, Tensor, Writer};
use n2n_model::{Layout, Piece};

/// Burn's name of the number of axes.
const RANK: &str = "__rank";

/// Splits the state of the vector into those of the parameters.
///
/// # Errors
/// When it is not a record of Burn's.
pub(crate) fn split(vector: Bytes, layout: &Layout) -> Result<Bytes, RecordError> {
    let reader = Reader::from_bytes(vector)?;
    let numbers = reader.scalars().clone();
    let mut tensors = Vec::new();
    for tensor in reader.into_tensors()? {
        let (name, dtype, _, _, bytes) = tensor.into_parts()?;
        for piece in layout.pieces() {
            let range = piece.start * dtype.size()..(piece.start + piece.elements()) * dtype.size();
            let id = piece.id.val();
            let name = format!("{id}.{}", field(&name));
            let bytes = Bytes::from_bytes_vec(bytes[range].to_vec());
            tensors.push(Tensor::new(
                name,
                dtype,
                piece.shape.clone(),
                Some(id),
                bytes,
            ));
        }
    }
    let mut writer = Writer::new(tensors);
    for (name, number) in &numbers {
        for Piece { id, shape, .. } in layout.pieces() {
            let number = match field(name) {
                RANK => Scalar::from(shape.len()),
                _ => *number,
            };
            writer = writer.with_scalar(&format!("{}.{}", id.val(), field(name)), number);
        }
    }
    Ok(writer.into_bytes()?)
}

/// Joins the states of the parameters to that of their vector, whose name is `id`. A parameter without a state gets
/// zeros.
///
/// # Errors
/// When it is not a record of Burn's.
pub(crate) fn joined(
    parameters: Bytes,
    layout: &Layout,
    id: ParamId,
) -> Result<Bytes, RecordError> {
    let reader = Reader::from_bytes(parameters)?;
    let mut numbers = BTreeMap::new();
    for (name, number) in reader.scalars() {
        let number = match field(name) {
            RANK => Scalar::from(1_usize),
            _ => *number,
        };
        numbers.insert(field(name).to_owned(), number);
    }
    let mut vectors = BTreeMap::new();
    for tensor in reader.into_tensors()? {
        let (name, dtype, _, owner, bytes) = tensor.into_parts()?;
        let own = |piece: &&Piece| Some(piece.id.val()) == owner;
        if let Some(piece) = layout.pieces().iter().find(own) {
            let all = layout.elements() * dtype.size();
            let (_, vector) = vectors
                .entry(field(&name).to_owned())
                .or_insert_with(|| (dtype, vec![0; all]));
            let start = piece.start * dtype.size();
            vector[start..start + bytes.len()].copy_from_slice(&bytes);
        }
    }
    let id = id.val();
    let tensors = vectors.into_iter().map(|(field, (dtype, vector))| {
        let bytes = Bytes::from_bytes_vec(vector);
        Tensor::new(
            format!("{id}.{field}"),
            dtype,
            [layout.elements()],
            Some(id),
            bytes,
        )
    });
    let mut writer = Writer::new(tensors.collect());
    for (field, number) in numbers {
        writer = writer.with_scalar(&format!("{id}.{field}"), number);
    }
    Ok(writer.into_bytes()?)
}

/// A name without the parameter's.
fn field(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, field)| field)
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::optim::{GradientsParams, ModuleOptimizer, OptimizerRecord};
    use burn::tensor::Device;
    use n2n_model::{Loss, Network, NetworkConfig, SimpleNetConfig};

    use super::*;
    use crate::experiment::OptimizerConfig;
    use crate::step::{TrainingModel, optimizer};

    /// The gradients of a network for a batch that its weights are not fit for.
    fn gradients(network: &Network) -> GradientsParams {
        let device = network.devices().swap_remove(0);
        let input = burn::tensor::Tensor::<4>::ones([2, 3, 8, 4], &device);
        let target = input.zeros_like();
        network
            .loss_and_gradients(Loss::L2, 0.0, input, target, None)
            .1
    }

    fn loaded(optimizer: ModuleOptimizer, bytes: &Bytes) -> ModuleOptimizer {
        let bytes = Bytes::from_bytes_vec(bytes.to_vec());
        optimizer.load_record(OptimizerRecord::from_bytes(bytes).unwrap())
    }

    #[test]
    fn states_of_parameters_and_of_their_vector_take_the_same_steps() {
        let device = Device::flex().autodiff();
        let network = NetworkConfig::Simple(SimpleNetConfig {
            features: 3,
            ..SimpleNetConfig::default()
        });
        let first = network.init(5, &device).fork(&device);
        let layout = Layout::of(&first);
        for text in [
            "kind = 'sgd'",
            "kind = 'sgd'\nmomentum = 0.9",
            "kind = 'adam'",
            "kind = 'rmsprop'\nmomentum = 0.9\ncentered = true",
        ] {
            let config: OptimizerConfig = toml::from_str(text).unwrap();
            // Two steps as Burn takes them, parameter by parameter.
            let mut by_parameter = optimizer(&config, &device);
            let second = by_parameter.step(0.1, first.clone(), gradients(&first));
            let state = by_parameter.into_bytes().unwrap();
            let third = by_parameter.step(0.1, second.clone(), gradients(&second));

            // The second one on the vector, from the state of the parameters.
            let model =
                TrainingModel::new(second.clone(), &crate::experiment::TrainConfig::default());
            let vector =
                joined(Bytes::from_bytes_vec(state.to_vec()), &layout, model.id()).unwrap();
            let mut by_vector = loaded(optimizer(&config, &device), &vector);
            let gradients = model.gradients(&second, gradients(&second));
            let model = by_vector.step(0.1, model, gradients);
            let expected = network.state_dict(&third);
            assert_eq!(
                network.state_dict(&model.evaluation_network()),
                expected,
                "{text}"
            );

            // And the same state again, as if the parameters had been stepped.
            let back = split(by_vector.into_bytes().unwrap(), &layout).unwrap();
            let after = joined(by_parameter.into_bytes().unwrap(), &layout, model.id()).unwrap();
            let again = joined(back, &layout, model.id()).unwrap();
            assert_eq!(again.to_vec(), after.to_vec(), "{text}");
        }
    }
}
