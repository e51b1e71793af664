//! The frame of a page: everything in one file, nothing from elsewhere.

use super::html::Html;

/// Nothing may be loaded, whatever a page holds.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Returns a page with a title and contents.
pub fn page(title: &str, contents: Html) -> String {
    let meta = |name, content| Html::element("meta", &[("name", name), ("content", content)], []);
    let head = [
        Html::fixed("<meta charset=\"utf-8\">"),
        meta("viewport", "width=device-width, initial-scale=1"),
        meta("color-scheme", "light dark"),
        Html::element(
            "meta",
            &[
                ("http-equiv", "Content-Security-Policy"),
                ("content", POLICY),
            ],
            [],
        ),
        // Browsers ask the server for an icon otherwise.
        Html::fixed("<link rel=\"icon\" href=\"data:,\">"),
        Html::line("title", title),
        Html::element("style", &[], [Html::fixed(STYLE)]),
    ];
    let body = [
        Html::element("main", &[], [contents]),
        Html::element("script", &[], [Html::fixed(SCRIPT)]),
    ];
    let html = [
        Html::element("head", &[], head),
        Html::element("body", &[], body),
    ];
    let html = Html::element("html", &[("lang", "en")], html);
    format!("<!doctype html>\n{}\n", html.into_string())
}
