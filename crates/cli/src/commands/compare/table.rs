//! Measurements as aligned text.

use super::measure::Measurement;
use crate::table::aligned;

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
    aligned(&rows, 2)
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
    if value == 0.0 {
        "0".to_owned()
    } else {
        format!("{value:.1e}")
    }
}
