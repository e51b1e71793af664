//! Checkpoints of PyTorch in, models for other programs out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use n2n_testing::pickle::{
    call, global, legacy_file, ordered_dict, outer_storage, pickle, storage, storage_file, tensor,
    text,
};

use crate::{n2n, stderr, summary};

/// A checkpoint of the tests of `n2n-exchange`.
fn checkpoint(name: &str) -> PathBuf {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../exchange/tests/data");
    Path::new(data).join(format!("{name}.pth"))
}

/// Runs `command FILE -o OUTPUT --json` with more arguments.
fn run(command: &str, file: &Path, output: &Path, args: &[&str]) -> Output {
    let (file, output) = (file.to_str().unwrap(), output.to_str().unwrap());
    let common = [command, file, "-o", output, "--json"];
    n2n(&[&common, args].concat()).output().unwrap()
}

/// The message of a command that must fail as bad input does, in one line and without a trace.
fn refused(output: &Output, written: &Path) -> String {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty(), "{message}");
    assert!(message.starts_with("error: "), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(!written.exists(), "nothing was written: {message}");
    message
}

#[test]
fn checkpoints_become_models_that_denoise() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.safetensors");
    let imported = summary(&run("import", &checkpoint("unet_shared_relu"), &model, &[]));
    let expected = serde_json::json!({
        "kind": "unet", "channels": 3, "features": 2, "depth": 4, "share_weights": true,
        "activation": "relu",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&imported["network"][key], value, "{key}");
    }
    assert_eq!(imported["dtypes"], serde_json::json!(["float32"]));
    assert_eq!(imported["normalization"]["kind"], "none");

    let picture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../files/tests/data/png/rgb8-interlaced.png"
    );
    let denoised = folder.path().join("denoised.png");
    let model = model.to_str().unwrap();
    summary(&run(
        "denoise",
        Path::new(picture),
        &denoised,
        &["--model", model],
    ));
    assert!(denoised.exists());
}

#[test]
fn residual_checkpoint_needs_the_residual_flag() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.safetensors");
    let file = checkpoint("unet_shared_prelu");
    let imported = summary(&run("import", &file, &model, &["--residual"]));
    assert_eq!(imported["network"]["output"], "residual");
    let other = folder.path().join("other.safetensors");
    let args = ["--residual", "--normalization", "per-image"];
    let imported = summary(&run("import", &file, &other, &args));
    assert_eq!(imported["normalization"]["kind"], "per_image");
    let denoiser = n2n_denoise::Denoiser::load(&other).unwrap();
    assert!(
        denoiser.metadata().network.has_input_units(),
        "the output is brought back"
    );
}

#[test]
fn a_model_file_lies_beside_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("epoch-7.5.pth");
    fs::copy(checkpoint("simple_checkpoint"), &copy).unwrap();
    let import = || n2n(&["import", copy.to_str().unwrap()]).output().unwrap();
    let output = import();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "simple net with 5 features and 3 channels; 338 values in float32",
        "found under \"model_state_dict\"",
        "epoch-7.5.safetensors",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let model = folder.path().join("epoch-7.5.safetensors");
    let bytes = fs::read(&model).unwrap();

    let message = stderr(&import());
    assert!(
        message.contains("is there already") && message.contains("--overwrite"),
        "{message}"
    );
    assert_eq!(fs::read(&model).unwrap(), bytes);
    fs::write(&model, "something else").unwrap();
    summary(&run("import", &copy, &model, &["--overwrite"]));
    assert_eq!(fs::read(&model).unwrap(), bytes);
    // The checkpoint itself is never written over.
    let message = stderr(&run("import", &copy, &copy, &["--overwrite"]));
    assert!(message.contains("is what the command reads"), "{message}");
    assert_eq!(
        fs::read(&copy).unwrap(),
        fs::read(checkpoint("simple_checkpoint")).unwrap()
    );
}

#[test]
fn models_are_exported_as_they_were_imported() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.safetensors");
    let normalization = [
        "--normalization",
        "per-channel",
        "--mean",
        "0.5,0.4,0.3",
        "--std",
        "0.2,0.25,0.3",
    ];
    summary(&run(
        "import",
        &checkpoint("simple"),
        &model,
        &normalization,
    ));

    let again = folder.path().join("again.safetensors");
    let exported = summary(&run("export", &model, &again, &["--to", "safetensors"]));
    assert_eq!(exported["format"], "safetensors");
    assert_eq!(fs::read(&again).unwrap(), fs::read(&model).unwrap());

    let graph = folder.path().join("model.onnx");
    let exported = summary(&run("export", &model, &graph, &["--to", "onnx"]));
    assert_eq!(
        (&exported["opset"], &exported["divisor"]),
        (&17.into(), &4.into())
    );
    let bytes = fs::read(&graph).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|at| at == text.as_bytes());
    assert!(holds("noisy") && holds("ConvTranspose") && holds("normalization.mean"));
}

#[test]
fn run_directory_loads_best_model() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("own-1");
    fs::create_dir(&run_dir).unwrap();
    let export = || {
        let output = n2n(&["export", run_dir.to_str().unwrap(), "--to", "onnx"]).output();
        output.unwrap()
    };
    let graph = folder.path().join("own-1.onnx");
    let message = refused(&export(), &graph);
    assert!(message.contains("holds no best.safetensors"), "{message}");
    let best = run_dir.join("best.safetensors");
    summary(&run("import", &checkpoint("simple"), &best, &[]));
    assert!(export().status.success());
    assert!(graph.exists());
}

