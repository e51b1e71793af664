//! Pages that are channels of one image, frames and planes; and how they become pages again.

use std::{fs::File, io::BufWriter, path::Path};

use n2n_files::{
    Attached, Axes, AxesFrom, Axis, FileError, Header, MrcStack, PageStack, PagesWriter,
    PictureFormat, Raster, SampleKind, Samples, Stack, read_header, read_header_with, read_picture,
    read_picture_with,
};
use tempfile::TempDir;

/// Rows and columns of a page.
const SIZE: [usize; 2] = [5, 7];

/// Axes and sizes, from the first to the last.
pub fn axes(letters: &str, sizes: &[usize]) -> Vec<(Axis, usize)> {
    letters.parse::<Axes>().unwrap().sized(sizes)
}

fn given(letters: &str) -> AxesFrom {
    AxesFrom::Given(letters.parse().unwrap())
}

/// Page `page` of `samples` samples a pixel, each page of other numbers.
fn page(page: usize, samples: usize) -> Raster {
    let [height, width] = SIZE;
    let len = samples * height * width;
    Raster {
        channels: samples,
        height,
        width,
        samples: Samples::U16((0..len).map(|at| (1000 * page + at) as u16).collect()),
        alpha: None,
    }
}

/// A file of pages, the first of which says what they are.
fn write(path: &Path, format: PictureFormat, pages: usize, samples: usize, text: &str) {
    let header = Header {
        pages,
        ..page(0, samples).header()
    };
    let file = BufWriter::new(File::create(path).unwrap());
    let mut writer = PagesWriter::new(file, format, &header, &Attached::default()).unwrap();
    for index in 0..pages {
        let description = (index == 0 && !text.is_empty()).then(|| text.as_bytes().to_vec());
        let attached = Attached {
            description,
            ..Attached::default()
        };
        writer.write(&page(index, samples), &[attached]).unwrap();
    }
}

fn ome(order: &str, [t, z, c]: [usize; 3], samples: usize) -> String {
    format!(
        "<?xml version=\"1.0\"?><OME><Image><Pixels DimensionOrder=\"{order}\" SizeT=\"{t}\" SizeZ=\"{z}\" \
         SizeC=\"{}\"><Channel SamplesPerPixel=\"{samples}\"/></Pixels></Image></OME>",
        c * samples
    )
}

/// The first numbers of the channels of an image.
fn firsts(raster: &Raster) -> Vec<u16> {
    let Samples::U16(samples) = &raster.samples else {
        panic!("{}", raster.samples.kind());
    };
    let planes = samples.chunks_exact(SIZE[0] * SIZE[1]);
    planes.map(|plane| plane[0] / 1000).collect()
}

#[test]
fn channels_are_joined_and_parted_again() {
    use Axis::{Depth, Time};
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stack.tif");
    let imagej = "ImageJ=1.54f\nimages=12\nchannels=2\nslices=2\nframes=3\n".to_owned();
    for (text, samples, pages_of_third) in [
        // Of frame 1, plane 0: the channels stand together, or a volume apart.
        (imagej, 1, [4, 5]),
        (ome("XYCZT", [3, 2, 2], 1), 1, [4, 5]),
        (ome("XYZCT", [3, 2, 2], 1), 1, [4, 6]),
        (ome("XYCZT", [3, 2, 2], 3), 3, [4, 5]),
    ] {
        write(&path, PictureFormat::Tiff, 12, samples, &text);
        let header = read_header(&path).unwrap();
        assert_eq!((header.channels, header.pages), (2 * samples, 6), "{text}");
        let stack = PageStack::open(&path).unwrap();
        assert_eq!(stack.header(), header);
        assert_eq!(stack.image_axes(), [(Time, 3), (Depth, 2)]);
        assert_eq!(read_picture(&path).unwrap(), stack.read(0).unwrap());
        let expected = pages_of_third.map(|page| [page].repeat(samples)).concat();
        assert_eq!(firsts(&stack.read(2).unwrap()), expected, "{text}");

        let copy = folder.path().join("copy.tif");
        let file = BufWriter::new(File::create(&copy).unwrap());
        let first = stack.attached(0).unwrap().swap_remove(0);
        let axes = stack.page_axes();
        let mut writer =
            PagesWriter::parted(file, PictureFormat::Tiff, &header, axes, &first).unwrap();
        for index in 0..stack.len() {
            let attached = stack.attached(index).unwrap();
            writer
                .write(&stack.read(index).unwrap(), &attached)
                .unwrap();
        }
        drop(writer);
        let [before, after] =
            [&path, &copy].map(|path| PageStack::open_with(path, &AxesFrom::Pages).unwrap());
        assert_eq!((before.len(), after.len()), (12, 12));
        for index in 0..12 {
            assert_eq!(after.read(index).unwrap(), before.read(index).unwrap());
            assert_eq!(
                after.attached(index).unwrap(),
                before.attached(index).unwrap()
            );
        }
    }
}

