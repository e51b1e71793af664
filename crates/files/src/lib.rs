//! File formats of images and arrays, without tensors or networks.
//!
//! [`Raster`] is what every reader returns. [`read_picture`] reads files of one image, [`Stack`] files
//! of many; [`write_picture`] writes. Reading any file ends with a result or a [`FileError`]: sizes
//! are checked before memory is allocated, and nothing from a file is executed.

mod atomic;
mod attached;
mod axes;
mod cifar;
mod crc32c;
mod element;
mod error;
mod exif;
mod exr;
mod fits;
mod foreign;
mod format;
mod gzip;
mod input;
mod jpeg;
mod memory;
mod mrc;
mod npy;
mod pages;
mod picture;
mod png;
mod raster;
mod region;
mod samples;
mod sections;
mod stack;
mod tiff;
mod torch;
mod turn;
mod whole;
mod write;
mod zarr;
mod zip;

pub use self::{
    atomic::{
        check_writable, is_stream, remove_unfinished, write_atomically, write_atomically_with,
    },
    attached::{Attached, Own, Resolution, ResolutionUnit, read_attached},
    axes::{Axes, AxesError, AxesFrom, Axis, PageAxes, Split, in_words},
    cifar::CifarFile,
    crc32c::crc32c,
    error::FileError,
    fits::FitsStack,
    foreign::refusal,
    format::PictureFormat,
    gzip::{is_gzip, stem, write_gzip_with},
    memory::reading_bytes,
    mrc::MrcStack,
    npy::{NpyStack, open_npz, read_npz},
    pages::PageStack,
    picture::{is_picture, read_header, read_header_with, read_picture, read_picture_with},
    raster::{Header, MAX_CHANNELS, MAX_DECODED_BYTES, Raster},
    region::Region,
    samples::{Sample, SampleKind, Samples},
    stack::{Stack, is_stack},
    tiff::TiffStack,
    torch::{
        StateDictFile, TorchStack, TorchTensor, open_state_dict, open_torch, read_state_dict,
        read_torch,
    },
    turn::Turn,
    write::{
        EncodeError, JPEG_QUALITY, NpyWriter, PagesWriter, TiffWriter, ZarrWriter, encode_picture,
        write_picture,
    },
    zarr::{ZarrStack, is_zarr},
};
