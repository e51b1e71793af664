//! Pyramids: pages of one image in several sizes, of which the largest is read, or another one.

use ::tiff::tags::Tag;

use super::{chain::Brief, form::Form};
use crate::{
    FileError,
    input::{Input, malformed},
};

/// Leaves out the smaller images of the first full one, as slide scanners keep them: those that say so, and
/// those of at most half its size and of its proportions. Gives how many they are.
pub(super) fn leave_out(pages: &mut Vec<Brief>) -> usize {
    let full = pages.iter().find(|page| !page.is_reduced);
    let Some(base) = full.or(pages.first()).map(|page| page.size) else {
        return 0;
    };
    let has_full = full.is_some();
    let before = pages.len();
    pages.retain(|page| {
        let is_smaller = page.is_reduced && has_full || is_level(base, page.size);
        page.size == base || !is_smaller
    });
    before - pages.len()
}

/// The images of a level of the pyramid, where 0 are the largest: among the pages, or among the smaller images that
/// the directories of the largest lead to.
///
/// # Errors
/// When there is no such level, or a directory is damaged.
pub(super) fn at(
    level: usize,
    pages: Vec<Brief>,
    form: Form,
    input: &Input,
) -> Result<Vec<Brief>, FileError> {
    let path = input.path();
    let full = pages.iter().find(|page| !page.is_reduced);
    let base = full.or(pages.first()).map_or([0; 2], |page| page.size);
    let (mut images, mut total) = (Vec::new(), 0_u64);
    for page in pages {
        let is_base = page.size == base;
        let directory = form.directory(input, page.place, "the directory of a page")?;
        images.push(page);
        if !is_base {
            continue;
        }
        for place in directory.numbers(Tag::SubIfd, form, input)? {
            let directory = form.directory(input, place, "the directory of a smaller image")?;
            // Else a short file could make for many long directories.
            total += directory.len;
            if total > input.len() {
                return Err(malformed(
                    path,
                    "the directories of its smaller images overlap",
                ));
            }
            images.push(Brief::read(&directory, place, form, input)?);
        }
    }
    let sizes = images.iter().map(|image| image.size);
    let mut sizes: Vec<_> = sizes
        .filter(|&size| size == base || is_level(base, size))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    let Some(&size) = sizes.iter().rev().nth(level) else {
        return Err(FileError::Level {
            path: path.to_owned(),
            level,
            found: sizes.len(),
        });
    };
    images.retain(|image| image.size == size);
    Ok(images)
}

/// Whether an image can be a smaller one of another; each is rounded to whole pixels.
fn is_level(base: [u64; 2], size: [u64; 2]) -> bool {
    let [width, height] = base.map(u128::from);
    let [level_width, level_height] = size.map(u128::from);
    let is_half = |level, base| level > 0 && 2 * level <= base + 1;
    is_half(level_width, width)
        && is_half(level_height, height)
        && (level_width * height).abs_diff(level_height * width) <= width.max(height)
}
