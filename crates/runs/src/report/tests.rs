//! Pages of runs as a browser gets them.

use std::fs;

use image::RgbImage;
use n2n_data::quality::Psnr;
use n2n_train::Experiment;
use n2n_train::paint::png;
use n2n_train::run_dir::{Notes, Provenance};

use super::*;
use crate::testing::Folder;

/// What loads something in HTML, CSS or a script.
const LOADS: [&str; 11] = [
    "http:",
    "https:",
    "url(",
    "@import",
    "import(",
    "fetch(",
    "XMLHttpRequest",
    "WebSocket",
    "<iframe",
    "<object",
    "<form",
];

/// The page of the runs in a folder.
fn page(folder: &Folder) -> String {
    let paths = crate::find(folder.path()).unwrap();
    let runs: Vec<Run> = paths.iter().map(|path| Run::read(path).unwrap()).collect();
    report("a sweep", &runs).unwrap()
}

/// Checks that a page asks for nothing.
fn assert_self_contained(page: &str) {
    for part in LOADS {
        let found = page
            .find(part)
            .map(|at| &page[at.saturating_sub(40)..page.len().min(at + 40)]);
        assert_eq!(found, None, "{part}");
    }
    for attribute in ["src=\"", "href=\""] {
        for (at, _) in page.match_indices(attribute) {
            let value = &page[at + attribute.len()..];
            assert!(value.starts_with("data:"), "{}", &value[..40]);
        }
    }
    assert!(page.contains("default-src &#39;none&#39;; img-src data:;"));
}

/// A picture of `rows` samples of `height` by `width` pixels of noise, which no format makes smaller.
fn picture(rows: u32, height: u32, width: u32, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    let size = [3 * width + 8, rows * (height + 4) - 4];
    let mut picture = RgbImage::from_pixel(size[0], size[1], [255; 3].into());
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        if x % (width + 4) < width && y % (height + 4) < height {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [_, a, b, c] = state.to_le_bytes();
            *pixel = [a, b, c].into();
        }
    }
    png(&picture).unwrap()
}

fn add_pictures(run: &std::path::Path, png: &[u8], batches: &[usize]) {
    fs::create_dir(run.join("pictures")).unwrap();
    for batches in batches {
        fs::write(run.join(format!("pictures/{batches:08}.png")), png).unwrap();
    }
}

