//! The order of names with numbers in them.

use std::cmp::Ordering;

/// Compares names as people sort them: numbers in them by their value, `lr=2e-3` before `lr=0.01`, and
/// `features=4` before `features=16`.
pub fn compare(a: &str, b: &str) -> Ordering {
    let [mut left, mut right] = [a, b];
    loop {
        let (Some(first), Some(second)) = (left.chars().next(), right.chars().next()) else {
            // The shorter one first; equal in all numbers, the texts decide.
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        let order = match (number(left), number(right)) {
            (Some((x, x_end)), Some((y, y_end))) => {
                (left, right) = (&left[x_end..], &right[y_end..]);
                x.total_cmp(&y)
            }
            _ => {
                (left, right) = (&left[first.len_utf8()..], &right[second.len_utf8()..]);
                first.cmp(&second)
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The number that a text begins with, and its length: `12`, `0.5` or `1e-4`.
fn number(text: &str) -> Option<(f64, usize)> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.bytes().take_while(u8::is_ascii_digit).count()
    };
    let mut end = digits(0);
    if end == 0 {
        return None;
    }
    if text[end..].starts_with('.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    for exponent in ["e-", "e+", "e"] {
        let start = end + exponent.len();
        if text[end..].starts_with(exponent) && digits(start) > start {
            end = digits(start);
            break;
        }
    }
    Some((text[..end].parse().ok()?, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_value() {
        let sorted = [
            "a",
            "features=4,lr=1e-4",
            "features=4,lr=0.002",
            "features=4,lr=0.01",
            "features=4,lr=1",
            "features=16",
            "features=16,seed=0",
            "run-9",
            "run-10",
            "run-10é",
        ];
        let mut shuffled = sorted;
        shuffled.reverse();
        shuffled.sort_by(|a, b| compare(a, b));
        assert_eq!(shuffled, sorted);
        assert_eq!(compare("x1", "x01"), "x1".cmp("x01"));
        assert_eq!(compare("same", "same"), Ordering::Equal);
    }
}
