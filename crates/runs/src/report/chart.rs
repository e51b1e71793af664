//! Curves as inline SVG, coloured by the page's style, so that they follow light and dark.

use std::fmt::Write;

use super::axis::Axis;
use super::html::Html;

/// Width and height of a picture, and its edges: left, right, top, bottom.
const SIZE: [f64; 2] = [480.0, 280.0];
const EDGES: [f64; 4] = [52.0, 22.0, 10.0, 38.0];

/// Most points of a curve, and of all curves of a chart; of more, some are left out.
const MOST_POINTS: usize = 240;
const MOST_OF_ALL: usize = 20_000;

/// Styles of curves that can be told apart, in colour and without.
pub const STYLES: usize = 8;

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// One of [`STYLES`].
    Numbered(usize),
    /// One among many.
    Faint,
}

impl Style {
    fn class(self) -> String {
        match self {
            Self::Numbered(number) => format!("s{}", number % STYLES),
            Self::Faint => "faint".to_owned(),
        }
    }
}

/// A curve.
pub struct Curve {
    /// What the legend says; several curves may be of one label.
    pub label: String,
    pub style: Style,
    /// Places and values, in order.
    pub points: Vec<[f64; 2]>,
    /// Standard errors of the values, where they are estimates.
    pub errors: Vec<Option<f64>>,
}

/// Curves over the number of images.
pub struct Chart {
    pub title: String,
    /// What is on the vertical axis.
    pub unit: &'static str,
    pub curves: Vec<Curve>,
    /// Values that curves are compared with.
    pub levels: Vec<(String, f64)>,
    /// Whether values of several magnitudes are on a logarithmic axis.
    pub logarithmic: bool,
}

impl Chart {
    /// Draws the chart; nothing without a point.
    pub fn html(&self) -> Option<Html> {
        let all = self.curves.iter().flat_map(|curve| &curve.points);
        let (places, mut values): (Vec<f64>, Vec<f64>) = all.map(|[x, y]| (*x, *y)).unzip();
        let furthest = places.iter().copied().reduce(f64::max)?;
        values.extend(self.levels.iter().map(|(_, value)| *value));
        for curve in &self.curves {
            let points = curve.points.iter().zip(&curve.errors);
            values.extend(points.flat_map(|([_, value], error)| {
                let error = error.unwrap_or(0.0);
                [value - error, value + error]
            }));
        }
        let x = Axis::from_zero(furthest);
        let y = Axis::around(&values, self.logarithmic);
        let mut drawing = self.grid(&x, &y);
        // The first curves are those that are looked at: they are on top.
        let curves = self.curves.iter().rev();
        let most = (MOST_OF_ALL / self.curves.len()).clamp(2, MOST_POINTS);
        drawing.extend(curves.flat_map(|curve| curve.drawn(&x, &y, most)));
        let description = format!("{} over images", self.title);
        let view = format!("0 0 {} {}", SIZE[0], SIZE[1]);
        let svg = Html::element(
            "svg",
            &[
                ("viewBox", &view),
                ("role", "img"),
                ("aria-label", &description),
            ],
            [drawing],
        );
        let title = Html::line("h3", &self.title);
        Some(Html::element("figure", &[], [title, svg, self.legend()]))
    }

    fn grid(&self, x: &Axis, y: &Axis) -> Html {
        let mut html = Html::default();
        let [left, right, top, bottom] = EDGES;
        let [end, floor] = [SIZE[0] - right, SIZE[1] - bottom];
        for tick in y.ticks() {
            let at = down(y, tick);
            html.push(line("grid", [left, at], [end, at]));
            html.push(text("end", [left - 6.0, at + 4.0], &y.label(tick)));
        }
        for tick in x.ticks() {
            let at = across(x, tick);
            html.push(line("axis", [at, floor], [at, floor + 4.0]));
            html.push(text("middle", [at, floor + 17.0], &x.label(tick)));
        }
        html.push(line("axis", [left, floor], [end, floor]));
        html.push(text("end", [end, SIZE[1] - 5.0], "images"));
        if !self.unit.is_empty() {
            html.push(text("start", [left + 4.0, top + 12.0], self.unit));
        }
        for (_, value) in &self.levels {
            let at = down(y, *value);
            html.push(line("level", [left, at], [end, at]));
        }
        html
    }

