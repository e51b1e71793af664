//! Files of pages, one after the other.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use super::{EncodeError, elements::ToBytes, fits::FitsWriter, mrc::MrcWriter, tiff::TiffWriter};
use crate::{
    Attached, Header, PageAxes, PictureFormat, Raster, SampleKind, Samples, element::Element,
    with_samples,
};

/// Writes the pages of a file of a format that [has pages](PictureFormat::has_pages), one image at a time.
pub struct PagesWriter<W: Write + Seek> {
    form: Form<W>,
    /// The axes of pages, where some are channels of one image.
    axes: Option<PageAxes>,
    /// Images that are written.
    images: usize,
    /// Pages that are written.
    pages: usize,
    waiting: Waiting,
}

enum Form<W: Write + Seek> {
    Tiff(TiffWriter<W>),
    Mrc(MrcWriter<W>),
    Fits(FitsWriter<W>),
}

impl<W: Write + Seek> PagesWriter<W> {
    /// Begins a file of `header.pages` images like `header`, each a page, at the first byte of `writer`, which
    /// should be buffered. `first` is what is attached to the first of them: what belongs to a whole file is
    /// taken from it.
    ///
    /// # Errors
    /// When the format does not hold such images, or the first bytes cannot be written.
    pub fn new(
        writer: W,
        format: PictureFormat,
        header: &Header,
        first: &Attached,
    ) -> Result<Self, EncodeError> {
        Ok(Self {
            form: match format {
                PictureFormat::Tiff => Form::Tiff(TiffWriter::new(writer, header, first)?),
                PictureFormat::Mrc => Form::Mrc(MrcWriter::new(writer, header, first)?),
                PictureFormat::Fits => Form::Fits(FitsWriter::new(writer, header, first)?),
                _ => {
                    let pages = header.pages;
                    return Err(EncodeError::Pages { format, pages });
                }
            },
            axes: None,
            images: 0,
            pages: 0,
            waiting: Waiting::default(),
        })
    }

    /// The same for images that are parted again into the pages that they were read from.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn parted(
        writer: W,
        format: PictureFormat,
        header: &Header,
        axes: &PageAxes,
        first: &Attached,
    ) -> Result<Self, EncodeError> {
        Ok(Self {
            axes: (axes.channels() > 1).then(|| axes.clone()),
            ..Self::new(writer, format, &axes.parted(header), first)?
        })
    }

    /// Writes the next image, and what is attached to each of its pages. With the last one, the file is
    /// whole.
    ///
    /// Pages that come behind those of images to come wait in a temporary file.
    ///
    /// # Errors
    /// When it cannot be written.
    ///
    /// # Panics
    /// When the image is not of the shape and kind announced, or more or less is attached than it has pages.
    pub fn write(&mut self, raster: &Raster, attached: &[Attached]) -> Result<(), EncodeError> {
        let image = self.images;
        self.images += 1;
        let Some(axes) = &self.axes else {
            let [attached] = attached else {
                panic!("{} attached to one page", attached.len());
            };
            return self.form.write(raster, attached);
        };
        let channels = axes.channels();
        assert_eq!(attached.len(), channels, "attached to as many pages");
        let pages: Vec<usize> = (0..channels).map(|at| axes.page(image, at)).collect();
        let [all, height, width] = raster.shape();
        let len = all / channels * height * width;
        for (channel, (page, attached)) in pages.into_iter().zip(attached).enumerate() {
            let samples = raster.samples.part(channel * len..(channel + 1) * len);
            let part = Raster::from_planes(samples, [all / channels, height, width], false);
            if page == self.pages {
                self.form.write(&part, attached)?;
                self.pages += 1;
            } else {
                self.waiting.put(page, &part, attached)?;
            }
        }
        while let Some((part, attached)) = self.waiting.take(self.pages)? {
            self.form.write(&part, &attached)?;
            self.pages += 1;
        }
        Ok(())
    }
}

impl<W: Write + Seek> Form<W> {
    fn write(&mut self, raster: &Raster, attached: &Attached) -> Result<(), EncodeError> {
        match self {
            Self::Tiff(writer) => writer.write(raster, attached),
            Self::Mrc(writer) => writer.write(&raster.samples),
            Self::Fits(writer) => writer.write(&raster.samples),
        }
    }
}

/// Pages whose turn has not come, in a temporary file.
#[derive(Default)]
struct Waiting {
    file: Option<File>,
    pages: BTreeMap<usize, Page>,
}

struct Page {
    /// Where its samples are.
    place: u64,
    shape: [usize; 3],
    kind: SampleKind,
    attached: Attached,
}

impl Waiting {
    fn put(&mut self, page: usize, raster: &Raster, attached: &Attached) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            file => file.insert(tempfile::tempfile()?),
        };
        let place = file.seek(SeekFrom::End(0))?;
        let mut bytes = Vec::with_capacity(raster.samples.bytes());
        with_samples!(&raster.samples, samples => push_all(samples, &mut bytes));
        file.write_all(&bytes)?;
        self.pages.insert(
            page,
            Page {
                place,
                shape: raster.shape(),
                kind: raster.samples.kind(),
                attached: attached.clone(),
            },
        );
        Ok(())
    }

    fn take(&mut self, page: usize) -> io::Result<Option<(Raster, Attached)>> {
        let (Some(file), Some(page)) = (&mut self.file, self.pages.remove(&page)) else {
            return Ok(None);
        };
        let count = page.shape.iter().product::<usize>();
        let mut bytes = vec![0; count * page.kind.bytes()];
        file.seek(SeekFrom::Start(page.place))?;
        file.read_exact(&mut bytes)?;
        let mut samples = Samples::zeros(page.kind, count);
        let element = Element::new(page.kind, cfg!(target_endian = "big"));
        element.scatter(&bytes, &mut samples, &mut (0..count));
        let raster = Raster::from_planes(samples, page.shape, false);
        Ok(Some((raster, page.attached)))
    }
}

fn push_all<T: ToBytes>(samples: &[T], bytes: &mut Vec<u8>) {
    let big_endian = cfg!(target_endian = "big");
    for sample in samples {
        sample.push_to(bytes, big_endian);
    }
}
