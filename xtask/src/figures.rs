//! `cargo xtask figures`: the runs behind the figures of the reference, and the figures.
//!
//! Runs are those of the sweeps in `configs/figures`; they take hours, and the next call goes on from what is there.
//! Each figure is drawn from runs of one or two sweeps, beside the curves of the reference's authors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cargo;

/// Where the sweeps are, and where the figures go.
const CONFIGS: &str = "configs/figures";
const FIGURES: &str = "docs/figures";

/// Curves of the reference's authors, beside the figures.
const REFERENCE: &str = "reference.json";

/// Settings that make all runs so short that a test can wait for them.
const QUICK: [&str; 3] = [
    "train.max_images=320",
    "data.scenes.train=64",
    "data.scenes.validation=16",
];

/// One figure.
struct Figure {
    /// Name of its files.
    name: &'static str,
    title: &'static str,
    /// Its runs: a sweep, and how the names of its runs that belong here begin.
    runs: &'static [(&'static str, &'static [&'static str])],
    /// Its curves in the authors' file.
    reference: &'static [&'static str],
    /// What is drawn.
    y: &'static str,
}

/// What the authors' curves show that have another PSNR.
const POOLED: &str = "pooled-psnr";

const PSNR: &str = "psnr";

const ALL: [Figure; 11] = [
    Figure {
        name: "training-set-size",
        title: "Size of the training set",
        runs: &[
            ("training-set-size", &[""]),
            ("features", &["features=32,"]),
        ],
        reference: &[
            "psnr_vs_training_set_size/4000",
            "psnr_vs_training_set_size/16000",
            "psnr_vs_training_set_size/50000",
        ],
        y: PSNR,
    },
    Figure {
        name: "features",
        title: "Features of the encoder",
        runs: &[("features", &[""]), ("features-wide", &[""])],
        reference: &["psnr_vs_features"],
        y: PSNR,
    },
    Figure {
        name: "targets",
        title: "Noisy and clean targets, 500 pairs",
        runs: &[("targets", &[""])],
        reference: &["noisy_vs_clean_targets_500_pairs"],
        y: PSNR,
    },
    Figure {
        name: "simple-net",
        title: "Hand-written layers and Burn's, simple net",
        runs: &[("simple-net", &[""])],
        reference: &["simple_net"],
        y: PSNR,
    },
    Figure {
        name: "batch-norm",
        title: "Batch normalization",
        runs: &[("side", &["reference,", "batch_norm,"])],
        reference: &[],
        y: PSNR,
    },
    Figure {
        name: "dropout",
        title: "Dropout",
        runs: &[("side", &["reference,", "dropout="])],
        reference: &[
            "psnr_vs_dropout_pooled/0.01",
            "psnr_vs_dropout_pooled/0.1",
            "psnr_vs_dropout_pooled/0.5",
        ],
        y: POOLED,
    },
    Figure {
        name: "initialization",
        title: "Initialization",
        runs: &[("side", &["reference,", "init="])],
        reference: &[],
        y: PSNR,
    },
    Figure {
        name: "learning-rate-plateau",
        title: "Learning rate, reduced on plateaus",
        runs: &[("side", &["reference,", "lr="])],
        reference: &[
            "psnr_vs_lr_with_plateau/0.001",
            "psnr_vs_lr_with_plateau/0.01",
            "psnr_vs_lr_with_plateau/0.1",
            "psnr_vs_lr_with_plateau/1",
        ],
        y: PSNR,
    },
    Figure {
        name: "learning-rate-constant",
        title: "Learning rate, constant",
        runs: &[("side", &["constant,"])],
        reference: &[
            "psnr_vs_lr_without_scheduler_pooled/0.001",
            "psnr_vs_lr_without_scheduler_pooled/0.01",
            "psnr_vs_lr_without_scheduler_pooled/0.1",
            "psnr_vs_lr_without_scheduler_pooled/0.5",
        ],
        y: POOLED,
    },
    Figure {
        name: "augmentation",
        title: "Flips and turns",
        runs: &[("side", &["reference,", "augmented,"])],
        reference: &[],
        y: PSNR,
    },
    Figure {
        name: "normalization",
        title: "Normalization per pixel, per image, and none",
        runs: &[("side", &["reference,", "normalize="])],
        reference: &[],
        y: PSNR,
    },
];

/// How the figures are made.
#[derive(clap::Args)]
pub struct FigureArgs {
    /// Figures to make [default: all]
    #[arg(value_parser = ALL.map(|figure| figure.name))]
    names: Vec<String>,
    /// Runs of a few steps, to see that everything works; the figures then go beside the runs
    #[arg(long)]
    quick: bool,
    /// Noisy pairs of your own instead of embedded scenes; the figures then go beside the runs
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Folder of the runs, which go on from what is there [default: runs/figures, or runs/figures-quick]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Draw what the runs have come to, and run nothing
    #[arg(long)]
    plot_only: bool,
}

