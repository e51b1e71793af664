//! The axes of pages, as programs describe them: ImageJ in lines of text, OME in XML, tifffile in JSON.

use roxmltree::{Document, Node};

use crate::Axis;

/// How ImageJ's descriptions begin.
const IMAGEJ: &str = "ImageJ=";

/// The axes of the pages of a file, the slowest first, after the description of its first page.
pub(super) fn told(description: &[u8], pages: usize) -> Vec<(Axis, usize)> {
    let text = String::from_utf8_lossy(description);
    let text = text.trim_end_matches('\0');
    let told = if text.starts_with(IMAGEJ) {
        imagej(text, pages)
    } else if pages > 1 && text.contains("<OME") {
        Some(ome(text, pages))
    } else if text.starts_with('{') {
        tifffile(text, pages)
    } else {
        None
    };
    told.unwrap_or_else(|| vec![(Axis::Shot, pages)])
}

/// The number behind a key of ImageJ.
pub(super) fn imagej_number(text: &str, key: &str) -> Option<usize> {
    let value = |line: &str| {
        line.strip_prefix(key)?
            .strip_prefix('=')?
            .trim()
            .parse()
            .ok()
    };
    text.starts_with(IMAGEJ)
        .then(|| text.lines().find_map(value))
        .flatten()
}

/// ImageJ's axes, always in one order. None where they are not those of as many pages: a page taken from a
/// stack keeps its description.
fn imagej(text: &str, pages: usize) -> Option<Vec<(Axis, usize)>> {
    let axes = [
        ("frames", Axis::Time),
        ("slices", Axis::Depth),
        ("channels", Axis::Channel),
    ];
    let axes = axes.map(|(key, axis)| (axis, imagej_number(text, key).unwrap_or(1)));
    has_pages(&axes, pages).then(|| axes.to_vec())
}

/// Those of tifffile, where a person said them; each page is of the last ones. None where they are not those
/// of as many pages.
fn tifffile(text: &str, pages: usize) -> Option<Vec<(Axis, usize)>> {
    let said: serde_json::Value = serde_json::from_str(text).ok()?;
    let letters = said.get("axes")?.as_str()?;
    let of_pages = letters.strip_suffix('S').unwrap_or(letters);
    let of_pages = of_pages.strip_suffix("YX")?;
    let sizes = said.get("shape")?.as_array()?.iter();
    let sizes = sizes.map(|size| usize::try_from(size.as_u64()?).ok());
    let axes = of_pages.chars().zip(sizes).map(|(letter, size)| {
        let axis = match letter {
            'T' => Axis::Time,
            'Z' => Axis::Depth,
            'C' => Axis::Channel,
            _ => Axis::Unknown,
        };
        Some((axis, size?))
    });
    let axes: Vec<_> = axes.collect::<Option<_>>()?;
    let is_once = |wanted| axes.iter().filter(|(axis, _)| *axis == wanted).count() < 2;
    let are_sound = [Axis::Time, Axis::Depth, Axis::Channel]
        .into_iter()
        .all(is_once);
    (are_sound && has_pages(&axes, pages)).then_some(axes)
}

fn has_pages(axes: &[(Axis, usize)], pages: usize) -> bool {
    let mut sizes = axes.iter();
    sizes.try_fold(1_usize, |product, (_, size)| product.checked_mul(*size)) == Some(pages)
}

/// OME's axes: those of the one image of a file that holds all of it, page by page.
fn ome(text: &str, pages: usize) -> Vec<(Axis, usize)> {
    // XML may begin behind a byte order mark.
    let start = text.find('<').unwrap_or(0);
    let document = Document::parse(&text[start..]).ok();
    let axes = document.and_then(|document| {
        let mut images = document
            .descendants()
            .filter(|node| is_named(node, "Pixels"));
        let (image, others) = (images.next()?, images.next());
        let axes = pixels(image)?;
        let is_all = others.is_none() && has_pages(&axes, pages) && is_in_order(image, &axes);
        is_all.then_some(axes)
    });
    axes.unwrap_or_else(|| vec![(Axis::Unknown, pages)])
}

