//! What the tags of a page are for.

use ::tiff::tags::Tag;

/// XMP data.
pub(crate) const XMP: Tag = Tag::Unknown(700);

/// Directories of smaller images.
pub(super) const SMALLER: u16 = 330;

/// Photoshop's layers, which hold pixels.
pub(super) const LAYERS: u16 = 37724;

/// ImageJ's labels, overlays and look-up tables, and the lengths of their parts.
pub(super) const IMAGEJ_COUNTS: u16 = 50838;
pub(super) const IMAGEJ: u16 = 50839;

/// Whether a tag is one of EXIF's main directory: camera, orientation, program, time, people.
pub(super) fn is_exif(tag: u16) -> bool {
    matches!(tag, 271 | 272 | 274 | 305 | 306 | 315 | 316 | 33432)
}

/// Whether a tag says how pixels are stored, what their values are, or is read by name.
pub(crate) fn is_structure(tag: u16) -> bool {
    matches!(
        tag,
        // Kind of page, size, samples, compression, strips, description, resolution.
        254..=266 | 270 | 273 | 277..=284 | 288..=293 | 296
        // Predictor, palette, tiles, smaller images, inks, kinds and bounds of samples.
        | 317 | 320..=325 | 330 | 332..=347
        // JPEG, YCbCr, XMP, EXIF, ICC.
        | 512..=532 | 700 | 34665 | 34675 | 34853 | 40965
    )
}
