//! Stacks are read by several threads, and not before they are asked to.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    thread,
};

use n2n_files::{NpyStack, Samples, Stack, TiffStack};
use tempfile::TempDir;

use crate::expected::{data, open_stacks};

#[test]
fn threads_read_one_stack_at_once() {
    for file in [
        "tiff/pages-rgb8-lzw.tif",
        "tiff/pages-grey16.tif",
        "npy/big-f4.npy",
        "npy/shape-nhw3-float16-fortran.npy",
        "npy/deflated.npz",
        "cifar/two.bin",
        "torch/pairs_zip.pkl",
    ] {
        for (_, stack) in open_stacks(&data(file)).unwrap() {
            let images: Vec<_> = (0..stack.len())
                .map(|index| stack.read(index).unwrap())
                .collect();
            thread::scope(|scope| {
                for first in 0..4 {
                    let (stack, images) = (&stack, &images);
                    scope.spawn(move || {
                        for step in 0..50 {
                            let index = (first + step) % images.len();
                            assert_eq!(stack.read(index).unwrap(), images[index], "{file}");
                        }
                    });
                }
            });
        }
    }
}

#[test]
fn an_array_longer_than_memory_is_read_image_by_image() {
    // 1 TiB without blocks on disk, but for the last image.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.npy");
    let mut header =
        "{'descr': '|u1', 'fortran_order': False, 'shape': (16384, 1, 8192, 8192), }".to_owned();
    header += &" ".repeat(127 - 10 - header.len());
    header += "\n";
    let mut file = File::create(&path).unwrap();
    file.write_all(b"\x93NUMPY\x01\x00").unwrap();
    file.write_all(&(header.len() as u16).to_le_bytes())
        .unwrap();
    file.write_all(header.as_bytes()).unwrap();
    let end = 128 + (16384 << 26);
    if file.set_len(end).is_err() {
        return; // A file system without room for the length.
    }
    file.seek(SeekFrom::Start(end - 1)).unwrap();
    file.write_all(&[7]).unwrap();

    let stack = NpyStack::open(&path).unwrap();
    assert_eq!((stack.len(), stack.shape()), (16384, [1, 8192, 8192]));
    let Samples::U8(samples) = stack.read(16383).unwrap().samples else {
        panic!("the samples are not bytes");
    };
    assert_eq!((samples[0], *samples.last().unwrap()), (0, 7));
}

#[test]
fn a_file_that_is_replaced_is_read_to_its_end() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pages.tif");
    fs::copy(data("tiff/pages-grey16.tif"), &path).unwrap();
    let stack = TiffStack::open(&path).unwrap();
    let image = stack.read(3).unwrap();
    fs::remove_file(&path).unwrap();
    fs::copy(data("tiff/pages-rgb8-lzw.tif"), &path).unwrap();
    assert_eq!(stack.read(3).unwrap(), image);
}
