//! Where the parts of a figure are.

use super::figure::{Curve, Figure, Origin};
use super::font::width;
use super::lines::{at, inside};
use super::shapes::{Anchor, Drawing, Shape};
use super::style::{LEVEL_DASHES, Paint, Style};

/// Sizes of text.
const TITLE: f64 = 17.0;
const AXIS: f64 = 14.0;
const TICK: f64 = 12.5;
const LABEL: f64 = 13.0;
const NOTE: f64 = 11.5;

/// Space around the whole, and between its parts.
const BORDER: f64 = 12.0;
const GAP: f64 = 8.0;

/// The part of a line beside its label.
const SAMPLE: f64 = 30.0;

/// Distance of labels, and the least one, where there are many.
const LINE: f64 = 19.0;
const LEAST_LINE: f64 = 15.0;

/// Labels beside the curves take at most this share of the width, else they are below.
const BESIDE: f64 = 0.4;

/// Markers on a curve that goes from side to side, and their size.
const MARKERS: usize = 8;
const RADIUS: f64 = 3.6;

/// Opacity of what stands back.
const GRID: f64 = 0.15;
const BAND: f64 = 0.18;
const QUIET: f64 = 0.75;

/// Corners of a rectangle: left, top, right, bottom.
type Frame = [f64; 4];

/// What a label belongs to.
struct Entry<'a> {
    label: &'a str,
    style: Option<Style>,
    /// Its place on the axis.
    y: f64,
}

/// Draws a figure.
pub fn drawing(figure: &Figure, size: [u32; 2]) -> Drawing {
    let [full_width, full_height] = size.map(f64::from);
    let entries = entries(figure);
    let mut shapes = Vec::new();

    let mut top = BORDER;
    if let Some(title) = &figure.title {
        top += TITLE;
        shapes.push(text(
            [full_width / 2.0, top],
            title,
            TITLE,
            Anchor::Middle,
            1.0,
        ));
        top += GAP;
    }
    let labels = entries.iter().map(|entry| width(entry.label, LABEL));
    let labels = labels.fold(0.0, f64::max) + SAMPLE + GAP;
    let mut bottom = full_height - BORDER;
    for note in wrapped(&figure.notes.join(" "), NOTE, full_width - 2.0 * BORDER)
        .iter()
        .rev()
    {
        shapes.push(text(
            [BORDER, bottom - 2.0],
            note,
            NOTE,
            Anchor::Start,
            QUIET,
        ));
        bottom -= NOTE + 4.0;
    }
    let beside_height = bottom - top - AXIS - TICK - 3.0 * GAP;
    let is_alone = entries.len() == 1 && figure.curves.len() == 1;
    let is_beside = labels <= BESIDE * full_width
        && LEAST_LINE * entries.len() as f64 <= beside_height
        && !is_alone;
    let mut right = full_width - BORDER;
    if is_beside {
        right -= labels + GAP;
    } else {
        // Half of the last tick's text.
        right -= 2.0 * GAP;
        if !is_alone {
            bottom = legend_below(&entries, [BORDER, full_width - BORDER], bottom, &mut shapes);
        }
    }
    // The title of the axis, the ticks, and their distances.
    bottom -= AXIS;
    let x_title = bottom + AXIS - 3.0;
    bottom -= TICK + 1.5 * GAP;
    let y_ticks = figure.y.ticks(((bottom - top) / 55.0).clamp(2.0, 10.0));
    let tick_width = y_ticks.iter().map(|(_, text)| width(text, TICK));
    let tick_width = tick_width.fold(0.0, f64::max);
    let left = BORDER + AXIS + GAP + tick_width + GAP;
    let frame = [left, top, right.max(left + 1.0), bottom.max(top + 1.0)];
    let frame_width = frame[2] - left;

    grid(figure, frame, &y_ticks, &mut shapes);
    x_ticks(figure, frame, &mut shapes);
    shapes.push(text(
        [left + frame_width / 2.0, x_title],
        &figure.x.title,
        AXIS,
        Anchor::Middle,
        1.0,
    ));
    shapes.push(Shape::Text {
        at: [BORDER + AXIS - 2.0, f64::midpoint(top, frame[3])],
        text: figure.y.title.clone(),
        size: fitting(&figure.y.title, AXIS, frame[3] - top + 2.0 * GAP),
        anchor: Anchor::Middle,
        is_turned: true,
        opacity: 1.0,
    });
    levels(figure, frame, &mut shapes);
    curves(figure, frame, &mut shapes);
    axes(frame, &mut shapes);
    if is_beside {
        legend_beside(figure, &entries, frame, &mut shapes);
    }
    Drawing {
        size,
        description: description(figure),
        shapes,
    }
}

