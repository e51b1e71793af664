//! What can be wrong with a person's data.

use std::path::PathBuf;

use n2n_files::FileError;

use crate::Target;
use crate::noise::NoiseError;

/// Why data could not be used: each variant names the file, the value found and the rule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file of images or arrays cannot be used.
    #[error(transparent)]
    File(#[from] FileError),

    /// The config of the noise is invalid.
    #[error(transparent)]
    Noise(#[from] NoiseError),

    /// The set lacks the target that was asked for.
    #[error("{name} has no {target} targets")]
    MissingTarget {
        /// The set.
        name: String,
        /// The missing kind.
        target: Target,
    },

    /// There is nothing to train or validate on.
    #[error("{name} holds no image")]
    Empty {
        /// The set.
        name: String,
    },

    /// No noisy image varies.
    #[error(
        "every training image is blank: each of its channels has one value, in {first} to begin with, so that there \
         is no noise to learn from; see that these are the files that were meant"
    )]
    Constant {
        /// The first image.
        first: String,
    },

    /// The two images of pairs are copies of each other.
    #[error(
        "the two images of {count} of {pairs} pairs are equal or nearly so, {first} and {second} to begin with, \
         whose difference is {percent:.1} % of the noise: there is no noise to learn; expected two exposures of each \
         scene, not copies of one"
    )]
    EqualPartners {
        /// How many.
        count: usize,
        /// Pairs that were compared.
        pairs: usize,
        /// An image.
        first: String,
        /// Its partner.
        second: String,
        /// Deviation of their difference, in percent of that of the noise; independent images have 141.
        percent: f64,
    },

    /// None of the files can be read.
    #[error("no scene can be read; the first: {reason}")]
    NothingReadable {
        /// Why the first cannot.
        reason: String,
    },

    /// A folder holds none of the kinds of data.
    #[error(
        "{path} holds no data that is understood; expected two folders or stacks named {names}; \
         or one folder for each scene with two shots or more; or stacks of TIFF, MRC or FITS, NumPy arrays, files \
         of PyTorch, CIFAR-10's binary files, or clean images",
        path = .path.display()
    )]
    NoData {
        /// The folder.
        path: PathBuf,
        /// The names of pairs.
        names: String,
    },

    /// A file is not of a known kind of data.
    #[error(
        "{path} is no kind of file that pairs are read from; expected .pkl, .pt, .npz, .npy, .tif, \
         .mrc, .fits or CIFAR-10's .bin, or a folder",
        path = .path.display()
    )]
    UnknownKind {
        /// The file.
        path: PathBuf,
    },

    /// An archive of arrays whose names say nothing.
    #[error(
        "{path} holds {count} arrays whose names say nothing of pairs; expected two arrays, or \
         names such as {names}",
        path = .path.display()
    )]
    UnknownArrays {
        /// The file.
        path: PathBuf,
        /// Number of arrays.
        count: usize,
        /// The names of pairs.
        names: String,
    },

    /// Two folders with files of the same names.
    #[error(
        "{first} and {second} hold files of the same names: are they pairs, or two scenes of \
         several shots? data.layout must say which",
        first = .first.display(), second = .second.display()
    )]
    PairsOrBursts {
        /// One folder.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },

    /// A file of a pair has no counterpart.
    #[error(
        "{path} has no partner of the same name in {folder}; add it, or remove the file",
        path = .path.display(), folder = .folder.display()
    )]
    NoPartner {
        /// The file.
        path: PathBuf,
        /// Where its partner should be.
        folder: PathBuf,
    },

    /// A file among pairs that has no counterpart.
    #[error(
        "{path} has no partner among the pairs beside it; add it, or remove the file",
        path = .path.display()
    )]
    Unpaired {
        /// The file.
        path: PathBuf,
    },

    /// Some files of a folder are pairs by their names, and others are not.
    #[error(
        "{used} of the {count} images in {folder} are pairs by their names, as {first} and {second} are, and the \
         others are not: data.layout must say \"pairs\", which leaves the others out, or \"clean\" if all are clean",
        folder = .folder.display()
    )]
    PairsAmongOthers {
        /// The folder.
        folder: PathBuf,
        /// A file.
        first: String,
        /// Its partner.
        second: String,
        /// Files that are pairs.
        used: usize,
        /// All files.
        count: usize,
    },

    /// Images of another kind beside those that are used.
    #[error(
        "{folder} holds other images beside {kind}: {count}, {first} the first; move them to a folder of \
         their own",
        first = .first.display(), folder = .folder.display()
    )]
    OtherKind {
        /// The folder.
        folder: PathBuf,
        /// How many there are.
        count: usize,
        /// The first of them.
        first: PathBuf,
        /// What is used.
        kind: String,
    },

    /// A scene of one shot.
    #[error(
        "{path} holds a single shot; expected two or more, data.pairing \"subsample\" or data.layout \"clean\"",
        path = .path.display()
    )]
    SingleShot {
        /// The folder or file.
        path: PathBuf,
    },

    /// Single images that may be noisy or clean.
    #[error(
        "{first}{others} has no partner, hardly any noise is seen ({percent:.1} % of the range), and nobody says \
         whether this is noise or a clean image; expected data.pairing \"subsample\" for noisy images, or for clean \
         ones noise to put on them",
        others = match .count { 1 => String::new(), count => format!(", the first of {count} images,") }
    )]
    NoisyOrClean {
        /// The first image.
        first: String,
        /// Number of images.
        count: usize,
        /// Deviation of what may be noise, of the range of samples.
        percent: f64,
    },

    /// Nobody knows what the images of a file are.
    #[error(
        "{path} does not say what its {images} images are; expected data.axes, which says it: \"TYX\" for \
         shots or frames of one scene, \"ZYX\" for planes of a volume, \"CYX\" for channels of one image",
        path = .path.display()
    )]
    UnknownAxes {
        /// The file.
        path: PathBuf,
        /// Its images.
        images: usize,
    },

    /// A volume without shots.
    #[error(
        "the {images} images of {path} are planes of a volume, so that no two are shots of one scene; \
         expected a second volume of the same, as data.pairs, or data.axes \"TYX\" if they are shots",
        path = .path.display()
    )]
    PlanesOnly {
        /// The file.
        path: PathBuf,
        /// Its images.
        images: usize,
    },

    /// The images of one scene differ in size or type.
    #[error(
        "{path} is {found}, and {other} of the same scene {expected}; save the same part in the \
         same type",
        path = .path.display(), other = .other.display()
    )]
    SceneDiffers {
        /// The file.
        path: PathBuf,
        /// Its size and type.
        found: String,
        /// Another file of the scene.
        other: PathBuf,
        /// That one's size and type.
        expected: String,
    },

    /// Stacks that belong together differ.
    #[error(
        "{second} holds {second_holds}, and {first} {first_holds}; stacks that belong together \
         must be alike",
        first = .first.display(), second = .second.display()
    )]
    StacksDiffer {
        /// A file.
        first: PathBuf,
        /// What it holds.
        first_holds: String,
        /// Another file.
        second: PathBuf,
        /// What that one holds.
        second_holds: String,
    },

    /// A file is not what it was when the set was opened.
    #[error(
        "{path} is {found:?} (height, width), and was {expected:?} when training started; \
         expected files that do not change",
        path = .path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its size now.
        found: [usize; 2],
        /// Its size then.
        expected: [usize; 2],
    },

    /// A file of several images has fewer than when the set was opened.
    #[error("image {place} of {path} is gone; expected files that do not change", path = .path.display())]
    FewerImages {
        /// The file.
        path: PathBuf,
        /// The place of the image in it, from 0.
        place: usize,
    },

    /// Images whose channels do not go together.
    #[error(
        "{name} has {found} channels, but {expected} are expected; only grey and colour stand for each \
         other"
    )]
    Channels {
        /// The image, or the set.
        name: String,
        /// Its channels.
        found: usize,
        /// The channels of the others, or those of the config.
        expected: usize,
    },

    /// There are ranges per channel, but not one for each.
    #[error("data.range has ranges of {ranges} channels, but the images have {channels}")]
    RangeChannels {
        /// Ranges.
        ranges: usize,
        /// Channels.
        channels: usize,
    },

    /// The side of patches does not fit the network.
    #[error(
        "data.patch_size is {side}, but the network needs a multiple of {divisor}: set {lower} or \
         {higher}, or a lower model.depth",
        lower = (.side / .divisor * .divisor).max(*.divisor),
        higher = .side.next_multiple_of(*.divisor)
    )]
    PatchSize {
        /// Its value.
        side: usize,
        /// What it must be a multiple of.
        divisor: usize,
    },

    /// Every image is far smaller than the network can take.
    #[error(
        "images are at most {longest} pixels wide or high, but the network takes multiples of \
         {divisor}; set a lower model.depth"
    )]
    TooSmall {
        /// The longest side.
        longest: usize,
        /// What sides must be multiples of.
        divisor: usize,
    },

    /// Statistics of pixels, but images are cut anywhere.
    #[error(
        "data.normalize is per_pixel, which needs images of one size, but squares of {side} pixels \
         are cut from these; set data.normalize = \"per_channel\""
    )]
    PerPixelOfCrops {
        /// Their side.
        side: usize,
    },

    /// Statistics of pixels, but validation images are of another size.
    #[error(
        "data.normalize is per_pixel, but training images are {expected:?} (channels, height, \
         width) and a validation image {found:?}; set data.normalize = \"per_channel\""
    )]
    PerPixelSizes {
        /// The shape of training images.
        expected: [usize; 3],
        /// The shape of a validation image.
        found: [usize; 3],
    },

    /// Noise is requested, and there are no clean images.
    #[error("noise is put on clean images, and {name} has none")]
    NoCleanToCorrupt {
        /// The set.
        name: String,
    },

    /// Clean images alone, and no noise.
    #[error("{name} holds clean images only; expected noise to put on them")]
    NothingNoisy {
        /// The set.
        name: String,
    },

    /// Noisy images alone, one of each scene.
    #[error(
        "{name} holds neither clean images nor second noisy ones of the same scenes, so that there is \
         nothing to compare with; add either"
    )]
    NothingToCompare {
        /// The set.
        name: String,
    },

    /// An image of a pair in memory is not of the shape that the pair says.
    #[error(
        "{image} of pair {index} has {found} values; expected {shape:?} (channels, height, width) \
         with 1 to 64 channels"
    )]
    PairShape {
        /// Index of the pair.
        index: usize,
        /// Field of the pair.
        image: &'static str,
        /// Shape of the pair.
        shape: [usize; 3],
        /// Number of values of the image.
        found: usize,
    },

    /// A pair in memory has a mask.
    #[error("pair {index} has a mask; expected none: values to leave out are NaN")]
    PairMask {
        /// Index of the pair.
        index: usize,
    },

    /// Pairs in memory, and a config that names other data.
    #[error("data is given as pairs in memory, and the config names {path}; expected one of them", path = .path.display())]
    PathBesidePairs {
        /// The path in the config.
        path: PathBuf,
    },

    /// Clean images too small to be reduced, and no noise.
    #[error(
        "these are clean images, and of {shortest} pixels at the shortest side: too few to draw \
         noisy ones from, which takes {needed}; expected noise to put on them"
    )]
    NeedsNoise {
        /// The shortest side.
        shortest: usize,
        /// What a side must be at least.
        needed: usize,
    },

    /// A value of the configuration is not possible.
    #[error("data.{key} is {value}, but must be {expected}")]
    Config {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        expected: &'static str,
    },

    /// A sample lies so far from the range that statistics mean nothing.
    #[error(
        "a sample is {largest:e} times the range of samples away from it; set data.range to the samples that \
         matter, or mend the image"
    )]
    FarFromRange {
        /// The distance, in lengths of the range.
        largest: f32,
    },

    /// Patches would be larger than every image, and mostly made up.
    #[error("data.patch_size is {side}, but the longest side of an image is {longest} pixels")]
    PatchBeyondImages {
        /// Side of the patches.
        side: usize,
        /// The longest side.
        longest: usize,
    },

    /// A number of the augmentation is out of range.
    #[error("data.augment.{field} is {value}, but must lie between {low} and {high}")]
    AugmentRange {
        /// The key.
        field: &'static str,
        /// Its value.
        value: f32,
        /// The least.
        low: f32,
        /// The most.
        high: f32,
    },
}