#[test]
fn page_of_a_run_says_what_it_came_to() {
    let folder = Folder::new();
    let run = folder.run(
        "<b>&\"",
        |train| train.max_images = Some(300),
        &[20.0, 26.0, 24.0],
    );
    add_pictures(&run, &picture(2, 128, 130, 1), &[20]);
    let page = page(&folder);
    assert_self_contained(&page);
    for part in [
        "<title>&lt;b&gt;&amp;&quot;</title>",
        "<h1>&lt;b&gt;&amp;&quot;</h1>",
        "After 200 images, the network denoises with a PSNR of 26.00 dB, 8.00 dB above that of the noisy input, \
         18.00 dB.",
        "<dd>+8.00 dB</dd>",
        "<dd>ended</dd>",
        ">PSNR [dB]</text>",
        ">training loss</text>",
        "<code>train.max_images</code>",
        "n2n denoise IMAGE -o OUT --model",
        "all 3 validations",
        "@media print",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<b>"));
    // Two samples of three images, with a slider each.
    let counts = ["<img ", "type=\"range\"", "aria-label=\"how much of sample"]
        .map(|part| page.matches(part).count());
    assert_eq!(counts, [6, 2, 2]);
    // Shell characters in the folder's name.
    assert!(
        page.contains("/&lt;b&gt;&amp;&quot;&#39;"),
        "the command is quoted"
    );
}

#[test]
fn estimates_and_sub_images_are_called_so() {
    let estimated = Folder::new();
    let psnr = |db| Psnr::Estimated {
        db: Some(db),
        standard_error_db: Some(0.5),
    };
    estimated.write("run", &Experiment::on_scenes(), [psnr(21.0), psnr(22.0)]);
    let page_of_estimate = page(&estimated);
    for part in [
        "with a PSNR of 22.00 +- 0.50 dB (estimated)",
        "no clean image was used to estimate it",
        ">estimated PSNR [dB]</text>",
        "<polygon ",
    ] {
        assert!(page_of_estimate.contains(part), "{part}");
    }
    let of_sub_images = Folder::new();
    let run = of_sub_images.write("run", &Experiment::on_scenes(), [Psnr::SubImages(21.0)]);
    fs::write(run.join("run.json"), "{\"noisy_sub_images_db\":19.0}").unwrap();
    let page = page(&of_sub_images);
    assert!(page.contains(
        "denoised sub-images agree with the other, noisy ones to 21.00 dB, noisy ones to 19.00 dB."
    ));
    assert!(page.contains("This is no PSNR"));
    assert!(!page.contains("<dt>gain</dt>"));
}

#[test]
fn warnings_and_notes_of_a_run_are_shown() {
    let folder = Folder::new();
    let run = folder.run("run", |_| {}, &[17.0]);
    let provenance = Provenance {
        noisy_psnr_db: Some(18.0),
        data: Some("pairs in two folders".to_owned()),
        notes: Notes {
            command: ["n2n", "train", "--data", "my photos"]
                .map(str::to_owned)
                .into(),
            remarks: vec!["neighbours are pairs".to_owned()],
            warnings: vec!["the noise is <smeared>".to_owned()],
        },
        threads: Some(7),
        system: Some("linux x86_64".to_owned()),
        began_unix_s: Some(86_400),
        ..Provenance::default()
    };
    fs::write(
        run.join("run.json"),
        serde_json::to_vec(&provenance).unwrap(),
    )
    .unwrap();
    let page = page(&folder);
    for part in [
        "The best model is no better than its noisy input.",
        "the noise is &lt;smeared&gt;",
        "neighbours are pairs",
        "n2n train --data &#39;my photos&#39;",
        "<td>7</td>",
        "1970-01-02",
        "pairs in two folders",
        "1.00 dB below that of the noisy input",
        "n2n train --resume",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn runs_without_validation_or_provenance_have_a_page() {
    let folder = Folder::new();
    let run = folder.run("run", |_| {}, &[]);
    fs::remove_file(run.join("run.json")).unwrap();
    let page = page(&folder);
    assert!(page.contains("There is no validation yet."));
    assert!(!page.contains("<h2>Curves</h2>") && !page.contains("<h2>Machine</h2>"));
}

#[test]
fn page_of_a_sweep_compares_its_variants() {
    let folder = Folder::new();
    for (batch_size, seed, db) in [(4, 0, 20.0), (4, 1, 21.0), (8, 0, 24.0), (8, 1, 24.0)] {
        let name = format!("{batch_size}-{seed}");
        let run = folder.run(
            &name,
            |train| (train.batch_size, train.seed) = (batch_size, seed),
            &[db],
        );
        add_pictures(&run, &picture(1, 32, 32, 3), &[10]);
    }
    let page = page(&folder);
    assert_self_contained(&page);
    for part in [
        "4 runs of 2 variants: the best, batch_size 8, ends with 24.00 dB PSNR, 6.00 dB above the noisy input (95 % \
         interval of the mean of 2 seeds: +- 0.00 dB).",
        // Half a dB to either side, and t of one degree of freedom.
        "<td>batch_size 4</td><td>2</td><td>20.50</td><td>0.71</td><td>+- 6.35</td><td>2.50</td>",
        "<figcaption>batch_size 4: 20.00 dB</figcaption>",
        "all 4 runs",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("type=\"range\"").count(), 2);
    let common = page.split("<h2>Settings of all runs</h2>").nth(1).unwrap();
    assert!(
        !common
            .split("<h2>")
            .next()
            .unwrap()
            .contains("train.batch_size")
    );
}

#[test]
fn pages_of_many_runs_stay_below_three_megabytes() {
    const MOST: usize = 3_000_000;
    let folder = Folder::new();
    let png = picture(4, 256, 256, 5);
    let psnrs: Vec<f64> = (0..6).map(|at| 20.0 + f64::from(at)).collect();
    for number in 0..30 {
        let name = format!("run-{number}");
        let run = folder.run(&name, |train| train.batch_size = 1 + number, &psnrs);
        add_pictures(&run, &png, &[60]);
    }
    let several = page(&folder);
    assert!(several.len() < MOST, "{} bytes", several.len());
    assert!(several.contains("6 more variants have samples"));
    assert!(several.contains("The 8 best of 30 variants."));
    let one = Run::read(&folder.path().join("run-3")).unwrap();
    let one = report("", &[one]).unwrap();
    assert!(one.len() < MOST, "{} bytes", one.len());
    assert_eq!(one.matches("type=\"range\"").count(), 4);
    assert!(one.contains("Of large images the middle is shown."));
}
