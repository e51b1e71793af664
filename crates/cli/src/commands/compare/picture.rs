//! Measurements as a picture: bars for speed, first step and memory, and the losses by step.

use std::error::Error;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use image::RgbImage;
use n2n_runs::plot::{COLORS, FONT, register_font};
use n2n_train::paint;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::measure::Measurement;
use crate::commands::output;
use crate::digits::digits;

/// `[width, height]` in pixels.
const SIZE: [u32; 2] = [1100, 760];

/// What a bar shows, where the system tells it.
type Quantity = fn(&Measurement) -> Option<f64>;

/// One panel of bars each, under its title.
const QUANTITIES: [(&str, Quantity); 3] = [
    ("images/s (median step)", |one| Some(one.images_per_s)),
    ("first step [s]", |one| Some(one.first_step_s)),
    ("peak memory [MiB]", |one| one.peak_memory_mib),
];

/// Writes the picture as PNG and as SVG.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    [png_path, svg_path]: &[PathBuf; 2],
    title: &str,
    measured: &[Measurement],
) -> anyhow::Result<()> {
    output::write(png_path, &png(title, measured)?)?;
    output::write(svg_path, svg(title, measured)?.as_bytes())
}

fn png(title: &str, measured: &[Measurement]) -> anyhow::Result<Vec<u8>> {
    let [width, height] = SIZE;
    let mut pixels = vec![0; (3 * width * height) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        draw(&area, title, measured)?;
    }
    let pixels = RgbImage::from_raw(width, height, pixels).context("a pixel has three bytes")?;
    Ok(paint::png(&pixels)?)
}

fn svg(title: &str, measured: &[Measurement]) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (SIZE[0], SIZE[1])).into_drawing_area();
        draw(&area, title, measured)?;
    }
    Ok(text)
}

/// Draws the whole picture.
fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    title: &str,
    measured: &[Measurement],
) -> anyhow::Result<()> {
    register_font()?;
    let drawn = || -> Result<(), Box<dyn Error + Send + Sync>> {
        area.fill(&WHITE)?;
        let below = area.margin(12, 0, 0, 0).titled(title, (FONT, 22))?;
        let panels = below.split_evenly((2, 2));
        for (panel, (caption, value)) in panels.iter().zip(QUANTITIES) {
            draw_bars(panel, caption, measured, value)?;
        }
        draw_losses(&panels[3], measured)?;
        area.present()?;
        Ok(())
    };
    drawn().map_err(|error| anyhow!("cannot draw the picture: {error}"))
}

/// One bar for each measurement, its value above it.
fn draw_bars<B: DrawingBackend>(
    panel: &DrawingArea<B, Shift>,
    caption: &str,
    measured: &[Measurement],
    value: Quantity,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let values: Vec<Option<f64>> = measured.iter().map(value).collect();
    let largest = values.iter().flatten().fold(0.0_f64, |a, b| a.max(*b));
    // A bar's value needs room above it; a picture of zeros needs an axis.
    let top = if largest > 0.0 { 1.15 * largest } else { 1.0 };
    let mut chart = ChartBuilder::on(panel)
        .caption(caption, (FONT, 16))
        .margin(12)
        .x_label_area_size(24)
        .y_label_area_size(60)
        .build_cartesian_2d((0..measured.len() - 1).into_segmented(), 0.0..top)?;
    let name = |position: &SegmentValue<usize>| match position {
        SegmentValue::CenterOf(index) => measured.get(*index).map_or_else(String::new, label),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(measured.len())
        .x_label_formatter(&name)
        .y_label_formatter(&|value| digits(*value))
        .label_style((FONT, 13))
        .draw()?;
    for (index, value) in values.iter().enumerate() {
        let label = value.map_or_else(|| "not told".to_owned(), digits);
        let value = value.unwrap_or(0.0);
        let corners = [
            (SegmentValue::Exact(index), 0.0),
            (SegmentValue::Exact(index + 1), value),
        ];
        let mut bar = Rectangle::new(corners, color(index).filled());
        bar.set_margin(0, 0, 24, 24);
        chart.draw_series([bar])?;
        let style = (FONT, 13).into_text_style(panel);
        let style = style.pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Center,
            plotters::style::text_anchor::VPos::Bottom,
        ));
        let above = EmptyElement::at((SegmentValue::CenterOf(index), value))
            + Text::new(label, (0, -3), style);
        chart.draw_series([above])?;
    }
    Ok(())
}

/// The training losses; the first measurement's line is the widest, so that equal ones are seen.
fn draw_losses<B: DrawingBackend>(
    panel: &DrawingArea<B, Shift>,
    measured: &[Measurement],
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let losses = || measured.iter().flat_map(|one| &one.losses);
    let largest = losses().fold(f64::MIN_POSITIVE, |a, b| a.max(*b));
    let smallest = losses().fold(largest, |a, b| a.min(*b));
    let margin = 0.05 * (largest - smallest).max(1e-3 * largest);
    let steps = measured.iter().map(|one| one.losses.len()).max();
    let mut chart = ChartBuilder::on(panel)
        .caption("training loss by step", (FONT, 16))
        .margin(12)
        .x_label_area_size(24)
        .y_label_area_size(60)
        .build_cartesian_2d(1..steps.unwrap_or(1), smallest - margin..largest + margin)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .y_label_formatter(&|loss| digits(*loss))
        .label_style((FONT, 13))
        .draw()?;
    for (index, one) in measured.iter().enumerate() {
        let style = color(index).stroke_width(2 * (measured.len() - index) as u32);
        let points = (1..).zip(one.losses.iter().copied());
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(label(one))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .label_font((FONT, 13))
        .draw()
}

fn label(measurement: &Measurement) -> String {
    format!("{} {}", measurement.backend, measurement.implementation)
}

fn color(index: usize) -> RGBColor {
    COLORS[index % COLORS.len()]
}
