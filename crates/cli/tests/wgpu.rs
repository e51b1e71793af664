//! `n2n devices`, and training through wgpu on whatever adapter this machine has.

use std::io::Write;

use crate::{n2n, smoke, summary};

/// f32 sums in another order, through one step and a validation.
const TOLERANCE: f64 = 1e-4;

fn devices() -> serde_json::Value {
    summary(&n2n(&["devices", "--json"]).output().unwrap())
}

#[test]
fn devices_lists_the_cpu_backends_and_what_auto_takes() {
    let devices = devices();
    assert_eq!(
        devices["cpu_backends"],
        serde_json::json!(["flex", "ndarray"])
    );
    let gpu = devices["adapters"][0]["gpu"] == true;
    assert_eq!(
        devices["auto"]["backend"],
        if gpu { "wgpu" } else { "flex" }
    );
    let text = n2n(&["devices"]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("--backend auto takes"), "{text}");
}

#[test]
fn without_an_adapter_wgpu_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = n2n(&["train", "--backend", "vulkan"])
        // A loader that finds no driver, as on a machine without one.
        .env("VK_DRIVER_FILES", folder.path().join("none"))
        .output()
        .unwrap();
    let message = crate::stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    for part in ["no such adapter", "this machine has none", "--backend flex"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn launches_of_a_cpu_are_one_clear_error() {
    let args = ["bench", "--launches", "--network", "simple", "--batch", "2"];
    let output = n2n(&args).output().unwrap();
    let message = crate::stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    let expected = "flex launches no kernels; count those of --backend wgpu";
    assert!(message.contains(expected), "{message}");
}

/// Most launches of a forward pass, and of a training step, the first included: one more could be a kernel
/// that is searched for.
const LAUNCHES: [(&str, u64, u64); 2] = [("unet", 17, 54), ("simple", 9, 20)];

#[test]
fn steps_on_wgpu_launch_few_kernels_and_search_for_none() {
    if devices()["adapters"][0]["name"].is_null() {
        assert!(std::env::var_os("CI").is_none(), "no adapter in CI");
        return;
    }
    for (network, forward, step) in LAUNCHES {
        let args = ["bench", "--launches", "--json", "--batch", "2"];
        let mut command = n2n(&args);
        command.args(["--backend", "wgpu", "--implementation", "scratch"]);
        command.args(["--network", network]);
        let counted = &summary(&command.output().unwrap())[0];
        let count = |what: &str| counted[what].as_u64().unwrap();
        assert!(count("forward") <= forward, "{counted}");
        assert!(count("step") <= step, "{counted}");
        assert_eq!(count("first_step"), count("step"), "{counted}");
    }
}

#[test]
fn a_step_on_wgpu_ends_where_one_on_flex_does() {
    let devices = devices();
    let Some(adapter) = devices["adapters"][0]["name"].as_str() else {
        assert!(std::env::var_os("CI").is_none(), "no adapter in CI");
        let line = "training on wgpu is NOT tested: no adapter here\n";
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let run = |backend| {
        let short = [
            "--set",
            "train.max_images=4",
            "--set",
            "data.scenes.validation=4",
        ];
        let args = [&["--backend", backend], short.as_slice()].concat();
        summary(&smoke(&folder.path().join(backend), &args))
    };
    let (wgpu, flex) = (run("wgpu"), run("flex"));
    assert_eq!(wgpu["device"], adapter);
    let (got, expected) = (
        wgpu["psnr_db"].as_f64().unwrap(),
        flex["psnr_db"].as_f64().unwrap(),
    );
    assert!(
        (got - expected).abs() <= TOLERANCE * expected,
        "{got} and {expected}"
    );
}
