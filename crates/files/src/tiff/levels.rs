//! Pyramids: pages of one image in several sizes, of which the largest is read.

use super::chain::Brief;

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

/// Whether an image can be a smaller one of another; each is rounded to whole pixels.
fn is_level(base: [u64; 2], size: [u64; 2]) -> bool {
    let [width, height] = base.map(u128::from);
    let [level_width, level_height] = size.map(u128::from);
    let is_half = |level, base| level > 0 && 2 * level <= base + 1;
    is_half(level_width, width)
        && is_half(level_height, height)
        && (level_width * height).abs_diff(level_height * width) <= width.max(height)
}
