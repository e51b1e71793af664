//! The table of `FORMATS.md`: what a file of each format keeps is found by writing and reading it again, and
//! what is not kept must be told.

use std::{
    fs::{self, File},
    io::{BufWriter, Cursor},
    path::Path,
    slice::from_ref,
};

use exr::prelude::{
    AnyChannel, AnyChannels, Encoding, FlatSamples, Image, ImageAttributes, IntegerBounds, Layer,
    LayerAttributes, Text, Vec2, WritableImage,
    attribute::{AttributeValue, Chromaticities},
    read_all_flat_layers_from_file,
};
use n2n_files::{
    Attached, Header, NpyStack, NpyWriter, Own, PageStack, PagesWriter, PictureFormat, Raster,
    Resolution, ResolutionUnit, SampleKind, Samples, Stack, encode_picture, read_attached,
    read_picture,
};
use tempfile::TempDir;
use tiff::{
    encoder::{TiffEncoder, colortype::Gray8},
    tags::Tag,
};

use crate::attached::{exif, turn};
use crate::axes::axes;

/// Where the table is.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/FORMATS.md");

/// The lines around it.
const START: &str = "<!-- the table below is what a test finds -->\n\n";
const END: &str = "\n<!-- end of the table -->";

/// What is written, a column each: pictures, and arrays.
fn columns() -> Vec<Option<PictureFormat>> {
    let pictures = PictureFormat::ALL.into_iter().map(Some);
    pictures.chain([None]).collect()
}

/// An image of `[channels, 12, 18]` whose samples differ.
fn raster(channels: usize, kind: SampleKind, alpha: bool) -> Raster {
    let samples = |planes: usize| {
        let mut samples = Samples::zeros(kind, planes * 12 * 18);
        n2n_files::with_samples!(&mut samples, samples => {
            for (at, sample) in samples.iter_mut().enumerate() {
                *sample = n2n_files::Sample::from_f64(at as f64 * 1.7 % 100.0);
            }
        });
        samples
    };
    Raster {
        channels,
        height: 12,
        width: 18,
        samples: samples(channels),
        alpha: alpha.then(|| samples(1)),
    }
}

/// What an array of images reads back as: the first one.
fn array_of(raster: &Raster, path: &Path) -> Option<Raster> {
    if raster.alpha.is_some() {
        return None;
    }
    let [channels, height, width] = raster.shape();
    let axes = match channels {
        1 => axes("YX", &[height, width]),
        _ => axes("NCYX", &[1, channels, height, width]),
    };
    let file = BufWriter::new(File::create(path).unwrap());
    let kind = raster.samples.kind();
    let mut writer = NpyWriter::new(file, &axes, kind).unwrap();
    writer.write(&raster.samples).unwrap();
    drop(writer);
    Some(NpyStack::open(path).unwrap().read(0).unwrap())
}

/// What comes back of an image; `None` if the format refuses it.
fn read_again(raster: &Raster, format: Option<PictureFormat>) -> Option<Raster> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("image");
    let Some(format) = format else {
        return array_of(raster, &path.with_extension("npy"));
    };
    let bytes = encode_picture(raster, format, &Attached::default()).ok()?;
    fs::write(&path, bytes).unwrap();
    Some(read_picture(&path).unwrap())
}

/// Bytes as numbers of 16 bits.
fn in_words(raster: &Raster) -> Option<Samples> {
    match &raster.samples {
        Samples::U8(bytes) => Some(Samples::U16(bytes.iter().copied().map(u16::from).collect())),
        _ => None,
    }
}

/// In a cell: whether an image comes back, and as what.
fn image(raster: &Raster, format: Option<PictureFormat>) -> &'static str {
    match read_again(raster, format) {
        None => "refused",
        Some(found) if found == *raster => "yes",
        Some(found) if found.channels != raster.channels => "as RGB",
        Some(found) if in_words(raster) == Some(found.samples.clone()) => "as uint16",
        Some(found) if found.header() == raster.header() => "rounded",
        Some(_) => "rounded, float32",
    }
}

