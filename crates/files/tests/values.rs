//! Every format, kind and form gives the values that another program wrote or reads.

use n2n_files::{is_picture, is_stack, read_header, read_picture};

use crate::expected::{data, expected, kind, numbers, open_stacks};

#[test]
fn pictures_hold_what_other_programs_wrote() {
    let expected = expected();
    let mut failures = Vec::new();
    for picture in &expected.pictures {
        let path = data(&picture.file);
        assert!(is_picture(&path), "{path:?}");
        let header = match read_header(&path) {
            Ok(header) => header,
            Err(error) => {
                failures.push(error.to_string());
                continue;
            }
        };
        let found = (header.shape(), header.kind, header.pages, header.alpha);
        let wanted = (
            picture.shape,
            kind(&picture.kind),
            picture.pages,
            picture.alpha.is_some(),
        );
        if found != wanted {
            failures.push(format!("{}: {found:?}, not {wanted:?}", picture.file));
        }
        let raster = match read_picture(&path) {
            Ok(raster) => raster,
            Err(error) => {
                failures.push(error.to_string());
                continue;
            }
        };
        assert_eq!(raster.shape(), header.shape(), "{path:?}");
        assert_eq!(raster.samples.kind(), header.kind, "{path:?}");
        let found = [Some(&raster.samples), raster.alpha.as_ref()];
        for (found, wanted) in found
            .into_iter()
            .zip([Some(picture.samples), picture.alpha])
        {
            let found = found.map(numbers).unwrap_or_default();
            let wanted = wanted.map_or(&[][..], |array| &expected.arrays[array]);
            let most = farthest(&found, wanted);
            if most > picture.lossy.into() {
                failures.push(format!("{}: off by {most}", picture.file));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn stacks_hold_what_other_programs_wrote() {
    let expected = expected();
    let mut failures = Vec::new();
    for stack in &expected.stacks {
        let path = data(&stack.file);
        let opened = match open_stacks(&path) {
            Ok(opened) => opened,
            Err(error) => {
                failures.push(error.to_string());
                continue;
            }
        };
        let entry = stack.entry.as_deref().unwrap_or_default();
        let (_, found) = opened.iter().find(|(name, _)| name == entry).unwrap();
        let facts = (found.len(), found.shape(), found.kind());
        let wanted = (stack.images, stack.shape, kind(&stack.kind));
        if facts != wanted {
            failures.push(format!("{}: {facts:?}, not {wanted:?}", stack.file));
            continue;
        }
        assert!(found.path().starts_with(&path) && !found.is_empty());
        let size = stack.shape.iter().product();
        let images = expected.arrays[stack.samples].chunks(size);
        // Backwards: no image may lean on the one before it.
        for (index, wanted) in images.enumerate().rev() {
            let image = found.read(index).unwrap();
            assert_eq!(image.shape(), stack.shape, "{path:?}");
            if numbers(&image.samples) != wanted {
                failures.push(format!("{}: image {index} differs", stack.file));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn names_tell_pictures_and_stacks() {
    for (name, picture, stack) in [
        ("a.PNG", true, false),
        ("a.Jpeg", true, false),
        ("a.jpg", true, false),
        ("a.webp", true, false),
        ("a.bmp", true, false),
        ("a.EXR", true, false),
        ("a.hdr", true, false),
        ("a.tif", true, true),
        ("a.TIFF", true, true),
        ("a.npy", false, true),
        ("a.npz", false, false),
        ("png", false, false),
        ("a.png.txt", false, false),
    ] {
        assert_eq!(
            (is_picture(name.as_ref()), is_stack(name.as_ref())),
            (picture, stack),
            "{name}"
        );
    }
}

fn farthest(found: &[f64], wanted: &[f64]) -> f64 {
    if found.len() != wanted.len() {
        return f64::INFINITY;
    }
    let differences = found
        .iter()
        .zip(wanted)
        .map(|(found, wanted)| (found - wanted).abs());
    differences.fold(0.0, f64::max)
}