fn description(figure: &Figure) -> String {
    let what = format!("{} against {}", figure.y.title, figure.x.title);
    match &figure.title {
        Some(title) => format!("{title}: {what}"),
        None => what,
    }
}

/// The labels, the highest curve first.
fn entries(figure: &Figure) -> Vec<Entry<'_>> {
    let styles = styles(&figure.curves);
    let curves = figure
        .curves
        .iter()
        .zip(styles)
        .map(|(curve, style)| Entry {
            label: &curve.label,
            style: Some(style),
            y: curve.last().unwrap_or(figure.y.range[0]),
        });
    let levels = figure.levels.iter().map(|level| Entry {
        label: &level.label,
        style: None,
        y: level.y,
    });
    let mut entries: Vec<Entry> = curves.chain(levels).collect();
    entries.sort_by(|a, b| b.y.total_cmp(&a.y));
    entries
}

/// How each curve is drawn.
fn styles(curves: &[Curve]) -> Vec<Style> {
    let mut others = 0;
    let styles = curves.iter().map(|curve| match curve.origin {
        Origin::Runs(number) => Style::of_runs(number),
        Origin::Reference(Some(number)) => Style::of_reference(number),
        Origin::Reference(None) => {
            others += 1;
            Style::of_other_reference(others - 1)
        }
    });
    styles.collect()
}

fn text(at: [f64; 2], text: &str, size: f64, anchor: Anchor, opacity: f64) -> Shape {
    Shape::Text {
        at,
        text: text.to_owned(),
        size,
        anchor,
        is_turned: false,
        opacity,
    }
}

/// A line of the axes.
fn rule(points: [[f64; 2]; 2], opacity: f64) -> Shape {
    Shape::Line {
        points: points.to_vec(),
        paint: Paint::Ink,
        width: 1.0,
        dashes: &[],
        opacity,
    }
}

/// The size in which a text is at most as wide as it may be.
fn fitting(text: &str, size: f64, most: f64) -> f64 {
    let width = width(text, size);
    if width > most {
        size * most / width
    } else {
        size
    }
}

