//! Reports: runs as a page in one file, which needs nothing else to be read.

mod curves;
mod html;
mod one;
mod page;
mod parts;
mod several;
mod strips;
#[cfg(test)]
mod tests;
mod words;

use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;

use self::html::Html;
use crate::{Run, RunsError};

/// Makes the page of runs in HTML: of one run for itself, of several with a table of their variants. `title` is that
/// of several.
///
/// The page loads nothing, whoever opens it, and is smaller than 3 MB but for thousands of runs.
///
/// # Errors
/// When a picture of a run cannot be read.
pub fn report(title: &str, runs: &[Run]) -> Result<String, RunsError> {
    let (title, mut contents) = match runs {
        [run] => (run.name.as_str(), one::contents(run)?),
        runs => (title, several::contents(title, runs)?),
    };
    let made = format!("Made by n2n {}.", env!("CARGO_PKG_VERSION"));
    let footer = Html::of_class("p", "soft", [Html::text(made)]);
    contents.push(Html::element("footer", &[], [footer]));
    Ok(page::page(title, contents))
}

/// A day in UTC.
fn date(unix_s: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(unix_s).ok()?).ok()?;
    time.date().format(&Iso8601::DATE).ok()
}
