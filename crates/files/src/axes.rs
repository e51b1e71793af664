//! What the axes of a file of images stand for, and where one image is among the others.

use std::{fmt, str::FromStr};

use crate::{Header, MAX_CHANNELS};

/// What an axis stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// `N`: images of one scene, as the pages of a file that says no more are.
    Shot,
    /// `T`: frames of one scene, one after the other.
    Time,
    /// `Z`: planes of a volume. Each plane is a separate scene.
    Depth,
    /// `C`: channels of one image.
    Channel,
    /// `Y`: rows.
    Row,
    /// `X`: columns.
    Column,
    /// `?`: the file does not say; only files have it.
    Unknown,
}

impl Axis {
    const ALL: [Self; 7] = [
        Self::Shot,
        Self::Time,
        Self::Depth,
        Self::Channel,
        Self::Row,
        Self::Column,
        Self::Unknown,
    ];

    /// The letter that it is known by.
    pub fn letter(self) -> char {
        match self {
            Self::Shot => 'N',
            Self::Time => 'T',
            Self::Depth => 'Z',
            Self::Channel => 'C',
            Self::Row => 'Y',
            Self::Column => 'X',
            Self::Unknown => '?',
        }
    }

    /// What lies along it, with its letter.
    fn name(self) -> &'static str {
        match self {
            Self::Shot => "shots N",
            Self::Time => "frames T",
            Self::Depth => "planes Z",
            Self::Channel => "channels C",
            Self::Row => "rows Y",
            Self::Column => "columns X",
            Self::Unknown => "images of an axis that it does not name",
        }
    }

    /// Whether images follow each other along it.
    pub(crate) fn is_of_images(self) -> bool {
        !matches!(self, Self::Channel | Self::Row | Self::Column)
    }
}

/// The axes of an array, the slowest first: `TZCYX`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Axes(Vec<Axis>);

/// Error of a text that is not of axes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` says no axes; expected the letters Y and X, and N, T, Z or C once each, such as TZCYX"
)]
pub struct AxesError {
    found: String,
}

impl Axes {
    /// Each of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Axis> + '_ {
        self.0.iter().copied()
    }

    /// Each with its size.
    ///
    /// # Panics
    /// When there are not as many sizes.
    pub fn sized(&self, sizes: &[usize]) -> Vec<(Axis, usize)> {
        assert_eq!(self.0.len(), sizes.len(), "sizes of the axes {self}");
        self.iter().zip(sizes.iter().copied()).collect()
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

impl FromStr for Axes {
    type Err = AxesError;

    fn from_str(text: &str) -> Result<Self, AxesError> {
        let of_letter = |letter: char| {
            let mut all = Axis::ALL.into_iter();
            all.find(|axis| *axis != Axis::Unknown && axis.letter() == letter)
        };
        let axes: Option<Vec<Axis>> = text.chars().map(of_letter).collect();
        let is_sound = |axes: &Vec<Axis>| {
            let once = (1..axes.len()).all(|at| !axes[..at].contains(&axes[at]));
            once && axes.contains(&Axis::Row) && axes.contains(&Axis::Column)
        };
        axes.filter(is_sound).map(Self).ok_or_else(|| AxesError {
            found: text.to_owned(),
        })
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.iter().map(Axis::letter);
        letters.try_for_each(|letter| write!(formatter, "{letter}"))
    }
}

/// Who says what the axes of a file are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AxesFrom {
    /// The file, as far as it does.
    #[default]
    File,
    /// Nobody: pages are images, shots of one scene; axes of an array are told by its shape.
    Pages,
    /// A person.
    Given(Axes),
}

/// Axes of more than one image in words: `3 frames T, 2 planes Z`.
pub fn in_words(axes: &[(Axis, usize)]) -> String {
    let words = axes.iter().filter(|(_, size)| *size > 1);
    let words = words.map(|(axis, size)| format!("{size} {}", axis.name()));
    words.collect::<Vec<_>>().join(", ")
}

/// Axes in two groups, and the places that positions along both have together.
#[derive(Clone, Debug)]
pub struct Split {
    /// Of each group, the sizes of axes and the distances of neighbours, the slowest first.
    groups: [Vec<(usize, usize)>; 2],
}

