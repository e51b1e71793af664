//! Models that cannot be used.

use std::fs;

use burn::tensor::TensorData;
use n2n_data::Normalization;
use n2n_denoise::{Denoiser, Error, ModelMetadata};
use n2n_model::{NetworkConfig, Output, StateDict, UNetConfig, write_model_file};

use crate::model::{ModelFile, image, unet, weights};

#[test]
fn run_directory_loads_best_model() {
    let model = ModelFile::new(unet(3, 4, 2), Normalization::None);
    let image = image([3, 8, 12]);
    let by_file = Denoiser::load(&model.path).unwrap();
    let by_folder = Denoiser::load(model.path.parent().unwrap()).unwrap();
    let denoised = by_file.denoise(&image).unwrap();
    assert_eq!(by_folder.denoise(&image).unwrap(), denoised);

    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        Denoiser::load(empty.path()),
        Err(Error::NoModel { .. })
    ));
    let missing = empty.path().join("none.safetensors");
    assert!(matches!(Denoiser::load(missing), Err(Error::ModelFile(_))));
}

#[test]
fn damaged_models_are_refused() {
    let network = unet(3, 4, 2);
    let metadata = ModelMetadata::new(network.clone(), Normalization::None, None);
    let state = weights(&network, 1);
    let load = |model: ModelFile| Denoiser::load(&model.path).err().unwrap();

    let model = ModelFile::write(&state, &metadata);
    let bytes = fs::read(&model.path).unwrap();
    fs::write(&model.path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(load(model), Error::ModelFile(_)));

    let mut infinite = state.clone();
    infinite.insert(
        "conv0.bias".into(),
        TensorData::new(vec![0.0, 1.0, f32::NAN, 0.0], [4]),
    );
    let error = load(ModelFile::write(&infinite, &metadata));
    assert!(
        error.to_string().contains("holds NaN in conv0.bias"),
        "{error}"
    );

    let mut missing = state.clone();
    missing.remove("conv1.weight");
    let error = load(ModelFile::write(&missing, &metadata));
    assert!(matches!(error, Error::Weights { .. }), "{error}");

    let statistics = Normalization::PerChannel {
        mean: vec![0.5; 2],
        std: vec![0.2; 2],
    };
    let metadata = ModelMetadata::new(network, statistics, None);
    let error = load(ModelFile::write(&state, &metadata));
    assert!(error.to_string().contains("expected 3 means"), "{error}");
}

#[test]
fn outputs_that_are_not_finite_are_an_error() {
    let network = NetworkConfig::UNet(UNetConfig {
        channels: Some(3),
        features: 4,
        depth: 2,
        output: Output::Linear,
        ..UNetConfig::default()
    });
    let huge = |data: TensorData| {
        let values = vec![3e38_f32; data.iter::<f32>().count()];
        TensorData::new(values, data.shape().clone())
    };
    let state = weights(&network, 1).into_iter();
    let state = state.map(|(name, data)| (name, huge(data))).collect();
    let metadata = ModelMetadata::new(network, Normalization::None, None);
    let denoiser = ModelFile::write(&state, &metadata).load();
    let error = denoiser.denoise(&image([3, 8, 12])).unwrap_err();
    assert!(
        matches!(
            error,
            Error::OutputNotFinite {
                height: 8,
                width: 12
            }
        ),
        "{error}"
    );
}

#[test]
fn a_newer_model_file_says_so_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.safetensors");
    let newer = serde_json::json!({"format": 9, "network": {"kind": "transformer"}});
    write_model_file(&path, &StateDict::new(), &newer).unwrap();
    let error = Denoiser::load(&path).err().unwrap();
    assert!(error.to_string().contains("use a newer n2n"), "{error}");
}
