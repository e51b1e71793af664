/// Steps between the strengths that are tried first; halved until it is one.
const FIRST_STEP: usize = 4;

/// The strength that scored best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// The strength.
    pub strength: f64,
    /// Its score.
    pub score: f64,
    /// How many strengths were tried.
    pub tried: usize,
}

/// The strength with the highest score, for scores that rise to one peak and fall from there.
///
/// Uphill from the middle, in steps that are halved at each peak. Scores that are NaN are below any other.
///
/// # Panics
/// If there is no strength.
pub fn best_strength(strengths: &[f64], mut score: impl FnMut(f64) -> f64) -> Best {
    assert!(!strengths.is_empty(), "the best of no strength");
    let mut scores: Vec<Option<f64>> = vec![None; strengths.len()];
    let mut at = |index: usize| {
        *scores[index].get_or_insert_with(|| {
            let score = score(strengths[index]);
            if score.is_nan() {
                f64::NEG_INFINITY
            } else {
                score
            }
        })
    };
    let mut peak = strengths.len() / 2;
    let mut step = FIRST_STEP;
    while step > 0 {
        let below = peak.checked_sub(step);
        let above = Some(peak + step).filter(|&above| above < strengths.len());
        let neighbours = [below, above].into_iter().flatten();
        let uphill = neighbours
            .filter(|&index| at(index) > at(peak))
            .collect::<Vec<_>>();
        match uphill.into_iter().max_by(|&a, &b| at(a).total_cmp(&at(b))) {
            Some(index) => peak = index,
            None => step /= 2,
        }
    }
    let score = at(peak);
    Best {
        strength: strengths[peak],
        score,
        tried: scores.iter().flatten().count(),
    }
}