/// The kinds of numbers of a class that a format holds, and whether it rounds them.
fn kinds(format: Option<PictureFormat>, of: &[SampleKind]) -> String {
    let channels = channels_of(format);
    let cell = |kind: &SampleKind| image(&raster(channels, *kind, false), format);
    let held = of.iter().filter(|kind| cell(kind) != "refused");
    let exact = of
        .iter()
        .all(|kind| ["yes", "as uint16", "refused"].contains(&cell(kind)));
    let name = |kind: &SampleKind| match cell(kind) {
        "as uint16" => format!("{kind} as uint16"),
        _ => kind.to_string(),
    };
    let names: Vec<String> = held.map(name).collect();
    let names = match &names[..] {
        [] => return "refused".to_owned(),
        [first, .., last] if names.len() == of.len() => format!("{first} to {last}"),
        _ => names.join(", "),
    };
    if exact {
        names
    } else {
        format!("{names}, rounded")
    }
}

/// Channels of an image that a format holds.
fn channels_of(format: Option<PictureFormat>) -> usize {
    let holds = |format: PictureFormat| {
        let kinds = [SampleKind::U8, SampleKind::F32];
        kinds
            .iter()
            .any(|&kind| format.supports(&raster(3, kind, false).header()).is_ok())
    };
    if format.is_none_or(holds) { 3 } else { 1 }
}

/// In a cell: what becomes of how an image is to be turned.
fn orientation(format: Option<PictureFormat>) -> String {
    let attached = Attached {
        exif: Some(turn(6)),
        ..Attached::default()
    };
    if beside(&attached, format) == "yes" {
        return "yes".to_owned();
    }
    // What is to be turned is, and then there is nothing left to lose.
    assert!(!attached.turn().is_none());
    let upright = attached.upright();
    assert!(upright.turn().is_none() && upright.in_words().is_empty());
    "turned".to_owned()
}

/// In a cell: whether what is attached comes back, or is told to be lost.
fn beside(attached: &Attached, format: Option<PictureFormat>) -> &'static str {
    let Some(format) = format else {
        assert!(
            !attached.in_words().is_empty(),
            "lost without a word: {attached:?}"
        );
        return "told";
    };
    let kinds = [SampleKind::U8, SampleKind::F32];
    let channels = channels_of(Some(format));
    let raster = kinds.map(|kind| raster(channels, kind, false));
    let raster = raster
        .iter()
        .find(|raster| format.supports(&raster.header()).is_ok());
    let bytes = encode_picture(raster.unwrap(), format, attached).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("image");
    fs::write(&path, bytes).unwrap();
    let mut found = read_attached(&path).unwrap();
    found.associated_alpha = false;
    if attached.own.is_none() {
        found.own = None;
    }
    if let (Some(of), Some(wanted)) = (found.resolution, attached.resolution)
        && (per_centimetre(of) - per_centimetre(wanted)).abs() < 0.01 * per_centimetre(wanted)
    {
        found.resolution = attached.resolution;
    }
    let told = format.leaves_out(attached, channels);
    assert_eq!(
        found == *attached,
        told.is_empty(),
        "{format} keeps {found:?} of {attached:?} and tells {told:?}"
    );
    if told.is_empty() { "yes" } else { "told" }
}

/// Pixels in a centimetre along a row, which formats round in units of their own.
fn per_centimetre(resolution: Resolution) -> f64 {
    let [n, d] = resolution.x.map(f64::from);
    match resolution.unit {
        ResolutionUnit::Inch => n / d / 2.54,
        _ => n / d,
    }
}

fn profile() -> Vec<u8> {
    let mut icc = vec![0; 132];
    icc[..4].copy_from_slice(&132_u32.to_be_bytes());
    icc[16..20].copy_from_slice(b"RGB ");
    icc
}

fn resolution() -> Resolution {
    Resolution {
        x: [11811, 100],
        y: [5906, 100],
        unit: ResolutionUnit::Centimeter,
    }
}

/// The tags of a GeoTIFF, as its reader finds them.
fn geotiff() -> Own {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("geo.tif");
    let mut encoder = TiffEncoder::new(File::create(&path).unwrap()).unwrap();
    let mut image = encoder.new_image::<Gray8>(2, 1).unwrap();
    let scale: &[f64] = &[0.5, 0.5, 0.0];
    image
        .encoder()
        .write_tag(Tag::ModelPixelScaleTag, scale)
        .unwrap();
    image.write_data(&[1, 2]).unwrap();
    read_attached(&path).unwrap().own.unwrap()
}

/// The attributes of an OpenEXR file, as its reader finds them.
fn attributes() -> Own {
    let folder = TempDir::new().unwrap();
    openexr(&folder, &["R", "G", "B"])
}

