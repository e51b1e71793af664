//! Contact sheets: images side by side, what is written below them, and diagrams below all.

use std::error::Error;
use std::ops::Range;

use anyhow::{Context, anyhow};
use image::RgbImage;
use n2n_runs::plot::{FONT, register_font};
use n2n_train::paint::{paint, png as encode};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::middle::middle;

/// Small images are enlarged by a whole number to about this height, to be seen.
const LEAST_HEIGHT: usize = 192;

/// Of larger images the middle is shown, as it is: reduced, their noise would not be seen.
const LONGEST_SIDE: usize = 384;

/// Pixels around everything, and between columns.
const GAP: usize = 10;

/// Height of a line of text.
const LINE: usize = 22;

/// Height of letters.
const LETTERS: u32 = 14;

/// `[width, height]` of a diagram.
const DIAGRAM: [usize; 2] = [560, 300];

/// Images of one scene, enlarged or cut, side by side.
pub struct Row {
    title: String,
    cells: Vec<Cell>,
    shape: [usize; 3],
    scale: usize,
}

/// One image, and what is written below it.
pub struct Cell {
    /// Planar, around `[0, 1]`.
    pub values: Vec<f32>,
    /// Two lines.
    pub caption: [String; 2],
}

impl Row {
    /// Places images of one shape, `[channels, height, width]`, side by side.
    pub fn new(title: String, shape: [usize; 3], mut cells: Vec<Cell>) -> Self {
        let cut = [
            shape[0],
            shape[1].min(LONGEST_SIDE),
            shape[2].min(LONGEST_SIDE),
        ];
        for cell in &mut cells {
            cell.values = middle(&cell.values, shape, cut);
        }
        Self {
            title,
            cells,
            shape: cut,
            scale: (LEAST_HEIGHT / cut[1]).max(1),
        }
    }

    /// The images, as they are shown.
    #[cfg(test)]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    fn cell_width(&self) -> usize {
        self.shape[2] * self.scale
    }

    fn width(&self) -> usize {
        self.cells.len() * (self.cell_width() + GAP)
    }

    /// The title, the images, and two lines below them.
    fn height(&self) -> usize {
        self.shape[1] * self.scale + 3 * LINE
    }
}

/// What is said of images of which the middle is shown; nothing of those shown as a whole.
pub fn cut_caption([_, height, width]: [usize; 3]) -> String {
    if height.max(width) > LONGEST_SIDE {
        format!("middle of {height}x{width}")
    } else {
        String::new()
    }
}

/// A diagram: points, and a line.
pub struct Diagram {
    /// What it shows.
    pub title: String,
    /// What its axes are.
    pub axes: [String; 2],
    /// `[x, y]` of what is drawn as points, or with `bars` as bars that touch each other.
    pub points: Vec<[f64; 2]>,
    /// Whether the points are bars.
    pub bars: bool,
    /// `[x, y]` of the ends of a line through them, if there is one.
    pub line: Option<[[f64; 2]; 2]>,
}

/// Draws rows below each other, and diagrams below them, as a PNG.
///
/// # Errors
/// When the picture cannot be drawn.
pub fn png(rows: &[Row], diagrams: &[Diagram]) -> anyhow::Result<Vec<u8>> {
    register_font()?;
    let rows_width = rows.iter().map(Row::width).max().unwrap_or(0);
    let width = rows_width.max(diagrams.len() * (DIAGRAM[0] + GAP)) + GAP;
    let rows_height = rows.iter().map(|row| row.height() + GAP).sum::<usize>();
    let below = if diagrams.is_empty() { 0 } else { DIAGRAM[1] };
    let height = rows_height + GAP + below;
    let [width_px, height_px] = [u32::try_from(width)?, u32::try_from(height)?];
    let mut picture = RgbImage::from_pixel(width_px, height_px, [255; 3].into());
    let mut texts = Vec::new();
    let mut top = GAP;
    for row in rows {
        texts.push((row.title.clone(), [GAP, top], width - 2 * GAP));
        for (column, cell) in row.cells.iter().enumerate() {
            let left = GAP + column * (row.cell_width() + GAP);
            paint(
                &mut picture,
                [left, top + LINE],
                &cell.values,
                row.shape,
                row.scale,
            );
            let mut below = top + LINE + row.shape[1] * row.scale + 4;
            for caption in &cell.caption {
                texts.push((caption.clone(), [left, below], row.cell_width()));
                below += LINE - 4;
            }
        }
        top += row.height() + GAP;
    }
    let mut pixels = picture.into_raw();
    {
        let area =
            BitMapBackend::with_buffer(&mut pixels, (width_px, height_px)).into_drawing_area();
        let drawn = || -> Result<(), Box<dyn Error + Send + Sync>> {
            for (text, at, width) in texts {
                write(&area, text, at, width)?;
            }
            for (column, diagram) in diagrams.iter().enumerate() {
                let left = (GAP + column * (DIAGRAM[0] + GAP)) as u32;
                let [width, height] = DIAGRAM.map(|side| side as u32);
                draw_diagram(
                    &area.clone().shrink((left, top as u32), (width, height)),
                    diagram,
                )?;
            }
            area.present()?;
            Ok(())
        };
        drawn().map_err(|error| anyhow!("cannot draw the sheet: {error}"))?;
    }
    let picture =
        RgbImage::from_raw(width_px, height_px, pixels).context("a pixel has three bytes")?;
    Ok(encode(&picture)?)
}

