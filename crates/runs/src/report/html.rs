//! HTML that cannot hold a text without its special characters escaped.

use std::fmt::Write;

use crate::RunsError;
use crate::plot::{Figure, Theme};

/// Width and height of a figure in pixels, before it is made as wide as its place.
const FIGURE_SIZE: [u32; 2] = [520, 340];

/// Elements without contents or end.
const VOID: [&str; 3] = ["img", "input", "meta"];

/// A piece of HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// A text as it is read.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self(escaped(text.as_ref()))
    }

    /// An element, with attributes and contents.
    pub fn element(
        name: &'static str,
        attributes: &[(&'static str, &str)],
        contents: impl IntoIterator<Item = Self>,
    ) -> Self {
        let mut html = Self(format!("<{name}"));
        for (attribute, value) in attributes {
            // Writing into a string does not fail.
            let _ = write!(html.0, " {attribute}=\"{}\"", escaped(value));
        }
        html.0.push('>');
        if VOID.contains(&name) {
            return html;
        }
        html.extend(contents);
        let _ = write!(html.0, "</{name}>");
        html
    }

    /// An element of one class.
    pub fn of_class(
        name: &'static str,
        class: &str,
        contents: impl IntoIterator<Item = Self>,
    ) -> Self {
        Self::element(name, &[("class", class)], contents)
    }

    /// An element whose contents are a text.
    pub fn line(name: &'static str, text: impl AsRef<str>) -> Self {
        Self::element(name, &[], [Self::text(text)])
    }

    /// HTML that stands in the source of this program.
    pub fn fixed(html: &'static str) -> Self {
        Self(html.to_owned())
    }

    /// A figure, whose own texts are escaped as it is drawn.
    ///
    /// # Errors
    /// When the font cannot be read.
    pub fn figure(figure: &Figure) -> Result<Self, RunsError> {
        figure.svg(FIGURE_SIZE, Theme::Page).map(Self)
    }

    /// A table: the names of its columns, and its rows.
    pub fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<Self>>) -> Self {
        let head = columns.iter().map(|name| Self::line("th", name));
        let head = Self::element("thead", &[], [Self::element("tr", &[], head)]);
        let rows = rows.into_iter().map(|row| {
            let cells = row.into_iter().map(|cell| Self::element("td", &[], [cell]));
            Self::element("tr", &[], cells)
        });
        let table = Self::element("table", &[], [head, Self::element("tbody", &[], rows)]);
        Self::of_class("div", "scrolls", [table])
    }

    /// What is shown on a click.
    pub fn folded(title: &str, contents: impl IntoIterator<Item = Self>) -> Self {
        let summary = Self::line("summary", title);
        Self::element("details", &[], [summary].into_iter().chain(contents))
    }

    /// Appends HTML.
    pub fn push(&mut self, other: Self) {
        self.0.push_str(&other.0);
    }

    /// Returns the text of the HTML.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Extend<Html> for Html {
    fn extend<T: IntoIterator<Item = Html>>(&mut self, others: T) {
        for other in others {
            self.push(other);
        }
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<T: IntoIterator<Item = Html>>(pieces: T) -> Self {
        let mut html = Self::default();
        html.extend(pieces);
        html
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_attributes_are_escaped() {
        let image = Html::element("img", &[("alt", "\"<b>'")], []);
        let html = Html::of_class("p", "a", [image, Html::text("1 < 2 & 3")]);
        assert_eq!(
            html.into_string(),
            "<p class=\"a\"><img alt=\"&quot;&lt;b&gt;&#39;\">1 &lt; 2 &amp; 3</p>"
        );
    }
}
