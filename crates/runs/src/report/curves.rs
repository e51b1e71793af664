//! The figures of a page.

use super::html::Html;
use crate::plot::{PlotOptions, Quantity, figure};
use crate::{Run, RunsError};

/// Figures of runs, one for each quantity that is known of them.
///
/// # Errors
/// When the font cannot be read.
pub fn figures(runs: &[Run], quantities: &[Quantity]) -> Result<Html, RunsError> {
    let mut drawn = Vec::new();
    for &y in quantities {
        let options = PlotOptions {
            y,
            ..PlotOptions::default()
        };
        match figure(runs, &[], &options) {
            Ok((figure, _)) => {
                drawn.push(Html::element("figure", &[], [Html::figure(&figure)?]));
            }
            Err(RunsError::NothingToDraw { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    if drawn.is_empty() {
        return Ok(Html::default());
    }
    Ok(Html::of_class("div", "charts", drawn))
}
