//! Classes and functions that checkpoints name beside their tensors, and that hold no tensors themselves.
//!
//! None of them is looked up or called here. Others are refused, so that a file which would run code elsewhere is not
//! taken for a harmless one.

/// Classes and functions of the standard library, NumPy and PyTorch, by module.
const NAMES: [(&[&str], &[&str]); 21] = [
    (
        &["builtins", "__builtin__"],
        &[
            "bool",
            "bytearray",
            "bytes",
            "complex",
            "dict",
            "float",
            "frozenset",
            "int",
            "list",
            "long",
            "object",
            "range",
            "set",
            "slice",
            "str",
            "tuple",
            "unicode",
        ],
    ),
    (&["_codecs"], &["encode"]),
    (&["argparse"], &["Namespace"]),
    (
        &["collections"],
        &[
            "ChainMap",
            "Counter",
            "UserDict",
            "UserList",
            "defaultdict",
            "deque",
        ],
    ),
    (&["copyreg", "copy_reg"], &["_reconstructor"]),
    (
        &["datetime"],
        &["date", "datetime", "time", "timedelta", "timezone"],
    ),
    (&["decimal"], &["Decimal"]),
    (&["fractions"], &["Fraction"]),
    (
        &["numpy"],
        &[
            "bool_", "dtype", "float16", "float32", "float64", "int16", "int32", "int64", "int8",
            "ndarray", "uint16", "uint32", "uint64", "uint8",
        ],
    ),
    (
        &["numpy.core.multiarray", "numpy._core.multiarray"],
        &["_reconstruct", "scalar"],
    ),
    (
        &["numpy.core.numeric", "numpy._core.numeric"],
        &["_frombuffer"],
    ),
    (
        &["numpy.random._pickle"],
        &[
            "__bit_generator_ctor",
            "__generator_ctor",
            "__randomstate_ctor",
        ],
    ),
    (&["numpy.random._mt19937"], &["MT19937"]),
    (&["numpy.random._pcg64"], &["PCG64"]),
    (
        &["pathlib", "pathlib._local"],
        &[
            "Path",
            "PosixPath",
            "PurePath",
            "PurePosixPath",
            "PureWindowsPath",
            "WindowsPath",
        ],
    ),
    (
        &["torch"],
        &[
            "Size",
            "Tensor",
            "bfloat16",
            "bool",
            "channels_last",
            "contiguous_format",
            "device",
            "dtype",
            "float16",
            "float32",
            "float64",
            "int16",
            "int32",
            "int64",
            "int8",
            "preserve_format",
            "strided",
            "uint8",
        ],
    ),
    (&["torch.nn.parameter"], &["Buffer", "Parameter"]),
    (&["torch.torch_version"], &["TorchVersion"]),
    (&["types"], &["SimpleNamespace"]),
    (
        &["typing"],
        &["Any", "Dict", "List", "Optional", "Tuple", "Union"],
    ),
    (&["uuid"], &["UUID"]),
];

/// Packages of configurations, counters and records, and modules of such classes: every class in them.
const PACKAGES: [&str; 16] = [
    "addict",
    "box",
    "easydict",
    "fvcore.common.config",
    "lightning",
    "lightning_fabric",
    "lightning_utilities",
    "ml_collections",
    "mmcv",
    "mmengine",
    "munch",
    "numpy.dtypes",
    "omegaconf",
    "pytorch_lightning",
    "torch.optim.lr_scheduler",
    "yacs",
];

/// Whether a name stands for nothing that tensors need, and nothing that runs other code.
pub(super) fn is_inert(module: &str, name: &str) -> bool {
    let listed =
        |(modules, names): &(&[&str], &[&str])| modules.contains(&module) && names.contains(&name);
    let in_package = |package: &&str| {
        let rest = module.strip_prefix(package);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    NAMES.iter().any(listed) || (is_class(name) && PACKAGES.iter().any(in_package))
}

/// Whether a name is written as those of classes are, in one part.
fn is_class(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Whether an attribute of a class is one that its author meant to be used.
pub(super) fn is_plain_attribute(name: &str) -> bool {
    !name.starts_with("__") && !name.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_names_and_classes_are_inert() {
        for (module, name) in [
            ("builtins", "set"),
            ("numpy._core.multiarray", "scalar"),
            ("numpy.dtypes", "Float64DType"),
            ("omegaconf.dictconfig", "DictConfig"),
            ("mmengine.logging.history_buffer", "HistoryBuffer"),
            ("easydict", "EasyDict"),
        ] {
            assert!(is_inert(module, name), "{module}.{name}");
        }
        for (module, name) in [
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("os", "system"),
            ("numpy", "load"),
            ("torch", "load"),
            ("mmcv", "imread"),
            ("mmcv.utils", "Config.fromfile"),
            ("mmcvx", "Config"),
            ("omegaconf_evil", "DictConfig"),
            ("yacs.", ""),
        ] {
            assert!(!is_inert(module, name), "{module}.{name}");
        }
    }
}
