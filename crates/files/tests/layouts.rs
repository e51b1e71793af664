//! What the axes of an array are, told by its shape.

use std::{io::Cursor, path::Path};

use n2n_files::{FileError, NpyStack, Samples, Stack};

/// A `.npy` file of bytes that count up, in either order.
fn array(shape: &[usize], fortran_order: bool) -> Result<NpyStack, FileError> {
    let sizes: Vec<_> = shape.iter().map(usize::to_string).collect();
    let order = if fortran_order { "True" } else { "False" };
    let header = format!(
        "{{'descr': '|u1', 'fortran_order': {order}, 'shape': ({}), }}",
        sizes.join(", ")
    );
    let len = u16::try_from(header.len()).unwrap().to_le_bytes();
    let elements: Vec<_> = (0..shape.iter().product())
        .map(|n: usize| n as u8)
        .collect();
    let file = [
        &b"\x93NUMPY\x01\x00"[..],
        &len,
        header.as_bytes(),
        &elements,
    ]
    .concat();
    NpyStack::from_reader(Cursor::new(file), Path::new("made-up.npy"))
}

fn letters(stack: &NpyStack) -> String {
    stack.axes().iter().map(|(axis, _)| axis.letter()).collect()
}

#[test]
fn shapes_tell_axes() {
    for (shape, axes, images, wanted) in [
        (&[5, 7][..], "YX", 1, [1, 5, 7]),
        (&[5, 7, 1], "YXC", 1, [1, 5, 7]),
        (&[5, 7, 3], "YXC", 1, [3, 5, 7]),
        (&[5, 7, 2], "NYX", 5, [1, 7, 2]),
        (&[16, 17, 2], "YXC", 1, [2, 16, 17]),
        (&[15, 17, 2], "NYX", 15, [1, 17, 2]),
        (&[17, 15, 2], "NYX", 17, [1, 15, 2]),
        (&[41, 40, 5], "YXC", 1, [5, 41, 40]),
        (&[512, 513, 64], "YXC", 1, [64, 512, 513]),
        (&[521, 520, 65], "NYX", 521, [1, 520, 65]),
        (&[3, 5, 7], "NYX", 3, [1, 5, 7]),
        (&[2, 3, 5, 7], "NCYX", 2, [3, 5, 7]),
        (&[2, 3, 5, 3], "NCYX", 2, [3, 5, 3]),
        (&[2, 5, 7, 3], "NYXC", 2, [3, 5, 7]),
        // One of 1 or 3 goes before more bands.
        (&[2, 4, 5, 3], "NYXC", 2, [3, 4, 5]),
        (&[2, 4, 5, 7], "NCYX", 2, [4, 5, 7]),
        (&[2, 5, 7, 4], "NYXC", 2, [4, 5, 7]),
        (&[1, 64, 65, 66], "NCYX", 1, [64, 65, 66]),
        (&[1, 66, 65, 64], "NYXC", 1, [64, 66, 65]),
    ] {
        for fortran_order in [false, true] {
            let stack = array(shape, fortran_order).unwrap();
            let found = (letters(&stack), stack.len(), stack.shape());
            assert_eq!(found, (axes.to_owned(), images, wanted), "{shape:?}");
        }
    }
}

#[test]
fn shapes_of_no_image_are_errors() {
    for shape in [
        &[2, 6, 5, 7][..],
        &[2, 5, 5, 5],
        &[1, 65, 66, 67],
        &[1, 67, 66, 65],
    ] {
        let error = array(shape, false).err().unwrap();
        let message = error.to_string();
        assert!(matches!(error, FileError::ArrayShape { .. }), "{message}");
        assert!(message.contains(&format!("{shape:?}")), "{message}");
        assert!(message.contains("up to 64"), "{message}");
    }
    for shape in [&[2, 0, 5, 7][..], &[0, 5, 7], &[5, 0]] {
        let error = array(shape, false).err().unwrap();
        assert!(matches!(error, FileError::Empty { .. }), "{error}");
    }
}

#[test]
fn images_become_channels_when_asked() {
    for fortran_order in [false, true] {
        let open = || array(&[3, 5, 7], fortran_order).unwrap();
        let stack = open().with_channels(3);
        assert_eq!(
            (letters(&stack), stack.len(), stack.shape()),
            ("CYX".to_owned(), 1, [3, 5, 7])
        );
        let images: Vec<_> = (0..3).map(|index| open().read(index).unwrap()).collect();
        let Samples::U8(found) = stack.read(0).unwrap().samples else {
            panic!("{}", stack.kind());
        };
        for (found, image) in found.chunks_exact(35).zip(images) {
            assert_eq!(Samples::U8(found.to_vec()), image.samples);
        }
    }
}

#[test]
fn other_arrays_keep_their_axes() {
    for (shape, channels) in [
        (&[3, 5, 7][..], 2),
        (&[1, 5, 7], 1),
        (&[65, 5, 7], 65),
        (&[5, 7], 1),
        (&[5, 7, 3], 3),
        (&[5, 7, 3], 5),
        (&[4, 3, 5, 7], 4),
    ] {
        let stack = array(shape, false).unwrap();
        let (axes, images, shape) = (letters(&stack), stack.len(), stack.shape());
        let stack = stack.with_channels(channels);
        let found = (letters(&stack), stack.len(), stack.shape());
        assert_eq!(found, (axes, images, shape));
    }
}
