//! Rows of points: values between them, moving means, parts inside of a rectangle, dashes.

/// A point.
type Point = [f64; 2];

/// The value of a curve at `x`, between two of its points; `None` outside of them.
pub fn at(points: &[Point], x: f64) -> Option<f64> {
    let after = points.partition_point(|point| point[0] < x);
    let [x1, y1] = *points.get(after)?;
    if x1 <= x {
        return Some(y1);
    }
    let [x0, y0] = *points.get(after.checked_sub(1)?)?;
    Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
}

/// The mean of each value and those before it, `count` in all; of fewer at the start.
pub fn moving_mean(values: &[f64], count: usize) -> Vec<f64> {
    let end = 1..=values.len();
    end.map(|end| {
        let window = &values[end.saturating_sub(count)..end];
        window.iter().sum::<f64>() / window.len() as f64
    })
    .collect()
}

/// The parts of a row of lines inside of a rectangle, from its `low` to its `high` corner.
pub fn inside(points: &[Point], low: Point, high: Point) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let Some([from, to]) = segment_inside([pair[0], pair[1]], low, high) else {
            continue;
        };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

/// Liang and Barsky's algorithm.
fn segment_inside([from, to]: [Point; 2], low: Point, high: Point) -> Option<[Point; 2]> {
    let [mut start, mut end] = [0.0_f64, 1.0_f64];
    for axis in 0..2 {
        let length = to[axis] - from[axis];
        for (towards, distance) in [
            (-length, from[axis] - low[axis]),
            (length, high[axis] - from[axis]),
        ] {
            if towards == 0.0 {
                if distance < 0.0 {
                    return None;
                }
            } else if towards < 0.0 {
                start = start.max(distance / towards);
            } else {
                end = end.min(distance / towards);
            }
        }
    }
    let place = |share: f64| -> Point {
        // The ends themselves, so that parts are seen to go on.
        if share <= 0.0 {
            from
        } else if share >= 1.0 {
            to
        } else {
            [0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis]))
        }
    };
    (start <= end).then(|| [place(start), place(end)])
}

/// Cuts a row of lines into dashes; `pattern` has the lengths of dashes and gaps in turn, an even
/// number of them, or none for a whole line.
pub fn dashes(points: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    if pattern.is_empty() {
        return vec![points.to_vec()];
    }
    let (mut part, mut left) = (0, pattern[0]);
    let mut dashes: Vec<Vec<Point>> = points
        .first()
        .map(|first| vec![*first])
        .into_iter()
        .collect();
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let length = (to[0] - from[0]).hypot(to[1] - from[1]);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let share = done / length;
            let turn = [0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis]));
            if part % 2 == 0 {
                if let Some(dash) = dashes.last_mut() {
                    dash.push(turn);
                }
            } else {
                dashes.push(vec![turn]);
            }
            part = (part + 1) % pattern.len();
            left = pattern[part];
        }
        left -= length - done;
        if part % 2 == 0
            && let Some(dash) = dashes.last_mut()
        {
            dash.push(to);
        }
    }
    dashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_points_are_interpolated() {
        let points = [[0.0, 1.0], [2.0, 5.0], [3.0, 5.0]];
        let found = [-1.0, 0.0, 0.5, 2.0, 3.0, 3.5].map(|x| at(&points, x));
        assert_eq!(
            found,
            [None, Some(1.0), Some(2.0), Some(5.0), Some(5.0), None]
        );
        assert_eq!(at(&[], 0.0), None);
    }

    #[test]
    fn moving_means_look_back() {
        assert_eq!(moving_mean(&[1.0, 3.0, 5.0, 10.0], 2), [1.0, 2.0, 4.0, 7.5]);
        assert_eq!(moving_mean(&[1.0, 3.0], 1), [1.0, 3.0]);
    }

    #[test]
    fn lines_end_at_the_border() {
        let points = [
            [-2.0, 0.5],
            [0.5, 0.5],
            [0.5, 2.5],
            [0.5, 0.5],
            [0.75, 0.75],
        ];
        let parts = inside(&points, [0.0, 0.0], [1.0, 1.0]);
        let expected = [[0.0, 0.5], [0.5, 0.5], [0.5, 1.0], [0.5, 0.5], [0.75, 0.75]];
        assert_eq!(parts, [expected]);
        let twice = [[0.5, 0.5], [1.5, 0.5], [1.5, 0.75], [0.5, 0.75]];
        assert_eq!(inside(&twice, [0.0, 0.0], [1.0, 1.0]).len(), 2);
        let beside = inside(&[[2.0, 0.0], [2.0, 1.0]], [0.0, 0.0], [1.0, 1.0]);
        assert!(beside.is_empty(), "{beside:?}");
    }

    #[test]
    fn dashes_go_around_corners() {
        let points = [[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]];
        let found = dashes(&points, &[2.0, 0.5]);
        assert_eq!(
            found,
            [
                vec![[0.0, 0.0], [2.0, 0.0]],
                vec![[2.5, 0.0], [3.0, 0.0], [3.0, 1.5]],
                vec![[3.0, 2.0], [3.0, 4.0]],
            ]
        );
        assert_eq!(dashes(&points, &[]), [points.to_vec()]);
    }
}
