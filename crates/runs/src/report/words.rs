//! Numbers, times and commands as people read them.

/// A whole number with commas between thousands.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration, in its two largest units.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// A number of decibels.
pub fn decibels(db: f64) -> String {
    format!("{db:.2} dB")
}

/// By how many decibels something is better than something else, before the name of that.
pub fn beside(gain_db: f64) -> String {
    let side = if gain_db < 0.0 { "below" } else { "above" };
    format!("{} {side}", decibels(gain_db.abs()))
}

/// An argument as a shell takes it.
pub fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', "'\\''"))
}

/// A command as a shell takes it.
pub fn command<S: AsRef<str>>(arguments: &[S]) -> String {
    let arguments: Vec<String> = arguments.iter().map(|one| quoted(one.as_ref())).collect();
    arguments.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_times_and_commands_are_readable() {
        assert_eq!(
            [999, 1000, 1_234_567].map(count),
            ["999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [0.4, 59.7, 61.0, 3_725.0].map(duration),
            ["0 s", "1 min 0 s", "1 min 1 s", "1 h 2 min"]
        );
        assert_eq!(
            command(&["n2n", "train", "a b/c's", ""]),
            "n2n train 'a b/c'\\''s' ''"
        );
    }
}
