//! Prefixes that wrappers of networks give to names.

/// What every name begins with, up to and with a dot: `module.` of `DataParallel`, `_orig_mod.` of a
/// compiled network, `network.` of a module that holds it.
pub(super) fn common_prefix<'a>(names: &[&'a str]) -> &'a str {
    let Some((&first, rest)) = names.split_first() else {
        return "";
    };
    let common = rest.iter().fold(first.len(), |common, name| {
        let pairs = first.bytes().zip(name.bytes()).take(common);
        pairs.take_while(|(a, b)| a == b).count()
    });
    let dot = first.as_bytes()[..common]
        .iter()
        .rposition(|byte| *byte == b'.');
    match dot {
        // The last part of a single name says which parameter of a layer it is.
        Some(dot) if !rest.is_empty() => &first[..=dot],
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_prefix_ends_at_a_dot() {
        for (names, prefix) in [
            (
                &[
                    "module.conv0.weight",
                    "module.conv0.bias",
                    "module.relu.weight",
                ][..],
                "module.",
            ),
            (
                &[
                    "module.net.0.weight",
                    "module.net.0.bias",
                    "module.net.10.weight",
                ],
                "module.net.",
            ),
            (&["conv0.weight", "conv1.weight"], ""),
            (&["0.weight", "2.weight"], ""),
            (&["a.ü.weight", "a.ö.weight"], "a."),
            (&["only.weight"], ""),
            (&[], ""),
        ] {
            assert_eq!(common_prefix(names), prefix, "{names:?}");
        }
    }
}
