//! Files of pages: of one format or another, told by their first bytes; and the images that pages are.

use std::path::Path;

use crate::{
    Attached, AxesFrom, Axis, FileError, FitsStack, Header, MrcStack, PageAxes, PictureFormat,
    Raster, SampleKind, Samples, Stack, TiffStack, input::unsupported, picture, stack::check_index,
};

/// The images of a file of any format that [has pages](PictureFormat::has_pages). Pages that are channels are
/// one image.
pub struct PageStack {
    pages: Pages,
    axes: PageAxes,
    /// What all images have in common.
    header: Header,
}

enum Pages {
    Tiff(TiffStack),
    Mrc(MrcStack),
    Fits(FitsStack),
}

impl PageStack {
    /// Opens the file and reads what it says of all pages.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or of a format of one image; else as its format has it.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::open_with(path, &AxesFrom::File)
    }

    /// As [`open`](Self::open); a person may say what the axes are.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and when the pages cannot have these axes.
    pub fn open_with(path: &Path, axes: &AxesFrom) -> Result<Self, FileError> {
        Self::open_level(path, axes, 0)
    }

    /// As [`open_with`](Self::open_with), but the smaller images of a level of a pyramid, where 0 are the largest.
    ///
    /// # Errors
    /// As there, and when there is no such level; only TIFF has others than level 0.
    pub fn open_level(path: &Path, axes: &AxesFrom, level: usize) -> Result<Self, FileError> {
        let (_, format) = picture::open(path)?;
        let pages = match format {
            PictureFormat::Tiff => Pages::Tiff(TiffStack::open_level(path, level)?),
            _ if level > 0 => {
                let path = path.to_owned();
                return Err(FileError::Level {
                    path,
                    level,
                    found: 1,
                });
            }
            PictureFormat::Mrc => Pages::Mrc(MrcStack::open(path)?),
            PictureFormat::Fits => Pages::Fits(FitsStack::open(path)?),
            _ => {
                let way_out = "save its images as pages of TIFF";
                return Err(unsupported(path, format!("one image of {format}"), way_out));
            }
        };
        let page = pages.header();
        let axes = choose(axes, pages.axes(), &page, path)?;
        let header = axes.joined(&page);
        header.check_size(header.kind.bytes(), path)?;
        Ok(Self {
            pages,
            axes,
            header,
        })
    }

    /// What all images have in common.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The axes along which pages follow each other.
    pub fn page_axes(&self) -> &PageAxes {
        &self.axes
    }

    /// What stands beside the pixels of each page of image `index`. What belongs to the whole file stands
    /// beside its first page.
    ///
    /// # Errors
    /// As for [`read_attached`](crate::read_attached).
    ///
    /// # Panics
    /// When `index` is not below [`len`](Stack::len).
    pub fn attached(&self, index: usize) -> Result<Vec<Attached>, FileError> {
        check_index(self, index);
        let channels = 0..self.axes.channels();
        channels
            .map(|channel| self.pages.attached(self.axes.page(index, channel)))
            .collect()
    }
}

impl Pages {
    fn stack(&self) -> &dyn Stack {
        match self {
            Self::Tiff(stack) => stack,
            Self::Mrc(stack) => stack,
            Self::Fits(stack) => stack,
        }
    }

    fn header(&self) -> Header {
        match self {
            Self::Tiff(stack) => stack.header(),
            Self::Mrc(stack) => stack.header(),
            Self::Fits(stack) => stack.header(),
        }
    }

    /// What the file says of its axes.
    fn axes(&self) -> Vec<(Axis, usize)> {
        match self {
            Self::Tiff(stack) => stack.axes().to_vec(),
            Self::Mrc(stack) => stack.axes(),
            Self::Fits(stack) => stack.axes().to_vec(),
        }
    }

    fn attached(&self, page: usize) -> Result<Attached, FileError> {
        match self {
            Self::Tiff(stack) => stack.attached(page),
            Self::Mrc(stack) if page == 0 => stack.attached(),
            Self::Fits(stack) if page == 0 => Ok(stack.attached().clone()),
            Self::Mrc(_) | Self::Fits(_) => Ok(Attached::default()),
        }
    }
}

/// The axes of pages like `page`, of which the file says that they are `own`.
pub(crate) fn choose(
    from: &AxesFrom,
    own: Vec<(Axis, usize)>,
    page: &Header,
    path: &Path,
) -> Result<PageAxes, FileError> {
    let axes = match from {
        AxesFrom::File => own,
        AxesFrom::Pages => vec![(Axis::Shot, page.pages)],
        AxesFrom::Given(given) => {
            let of_pages: Vec<Axis> = given
                .iter()
                .filter(|axis| !matches!(axis, Axis::Row | Axis::Column))
                .filter(|axis| *axis != Axis::Channel || page.channels == 1)
                .collect();
            let sizes: Vec<usize> = own.iter().map(|(_, size)| *size).collect();
            let long: Vec<usize> = sizes.iter().copied().filter(|size| *size > 1).collect();
            let sizes = [sizes, long, vec![page.pages]]
                .into_iter()
                .find(|sizes| sizes.len() == of_pages.len());
            match sizes {
                Some(sizes) => of_pages.into_iter().zip(sizes).collect(),
                None if page.pages == 1 => vec![],
                None => {
                    let found = format!("{} pages, which have not the axes {given}", page.pages);
                    let way_out =
                        "say one letter for all pages, such as TYX, or for each axis that it names";
                    return Err(unsupported(path, found, way_out));
                }
            }
        }
    };
    Ok(PageAxes::new(axes, page))
}

impl Stack for PageStack {
    fn path(&self) -> &Path {
        self.pages.stack().path()
    }

    fn len(&self) -> usize {
        self.header.pages
    }

    fn shape(&self) -> [usize; 3] {
        self.header.shape()
    }

    fn kind(&self) -> SampleKind {
        self.header.kind
    }

    fn image_axes(&self) -> Vec<(Axis, usize)> {
        self.axes.of_images()
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        check_index(self, index);
        let stack = self.pages.stack();
        let channels = self.axes.channels();
        if channels == 1 {
            return stack.read(index);
        }
        let page: usize = stack.shape().iter().product();
        let mut samples = Samples::zeros(self.kind(), channels * page);
        for channel in 0..channels {
            let raster = stack.read(self.axes.page(index, channel))?;
            samples.put(channel * page, &raster.samples);
        }
        Ok(Raster::from_planes(samples, self.shape(), false))
    }
}
