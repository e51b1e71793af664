//! `n2n gradcheck`: its table, its JSON, its exit code.

use crate::{n2n, stderr, summary};

/// The bound that every op must keep on every backend.
const TOLERANCE: f64 = 1e-5;

#[test]
fn every_op_passes_on_the_cpu_backends() {
    for backend in ["flex", "ndarray"] {
        let mut command = n2n(&["gradcheck", "--backend", backend, "--json"]);
        let report = summary(&command.output().unwrap());
        assert_eq!(report["failed"], 0, "{report}");
        assert!(report["checked"].as_u64().unwrap() > 200, "{report}");
        let largest = report["max_rel_error"].as_f64().unwrap();
        assert!(largest > 0.0 && largest <= TOLERANCE, "{largest}");
        let rows = report["rows"].as_array().unwrap();
        for op in [
            "conv2d",
            "conv_transpose2d",
            "unfold",
            "fold",
            "relu",
            "prelu",
            "sigmoid",
            "mse",
        ] {
            assert!(rows.iter().any(|row| row["op"] == op), "{op}");
        }
    }
}

#[test]
fn errors_above_the_tolerance_are_marked_and_fail() {
    let args = ["gradcheck", "--backend", "flex", "--tolerance", "1e-9"];
    let output = n2n(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let first = text.lines().nth(1).unwrap();
    assert!(first.starts_with("conv2d"), "{text}");
    assert!(first.contains("e-7!") || first.contains("e-8!"), "{text}");
    assert!(text.contains("comparisons above 1e-9 on flex"), "{text}");
}
