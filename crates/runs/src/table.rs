//! What runs came to, in one table: a row for each variant, over its seeds.

use std::fmt::Write;

use n2n_data::quality::Psnr;
use serde::Serialize;

use crate::{Run, Statistics, variants};

/// Columns of the CSV form.
const COLUMNS: [&str; 13] = [
    "variant",
    "runs",
    "of",
    "quality",
    "final_db",
    "deviation_db",
    "interval_low_db",
    "interval_high_db",
    "best_db",
    "noisy_db",
    "gain_db",
    "images",
    "restarts",
];

/// What runs came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// One row for each variant, in the order of its first run.
    pub rows: Vec<Row>,
}

/// A variant over its seeds. Only runs that have come to their end count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What differs from the other variants.
    pub variant: String,
    /// Runs that have come to their end.
    pub runs: Vec<Member>,
    /// Runs in all.
    pub of: usize,
    /// What the numbers are: `measured`, `estimated` or `sub-images`; none without a run.
    pub quality: Option<&'static str>,
    /// [`Run::final_psnr_db`] in dB.
    pub final_db: Option<Statistics>,
    /// The same above the PSNR of the noisy input, where that is known. Its spread is that of the table: with another
    /// seed other images may be held out, whose PSNR differs by more than runs do.
    pub above_noisy_db: Option<Statistics>,
    /// PSNR of the best validation in dB.
    pub best_db: Option<Statistics>,
    /// PSNR of the noisy input in dB: the mean, where seeds hold out other images.
    pub noisy_db: Option<f64>,
    /// How much better the best model is than its noisy input, in dB.
    pub gain_db: Option<Statistics>,
}

/// A run of a variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// Its folder's name.
    pub name: String,
    /// Its seed.
    pub seed: u64,
    /// Images it was trained on.
    pub images: usize,
    /// [`Run::final_psnr_db`].
    pub final_db: Option<f64>,
    /// PSNR of the best validation in dB.
    pub best_db: Option<f64>,
    /// Starts from other weights.
    pub restarts: usize,
}

impl Table {
    /// Makes the table of runs.
    pub fn of(runs: &[Run]) -> Self {
        let rows = variants(runs).into_iter().map(|variant| {
            let runs: Vec<&Run> = variant.runs.iter().map(|run| &runs[*run]).collect();
            Row::of(variant.label, &runs)
        });
        Self {
            rows: rows.collect(),
        }
    }

    /// Writes the table as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = "| variant | runs | final PSNR [dB] | deviation | 95 % interval | best [dB] | gain [dB] |\n\
                        | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
        for row in &self.rows {
            let cells = [
                row.variant.replace('|', "\\|"),
                row.count(),
                row.final_text(),
                number(row.spread().and_then(|one| one.deviation)),
                row.interval_text(),
                number(row.best_db.map(|one| one.mean)),
                number(row.gain_db.map(|one| one.mean)),
            ];
            // A String takes everything.
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }

    /// Writes the table as JSON.
    ///
    /// # Errors
    /// Never in memory.
    pub fn json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Writes the table as CSV, with all digits; what is not known is empty.
    ///
    /// # Errors
    /// Never in memory.
    pub fn csv(&self) -> Result<String, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS)?;
        for row in &self.rows {
            writer.write_record(row.cells())?;
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Row {
    fn of(variant: String, runs: &[&Run]) -> Self {
        let finished: Vec<&Run> = runs
            .iter()
            .copied()
            .filter(|run| run.is_finished())
            .collect();
        let statistics = |value: fn(&Run) -> Option<f64>| {
            let values: Vec<f64> = finished.iter().filter_map(|run| value(run)).collect();
            Statistics::of(&values)
        };
        let last = finished.iter().find_map(|run| run.last());
        Self {
            variant,
            of: runs.len(),
            quality: last.map(|record| quality(record.psnr.into())),
            final_db: statistics(Run::final_psnr_db),
            above_noisy_db: statistics(Run::final_above_noisy_db),
            best_db: statistics(Run::best_psnr_db),
            noisy_db: statistics(|run| run.noisy_psnr()?.db()).map(|noisy| noisy.mean),
            gain_db: statistics(Run::gain_db),
            runs: finished.into_iter().map(Member::of).collect(),
        }
    }

    /// How many runs count, and of how many.
    pub fn count(&self) -> String {
        match self.runs.len() {
            finished if finished == self.of => finished.to_string(),
            finished => format!("{finished} of {}", self.of),
        }
    }

    /// The mean of the final PSNR; an estimate is told to be one.
    pub fn final_text(&self) -> String {
        let text = number(self.final_db.map(|one| one.mean));
        match self.quality {
            Some("measured") | None => text,
            Some(quality) => format!("{text} ({quality})"),
        }
    }

    /// The 95 % interval of the mean of the final PSNR.
    pub fn interval_text(&self) -> String {
        match self.interval() {
            Some([low, high]) => format!("{low:.3} to {high:.3}"),
            None => "-".to_owned(),
        }
    }

    fn interval(&self) -> Option<[f64; 2]> {
        let (mean, half) = (self.final_db?.mean, self.spread()?.interval?);
        Some([mean - half, mean + half])
    }

    /// Whose deviation and interval are shown.
    fn spread(&self) -> Option<Statistics> {
        let of_all = |above: &Statistics| Some(above.count) == self.final_db.map(|one| one.count);
        self.above_noisy_db.filter(of_all).or(self.final_db)
    }

    fn cells(&self) -> [String; COLUMNS.len()] {
        let text = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let images = self.runs.iter().map(|run| run.images).max();
        let interval = self.interval();
        [
            self.variant.clone(),
            self.runs.len().to_string(),
            self.of.to_string(),
            self.quality.unwrap_or_default().to_owned(),
            text(self.final_db.map(|one| one.mean)),
            text(self.spread().and_then(|one| one.deviation)),
            text(interval.map(|[low, _]| low)),
            text(interval.map(|[_, high]| high)),
            text(self.best_db.map(|one| one.mean)),
            text(self.noisy_db),
            text(self.gain_db.map(|one| one.mean)),
            images.map_or_else(String::new, |images| images.to_string()),
            self.runs
                .iter()
                .map(|run| run.restarts)
                .sum::<usize>()
                .to_string(),
        ]
    }
}

impl Member {
    fn of(run: &Run) -> Self {
        Self {
            name: run.name.clone(),
            seed: run.seed(),
            images: run.last().map_or(0, |record| record.images),
            final_db: run.final_psnr_db(),
            best_db: run.best_psnr_db(),
            restarts: run.restarts.len(),
        }
    }
}

/// What a PSNR is.
fn quality(psnr: Psnr) -> &'static str {
    match psnr {
        Psnr::Measured(_) => "measured",
        Psnr::Estimated { .. } => "estimated",
        Psnr::SubImages(_) => "sub-images",
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    /// Two seeds at two learning rates; the last run has not come to its end.
    fn table() -> Table {
        let folder = Folder::new();
        let run = |name: &str, lr: f64, seed: u64, psnrs: &[f64]| {
            let path = folder.run(
                name,
                |train| {
                    (train.lr, train.seed, train.max_images) = (lr, seed, Some(300));
                },
                psnrs,
            );
            Run::read(&path).unwrap()
        };
        Table::of(&[
            run("a", 0.5, 0, &[19.0, 24.0, 23.0]),
            run("b", 0.5, 1, &[19.0, 22.0, 24.0]),
            run("c", 0.25, 0, &[19.0, 20.0, 21.0]),
            run("d", 0.25, 1, &[19.0, 20.0]),
        ])
    }

    #[test]
    fn a_row_is_a_variant_over_its_seeds() {
        let rows = table().rows;
        assert_eq!(rows.len(), 2);
        let [fast, slow] = &rows[..] else {
            panic!("two learning rates")
        };
        assert_eq!(fast.variant, "lr 0.5");
        let last = fast.final_db.unwrap();
        assert_eq!((last.count, last.mean), (2, 23.5));
        assert_eq!(fast.best_db.unwrap().mean, 24.0);
        assert_eq!(fast.gain_db.unwrap().mean, 6.0);
        assert_eq!((slow.runs.len(), slow.of), (1, 2));
        assert_eq!(slow.final_db.unwrap().interval, None);
    }

    #[test]
    fn other_noisy_images_are_no_spread_between_seeds() {
        let folder = Folder::new();
        let run = |name: &str, seed: u64, db: f64| {
            let change = |train: &mut n2n_train::experiment::TrainConfig| {
                (train.seed, train.max_images) = (seed, Some(100));
            };
            let path = folder.run(name, change, &[db]);
            let noisy = db - 5.0;
            let provenance = format!("{{\"train_examples\":10,\"noisy_psnr_db\":{noisy}}}");
            std::fs::write(path.join("run.json"), provenance).unwrap();
            Run::read(&path).unwrap()
        };
        let table = Table::of(&[run("a", 0, 23.0), run("b", 1, 25.0)]);
        let line = table.markdown();
        let line = line.lines().nth(2).unwrap();
        assert!(
            line.contains("| 24.000 | 0.000 | 24.000 to 24.000 |"),
            "{line}"
        );
    }

    #[test]
    fn the_table_is_written_for_people_and_programs() {
        let table = table();
        // t of one degree of freedom is 12.706, and the deviation of 23 and 24 the root of a half.
        let line = "| lr 0.5 | 2 | 23.500 | 0.707 | 17.147 to 29.853 | 24.000 | 6.000 |";
        assert_eq!(table.markdown().lines().nth(2), Some(line));
        let line = "| lr 0.25 | 1 of 2 | 21.000 | - | - | 21.000 | 3.000 |";
        assert_eq!(table.markdown().lines().nth(3), Some(line));
        let csv = table.csv().unwrap();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), COLUMNS.len());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(&rows[0][0], "lr 0.5");
        assert_eq!(&rows[0][4], "23.5");
        assert_eq!((&rows[1][3], &rows[1][5]), ("measured", ""));
    }
}