/// Whether a tag has this name, in whatever namespace: each edition of OME has its own.
fn is_named(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn number(node: Node<'_, '_>, name: &str) -> Option<usize> {
    node.attribute(name)?.trim().parse().ok()
}

/// The axes of pages of an image, the slowest first.
fn pixels(image: Node<'_, '_>) -> Option<Vec<(Axis, usize)>> {
    // Several samples of a page are channels that do not follow each other as pages.
    let channels = image.children().find(|node| is_named(node, "Channel"));
    let samples = channels
        .and_then(|channel| number(channel, "SamplesPerPixel"))
        .unwrap_or(1);
    let order = image.attribute("DimensionOrder")?.strip_prefix("XY")?;
    let axes = order.chars().rev().map(|letter| {
        Some(match letter {
            'T' => (Axis::Time, number(image, "SizeT")?),
            'Z' => (Axis::Depth, number(image, "SizeZ")?),
            'C' => (Axis::Channel, number(image, "SizeC")?.checked_div(samples)?),
            _ => return None,
        })
    });
    let axes: Vec<_> = axes.collect::<Option<_>>()?;
    (axes.len() == 3).then_some(axes)
}

/// Whether every page is where its axes have it: a file may list them in another order, and may keep some
/// in other files.
fn is_in_order(image: Node<'_, '_>, axes: &[(Axis, usize)]) -> bool {
    let mut listed = image.children().filter(|node| is_named(node, "TiffData"));
    listed.all(|data| {
        let Some(page) = number(data, "IFD") else {
            return true;
        };
        let first = |axis| {
            let name = match axis {
                Axis::Time => "FirstT",
                Axis::Depth => "FirstZ",
                _ => "FirstC",
            };
            number(data, name).unwrap_or(0)
        };
        let place = axes.iter().try_fold(0_usize, |place, &(axis, size)| {
            place.checked_mul(size)?.checked_add(first(axis))
        });
        place == Some(page)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use Axis::{Channel, Depth, Shot, Time, Unknown};

    fn pixels(order: &str, inside: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">\
             <Image><Pixels DimensionOrder=\"{order}\" SizeX=\"7\" SizeY=\"5\" SizeZ=\"2\" SizeC=\"4\" \
             SizeT=\"3\">{inside}</Pixels></Image></OME>\0"
        )
    }

    #[test]
    fn imagej_tells_frames_slices_and_channels() {
        let text = "ImageJ=1.54f\nimages=24\nchannels=4\nslices=2\nframes=3\nhyperstack=true\n";
        let axes = vec![(Time, 3), (Depth, 2), (Channel, 4)];
        assert_eq!(told(text.as_bytes(), 24), axes);
        // A page of it.
        assert_eq!(told(text.as_bytes(), 1), [(Shot, 1)]);
        assert_eq!(told(b"ImageJ=1.54f\nimages=6\n", 6), [(Shot, 6)]);
        assert_eq!(told(b"a nice picture", 6), [(Shot, 6)]);
    }

    #[test]
    fn tifffile_tells_what_a_person_said() {
        for (text, axes) in [
            (r#"{"shape": [3, 2, 5, 7]}"#, vec![(Shot, 6)]),
            (
                r#"{"axes": "ZCYX", "shape": [3, 2, 5, 7]}"#,
                vec![(Depth, 3), (Channel, 2)],
            ),
            (
                r#"{"axes": "TQYXS", "shape": [3, 2, 5, 7, 3]}"#,
                vec![(Time, 3), (Unknown, 2)],
            ),
            (
                r#"{"axes": "TTYX", "shape": [3, 2, 5, 7]}"#,
                vec![(Shot, 6)],
            ),
            (
                r#"{"axes": "TZYX", "shape": [3, 4, 5, 7]}"#,
                vec![(Shot, 6)],
            ),
            (
                r#"{"axes": "TZYX", "shape": [3, -2, 5, 7]}"#,
                vec![(Shot, 6)],
            ),
            (r#"{"axes": "TZYX""#, vec![(Shot, 6)]),
        ] {
            assert_eq!(told(text.as_bytes(), 6), axes, "{text}");
        }
    }

    #[test]
    fn ome_tells_its_order() {
        for (order, axes) in [
            ("XYCZT", [(Time, 3), (Depth, 2), (Channel, 4)]),
            ("XYZCT", [(Time, 3), (Channel, 4), (Depth, 2)]),
            ("XYTZC", [(Channel, 4), (Depth, 2), (Time, 3)]),
        ] {
            assert_eq!(told(pixels(order, "").as_bytes(), 24), axes, "{order}");
        }
        let rgb = pixels("XYCZT", "<Channel SamplesPerPixel=\"2\"/>");
        let axes = [(Time, 3), (Depth, 2), (Channel, 2)];
        assert_eq!(told(rgb.as_bytes(), 12), axes);
    }

    #[test]
    fn pages_in_another_order_are_unknown() {
        let page = |ifd, t| format!("<TiffData IFD=\"{ifd}\" FirstT=\"{t}\"/>");
        let unknown = [(Unknown, 24)];
        for (inside, is_known) in [
            (page(8, 1), true),
            (page(0, 0) + &page(16, 2), true),
            (page(9, 1), false),
            ("<TiffData FirstC=\"1\"/>".to_owned(), true),
        ] {
            let text = pixels("XYCZT", &inside);
            assert_eq!(told(text.as_bytes(), 24) != unknown, is_known, "{inside}");
        }
        // Of several files, several images, or damaged.
        assert_eq!(told(pixels("XYCZT", "").as_bytes(), 8), [(Unknown, 8)]);
        let two = pixels("XYCZT", "").replace("</Image>", "</Image><Image><Pixels/></Image>");
        assert_eq!(told(two.as_bytes(), 24), unknown);
        assert_eq!(told(b"<OME><Image>", 24), unknown);
        for (size, wrong) in [("SizeT=\"3\"", "SizeT=\"x\""), ("XYCZT", "XYCZC")] {
            let text = pixels("XYCZT", "").replace(size, wrong);
            assert_eq!(told(text.as_bytes(), 24), unknown, "{wrong}");
        }
    }
}
