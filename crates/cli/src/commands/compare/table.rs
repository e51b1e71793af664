//! Measurements as aligned text.

use super::measure::Measurement;

/// Column titles, each with its unit.
const TITLES: [&str; 9] = [
    "backend",
    "computed by",
    "first step [s]",
    "images/s",
    "loss dev.",
    "weight dev.",
    "PSNR [dB]",
    "peak [MiB]",
    "device",
];

/// One row for each measurement, under the titles.
pub fn text(measured: &[Measurement]) -> String {
    let mut rows = vec![TITLES.map(str::to_owned)];
    rows.extend(measured.iter().map(row));
    let widths: [usize; TITLES.len()] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    });
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn row(measurement: &Measurement) -> [String; TITLES.len()] {
    [
        measurement.backend.to_owned(),
        measurement.implementation.to_owned(),
        format!("{:.3}", measurement.first_step_s),
        format!("{:.1}", measurement.images_per_s),
        deviation(measurement.loss_deviation),
        deviation(measurement.weight_deviation),
        format!("{:.2}", measurement.psnr_db),
        measurement
            .peak_memory_mib
            .map_or_else(|| "-".to_owned(), |mib| format!("{mib:.0}")),
        measurement.device.clone(),
    ]
}

fn deviation(value: f64) -> String {
    match value == 0.0 {
        true => "0".to_owned(),
        false => format!("{value:.1e}"),
    }
}

/// Names to the left, numbers to the right.
fn line(cells: &[String; TITLES.len()], widths: &[usize; TITLES.len()]) -> String {
    let columns = cells.iter().zip(widths).enumerate();
    let columns = columns.map(|(index, (cell, &width))| match index {
        0 | 1 => format!("{cell:width$}"),
        _ if index + 1 == TITLES.len() => cell.clone(),
        _ => format!("{cell:>width$}"),
    });
    columns.collect::<Vec<_>>().join("  ") + "\n"
}
