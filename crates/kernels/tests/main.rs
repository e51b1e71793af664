//! The kernels against the definitions, with each kind of vectors.

mod direct;
mod elementwise;
mod oracle;
mod threads;
mod winograd;

use std::process::Command;

/// A processor without the widest vectors computes the same.
#[test]
fn narrower_vectors_pass_the_same_tests() {
    for vectors in ["avx2", "scalar"] {
        let mut tests = Command::new(std::env::current_exe().expect("this program"));
        tests.args(["direct::", "elementwise::", "threads::", "winograd::"]);
        let output = tests.env("N2N_VECTORS", vectors).output();
        let output = output.expect("the program starts");
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{vectors}: {report}");
        assert!(report.contains("8 passed"), "{vectors}: {report}");
    }
}
