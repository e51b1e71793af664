//! `cargo xtask layering`: dependencies between the crates point one way.

use anyhow::{Result, bail};
use serde::Deserialize;

use crate::cargo;

/// Layers, the lowest first: a crate may depend on the crates of lower layers only.
const LAYERS: [&[&str]; 8] = [
    &[
        "n2n-devices",
        "n2n-gpu",
        "n2n-kernels",
        "n2n-testing",
        "xtask",
    ],
    &["n2n-files", "n2n-scratch"],
    &["n2n-data", "n2n-model"],
    &["n2n-denoise", "n2n-exchange"],
    &["n2n-train"],
    &["n2n-runs"],
    &["n2n"],
    &["n2n-cli"],
];

/// Dependencies and their features that only some crates may use.
const RESTRICTED: [(&str, &[&str]); 5] = [
    ("burn/train", &["n2n-train", "n2n-cli"]),
    // The dashboard brings a terminal library.
    ("burn/tui", &["n2n-cli"]),
    ("burn-cubecl", &["n2n-devices", "n2n-gpu"]),
    ("clap", &["n2n-cli", "xtask"]),
    ("toml", &["n2n-train", "n2n-cli"]),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

/// Dependency of any kind, as declared in a manifest.
#[derive(Deserialize)]
struct Dependency {
    name: String,
    features: Vec<String>,
}

pub fn run() -> Result<()> {
    let mut metadata = cargo::command(["metadata", "--format-version=1", "--no-deps", "--locked"]);
    let metadata: Metadata = serde_json::from_str(&cargo::output(&mut metadata)?)?;
    let violations = violations(&metadata.packages);
    if !violations.is_empty() {
        bail!(violations.join("\n"));
    }
    Ok(())
}

fn violations(packages: &[Package]) -> Vec<String> {
    let layer = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    let mut violations = vec![];
    for Package { name, dependencies } in packages {
        let Some(own) = layer(name) else {
            violations.push(format!("{name} belongs to no layer"));
            continue;
        };
        for Dependency { name: to, features } in dependencies {
            let too_high = layer(to).is_some_and(|other| other >= own);
            if too_high || (name == "xtask" && to.starts_with("burn")) {
                violations.push(format!("{name} must not depend on {to}"));
            }
            let features = features.iter().map(|feature| format!("{to}/{feature}"));
            for used in features.chain([to.clone()]) {
                let rule = RESTRICTED
                    .iter()
                    .find(|(restricted, _)| *restricted == used);
                if rule.is_some_and(|(_, users)| !users.contains(&name.as_str())) {
                    violations.push(format!("{name} must not use {used}"));
                }
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `dependencies` are names, each with at most one feature: `burn/tui`.
    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies.iter().map(|dependency| {
            let (name, feature) = dependency.split_once('/').unwrap_or((dependency, "std"));
            Dependency {
                name: name.into(),
                features: vec![feature.into()],
            }
        });
        Package {
            name: name.into(),
            dependencies: dependencies.collect(),
        }
    }

    #[test]
    fn lower_layers_are_allowed() {
        let packages = [
            package("n2n-cli", &["n2n", "n2n-files", "burn/tui", "clap"]),
            package("n2n-train", &["n2n-denoise", "n2n-data", "burn/train"]),
            package("xtask", &["clap"]),
        ];
        assert_eq!(violations(&packages), [""; 0]);
    }

    #[test]
    fn each_violation_is_reported() {
        let packages = [
            package("n2n-data", &["n2n-model"]),
            package("n2n-model", &["n2n-cli"]),
            package("n2n-train", &["burn/tui", "clap"]),
            package("n2n-extra", &["n2n-data"]),
            package("xtask", &["burn"]),
        ];
        let expected = [
            "n2n-data must not depend on n2n-model",
            "n2n-model must not depend on n2n-cli",
            "n2n-train must not use burn/tui",
            "n2n-train must not use clap",
            "n2n-extra belongs to no layer",
            "xtask must not depend on burn",
        ];
        assert_eq!(violations(&packages), expected);
    }
}