/// Lines of a text that are not longer than they may be, but for long words.
fn wrapped(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The place of a point of a figure.
fn place(figure: &Figure, [left, top, right, bottom]: Frame, [x, y]: [f64; 2]) -> [f64; 2] {
    [
        left + figure.x.place(x) * (right - left),
        bottom - figure.y.place(y) * (bottom - top),
    ]
}

fn grid(figure: &Figure, frame: Frame, ticks: &[(f64, String)], shapes: &mut Vec<Shape>) {
    let [left, _, right, _] = frame;
    for (value, label) in ticks {
        let [_, y] = place(figure, frame, [figure.x.range[0], *value]);
        shapes.push(rule([[left, y], [right, y]], GRID));
        let at = [left - GAP, y + 0.35 * TICK];
        shapes.push(text(at, label, TICK, Anchor::End, 1.0));
    }
}

fn x_ticks(figure: &Figure, frame: Frame, shapes: &mut Vec<Shape>) {
    let [left, _, right, bottom] = frame;
    let ticks = figure.x.ticks(((right - left) / 90.0).clamp(2.0, 10.0));
    for (value, label) in ticks {
        let [x, _] = place(figure, frame, [value, figure.y.range[0]]);
        shapes.push(rule([[x, bottom], [x, bottom + 4.0]], QUIET));
        let at = [x, bottom + 6.0 + TICK];
        shapes.push(text(at, &label, TICK, Anchor::Middle, 1.0));
    }
}

fn axes([left, top, right, bottom]: Frame, shapes: &mut Vec<Shape>) {
    shapes.push(rule([[left, top], [left, bottom]], QUIET));
    shapes.push(rule([[left, bottom], [right, bottom]], QUIET));
}

fn levels(figure: &Figure, frame: Frame, shapes: &mut Vec<Shape>) {
    for level in &figure.levels {
        let [left, _, right, _] = frame;
        let [_, y] = place(figure, frame, [figure.x.range[0], level.y]);
        shapes.push(level_line([[left, y], [right, y]]));
    }
}

fn level_line(points: [[f64; 2]; 2]) -> Shape {
    Shape::Line {
        points: points.to_vec(),
        paint: Paint::Ink,
        width: 1.2,
        dashes: LEVEL_DASHES,
        opacity: QUIET,
    }
}

fn line(points: Vec<[f64; 2]>, style: &Style) -> Shape {
    Shape::Line {
        points,
        paint: style.paint,
        width: style.width,
        dashes: style.dashes,
        opacity: 1.0,
    }
}

fn marker(at: [f64; 2], style: &Style, shapes: &mut Vec<Shape>) {
    let mut corners = style.marker.corners(at, RADIUS);
    if style.is_hollow {
        corners.push(corners[0]);
        shapes.push(Shape::Line {
            points: corners,
            paint: style.paint,
            width: 1.2,
            dashes: &[],
            opacity: 1.0,
        });
    } else {
        shapes.push(Shape::Area {
            corners,
            paint: style.paint,
            opacity: 1.0,
        });
    }
}

fn curves(figure: &Figure, frame: Frame, shapes: &mut Vec<Shape>) {
    let [left, top, right, bottom] = frame;
    let (low, high) = ([left, top], [right, bottom]);
    let placed = |points: &[[f64; 2]]| -> Vec<[f64; 2]> {
        points
            .iter()
            .map(|point| place(figure, frame, *point))
            .collect()
    };
    let styles = styles(&figure.curves);
    for (curve, style) in figure.curves.iter().zip(&styles) {
        let side = |part: usize| {
            let points = curve.band.iter().map(move |point| [point[0], point[part]]);
            let points: Vec<[f64; 2]> = points.collect();
            let inside = |[x, y]: [f64; 2]| [x, y.clamp(top, bottom)];
            placed(&points).into_iter().map(inside).collect::<Vec<_>>()
        };
        let mut corners = side(1);
        corners.extend(side(2).into_iter().rev());
        if !corners.is_empty() {
            shapes.push(Shape::Area {
                corners,
                paint: style.paint,
                opacity: BAND,
            });
        }
        for points in &curve.beyond {
            for points in inside(&placed(points), low, high) {
                shapes.push(Shape::Line {
                    points,
                    paint: style.paint,
                    width: 1.0,
                    dashes: style.dashes,
                    opacity: QUIET,
                });
            }
        }
    }
    // References below runs.
    let is_run = |curve: &Curve| matches!(curve.origin, Origin::Runs(_));
    for of_runs in [false, true] {
        let drawn = figure.curves.iter().zip(&styles).enumerate();
        for (number, (curve, style)) in drawn.filter(|(_, (curve, _))| is_run(curve) == of_runs) {
            let points = placed(&curve.points);
            for points in inside(&points, low, high) {
                shapes.push(line(points, style));
            }
            if figure.curves.len() > 1 || points.len() == 1 {
                for at in marker_places(&points, frame, number, figure.curves.len()) {
                    marker(at, style, shapes);
                }
            }
        }
    }
}

/// Places of markers on a curve, at other ones than those of other curves.
fn marker_places(
    points: &[[f64; 2]],
    [left, top, right, bottom]: Frame,
    number: usize,
    count: usize,
) -> Vec<[f64; 2]> {
    let first = (number as f64 + 0.5) / count as f64;
    let places = (0..MARKERS).map(|place| {
        let share = (place as f64 + first) / MARKERS as f64;
        left + share * (right - left)
    });
    let mut places: Vec<[f64; 2]> = places
        .filter_map(|x| at(points, x).map(|y| [x, y]))
        .collect();
    if let (true, Some(last)) = (places.is_empty(), points.last()) {
        places.push(*last);
    }
    places.retain(|[_, y]| (top..=bottom).contains(y));
    places
}

/// A label with a part of its line, `at` its left end.
fn entry(entry: &Entry, [x, y]: [f64; 2], most: f64, shapes: &mut Vec<Shape>) {
    let ends = [[x, y], [x + SAMPLE, y]];
    match &entry.style {
        Some(style) => {
            shapes.push(line(ends.to_vec(), style));
            marker([x + SAMPLE / 2.0, y], style, shapes);
        }
        None => shapes.push(level_line(ends)),
    }
    let size = fitting(entry.label, LABEL, most - SAMPLE - GAP);
    let at = [x + SAMPLE + GAP, y + 0.35 * size];
    shapes.push(text(at, entry.label, size, Anchor::Start, 1.0));
}

/// Labels to the right, as near to the ends of their lines as there is room.
fn legend_beside(figure: &Figure, entries: &[Entry], frame: Frame, shapes: &mut Vec<Shape>) {
    let [_, top, right, bottom] = frame;
    let wanted = entries.iter().map(|one| {
        let [_, y] = place(figure, frame, [figure.x.range[1], one.y]);
        y.clamp(top, bottom)
    });
    let wanted: Vec<f64> = wanted.collect();
    let count = entries.len().max(2) as f64;
    let distance = LINE.min((bottom - top) / (count - 1.0)).max(LEAST_LINE);
    let places = spread(&wanted, distance, [top, bottom]);
    for (one, y) in entries.iter().zip(places) {
        entry(one, [right + GAP, y], f64::INFINITY, shapes);
    }
}

/// The places nearest to those wanted, which are in order, that are at least `distance` apart and inside.
fn spread(wanted: &[f64], distance: f64, [low, high]: [f64; 2]) -> Vec<f64> {
    // Without the distances, those in a row have one common place, their mean.
    let mean = |(sum, count): (f64, usize)| sum / count as f64;
    let mut rows: Vec<(f64, usize)> = Vec::new();
    for (number, place) in wanted.iter().enumerate() {
        let mut row = (place - number as f64 * distance, 1);
        while let Some(before) = rows.pop_if(|before| mean(*before) >= mean(row)) {
            row = (row.0 + before.0, row.1 + before.1);
        }
        rows.push(row);
    }
    let last = high - (wanted.len() as f64 - 1.0) * distance;
    let common = rows.iter().flat_map(|row| {
        let place = mean(*row).min(last).max(low);
        std::iter::repeat_n(place, row.1)
    });
    let places = common.enumerate();
    places
        .map(|(number, place)| place + number as f64 * distance)
        .collect()
}

/// Labels below the axes, in columns; returns where they begin.
fn legend_below(
    entries: &[Entry],
    [left, right]: [f64; 2],
    bottom: f64,
    shapes: &mut Vec<Shape>,
) -> f64 {
    let widest = entries.iter().map(|one| width(one.label, LABEL));
    let widest = widest.fold(0.0, f64::max) + SAMPLE + 3.0 * GAP;
    let columns = ((right - left) / widest)
        .floor()
        .clamp(1.0, entries.len() as f64);
    let column_width = (right - left) / columns;
    let rows = (entries.len() as f64 / columns).ceil();
    let top = bottom - rows * LINE;
    for (number, one) in entries.iter().enumerate() {
        let column = (number as f64 / rows).floor();
        let row = number as f64 - column * rows;
        let at = [left + column * column_width, top + (row + 0.5) * LINE];
        entry(one, at, column_width - GAP, shapes);
    }
    top - GAP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_near_their_lines_and_apart() {
        let inside = [0.0, 100.0];
        assert_eq!(
            spread(&[10.0, 50.0, 90.0], 10.0, inside),
            [10.0, 50.0, 90.0]
        );
        assert_eq!(
            spread(&[48.0, 52.0, 90.0], 10.0, inside),
            [45.0, 55.0, 90.0]
        );
        assert_eq!(
            spread(&[99.0, 100.0, 100.0], 10.0, inside),
            [80.0, 90.0, 100.0]
        );
        assert_eq!(spread(&[0.0, 1.0, 14.0], 10.0, inside), [0.0, 10.0, 20.0]);
        assert_eq!(spread(&[], 10.0, inside), [0.0; 0]);
    }

    #[test]
    fn long_texts_are_wrapped_or_smaller() {
        super::super::register_font().unwrap();
        let text = "one two three four five six";
        let most = width(text, NOTE) / 2.0;
        let lines = wrapped(text, NOTE, most);
        assert!(lines.len() > 1 && lines.join(" ") == text, "{lines:?}");
        assert!(
            lines.iter().all(|line| width(line, NOTE) <= most),
            "{lines:?}"
        );
        assert_eq!(fitting(text, NOTE, 1e3), NOTE);
        assert_eq!(fitting(text, NOTE, most), NOTE / 2.0);
    }
}
