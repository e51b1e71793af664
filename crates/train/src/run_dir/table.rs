//! `metrics.csv`: what `metrics.jsonl` says, as a table for spreadsheets.

use super::lines::{Cell, cells};

/// Makes the table of lines of JSON: a column for each key, in the order in which keys first come, and an empty
/// cell where a line has no such value. Numbers keep their digits.
///
/// # Errors
/// When a line is no JSON object.
pub fn to_csv(metrics: &str) -> serde_json::Result<Vec<u8>> {
    let lines: Vec<Vec<Cell>> = metrics.lines().map(cells).collect::<Result<_, _>>()?;
    let mut columns: Vec<&str> = Vec::new();
    for (key, _) in lines.iter().flatten() {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut write = |row: Vec<&str>| {
        let written = table.write_record(row);
        written.unwrap_or_else(|error| unreachable!("rows in memory are of one length: {error}"));
    };
    write(columns.clone());
    for line in &lines {
        let cell = |column: &&str| {
            let found = line.iter().find(|(key, _)| key == column);
            found.map_or("", |(_, value)| value.as_str())
        };
        write(columns.iter().map(cell).collect());
    }
    let bytes = table.into_inner();
    Ok(bytes.unwrap_or_else(|error| unreachable!("memory takes all: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_a_column_for_each_key_of_any_line() {
        let metrics = "{\"images\":16,\"lr\":0.001}\n\
                       {\"restart\":1,\"cause\":\"a, \\\"b\\\"\",\"images\":16}\n\
                       {\"images\":32,\"ssim\":0.30000000000000004,\"lr\":1e-5}\n";
        let expected = "images,lr,restart,cause,ssim\n\
                        16,0.001,,,\n\
                        16,,1,\"a, \"\"b\"\"\",\n\
                        32,1e-5,,,0.30000000000000004\n";
        let table = to_csv(metrics).unwrap();
        assert_eq!(String::from_utf8(table).unwrap(), expected);
        assert!(to_csv("{}\nnothing\n").is_err());
    }
}
