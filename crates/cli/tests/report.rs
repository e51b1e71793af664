//! Pages of runs, as the program writes them.

use std::fs;

use crate::{error, n2n, smoke, stderr, summary};

#[test]
fn reports_are_written_of_a_run_and_of_several() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = folder.path().join("my sweep");
    for seed in ["1", "2"] {
        let run = sweep.join(seed);
        summary(&smoke(&run, &["--backend", "flex", "--seed", seed]));
    }
    let page = folder.path().join("page.html");
    let page_of = |path: &std::path::Path, more: &[&str]| {
        let fixed = [
            "report",
            path.to_str().unwrap(),
            "-o",
            page.to_str().unwrap(),
        ];
        n2n(&[&fixed[..], more].concat()).output().unwrap()
    };
    let output = page_of(&sweep.join("1"), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = fs::read_to_string(&page).unwrap();
    for part in [
        "<h1>1</h1>",
        "dB below that of the noisy input",
        "The best model is no better than its noisy input.",
        // Four samples of three images.
        "sample 4",
        "scenes",
        "The peak of PSNR is 255.",
        "train configs",
    ] {
        let part = if part == "train configs" {
            "smoke.toml --run-dir"
        } else {
            part
        };
        assert!(text.contains(part), "{part}");
    }
    assert_eq!(text.matches("<img ").count(), 12);

    let message = error(&page_of(&sweep, &[]));
    assert!(message.contains("--overwrite"), "{message}");
    let written = summary(&page_of(&sweep, &["--overwrite", "--json"]));
    assert_eq!(
        (&written["runs"], &written["bytes"]),
        (&2.into(), &fs::metadata(&page).unwrap().len().into())
    );
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("<h1>my sweep</h1>") && text.contains("2 runs of one variant"));

    let nothing = folder.path().join("nothing");
    let message = error(&page_of(&nothing, &["--overwrite"]));
    assert!(message.contains("does not exist"), "{message}");
}