#[test]
fn files_that_cannot_be_imported() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.safetensors");
    for (name, parts) in [
        (
            "bad_missing",
            &["U-Net of depth 2", "dblocks.1.conv0.bias is missing"][..],
        ),
        (
            "bad_shape",
            &["conv1.weight has shape [2, 2, 5, 3]", "[2, 2, 3, 3]"],
        ),
        ("bad_unexpected", &["no parameter conv3.weight"]),
        ("bad_nan", &["NaN in conv1.bias"]),
        ("bad_integers", &["conv1.bias", "int64"]),
        ("bad_depth", &["model.depth is 17"]),
        ("bad_resnet", &["another network", "bn1.weight"]),
        ("bad_order", &["up1, up2, down1, down2"]),
        ("bad_hostile", &["posix.system", "nothing was run"]),
        ("missing", &["No such file"]),
    ] {
        let message = refused(&run("import", &checkpoint(name), &model, &[]), &model);
        for part in parts.iter().chain(&[&*format!("{name}.pth")]) {
            assert!(message.contains(part), "{name}: {part}: {message}");
        }
    }
    assert!(!Path::new("hostile-pickle-was-run").exists());

    let bytes = fs::read(checkpoint("unet_shared_prelu")).unwrap();
    let cut = folder.path().join("cut.pth");
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&cut, &bytes[..length]).unwrap();
        let message = refused(&run("import", &cut, &model, &[]), &model);
        assert!(message.contains("cut.pth"), "{message}");
    }
    let message = refused(&run("import", folder.path(), &model, &[]), &model);
    assert!(message.contains("directory"), "{message}");
}

#[test]
fn normalizations_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.safetensors");
    for (args, part) in [
        (&["--normalization", "per-channel"][..], "--mean and --std"),
        (&["--mean", "0.5", "--std", "0.1"], "per-channel"),
        (
            &[
                "--normalization",
                "per-channel",
                "--mean",
                "0.5",
                "--std",
                "0.1",
            ],
            "expected 3 means",
        ),
        (
            &[
                "--normalization",
                "per-channel",
                "--mean",
                "0,0,0",
                "--std",
                "1,0,1",
            ],
            "deviations above 0",
        ),
        (&["--residual"], "--residual is for the U-Net"),
    ] {
        let output = run("import", &checkpoint("simple"), &model, args);
        let message = refused(&output, &model);
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn models_and_places_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let graph = folder.path().join("model.onnx");
    let to_onnx = ["--to", "onnx"];
    let message = refused(
        &run("export", &checkpoint("simple"), &graph, &to_onnx),
        &graph,
    );
    assert!(message.contains("simple.pth"), "{message}");
    let missing = folder.path().join("none.safetensors");
    let message = refused(&run("export", &missing, &graph, &to_onnx), &graph);
    assert!(message.contains("none.safetensors"), "{message}");

    let model = folder.path().join("model.safetensors");
    summary(&run("import", &checkpoint("simple"), &model, &[]));
    let nowhere = model.join("model.onnx");
    let message = refused(&run("export", &model, &nowhere, &to_onnx), &nowhere);
    assert!(message.contains("cannot create"), "{message}");
    let bytes = fs::read(&model).unwrap();
    let in_place = n2n(&["export", model.to_str().unwrap(), "--to", "safetensors"]);
    let message = stderr(&{ in_place }.output().unwrap());
    assert!(message.contains("is what the command reads"), "{message}");
    assert_eq!(fs::read(&model).unwrap(), bytes);
}

#[test]
fn hostile_pickles_run_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (file, model) = (
        folder.path().join("theirs.pth"),
        folder.path().join("model.safetensors"),
    );
    let ran = folder.path().join("ran");
    let touch = |module: &str, name: &str| {
        let command = format!("touch {}", ran.display());
        call(&global(module, name), &[text(&command)])
    };
    let within = |instructions: &[u8]| {
        let object = [instructions, b"0".as_slice(), &outer_storage(1)].concat();
        tensor(&storage(&legacy_file(&object, 1, &[0.5])), &[1])
    };
    let class = [&global("their.code", "Evil"), b")\x81}b".as_slice()].concat();
    let getattr = call(
        &global("builtins", "getattr"),
        &[global("builtins", "dict"), text("__class__")],
    );
    let sound = storage_file(&[0.5]);
    for (value, part) in [
        (touch("os", "system"), "os.system"),
        (touch("builtins", "eval"), "builtins.eval"),
        (class.clone(), "their.code.Evil"),
        (getattr.clone(), "builtins.getattr"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(), "ends"),
        (
            b"N".iter().copied().chain(vec![0x85; 1 << 21]).collect(),
            "instructions",
        ),
        (within(&touch("posix", "system")), "posix.system"),
        (within(&touch("builtins", "exec")), "builtins.exec"),
        (within(&class), "their.code.Evil"),
        (within(&getattr), "builtins.getattr"),
        (within(&b"N0".repeat(200)), "instructions"),
        (
            tensor(&storage(b"PK\x03\x04"), &[1]),
            "is not of the older form",
        ),
        (
            tensor(&storage(&sound[..sound.len() - 2]), &[1]),
            "storage 7",
        ),
        (
            tensor(&storage(&sound), &[1 << 30, 1 << 30]),
            "another network",
        ),
    ] {
        fs::write(&file, pickle(&ordered_dict(&[("0.weights", value)]))).unwrap();
        let message = refused(&run("import", &file, &model, &[]), &model);
        assert!(
            message.contains(part) && message.contains("theirs.pth"),
            "{part}: {message}"
        );
        assert!(!ran.exists(), "{part}");
    }
}
