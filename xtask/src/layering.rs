//! `cargo xtask layering`: dependencies between the crates point one way.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cargo;

/// Each member of the workspace and the members it may depend on.
const LAYERS: [(&str, &[&str]); 11] = [
    ("n2n", &["n2n-denoise"]),
    (
        "n2n-cli",
        &[
            "n2n-data",
            "n2n-denoise",
            "n2n-exchange",
            "n2n-files",
            "n2n-kernels",
            "n2n-model",
            "n2n-scratch",
            "n2n-testing",
        ],
    ),
    ("n2n-data", &["n2n-files"]),
    (
        "n2n-denoise",
        &["n2n-data", "n2n-files", "n2n-model", "n2n-testing"],
    ),
    (
        "n2n-exchange",
        &["n2n-data", "n2n-files", "n2n-model", "n2n-testing"],
    ),
    ("n2n-files", &[]),
    ("n2n-kernels", &[]),
    ("n2n-model", &["n2n-files", "n2n-scratch", "n2n-testing"]),
    ("n2n-scratch", &["n2n-kernels", "n2n-testing"]),
    ("n2n-testing", &[]),
    ("xtask", &[]),
];

/// The training loop and the terminal dashboard of Burn.
const CLI_FEATURES: [&str; 2] = ["train", "tui"];

/// Gradients and kernels are checked against this release.
const BURN_VERSION: &str = "=0.22.1";

/// One dependency, of any kind, as a manifest declares it.
#[derive(Default)]
struct Edge {
    from: String,
    to: String,
    version: String,
    features: Vec<String>,
}

pub fn run() -> Result<()> {
    let mut metadata = cargo::command(["metadata", "--format-version=1", "--no-deps", "--locked"]);
    let metadata = cargo::output(&mut metadata)?;
    let violations = violations(&edges(&serde_json::from_str(&metadata)?)?);
    if !violations.is_empty() {
        bail!(violations.join("\n"));
    }
    Ok(())
}

fn edges(metadata: &Value) -> Result<Vec<Edge>> {
    let mut edges = vec![];
    for package in list(&metadata["packages"])? {
        for dependency in list(&package["dependencies"])? {
            edges.push(Edge {
                from: text(&package["name"])?,
                to: text(&dependency["name"])?,
                version: text(&dependency["req"])?,
                features: list(&dependency["features"])?
                    .iter()
                    .map(text)
                    .collect::<Result<_>>()?,
            });
        }
    }
    Ok(edges)
}

fn violations(edges: &[Edge]) -> Vec<String> {
    let mut violations = vec![];
    for Edge {
        from,
        to,
        version,
        features,
    } in edges
    {
        let layer = |name: &str| LAYERS.iter().find(|(member, _)| *member == name);
        match layer(from) {
            None => violations.push(format!("{from} has no place among the layers")),
            Some((_, below)) if layer(to).is_some() && !below.contains(&to.as_str()) => {
                violations.push(format!("{from} must not depend on {to}"));
            }
            Some(_) => {}
        }
        if to == "burn" || to.starts_with("burn-") {
            if from == "xtask" {
                violations.push(format!("{from} must not depend on {to}"));
            }
            if version != BURN_VERSION {
                violations.push(format!("{from} needs {to} {BURN_VERSION}, not {version}"));
            }
            for feature in features {
                if CLI_FEATURES.contains(&feature.as_str()) && from != "n2n-cli" {
                    violations.push(format!("{from} must not enable {to}/{feature}"));
                }
            }
        }
    }
    violations
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value
        .as_array()
        .context("unexpected shape of `cargo metadata`")
}

fn text(value: &Value) -> Result<String> {
    Ok(value
        .as_str()
        .context("unexpected shape of `cargo metadata`")?
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: from.into(),
            to: to.into(),
            ..Edge::default()
        }
    }

    fn burn(from: &str, version: &str, features: &[&str]) -> Edge {
        let features = features.iter().map(ToString::to_string).collect();
        Edge {
            version: version.into(),
            features,
            ..edge(from, "burn")
        }
    }

    #[test]
    fn the_layers_themselves_pass() {
        let mut edges = vec![
            edge("xtask", "clap"),
            burn("n2n-cli", "=0.22.1", &["train", "tui"]),
        ];
        for (from, below) in LAYERS {
            edges.extend(below.iter().map(|to| edge(from, to)));
        }
        assert_eq!(violations(&edges), [""; 0]);
    }

    #[test]
    fn each_violation_is_reported() {
        let edges = [
            edge("n2n-data", "n2n-model"),
            edge("n2n-model", "n2n-cli"),
            edge("n2n-extra", "n2n-data"),
            burn("xtask", "=0.22.1", &[]),
            burn("n2n-model", "^0.22.1", &[]),
            burn("n2n-scratch", "=0.22.1", &["std", "tui"]),
        ];
        let expected = [
            "n2n-data must not depend on n2n-model",
            "n2n-model must not depend on n2n-cli",
            "n2n-extra has no place among the layers",
            "xtask must not depend on burn",
            "n2n-model needs burn =0.22.1, not ^0.22.1",
            "n2n-scratch must not enable burn/tui",
        ];
        assert_eq!(violations(&edges), expected);
    }
}