/// In a cell: what becomes of the depth beside the colours of an OpenEXR file.
fn depth(format: Option<PictureFormat>) -> &'static str {
    let folder = TempDir::new().unwrap();
    let attached = Attached {
        own: Some(openexr(&folder, &["R", "G", "B", "Z"])),
        ..Attached::default()
    };
    let Some(PictureFormat::Exr) = format else {
        return beside(&attached, format);
    };
    assert!(PictureFormat::Exr.leaves_out(&attached, 3).is_empty());
    let before = folder.path().join("image.exr");
    let raster = read_picture(&before).unwrap();
    let after = folder.path().join("after.exr");
    let written = encode_picture(&raster, PictureFormat::Exr, &attached).unwrap();
    fs::write(&after, written).unwrap();
    let read = |path| read_all_flat_layers_from_file(path).unwrap().layer_data;
    assert_eq!(read(&before)[0].channel_data, read(&after)[0].channel_data);
    "yes"
}

/// What an OpenEXR file of such channels holds besides its picture, as its reader finds it.
fn openexr(folder: &TempDir, names: &[&str]) -> Own {
    let layer = LayerAttributes {
        owner: Some(Text::from("owner")),
        layer_position: Vec2(2, 1),
        ..LayerAttributes::default()
    };
    let mut image = ImageAttributes::new(IntegerBounds::from_dimensions((9, 9)));
    image.pixel_aspect = 2.0;
    image.chromaticities = Some(Chromaticities {
        red: Vec2(0.7, 0.3),
        green: Vec2(0.2, 0.7),
        blue: Vec2(0.1, 0.1),
        white: Vec2(0.3, 0.3),
    });
    image
        .other
        .insert(Text::from("lens"), AttributeValue::F32(35.0));
    let channel = |name: &str| AnyChannel::new(name, FlatSamples::F32(vec![0.5; 6]));
    let channels: Vec<_> = names.iter().copied().map(channel).collect();
    let layer = Layer::new(
        (3, 2),
        layer,
        Encoding::UNCOMPRESSED,
        AnyChannels::sort(channels.into()),
    );
    let mut file = Cursor::new(Vec::new());
    let written = Image {
        attributes: image,
        layer_data: layer,
    };
    written.write().to_buffered(&mut file).unwrap();
    let path = folder.path().join("image.exr");
    fs::write(&path, file.into_inner()).unwrap();
    read_attached(&path).unwrap().own.unwrap()
}

/// The header of an MRC file with an origin, as its reader finds it.
fn microscope() -> Own {
    let mut bytes = encode_picture(
        &raster(1, SampleKind::U8, false),
        PictureFormat::Mrc,
        &Attached::default(),
    )
    .unwrap();
    bytes[196..200].copy_from_slice(&7_f32.to_le_bytes());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("image.mrc");
    fs::write(&path, bytes).unwrap();
    read_attached(&path).unwrap().own.unwrap()
}

/// The cards of a FITS file that names its object, as its reader finds them.
fn telescope() -> Own {
    let format = PictureFormat::Fits;
    let raster = raster(1, SampleKind::U8, false);
    let mut bytes = encode_picture(&raster, format, &Attached::default()).unwrap();
    let end = bytes.windows(4).position(|text| text == b"END ").unwrap();
    bytes[end..end + 83].copy_from_slice(format!("{:<80}END", "OBJECT  = 'M 31'").as_bytes());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("image.fits");
    fs::write(&path, bytes).unwrap();
    read_attached(&path).unwrap().own.unwrap()
}

/// Two pages with two descriptions, in a cell.
fn pages(format: Option<PictureFormat>) -> &'static str {
    let page = raster(1, SampleKind::U8, false);
    let header = Header {
        pages: 2,
        ..page.header()
    };
    let Some(format) = format else {
        return "yes";
    };
    if format.supports(&header).is_err() {
        return "refused";
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pages");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let mut writer = PagesWriter::new(&mut file, format, &header, &Attached::default()).unwrap();
    let described = [b"first", b"other"].map(|text| Attached {
        description: Some(text.to_vec()),
        ..Attached::default()
    });
    for attached in &described {
        writer.write(&page, from_ref(attached)).unwrap();
    }
    file.into_inner().unwrap();
    let stack = PageStack::open(&path).unwrap();
    assert_eq!(stack.len(), 2);
    if format != PictureFormat::Tiff {
        return "yes";
    }
    for (index, attached) in described.iter().enumerate() {
        assert_eq!(stack.attached(index).unwrap(), from_ref(attached));
    }
    "yes"
}