impl Split {
    /// Of `axes`, the slowest first, those that are inner, and all others.
    pub fn new(axes: &[(Axis, usize)], is_inner: impl Fn(Axis) -> bool) -> Self {
        let mut groups = [vec![], vec![]];
        let mut distance = 1;
        for &(axis, size) in axes.iter().rev() {
            groups[usize::from(is_inner(axis))].insert(0, (size, distance));
            distance *= size;
        }
        Self { groups }
    }

    /// Positions along all outer axes, and along all inner ones.
    pub fn sizes(&self) -> [usize; 2] {
        let size = |group: &Vec<(usize, usize)>| group.iter().map(|(size, _)| size).product();
        [size(&self.groups[0]), size(&self.groups[1])]
    }

    /// The place of a position along the outer axes and one along the inner axes.
    pub fn place(&self, outer: usize, inner: usize) -> usize {
        let place = |group: &Vec<(usize, usize)>, mut position: usize| {
            let axes = group.iter().rev();
            axes.map(|(size, distance)| {
                let place = position % size * distance;
                position /= size;
                place
            })
            .sum::<usize>()
        };
        place(&self.groups[0], outer) + place(&self.groups[1], inner)
    }
}

/// The axes along which the pages of a file follow each other, and how channels among them belong
/// together.
#[derive(Clone, Debug)]
pub struct PageAxes {
    axes: Vec<(Axis, usize)>,
    split: Split,
}

impl PageAxes {
    /// Of pages like `page`. Where these cannot be channels, of alpha or more than [`MAX_CHANNELS`], nobody
    /// knows what they are.
    pub(crate) fn new(mut axes: Vec<(Axis, usize)>, page: &Header) -> Self {
        let channels = axes.iter().find(|(axis, _)| *axis == Axis::Channel);
        if let Some(&(_, channels)) = channels
            && channels > 1
            && (page.alpha || channels.saturating_mul(page.channels) > MAX_CHANNELS)
        {
            axes = vec![(Axis::Unknown, axes.iter().map(|(_, size)| size).product())];
        }
        axes.retain(|&(_, size)| size > 1);
        Self {
            split: Split::new(&axes, |axis| axis == Axis::Channel),
            axes,
        }
    }

    /// The axes of more than one page, the slowest first.
    pub fn sizes(&self) -> &[(Axis, usize)] {
        &self.axes
    }

    /// Those along which images follow each other.
    pub(crate) fn of_images(&self) -> Vec<(Axis, usize)> {
        let axes = self.axes.iter().copied();
        axes.filter(|(axis, _)| axis.is_of_images()).collect()
    }

    /// Number of pages.
    pub fn pages(&self) -> usize {
        let [images, channels] = self.split.sizes();
        images * channels
    }

    /// Pages of an image.
    pub fn channels(&self) -> usize {
        self.split.sizes()[1]
    }

    /// The page of a channel of image `image`.
    pub(crate) fn page(&self, image: usize, channel: usize) -> usize {
        self.split.place(image, channel)
    }

    /// What the images have in common, where pages are like `page`.
    pub(crate) fn joined(&self, page: &Header) -> Header {
        let [images, channels] = self.split.sizes();
        Header {
            channels: page.channels * channels,
            pages: images,
            ..*page
        }
    }

    /// What the pages have in common, where images are like `image`.
    ///
    /// # Panics
    /// When these do not have a number of channels that pages make.
    pub fn parted(&self, image: &Header) -> Header {
        let channels = self.channels();
        assert!(image.channels.is_multiple_of(channels), "channels of pages");
        Header {
            channels: image.channels / channels,
            pages: self.pages(),
            ..*image
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_axes() {
        for text in ["YX", "TZCYX", "NYXC", "XYT"] {
            assert_eq!(text.parse::<Axes>().unwrap().to_string(), text);
        }
        for text in ["", "Y", "YXY", "TYZ", "yx", "?YX", "SYX", "T Y X"] {
            let error = text.parse::<Axes>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn a_split_finds_every_place_once() {
        let axes = [(Axis::Time, 3), (Axis::Channel, 2), (Axis::Depth, 5)];
        let split = Split::new(&axes, |axis| axis == Axis::Channel);
        assert_eq!(split.sizes(), [15, 2]);
        // Frame 2, plane 3, channel 1.
        assert_eq!(split.place(2 * 5 + 3, 1), (2 * 2 + 1) * 5 + 3);
        let mut places: Vec<usize> = (0..15)
            .flat_map(|image| [split.place(image, 0), split.place(image, 1)])
            .collect();
        places.sort_unstable();
        assert_eq!(places, (0..30).collect::<Vec<_>>());
    }
}
