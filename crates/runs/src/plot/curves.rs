//! From runs to the data of a figure.

use n2n_data::quality::Psnr;

use super::axis::Axis;
use super::figure::{Curve, Figure, Level, Origin};
use super::lines::{at, moving_mean};
use super::options::{Kind, PlotOptions, Quantity, XQuantity};
use super::range;
use super::reference::Reference;
use crate::{Run, RunsError, Statistics, Variant, variants};

/// Rates that differ by more than this factor are drawn on a logarithmic axis.
const WIDE: f64 = 4.0;

/// The `[x, y, error]` of a run, from left to right; without an error, it is NaN.
type Points = Vec<[f64; 3]>;

/// Makes a figure of runs, and of references beside them: one curve for each variant, the mean of its runs.
///
/// Also returns the runs that have nothing to draw, which are left out.
///
/// # Errors
/// When that is all of them, or references do not fit what is drawn.
pub fn figure<'a>(
    runs: &'a [Run],
    references: &[Reference],
    options: &PlotOptions,
) -> Result<(Figure, Vec<&'a Run>), RunsError> {
    let fits = matches!(options.y, Quantity::Psnr | Quantity::PooledPsnr)
        && options.x == XQuantity::Images;
    if !references.is_empty() && !fits {
        return Err(RunsError::OtherAxes);
    }
    let (drawn, left_out): (Vec<&Run>, Vec<&Run>) = runs
        .iter()
        .partition(|run| !points(run, options).is_empty());
    if drawn.is_empty() {
        let what = match options.y {
            Quantity::Ssim => "structural similarity in its validations",
            _ => "validation",
        };
        return Err(RunsError::NothingToDraw { what });
    }
    let unit = unit(&drawn, options.x);
    let drawn: Vec<Run> = drawn.into_iter().cloned().collect();
    let variants = variants(&drawn);
    let kinds: Vec<Option<Kind>> = variants
        .iter()
        .map(|variant| kind(&drawn[variant.runs[0]]))
        .collect();
    let of_all = kinds[0].filter(|_| kinds.iter().all(|kind| *kind == kinds[0]));
    let names_kinds = options.y.has_kinds() && of_all.is_none();
    let mut notes = Vec::new();
    let mut curves: Vec<Curve> = variants
        .iter()
        .zip(&kinds)
        .enumerate()
        .map(|(number, (variant, kind))| {
            let mut curve = curve(&drawn, variant, number, unit.divisor, options);
            if let Some(kind) = kind.filter(|_| names_kinds) {
                curve.label = format!("{} ({})", curve.label, kind.name());
            }
            curve
        })
        .collect();
    let x = x_axis(&curves, &unit, options);
    let end = x.range[1];
    curves.extend(references.iter().filter_map(|reference| {
        let is_inside = |point: &&[f64; 2]| (x.range[0]..=end).contains(&point[0]);
        let points: Vec<[f64; 2]> = reference.points.iter().filter(is_inside).copied().collect();
        let mut of = (0..).zip(&variants);
        let first = of.find(|(_, variant)| reference.is_of(&variant.label));
        let is_one = !of.any(|(_, variant)| reference.is_of(&variant.label));
        (!points.is_empty()).then(|| Curve {
            label: reference.label.clone(),
            origin: Origin::Reference(first.filter(|_| is_one).map(|(number, _)| number)),
            runs: Vec::new(),
            points,
            band: Vec::new(),
            beyond: Vec::new(),
        })
    }));
    notes.extend(band_note(&variants, &curves));
    let levels = levels(&drawn, options.y, &mut notes);
    let rises = options.y.rises();
    let cuts_start = options.from_images.is_none() && options.y != Quantity::Lr;
    let (range, outside) = range::of(&curves, &levels, rises, cuts_start);
    if !outside.is_empty() {
        let labels: Vec<&str> = outside.iter().map(|level| level.label.as_str()).collect();
        notes.push(format!("Outside of the axis: {}.", labels.join("; ")));
    }
    let is_log = options.y == Quantity::Lr && spread(&curves) > WIDE;
    curves.sort_by(|a, b| {
        b.last()
            .partial_cmp(&a.last())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut title = options.y.title(if names_kinds { None } else { of_all });
    if options.smooth > 1 {
        title = format!("{title}, mean of {} validations", options.smooth);
    }
    let figure = Figure {
        title: options.title.clone(),
        x,
        y: Axis {
            title,
            range: if is_log { log_range(&curves) } else { range },
            is_log,
        },
        levels: levels
            .into_iter()
            .filter(|level| !outside.contains(level))
            .collect(),
        curves,
        notes,
    };
    Ok((figure, left_out))
}

/// What is drawn of a run.
fn points(run: &Run, options: &PlotOptions) -> Points {
    let from = options.from_images.unwrap_or(0);
    let records = run.records.iter().filter(|record| record.images >= from);
    let points = records.filter_map(|record| {
        let error = options.y.standard_error(record).unwrap_or(f64::NAN);
        let x = options.x.of(record);
        let is_shown = x > 0.0 || !options.log_x;
        Some([x, options.y.of(record)?, error]).filter(|_| is_shown)
    });
    let points: Points = points.collect();
    let [values, errors] =
        [1, 2].map(|part| -> Vec<f64> { points.iter().map(|point| point[part]).collect() });
    let [values, errors] = [values, errors].map(|all| moving_mean(&all, options.smooth));
    let means = points.iter().zip(values).zip(errors);
    means
        .map(|((point, value), error)| [point[0], value, error])
        .collect()
}

fn kind(run: &Run) -> Option<Kind> {
    run.last().map(|record| Kind::of(Psnr::from(record.psnr)))
}

/// Unit of the horizontal axis.
struct Unit {
    title: &'static str,
    divisor: f64,
}

fn unit(runs: &[&Run], x: XQuantity) -> Unit {
    let seconds = runs.iter().filter_map(|run| run.last());
    let seconds = seconds.fold(0.0_f64, |longest, record| longest.max(record.seconds));
    let (title, divisor) = match (x, seconds) {
        (XQuantity::Images, _) => ("training images", 1.0),
        (XQuantity::Time, 7200.0..) => ("training time [h]", 3600.0),
        (XQuantity::Time, 120.0..) => ("training time [min]", 60.0),
        (XQuantity::Time, _) => ("training time [s]", 1.0),
    };
    Unit { title, divisor }
}

/// The curve of a variant: that of its one run, or the mean over its runs as far as all of them go.
fn curve(
    runs: &[Run],
    variant: &Variant,
    number: usize,
    divisor: f64,
    options: &PlotOptions,
) -> Curve {
    let members = variant.runs.iter().map(|run| {
        let points = points(&runs[*run], options).into_iter();
        points.map(|[x, y, error]| [x / divisor, y, error])
    });
    let members: Vec<Points> = members.map(Iterator::collect).collect();
    let (points, band, beyond) = match &members[..] {
        [only] => of_one(only),
        _ => of_several(&members),
    };
    Curve {
        label: variant.label.clone(),
        origin: Origin::Runs(number),
        runs: variant
            .runs
            .iter()
            .map(|run| runs[*run].name.clone())
            .collect(),
        points,
        band,
        beyond,
    }
}

/// Points, band and members of a mean where they go on after it.
type Drawn = (Vec<[f64; 2]>, Vec<[f64; 3]>, Vec<Vec<[f64; 2]>>);

fn of_one(run: &Points) -> Drawn {
    let band = run.iter().filter(|[_, _, error]| error.is_finite());
    let band = band.map(|[x, y, error]| [*x, y - error, y + error]);
    let points = run.iter().map(|[x, y, _]| [*x, *y]);
    (points.collect(), band.collect(), Vec::new())
}

fn of_several(runs: &[Points]) -> Drawn {
    let runs: Vec<Vec<[f64; 2]>> = runs.iter().map(|run| of_one(run).0).collect();
    let mut places: Vec<f64> = runs.iter().flatten().map(|point| point[0]).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let (mut points, mut band) = (Vec::new(), Vec::new());
    for x in places {
        let values: Option<Vec<f64>> = runs.iter().map(|run| at(run, x)).collect();
        if let Some(Statistics { mean, min, max, .. }) =
            values.and_then(|values| Statistics::of(&values))
        {
            points.push([x, mean]);
            band.push([x, min, max]);
        }
    }
    let end = points.last().map_or(f64::NEG_INFINITY, |point| point[0]);
    let beyond = runs.iter().map(|run| {
        let start = at(run, end).map(|y| [end, y]);
        let rest = run.iter().filter(|point| point[0] > end).copied();
        start.into_iter().chain(rest).collect::<Vec<_>>()
    });
    let beyond = beyond.filter(|points| points.len() > 1).collect();
    (points, band, beyond)
}

fn x_axis(curves: &[Curve], unit: &Unit, options: &PlotOptions) -> Axis {
    let ends = curves.iter().flat_map(|curve| {
        let points = curve.points.iter().chain(curve.beyond.iter().flatten());
        points.map(|point| point[0])
    });
    let [low, high] = ends.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| {
        [low.min(x), high.max(x)]
    });
    let low = if options.log_x || options.from_images.is_some() {
        low
    } else {
        0.0
    };
    // A single validation is a point, which needs an axis.
    let high = if high > low { high } else { low.max(1.0) * 2.0 };
    Axis {
        title: unit.title.to_owned(),
        range: [low, high],
        is_log: options.log_x,
    }
}

/// Says what bands are.
fn band_note(variants: &[Variant], curves: &[Curve]) -> Option<String> {
    let counts = variants.iter().map(|variant| variant.runs.len());
    let (least, most) = counts.fold((usize::MAX, 0), |(least, most), count| {
        (least.min(count), most.max(count))
    });
    let is_estimated = |curve: &Curve| curve.runs.len() == 1 && !curve.band.is_empty();
    let of_estimates = "plus and minus one standard error of the estimate";
    match (most, curves.iter().any(is_estimated)) {
        (0 | 1, false) => None,
        (0 | 1, true) => Some(format!("Bands: {of_estimates}.")),
        (_, is_estimated) => {
            let seeds = if least == most {
                format!("{most} seeds")
            } else {
                format!("{least} to {most} seeds")
            };
            let others = if is_estimated {
                format!("; of single ones, {of_estimates}")
            } else {
                String::new()
            };
            Some(format!(
                "Lines: means over {seeds}; bands: from the smallest to the largest{others}."
            ))
        }
    }
}

/// Horizontal lines for the noisy inputs, if their PSNR is what is drawn.
fn levels(runs: &[Run], y: Quantity, notes: &mut Vec<String>) -> Vec<Level> {
    /// Most lines; more would hide the curves.
    const MOST: usize = 3;
    if y != Quantity::Psnr {
        return Vec::new();
    }
    let mut found: Vec<(Kind, f64)> = Vec::new();
    for noisy in runs.iter().filter_map(Run::noisy_psnr) {
        let Some(db) = noisy.db() else {
            continue;
        };
        // Equal in a table.
        let value = (Kind::of(noisy), (100.0 * db).round() / 100.0);
        if !found.contains(&value) {
            found.push(value);
        }
    }
    if found.len() > MOST {
        let values = || found.iter().map(|(_, db)| *db);
        notes.push(format!(
            "Noisy inputs: {:.2} to {:.2} dB.",
            values().fold(f64::INFINITY, f64::min),
            values().fold(f64::NEG_INFINITY, f64::max)
        ));
        return Vec::new();
    }
    let level = |(kind, y): (Kind, f64)| {
        let name = match kind {
            Kind::SubImages => "noisy sub-images",
            Kind::Measured | Kind::Estimated => "noisy input",
        };
        Level {
            label: format!("{name}, {y:.2} dB"),
            y,
        }
    };
    found.into_iter().map(level).collect()
}

/// The smallest and the largest value of all curves.
fn ends(curves: &[Curve]) -> [f64; 2] {
    let values = curves.iter().flat_map(|curve| &curve.points);
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], point| {
        [low.min(point[1]), high.max(point[1])]
    })
}

/// By which factor positive values differ; 1 if there are others.
fn spread(curves: &[Curve]) -> f64 {
    match ends(curves) {
        [low, high] if low > 0.0 => high / low,
        _ => 1.0,
    }
}

fn log_range(curves: &[Curve]) -> [f64; 2] {
    /// Space below and above.
    const MARGIN: f64 = 1.3;
    let [low, high] = ends(curves);
    [low / MARGIN, high * MARGIN]
}
