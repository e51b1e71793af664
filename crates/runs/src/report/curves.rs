//! The charts of a page.

use n2n_data::quality::Psnr;
use n2n_train::Record;

use super::chart::{Chart, Curve, STYLES, Style};
use super::html::Html;
use super::parts::{measure, name_of_noisy};
use super::words::count;
use crate::{Run, Statistics, Variant};

/// Charts of PSNR, loss, learning rate and, where it is known, SSIM.
pub fn of_one(run: &Run) -> Html {
    let style = Style::Numbered(0);
    let all = [
        psnr(&[run], vec![curve(run, "validation", style, db)]),
        chart(
            "Training loss",
            "",
            true,
            vec![curve(run, "since the validation before", style, loss)],
        ),
        chart(
            "Learning rate",
            "",
            true,
            vec![curve(run, "learning rate", style, |one| Some(one.lr))],
        ),
        chart(
            "SSIM",
            "",
            false,
            vec![curve(run, "validation", style, |one| one.ssim)],
        ),
    ];
    charts(&all)
}

/// Charts of PSNR and loss with a curve for each run, those of a variant alike. Of many variants, `best` are told
/// apart.
pub fn of_several(runs: &[Run], variants: &[Variant], best: &[usize]) -> Html {
    let (first, rest): (Vec<_>, Vec<_>) = (0..variants.len()).partition(|at| best.contains(at));
    let others = format!("{} others", count(rest.len()));
    let curves = |value: fn(&Record) -> Option<f64>| {
        let told_apart = first.iter().enumerate().flat_map(|(number, at)| {
            let variant = &variants[*at];
            let members = variant.runs.iter();
            members
                .map(move |run| curve(&runs[*run], &variant.label, Style::Numbered(number), value))
        });
        let faint = rest.iter().flat_map(|at| &variants[*at].runs);
        let faint = faint.map(|run| curve(&runs[*run], &others, Style::Faint, value));
        told_apart.chain(faint).collect()
    };
    let all: Vec<&Run> = runs.iter().collect();
    let charts = [
        psnr(&all, curves(db)),
        chart("Training loss", "", true, curves(loss)),
    ];
    self::charts(&charts)
}

/// How many variants can be told apart.
pub const TOLD_APART: usize = STYLES;

fn db(record: &Record) -> Option<f64> {
    Psnr::from(record.psnr).db()
}

fn loss(record: &Record) -> Option<f64> {
    Some(record.train_loss)
}

/// The chart of PSNR, or of what stands for it, beside the noisy input if that is known for all.
fn psnr(runs: &[&Run], curves: Vec<Curve>) -> Chart {
    let last = runs.iter().find_map(|run| run.last());
    let mut title = last.map_or("PSNR", measure).to_owned();
    title[..1].make_ascii_uppercase();
    let has_errors = curves
        .iter()
        .any(|curve| curve.errors.iter().any(Option::is_some));
    if has_errors {
        title += ", with its standard error";
    }
    let mut chart = chart(&title, "dB", false, curves);
    let noisy: Vec<_> = runs.iter().filter_map(|run| run.noisy_psnr()).collect();
    let values: Vec<f64> = noisy.iter().filter_map(|psnr| psnr.db()).collect();
    if let Some(mean) = Statistics::of(&values).filter(|mean| mean.count == runs.len()) {
        let several = if mean.min == mean.max {
            ""
        } else {
            ", on average"
        };
        let name = format!("{}{several}", name_of_noisy(noisy[0]));
        chart.levels.push((name, mean.mean));
    }
    chart
}

fn chart(title: &str, unit: &'static str, logarithmic: bool, curves: Vec<Curve>) -> Chart {
    Chart {
        title: title.to_owned(),
        unit,
        curves,
        levels: Vec::new(),
        logarithmic,
    }
}

/// The curve of a number of validations; the errors are those of estimates of the PSNR.
fn curve(run: &Run, label: &str, style: Style, value: impl Fn(&Record) -> Option<f64>) -> Curve {
    let values = run.records.iter().filter_map(|record| {
        let value = value(record).filter(|value| value.is_finite())?;
        let error = record.psnr.psnr_est_se_db;
        let error = error.filter(|_| record.psnr.psnr_est_db == Some(value));
        Some(([record.images as f64, value], error))
    });
    let (points, errors) = values.unzip();
    Curve {
        label: label.to_owned(),
        style,
        points,
        errors,
    }
}

/// The charts, one under or beside the other; those without a point are left out.
fn charts(charts: &[Chart]) -> Html {
    let figures: Vec<Html> = charts.iter().filter_map(Chart::html).collect();
    if figures.is_empty() {
        return Html::default();
    }
    Html::of_class("div", "charts", figures)
}