#[test]
fn a_person_may_say_what_pages_are() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stack.tif");
    write(&path, PictureFormat::Tiff, 6, 1, "");
    let opened = |letters| PageStack::open_with(&path, &given(letters));
    assert_eq!(
        PageStack::open(&path).unwrap().image_axes(),
        [(Axis::Shot, 6)]
    );
    assert_eq!(opened("TYX").unwrap().image_axes(), [(Axis::Time, 6)]);
    assert_eq!(opened("ZYX").unwrap().image_axes(), [(Axis::Depth, 6)]);
    let joined = opened("CYX").unwrap();
    assert_eq!((joined.len(), joined.shape()), (1, [6, 5, 7]));
    let header = read_header_with(&path, &given("CYX")).unwrap();
    assert_eq!((header.channels, header.pages), (6, 1));
    let picture = read_picture_with(&path, &given("CYX")).unwrap();
    assert_eq!(firsts(&picture), [0, 1, 2, 3, 4, 5]);
    let error = opened("TZYX").err().unwrap();
    assert!(matches!(error, FileError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("axes TZYX"), "{error}");

    // Names for sizes that the file knows.
    write(
        &path,
        PictureFormat::Tiff,
        6,
        1,
        "ImageJ=1\nimages=6\nslices=3\nframes=2\n",
    );
    assert_eq!(
        opened("ZTYX").unwrap().image_axes(),
        [(Axis::Depth, 2), (Axis::Time, 3)]
    );
}

#[test]
fn pages_that_are_no_channels_of_one_image_are_unknown() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stack.tif");
    let text = "ImageJ=1\nimages=65\nchannels=65\n";
    write(&path, PictureFormat::Tiff, 65, 1, text);
    let stack = PageStack::open(&path).unwrap();
    assert_eq!(stack.image_axes(), [(Axis::Unknown, 65)]);
    assert_eq!((stack.len(), stack.shape()[0]), (65, 1));
}

#[test]
fn sections_of_mrc_are_what_its_header_says() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stack.mrc");
    write(&path, PictureFormat::Mrc, 6, 1, "");
    let bytes = std::fs::read(&path).unwrap();
    for (space_group, slices, expected) in [
        (0_i32, 6_i32, vec![(Axis::Unknown, 6)]),
        (1, 6, vec![(Axis::Depth, 6)]),
        (401, 3, vec![(Axis::Unknown, 2), (Axis::Depth, 3)]),
        (401, 4, vec![(Axis::Unknown, 6)]),
        (401, 0, vec![(Axis::Unknown, 6)]),
    ] {
        let mut bytes = bytes.clone();
        bytes[88..92].copy_from_slice(&space_group.to_le_bytes());
        bytes[36..40].copy_from_slice(&slices.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(MrcStack::open(&path).unwrap().kind(), SampleKind::U16);
        assert_eq!(PageStack::open(&path).unwrap().image_axes(), expected);
    }
}

#[test]
fn planes_of_fits_are_what_its_cards_say() {
    use Axis::{Depth, Time, Unknown};
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cube.fits");
    write(&path, PictureFormat::Fits, 3, 1, "");
    let bytes = std::fs::read(&path).unwrap();
    let end = bytes.windows(4).position(|text| text == b"END ").unwrap();
    let with = |kind: &str| {
        let mut bytes = bytes.clone();
        let cards = format!("{:<80}{:<80}", format!("CTYPE3  = '{kind}'"), "END");
        bytes[end..end + 160].copy_from_slice(cards.as_bytes());
        std::fs::write(&path, bytes).unwrap();
        PageStack::open(&path).unwrap()
    };
    for (kind, axis) in [
        ("TIME    ", Time),
        ("UTC", Time),
        ("FREQ", Depth),
        ("VRAD-F2W", Depth),
        ("STOKES", Depth),
        ("LINEAR", Unknown),
    ] {
        assert_eq!(with(kind).image_axes(), [(axis, 3)], "{kind}");
    }
    let colours = with("RGB");
    assert_eq!((colours.len(), colours.shape()), (1, [3, 5, 7]));
    assert_eq!(firsts(&colours.read(0).unwrap()), [0, 1, 2]);
}
