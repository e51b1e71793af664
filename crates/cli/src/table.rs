//! Rows as aligned text.

/// One line for each row: the first `names` columns to the left, the last as it is, and the others, which
/// are numbers, to the right.
pub fn aligned<const N: usize>(rows: &[[String; N]], names: usize) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    });
    let line = |row: &[String; N]| {
        let columns = row.iter().zip(widths).enumerate();
        let columns = columns.map(|(index, (cell, width))| match index {
            _ if index < names => format!("{cell:width$}"),
            _ if index + 1 == N => cell.clone(),
            _ => format!("{cell:>width$}"),
        });
        let line = columns.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_align_left_and_numbers_right() {
        let rows = [["name", "dB", "of"], ["a", "10.25", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows, 1), "name     dB  of\na     10.25\n");
    }
}
