//! Positions of elements in planes.

/// Counts through axes, the first one fastest.
#[derive(Clone)]
pub(crate) struct Places {
    /// Size and distance of neighbours along each axis.
    axes: Vec<(usize, usize)>,
    counts: Vec<usize>,
    next: usize,
}

impl Places {
    pub fn new(axes: Vec<(usize, usize)>) -> Self {
        Self {
            counts: vec![0; axes.len()],
            axes,
            next: 0,
        }
    }
}

impl Iterator for Places {
    type Item = usize;

    /// Begins anew behind the last place.
    fn next(&mut self) -> Option<usize> {
        let place = self.next;
        for ((size, distance), count) in self.axes.iter().zip(&mut self.counts) {
            *count += 1;
            self.next += distance;
            if *count < *size {
                break;
            }
            self.next -= distance * size;
            *count = 0;
        }
        Some(place)
    }
}
