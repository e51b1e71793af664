//! The model file.

use burn::tensor::Device;
use n2n_model::{
    Architecture, FileError, StateDict, UNetConfig, read_model_file, write_model_file,
};

fn state() -> StateDict {
    let config = UNetConfig {
        features: 3,
        depth: 2,
        ..UNetConfig::default()
    };
    config.state_dict(&config.init(1, &Device::flex()))
}

#[test]
fn model_file_reads_back_and_is_reproducible() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    let metadata = ("unet".to_owned(), vec![0.1_f32, 1.0 / 3.0]);
    write_model_file(&first, &state(), &metadata).unwrap();
    write_model_file(&second, &state(), &metadata).unwrap();
    assert_eq!(
        std::fs::read(&first).unwrap(),
        std::fs::read(&second).unwrap()
    );
    let (read, read_metadata) = read_model_file::<(String, Vec<f32>)>(&first).unwrap();
    assert_eq!(read, state());
    assert_eq!(read_metadata, metadata);
}

#[test]
fn truncated_model_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    write_model_file(&path, &state(), &1).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(97) {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = read_model_file::<i32>(&path).unwrap_err();
        assert!(matches!(error, FileError::Safetensors { .. }), "{error}");
        assert!(error.to_string().contains("model"), "{error}");
    }
}

#[test]
fn foreign_safetensors_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    let empty: [(&str, safetensors::tensor::TensorView<'_>); 0] = [];
    std::fs::write(&path, safetensors::serialize(empty, None).unwrap()).unwrap();
    let error = read_model_file::<i32>(&path).unwrap_err();
    assert!(matches!(error, FileError::NoMetadata { .. }), "{error}");
    let error = read_model_file::<i32>(&folder.path().join("none")).unwrap_err();
    assert!(error.to_string().starts_with("cannot read"), "{error}");
}

#[test]
fn failed_write_keeps_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    write_model_file(&path, &state(), &1).unwrap();
    let missing = folder.path().join("no such folder").join("model");
    let error = write_model_file(&missing, &state(), &1).unwrap_err();
    assert!(error.to_string().starts_with("cannot write"), "{error}");
    assert_eq!(read_model_file::<i32>(&path).unwrap().0, state());
}
