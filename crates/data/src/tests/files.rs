//! Small files of some kinds.

use std::fs::{self, File};
use std::path::Path;
use std::slice::from_ref;

use image::GrayImage;
use n2n_files::{Attached, Header, PagesWriter, PictureFormat, Raster, Samples, write_gzip_with};
use tiff::encoder::{TiffEncoder, colortype::Gray16};

/// An 8-bit grey picture of `[height, width]`, brighter to the right.
pub fn png(path: &Path, [height, width]: [u32; 2]) {
    GrayImage::from_fn(width, height, |x, _| [(x % 256) as u8].into())
        .save(path)
        .unwrap();
}

/// A stack of 16-bit pages of `[height, width]`, page `k` filled with `k`.
pub fn tiff(path: &Path, pages: u16, [height, width]: [u32; 2]) {
    let mut encoder = TiffEncoder::new(File::create(path).unwrap()).unwrap();
    for page in 0..pages {
        let samples = vec![page; (height * width) as usize];
        encoder
            .write_image::<Gray16>(width, height, &samples)
            .unwrap();
    }
}

/// A file of float32 pages of `[height, width]`, of the format that its name says, page `k` filled with `k`.
pub fn pages(path: &Path, pages: usize, [height, width]: [usize; 2]) {
    let page = |page: usize| Raster {
        channels: 1,
        height,
        width,
        samples: Samples::F32(vec![page as f32; height * width]),
        alpha: None,
    };
    let header = Header {
        pages,
        ..page(0).header()
    };
    let (format, attached) = (PictureFormat::of_path(path).unwrap(), Attached::default());
    let mut file = File::create(path).unwrap();
    let write = |file: &mut File| {
        let mut writer = PagesWriter::new(file, format, &header, &attached).unwrap();
        for index in 0..pages {
            writer.write(&page(index), from_ref(&attached)).unwrap();
        }
    };
    if path.extension().is_some_and(|extension| extension == "gz") {
        let packed = write_gzip_with(&mut file, |file| {
            write(file);
            Ok::<(), ()>(())
        });
        packed.unwrap().unwrap();
    } else {
        write(&mut file);
    }
}

/// An array of float32 zeros, as NumPy writes it.
pub fn npy(path: &Path, shape: &[usize]) {
    let shape_text = format!("{shape:?}").replace('[', "(").replace(']', ")");
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape_text}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + 4 * shape.iter().product::<usize>(), 0);
    fs::write(path, bytes).unwrap();
}
