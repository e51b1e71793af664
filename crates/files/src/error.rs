//! Errors of reading.

use std::path::{Path, PathBuf};

use crate::SampleKind;

/// Error of reading a file: each variant names the file, the value found and a remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system could not read the file.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A copy of the file, unpacked or in another order, could not be made.
    #[error("cannot make a temporary copy of {path} in {folder}: {source}; TMPDIR names another folder",
        path = .path.display(), folder = .folder.display())]
    Temporary {
        /// The file.
        path: PathBuf,
        /// Where temporary files are made.
        folder: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// The file ends before everything it announces has been read.
    #[error("{path} ends early, inside {part}; copy or download it again", path = .path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What the end of the file cut off.
        part: String,
    },

    /// The bytes of the file contradict each other or the format.
    #[error("{path} is damaged: {found}; copy it again, or save it anew", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The contradiction.
        found: String,
    },

    /// The file is sound, and holds something that is not read here.
    #[error("{path} holds {found}, which is not supported; {way_out}", path = .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// What to do instead.
        way_out: &'static str,
    },

    /// The file does not begin as any picture does.
    #[error(
        "{path} is no picture in a known format; expected PNG, JPEG, WebP, BMP, TIFF, OpenEXR, \
         Radiance HDR, MRC or FITS: convert it to one of them",
        path = .path.display()
    )]
    NotPicture {
        /// The file.
        path: PathBuf,
    },

    /// The file holds what the sensor of a camera measured.
    #[error(
        "{path} is a raw file of a camera, in which only a small preview is a picture; export it as a \
         TIFF file of 16 bits, with the program of the maker, darktable or RawTherapee",
        path = .path.display()
    )]
    CameraRaw {
        /// The file.
        path: PathBuf,
    },

    /// The image would take more memory than one image may.
    #[error(
        "{path} announces {width}x{height} pixels of {kind}, more than 2 GiB; \
         cut it into smaller images",
        path = .path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// The kind of the samples.
        kind: SampleKind,
    },

    /// There is nothing to read.
    #[error("{path} holds no image; save at least one of 1x1 pixels", path = .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// The pages of one file differ.
    #[error(
        "page {page} of {path} has the shape {found:?} of {found_kind}, and page 0 has \
         {expected:?} of {expected_kind}; save pages of one shape and kind, or one file for each",
        path = .path.display()
    )]
    PagesDiffer {
        /// The file.
        path: PathBuf,
        /// Position of the page, from 0.
        page: usize,
        /// Its `[channels, height, width]`.
        found: [usize; 3],
        /// The kind of its samples.
        found_kind: SampleKind,
        /// `[channels, height, width]` of the first page.
        expected: [usize; 3],
        /// The kind of the first page's samples.
        expected_kind: SampleKind,
    },

    /// The pyramid has fewer levels.
    #[error(
        "{path} has no level {level}: it holds images of {found} {sizes}, and the largest is level 0; choose \
         a smaller number",
        path = .path.display(),
        sizes = if *.found == 1 { "size" } else { "sizes" }
    )]
    Level {
        /// The file.
        path: PathBuf,
        /// The level asked for.
        level: usize,
        /// How many there are.
        found: usize,
    },

    /// An array of numbers that are not read here.
    #[error(
        "{path} holds an array of {found}; expected integers of 8 to 64 bits or floats of 16 to \
         64: convert it with .astype(numpy.float32) before saving",
        path = .path.display()
    )]
    ArrayType {
        /// The file.
        path: PathBuf,
        /// The element type, as NumPy writes it.
        found: String,
    },

    /// An array that is neither an image nor a stack of them.
    #[error(
        "{path} holds an array of shape {found:?}; expected [height, width], [height, width, \
         channels], [images, height, width], [images, channels, height, width] or [images, height, \
         width, channels] with 1 or 3 channels, or up to 64 that are fewer than rows and columns: \
         reshape it before saving",
        path = .path.display()
    )]
    ArrayShape {
        /// The file.
        path: PathBuf,
        /// Its shape.
        found: Vec<u64>,
    },

    /// An archive has more entries than one of arrays needs.
    #[error(
        "{path} has {found} entries, more than {limit}; save the arrays in several files",
        path = .path.display()
    )]
    TooManyEntries {
        /// The archive.
        path: PathBuf,
        /// How many it announces.
        found: u64,
        /// Most there may be.
        limit: u64,
    },

    /// The name of an entry leads out of the archive.
    #[error(
        "{path} is refused because its entry {entry} names a place outside of it; \
         save plain names with numpy.savez(path, name=array)",
        path = .path.display()
    )]
    EntryPath {
        /// The archive.
        path: PathBuf,
        /// The entry.
        entry: String,
    },

    /// Two entries of an archive have one name.
    #[error("{path} has two entries named {entry}; give each array another name", path = .path.display())]
    DuplicateEntry {
        /// The archive.
        path: PathBuf,
        /// The entry.
        entry: String,
    },

    /// The arrays of an archive take more memory than one archive may.
    #[error(
        "the arrays of {path} up to {entry} hold {found} bytes, more than {limit}; \
         save them as single .npy files, which are not read into memory",
        path = .path.display()
    )]
    ArchiveTooLarge {
        /// The archive.
        path: PathBuf,
        /// The entry with which there are too many.
        entry: String,
        /// Bytes that the arrays announce.
        found: u64,
        /// Most there may be.
        limit: u64,
    },

    /// An entry of a zip archive is compressed in a way that its writer never uses.
    #[error(
        "{entry} in {path} is compressed with {method}; \
         keep the file as torch.save or numpy.savez wrote it, or load and save it again",
        path = .path.display()
    )]
    CompressedEntry {
        /// The file.
        path: PathBuf,
        /// The entry.
        entry: String,
        /// Its compression method.
        method: String,
    },

    /// The file is not made of CIFAR-10 records.
    #[error(
        "{path} holds {found} bytes, which is no multiple of the 3073 of a CIFAR-10 record \
         (a label and 32x32 pixels of red, green and blue); use the binary version of CIFAR-10",
        path = .path.display()
    )]
    NotCifar {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
    },

    /// The file is in neither of the two forms that `torch.save` writes.
    #[error(
        "{path} was not made by torch.save: it is neither its zip archive nor its older pickle \
         stream; {way_out}",
        path = .path.display()
    )]
    NotTorchSave {
        /// The file.
        path: PathBuf,
        /// What to do instead.
        way_out: &'static str,
    },

    /// A pickle names a function or class that tensors do not need.
    #[error(
        "{path} is refused because it asks to run {global}, and nothing was run; \
         expected plain tensors: {way_out}",
        path = .path.display()
    )]
    UnsafePickle {
        /// The file.
        path: PathBuf,
        /// What it asks for, as `module.name`.
        global: String,
        /// What to do instead.
        way_out: &'static str,
    },

    /// The file holds something else than tensors by name.
    #[error(
        "{path} holds {found}; expected the tensors of a network by name: write it with \
         torch.save(network.state_dict(), path)",
        path = .path.display()
    )]
    NotStateDict {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
    },

    /// A parameter is not of floats.
    #[error(
        "{name} in {path} is stored as {found}; expected float32, float16, bfloat16 or float64: \
         convert the network with .float() before saving",
        path = .path.display()
    )]
    ParameterType {
        /// The file.
        path: PathBuf,
        /// Name of the parameter.
        name: String,
        /// Its element type.
        found: &'static str,
    },

    /// The file holds something else than two or three tensors.
    #[error(
        "{path} holds {found}; expected two or three tensors: write it with \
         torch.save((noisy, noisy), path), (noisy, clean) or (noisy, noisy, clean)",
        path = .path.display()
    )]
    NotPairs {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
    },

    /// A tensor is not of bytes.
    #[error(
        "tensor {index} of {path} is stored as {found}; expected uint8 (torch.ByteStorage), values \
         0 to 255: convert it with .to(torch.uint8) before saving",
        path = .path.display()
    )]
    TensorType {
        /// The file.
        path: PathBuf,
        /// Position of the tensor, from 0.
        index: usize,
        /// The storage class found.
        found: String,
    },

    /// A tensor is not a batch of grey or RGB images.
    #[error(
        "tensor {index} of {path} has the shape {found:?}; expected [images, channels, height, \
         width] with 1 or 3 channels: reshape or permute it before saving",
        path = .path.display()
    )]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// Position of the tensor, from 0.
        index: usize,
        /// Its shape.
        found: Vec<usize>,
    },

    /// The tensors of one file differ in shape.
    #[error(
        "tensor {index} of {path} has the shape {found:?}, and tensor 0 has {expected:?}; \
         save the same images in the same order in every tensor",
        path = .path.display()
    )]
    ShapesDiffer {
        /// The file.
        path: PathBuf,
        /// Position of the tensor, from 0.
        index: usize,
        /// Its shape.
        found: Vec<usize>,
        /// The shape of the first tensor.
        expected: Vec<usize>,
    },

    /// A tensor reaches beyond its storage, or repeats parts of it.
    #[error(
        "{tensor} of {path} spans {needed} elements and its storage holds {held}; \
         save tensor.contiguous() instead of a view",
        path = .path.display()
    )]
    TensorBounds {
        /// The file.
        path: PathBuf,
        /// The tensor, by its position or name.
        tensor: String,
        /// Elements that shape, strides and offset need; `usize::MAX` where they overflow.
        needed: usize,
        /// Elements there are.
        held: usize,
    },

    /// The file was written by a big-endian machine.
    #[error(
        "{path} was written in {found}-endian byte order; expected little-endian: \
         load and save it again on a little-endian machine",
        path = .path.display()
    )]
    ByteOrder {
        /// The file.
        path: PathBuf,
        /// The byte order it states.
        found: String,
    },
}

impl FileError {
    /// A temporary copy of `path` could not be written.
    pub(crate) fn temporary(path: &Path, source: std::io::Error) -> Self {
        Self::Temporary {
            path: path.to_owned(),
            folder: std::env::temp_dir(),
            source,
        }
    }
}