/// The first and the last of some values, with a little room; never empty.
fn extent(values: impl Iterator<Item = f64>) -> Range<f64> {
    let ends = values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    });
    let [low, high] = if ends[0] < ends[1] {
        ends
    } else {
        [ends[0] - 1.0, ends[0] + 1.0]
    };
    let room = 0.03 * (high - low);
    low - room..high + room
}

fn draw_diagram<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    diagram: &Diagram,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let ends = || diagram.points.iter().chain(diagram.line.iter().flatten());
    let x = extent(ends().map(|[x, _]| *x));
    let y = extent(ends().map(|[_, y]| *y).chain([0.0]));
    let mut chart = ChartBuilder::on(area)
        .caption(&diagram.title, (FONT, 15))
        .margin(4)
        .x_label_area_size(34)
        .y_label_area_size(76)
        .build_cartesian_2d(x, y)?;
    let [below, beside] = &diagram.axes;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(6)
        .y_labels(5)
        .x_desc(below)
        .y_desc(beside)
        .label_style((FONT, 12))
        .draw()?;
    let points = diagram.points.iter().map(|&[x, y]| (x, y));
    if diagram.bars {
        let step = match diagram.points[..] {
            [[first, _], [second, _], ..] => second - first,
            _ => 1.0,
        };
        let bar = |(x, y): (f64, f64)| {
            Rectangle::new(
                [(x - step / 2.0, 0.0), (x + step / 2.0, y)],
                BLUE.mix(0.6).filled(),
            )
        };
        chart.draw_series(points.map(bar))?;
    } else {
        chart.draw_series(points.map(|point| Circle::new(point, 3, BLUE.filled())))?;
    }
    if let Some(line) = diagram.line {
        let line = line.map(|[x, y]| (x, y));
        chart.draw_series(LineSeries::new(line, RED.stroke_width(2)))?;
    }
    Ok(())
}

/// Writes a line; the beginning of one that is too long is left out, as paths differ at their ends.
fn write<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    text: String,
    [left, top]: [usize; 2],
    width: usize,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let style = (FONT, LETTERS).into_text_style(area);
    let fits = |text: &str| -> Result<bool, DrawingAreaErrorKind<B::ErrorType>> {
        Ok(area.estimate_text_size(text, &style)?.0 as usize <= width)
    };
    let mut shown = text.clone();
    let mut rest = text.chars();
    while !fits(&shown)? && rest.next().is_some() {
        shown = format!("...{}", rest.as_str());
    }
    area.draw(&Text::new(shown, (left as i32, top as i32), style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagrams_stand_below_the_images() {
        let row = Row::new(
            "title".to_owned(),
            [1, 400, 300],
            vec![Cell {
                values: vec![0.5; 400 * 300],
                caption: ["image".to_owned(), cut_caption([1, 400, 300])],
            }],
        );
        assert_eq!(row.cells[0].caption[1], "middle of 400x300");
        let diagram = |bars| Diagram {
            title: "noise".to_owned(),
            axes: ["sample".to_owned(), "variance".to_owned()],
            points: vec![[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]],
            bars,
            line: Some([[0.0, 1.0], [2.0, 5.0]]),
        };
        let picture = png(&[row], &[diagram(false), diagram(true)]).unwrap();
        let picture = image::load_from_memory(&picture).unwrap().to_rgb8();
        assert_eq!(
            picture.dimensions(),
            (2 * 570 + 10, 10 + 384 + 66 + 10 + 300)
        );
        let coloured = |columns: Range<u32>, is: fn([u8; 3]) -> bool| {
            let pixels = columns.flat_map(|x| (470..770).map(move |y| (x, y)));
            pixels
                .filter(|&(x, y)| is(picture.get_pixel(x, y).0))
                .count()
        };
        for columns in [0..570, 570..1150] {
            assert!(coloured(columns.clone(), |[r, _, b]| r > 200 && b < 50) > 100);
            assert!(coloured(columns, |[r, _, b]| b > 200 && r < 150) > 50);
        }
    }
}
