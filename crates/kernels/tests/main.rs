//! The kernels against the definitions, with each kind of vectors.

mod direct;
mod elementwise;
mod oracle;
mod threads;
mod winograd;

use std::process::Command;

/// The modules whose tests depend on the vectors.
const MODULES: [&str; 4] = ["direct::", "elementwise::", "threads::", "winograd::"];

/// A processor without the widest vectors computes the same.
#[test]
fn narrower_vectors_pass_the_same_tests() {
    let report = |vectors: &str, option: Option<&str>| {
        let mut tests = Command::new(std::env::current_exe().expect("this program"));
        tests.args(MODULES);
        tests.args(option).env("N2N_VECTORS", vectors);
        let output = tests.output().expect("the program starts");
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{vectors}: {report}");
        report
    };
    for vectors in ["avx2", "scalar"] {
        let listed = report(vectors, Some("--list"));
        let count = listed.lines().filter(|line| line.ends_with(": test"));
        let expected = format!(" {} passed; 0 failed; 0 ignored", count.count());
        assert_ne!(expected, " 0 passed; 0 failed; 0 ignored", "{listed}");
        let report = report(vectors, None);
        assert!(report.contains(&expected), "{vectors}: {report}");
    }
}