/// A row: what it is about, and its cells.
type Row = (&'static str, Box<dyn Fn(Option<PictureFormat>) -> String>);

/// The table, from what files keep.
fn table() -> String {
    use SampleKind::{F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    let with = |change: fn(&mut Attached)| {
        let mut attached = Attached::default();
        change(&mut attached);
        move |format| beside(&attached, format).to_owned()
    };
    let images = |channels, alpha| {
        move |format| {
            let rasters = [U8, F32].map(|kind| raster(channels, kind, alpha));
            let cells = rasters.map(|raster| image(&raster, format));
            let mut best = cells.iter().filter(|cell| **cell == "yes");
            let mut held = cells.iter().filter(|cell| **cell != "refused");
            let cell = best.next().or_else(|| held.next());
            cell.copied().unwrap_or("refused").to_owned()
        }
    };
    let rows: Vec<Row> = vec![
        (
            "unsigned integers",
            Box::new(|format| kinds(format, &[U8, U16, U32, U64])),
        ),
        (
            "signed integers",
            Box::new(|format| kinds(format, &[I8, I16, I32, I64])),
        ),
        ("floats", Box::new(|format| kinds(format, &[F16, F32, F64]))),
        ("grey", Box::new(images(1, false))),
        ("RGB", Box::new(images(3, false))),
        ("two channels, or four and more", Box::new(images(5, false))),
        ("RGB with alpha", Box::new(images(3, true))),
        (
            "several images",
            Box::new(|format| pages(format).to_owned()),
        ),
        (
            "ICC profile",
            Box::new(with(|found| found.icc = Some(profile()))),
        ),
        (
            "EXIF data",
            Box::new(with(|found| found.exif = Some(exif(1)))),
        ),
        ("orientation", Box::new(orientation)),
        (
            "XMP data",
            Box::new(with(|found| found.xmp = Some(b"<x:xmpmeta/>".to_vec()))),
        ),
        (
            "resolution",
            Box::new(with(|found| found.resolution = Some(resolution()))),
        ),
        (
            "description of TIFF",
            Box::new(with(|found| {
                found.description = Some(b"ImageJ=1.53".to_vec())
            })),
        ),
        (
            "gAMA, cHRM, cICP of PNG",
            Box::new(with(|found| {
                found.own = Some(Own::Png(vec![
                    (*b"gAMA", 100_000_u32.to_be_bytes().to_vec()),
                    (
                        *b"cHRM",
                        [31270_u32, 32900, 1, 2, 3, 4, 5, 6]
                            .map(u32::to_be_bytes)
                            .concat(),
                    ),
                    (*b"cICP", vec![9, 16, 0, 1]),
                ]));
            })),
        ),
        (
            "texts of PNG",
            Box::new(with(|found| {
                found.own = Some(Own::Png(vec![(*b"tEXt", b"Author\0somebody".to_vec())]));
            })),
        ),
        (
            "comment, IPTC data of JPEG",
            Box::new(with(|found| {
                let iptc = b"Photoshop 3.0\x008BIM".to_vec();
                found.own = Some(Own::Jpeg(vec![(0xfe, b"comment".to_vec()), (0xed, iptc)]));
            })),
        ),
        (
            "GeoTIFF and other tags",
            Box::new(with(|found| found.own = Some(geotiff()))),
        ),
        (
            "windows, attributes of OpenEXR",
            Box::new(with(|found| found.own = Some(attributes()))),
        ),
        (
            "other channels, layers of OpenEXR",
            Box::new(|format| depth(format).to_owned()),
        ),
        (
            "header of MRC",
            Box::new(with(|found| found.own = Some(microscope()))),
        ),
        (
            "cards of FITS",
            Box::new(with(|found| found.own = Some(telescope()))),
        ),
    ];
    let columns = columns();
    let names = columns
        .iter()
        .map(|format| format.map_or("NumPy".to_owned(), |f| f.to_string()));
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut table = line([String::new()].into_iter().chain(names).collect());
    table += &line(vec!["---".to_owned(); columns.len() + 1]);
    for (name, cell) in rows {
        let cells = columns.iter().map(|&format| cell(format));
        table += &line([name.to_owned()].into_iter().chain(cells).collect());
    }
    table
}

#[test]
fn the_document_says_what_formats_keep() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (_, rest) = document
        .split_once(START)
        .expect("the line before the table");
    let (written, _) = rest.split_once(END).expect("the line behind the table");
    let found = table();
    assert!(written == found, "{DOCUMENT} should hold\n{found}");
}