    fn legend(&self) -> Html {
        let mut entries: Vec<(String, &str)> = Vec::new();
        for curve in &self.curves {
            let entry = (
                format!("curve {}", curve.style.class()),
                curve.label.as_str(),
            );
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        for (label, _) in &self.levels {
            entries.push(("level".to_owned(), label));
        }
        let entries = entries.into_iter().map(|(class, label)| {
            let sample = line(&class, [0.0, 6.0], [32.0, 6.0]);
            let view = [("viewBox", "0 0 32 12"), ("aria-hidden", "true")];
            let svg = Html::element("svg", &view, [sample]);
            Html::element("li", &[], [svg, Html::line("span", label)])
        });
        Html::of_class("ul", "legend", entries)
    }
}

impl Curve {
    /// The band of errors, if there are any, and the line.
    fn drawn(&self, x: &Axis, y: &Axis, most: usize) -> Vec<Html> {
        let kept = thinned(self.points.len(), most);
        let place = |at: &usize, shift: f64| {
            let [place, value] = self.points[*at];
            [across(x, place), down(y, value + shift)]
        };
        let error = |at: &usize| self.errors.get(*at).copied().flatten().unwrap_or(0.0);
        let mut drawn = Vec::new();
        if let (Style::Numbered(number), true) =
            (self.style, self.errors.iter().any(Option::is_some))
        {
            let upper = kept.iter().map(|at| place(at, error(at)));
            let lower = kept.iter().rev().map(|at| place(at, -error(at)));
            let class = format!("band f{}", number % STYLES);
            let points = points(upper.chain(lower));
            drawn.push(Html::element(
                "polygon",
                &[("class", &class), ("points", &points)],
                [],
            ));
        }
        let class = format!("curve {}", self.style.class());
        if let [only] = kept[..] {
            let [cx, cy] = place(&only, 0.0).map(|value| format!("{value:.1}"));
            let attributes = [
                ("class", class.as_str()),
                ("cx", &cx),
                ("cy", &cy),
                ("r", "3"),
            ];
            drawn.push(Html::element("circle", &attributes, []));
            return drawn;
        }
        let points = points(kept.iter().map(|at| place(at, 0.0)));
        drawn.push(Html::element(
            "polyline",
            &[("class", &class), ("points", &points)],
            [],
        ));
        drawn
    }
}

/// Which of some points are drawn: the first, the last, and of those between as many as there may be.
fn thinned(count: usize, most: usize) -> Vec<usize> {
    let stride = count.div_ceil(most).max(1);
    let mut kept: Vec<usize> = (0..count).step_by(stride).collect();
    if let Some(last) = count.checked_sub(1)
        && kept.last() != Some(&last)
    {
        kept.push(last);
    }
    kept
}

fn across(axis: &Axis, value: f64) -> f64 {
    EDGES[0] + axis.share(value) * (SIZE[0] - EDGES[0] - EDGES[1])
}

fn down(axis: &Axis, value: f64) -> f64 {
    SIZE[1] - EDGES[3] - axis.share(value) * (SIZE[1] - EDGES[2] - EDGES[3])
}

fn points(places: impl Iterator<Item = [f64; 2]>) -> String {
    let mut points = String::new();
    for [x, y] in places {
        // Writing into a string does not fail.
        let _ = write!(points, "{x:.1},{y:.1} ");
    }
    points.trim_end().to_owned()
}

fn line(class: &str, from: [f64; 2], to: [f64; 2]) -> Html {
    let [x1, y1, x2, y2] = [from[0], from[1], to[0], to[1]].map(|value| format!("{value:.1}"));
    let attributes = [
        ("class", class),
        ("x1", &x1),
        ("y1", &y1),
        ("x2", &x2),
        ("y2", &y2),
    ];
    Html::element("line", &attributes, [])
}

fn text(anchor: &str, at: [f64; 2], contents: &str) -> Html {
    let [x, y] = at.map(|value| format!("{value:.1}"));
    let attributes = [("x", x.as_str()), ("y", &y), ("text-anchor", anchor)];
    Html::element("text", &attributes, [Html::text(contents)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[f64]) -> Curve {
        let point = |(at, value): (usize, &f64)| [100.0 * at as f64, *value];
        Curve {
            label: "a & b".to_owned(),
            style: Style::Numbered(1),
            points: values.iter().enumerate().map(point).collect(),
            errors: vec![Some(0.5); values.len()],
        }
    }

    fn chart(curves: Vec<Curve>) -> Chart {
        Chart {
            title: "PSNR".to_owned(),
            unit: "dB",
            curves,
            levels: vec![("noisy input".to_owned(), 20.0)],
            logarithmic: false,
        }
    }

    #[test]
    fn charts_have_curves_bands_levels_and_a_legend() {
        let html = chart(vec![curve(&[21.0, 23.0, 24.0])]).html().unwrap();
        let html = html.into_string();
        for part in [
            "<polyline class=\"curve s1\" points=\"52.0,",
            "<polygon class=\"band f1\"",
            "<line class=\"level\"",
            "<span>a &amp; b</span>",
            "<span>noisy input</span>",
            ">dB</text>",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(chart(vec![curve(&[])]).html().is_none());
        let single = chart(vec![curve(&[21.0])]).html().unwrap();
        assert!(single.into_string().contains("<circle"));
    }

    #[test]
    fn long_curves_are_thinned_and_keep_their_ends() {
        assert_eq!(thinned(3, 9), [0, 1, 2]);
        let kept = thinned(10_000, 30);
        assert!(kept.len() <= 31);
        assert_eq!((kept[0], kept[kept.len() - 1]), (0, 9999));
        assert_eq!(thinned(0, 9), [0; 0]);
    }
}
