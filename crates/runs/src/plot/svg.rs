//! A drawing as SVG.

use std::fmt::Write;

use plotters::style::RGBColor;

use super::figure::Figure;
use super::font::register_font;
use super::layout::drawing;
use super::shapes::{Anchor, Drawing, Shape};
use super::style::Paint;
use crate::RunsError;

/// Colours of text, axes and background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark on white, as in a file of its own.
    Paper,
    /// The colour of the text around it, `currentColor`, without a background: for a page that may be light or dark.
    Page,
}

impl Figure {
    /// Draws the figure as SVG, `[width, height]` pixels large.
    ///
    /// # Errors
    /// When the bundled font cannot be read.
    pub fn svg(&self, size: [u32; 2], theme: Theme) -> Result<String, RunsError> {
        register_font()?;
        Ok(svg(&drawing(self, size), theme))
    }
}

fn svg(drawing: &Drawing, theme: Theme) -> String {
    let [width, height] = drawing.size;
    // Needed in a file of its own, and only there.
    let namespace = match theme {
        Theme::Paper => r#" xmlns="http://www.w3.org/2000/svg""#,
        Theme::Page => "",
    };
    let mut svg = format!(
        r#"<svg{namespace} width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="DejaVu Sans, Verdana, sans-serif">"#,
    );
    svg.push('\n');
    let description = escaped(&drawing.description);
    push(&mut svg, format_args!("<title>{description}</title>"));
    if theme == Theme::Paper {
        push(
            &mut svg,
            format_args!(r##"<rect width="{width}" height="{height}" fill="#ffffff"/>"##),
        );
    }
    for one in &drawing.shapes {
        shape(&mut svg, one, theme);
    }
    svg.push_str("</svg>\n");
    svg
}

fn shape(svg: &mut String, shape: &Shape, theme: Theme) {
    match shape {
        Shape::Line {
            points,
            paint,
            width,
            dashes,
            opacity,
        } => {
            let lengths = dashes.iter().map(ToString::to_string).collect::<Vec<_>>();
            let dashes = if lengths.is_empty() {
                String::new()
            } else {
                format!(r#" stroke-dasharray="{}""#, lengths.join(" "))
            };
            push(
                svg,
                format_args!(
                    r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="{width}" stroke-linejoin="round"{dashes}{}/>"#,
                    coordinates(points),
                    colour(*paint, theme),
                    opacity_of(*opacity),
                ),
            );
        }
        Shape::Area {
            corners,
            paint,
            opacity,
        } => push(
            svg,
            format_args!(
                r#"<polygon points="{}" fill="{}"{}/>"#,
                coordinates(corners),
                colour(*paint, theme),
                opacity_of(*opacity)
            ),
        ),
        Shape::Text {
            at: [x, y],
            text,
            size,
            anchor,
            is_turned,
            opacity,
        } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let [x, y] = [x, y].map(|number| short(*number));
            let turn = if *is_turned {
                format!(r#" transform="rotate(-90 {x} {y})""#)
            } else {
                String::new()
            };
            push(
                svg,
                format_args!(
                    r#"<text x="{x}" y="{y}" font-size="{}" text-anchor="{anchor}" fill="{}"{turn}{}>{}</text>"#,
                    short(*size),
                    colour(Paint::Ink, theme),
                    opacity_of(*opacity),
                    escaped(text)
                ),
            );
        }
    }
}

/// Adds a line.
fn push(svg: &mut String, line: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = writeln!(svg, "{line}");
}

fn colour(paint: Paint, theme: Theme) -> String {
    match (paint, theme) {
        (Paint::Ink, Theme::Page) => "currentColor".to_owned(),
        (Paint::Ink, Theme::Paper) => "#222222".to_owned(),
        (Paint::Rgb(RGBColor(red, green, blue)), _) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn opacity_of(opacity: f64) -> String {
    if opacity < 1.0 {
        format!(r#" opacity="{opacity}""#)
    } else {
        String::new()
    }
}

/// A number to a tenth of a pixel.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn coordinates(points: &[[f64; 2]]) -> String {
    let points = points
        .iter()
        .map(|[x, y]| format!("{},{}", short(*x), short(*y)));
    points.collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}
