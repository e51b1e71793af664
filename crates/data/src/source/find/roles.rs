//! What names say: which of several files, folders or arrays are noisy, and which is clean.

/// Names of two halves of noisy pairs, in lower case.
pub(super) const PAIRS: [[&str; 2]; 13] = [
    ["a", "b"],
    ["noisy_a", "noisy_b"],
    ["noisy1", "noisy2"],
    ["noisy_1", "noisy_2"],
    ["even", "odd"],
    ["evn", "odd"],
    ["half1", "half2"],
    ["half_1", "half_2"],
    ["noisy_input", "noisy_target"],
    ["first", "second"],
    ["input", "target"],
    ["inputs", "targets"],
    ["source", "target"],
];

/// Names of noisy images without a second shot.
const NOISY: [&str; 2] = ["noisy", "noise"];

/// Names of images without noise.
pub(super) const CLEAN: [&str; 4] = ["clean", "gt", "ground_truth", "groundtruth"];

/// Positions, in a list of names, of those that have a part to play.
#[derive(Debug, PartialEq)]
pub(super) struct Roles {
    pub shots: Vec<usize>,
    pub clean: Option<usize>,
}

/// Whether a name is that of clean images.
pub(super) fn is_clean(name: &str) -> bool {
    CLEAN.contains(&name.to_lowercase().as_str())
}

/// The parts that names play, if they are names of pairs, or of noisy and clean images.
pub(super) fn roles<'a>(names: impl Iterator<Item = &'a str>) -> Option<Roles> {
    let names: Vec<String> = names.map(str::to_lowercase).collect();
    let find = |wanted: &str| names.iter().position(|name| name == wanted);
    let clean = names.iter().position(|name| is_clean(name));
    let pair = PAIRS.iter().find_map(|pair| {
        let [first, second] = pair.map(find);
        Some(vec![first?, second?])
    });
    let noisy = || {
        let noisy = NOISY.into_iter().find_map(find)?;
        clean.map(|_| vec![noisy])
    };
    let shots = pair.or_else(noisy)?;
    Some(Roles { shots, clean })
}

/// A list of the names that are understood, for errors.
pub(super) fn known() -> String {
    let pairs = PAIRS.map(|[first, second]| format!("{first} + {second}"));
    format!(
        "{}, each with an optional {}",
        pairs.join(", "),
        CLEAN.join(" or ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pairs_are_found_in_any_order_and_case() {
        let found = |names: &[&str]| roles(names.iter().copied());
        let roles = |shots: &[usize], clean| {
            Some(Roles {
                shots: shots.to_vec(),
                clean,
            })
        };
        assert_eq!(found(&["B", "GT", "A"]), roles(&[2, 0], Some(1)));
        assert_eq!(found(&["input", "target"]), roles(&[0, 1], None));
        assert_eq!(found(&["clean", "noisy"]), roles(&[1], Some(0)));
        assert_eq!(found(&["noisy"]), None);
        assert_eq!(found(&["monday", "tuesday"]), None);
    }
}