/// Runs what is missing, and draws the figures.
pub fn run(args: &FigureArgs) -> Result<()> {
    let n2n = cargo::program()?;
    let root = cargo::root();
    let default = if args.quick {
        "runs/figures-quick"
    } else {
        "runs/figures"
    };
    let out = args.out.clone().unwrap_or_else(|| root.join(default));
    let is_published = !args.quick && args.data.is_none();
    let pictures = if is_published {
        root.join(FIGURES)
    } else {
        out.clone()
    };
    let is_asked = |figure: &&Figure| {
        args.names.is_empty() || args.names.iter().any(|name| name == figure.name)
    };
    let figures: Vec<&Figure> = ALL.iter().filter(is_asked).collect();
    if !args.plot_only {
        let mut sweeps: Vec<&str> = Vec::new();
        for (sweep, _) in figures.iter().flat_map(|figure| figure.runs) {
            if !sweeps.contains(sweep) {
                sweeps.push(sweep);
            }
        }
        for sweep in sweeps {
            cargo::succeed(&mut args.sweep(&n2n, &root, &out, sweep))?;
        }
    }
    fs::create_dir_all(&pictures)?;
    for figure in figures {
        figure.draw(&n2n, &root, &out, &pictures)?;
    }
    Ok(())
}

impl FigureArgs {
    /// The command that runs a sweep.
    fn sweep(&self, n2n: &Path, root: &Path, out: &Path, name: &str) -> Command {
        let mut command = Command::new(n2n);
        let file = root.join(CONFIGS).join(format!("{name}.toml"));
        command.arg("sweep").arg(file).arg("-o").arg(out.join(name));
        command.args(["--jobs", &self.jobs.to_string(), "--backend", "flex"]);
        if let Some(data) = &self.data {
            command.arg("--data").arg(data);
        }
        if self.quick {
            for setting in QUICK {
                command.args(["--set", setting]);
            }
        }
        command
    }
}

impl Figure {
    /// Draws the figure as SVG and PNG, and writes its curves as JSON and its table as Markdown.
    fn draw(&self, n2n: &Path, root: &Path, out: &Path, pictures: &Path) -> Result<()> {
        let runs = self.run_folders(out)?;
        let file = |extension: &str| pictures.join(format!("{}.{extension}", self.name));
        let plot = |extension: &str| {
            let mut plot = Command::new(n2n);
            plot.arg("plot").args(&runs).arg("-o").arg(file(extension));
            plot.args([
                "--title",
                self.title,
                "--y",
                self.y,
                "--overwrite",
                "--json",
            ]);
            plot.arg("--table").arg(file("md"));
            if !self.reference.is_empty() {
                plot.args(["--reference-name", "authors"]);
            }
            for key in self.reference {
                let reference = root.join(FIGURES).join(REFERENCE);
                plot.arg("--reference")
                    .arg(format!("{}#{key}", reference.display()));
            }
            cargo::output(&mut plot)
        };
        plot("png")?;
        let mut drawn: Value = serde_json::from_str(&plot("svg")?)?;
        let object = drawn.as_object_mut().context("the curves are missing")?;
        // The path of one machine.
        object.remove("file");
        fs::write(file("json"), serde_json::to_string(&drawn)? + "\n")?;
        eprintln!("{}", file("svg").display());
        Ok(())
    }

    /// The runs of the figure.
    fn run_folders(&self, out: &Path) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for (sweep, beginnings) in self.runs {
            let folder = out.join(sweep);
            // The runs of this sweep may be still to come.
            if !folder.exists() {
                continue;
            }
            let entries = fs::read_dir(&folder)?;
            let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            let mut names = names.collect::<Result<Vec<String>>>()?;
            names.retain(|name| {
                beginnings.iter().any(|start| name.starts_with(start))
                    && folder.join(name).join("metrics.jsonl").exists()
            });
            names.sort();
            found.extend(names.iter().map(|name| folder.join(name)));
        }
        ensure!(
            !found.is_empty(),
            "there are no runs of the figure {} in {}",
            self.name,
            out.display()
        );
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_sweeps_and_curves() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let reference = fs::read_to_string(root.join(FIGURES).join(REFERENCE)).unwrap();
        let reference: Value = serde_json::from_str(&reference).unwrap();
        for figure in &ALL {
            for (sweep, _) in figure.runs {
                let path = root.join(CONFIGS).join(format!("{sweep}.toml"));
                assert!(path.exists(), "{}", path.display());
            }
            for key in figure.reference {
                let pointer = format!("/{key}");
                assert!(reference.pointer(&pointer).is_some(), "{key}");
            }
        }
    }
}
