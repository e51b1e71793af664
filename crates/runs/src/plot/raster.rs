//! A drawing as pixels.

use std::fmt::Display;

use image::RgbImage;
use image::imageops::{FilterType, resize};
use plotters::coord::Shift;
use plotters::prelude::{
    BitMapBackend, Color, DrawingArea, DrawingBackend, FontFamily, FontTransform, IntoDrawingArea,
    PathElement, Polygon, RGBColor, TextStyle, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontStyle};

use super::figure::Figure;
use super::font::{LINE_HEIGHT, register_font};
use super::layout::drawing;
use super::lines::dashes;
use super::shapes::{Anchor, Drawing, Shape};
use super::style::Paint;
use crate::RunsError;

/// Side of the square of drawn pixels that one of the picture is the mean of: edges are smooth then.
const OVERSAMPLE: u32 = 3;

const INK: RGBColor = RGBColor(34, 34, 34);

impl Figure {
    /// Draws the figure on white, `[width, height]` pixels large.
    ///
    /// # Errors
    /// When the bundled font cannot be read, or the picture is too large.
    pub fn picture(&self, size: [u32; 2]) -> Result<RgbImage, RunsError> {
        register_font()?;
        raster(&drawing(self, size))
    }
}

fn raster(drawing: &Drawing) -> Result<RgbImage, RunsError> {
    let [width, height] = drawing.size.map(|length| length * OVERSAMPLE);
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        for one in &drawing.shapes {
            shape(&area, one)?;
        }
        area.present().map_err(failed)?;
    }
    let large = RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| failed("its pixels are not three bytes each"))?;
    let [width, height] = drawing.size;
    Ok(resize(&large, width, height, FilterType::Triangle))
}

fn failed(error: impl Display) -> RunsError {
    RunsError::Draw {
        reason: error.to_string(),
    }
}

fn shape<B: DrawingBackend>(area: &DrawingArea<B, Shift>, shape: &Shape) -> Result<(), RunsError> {
    match shape {
        Shape::Line {
            points,
            paint,
            width,
            dashes: pattern,
            opacity,
        } => {
            let style = colour(*paint).mix(*opacity);
            let style = style.stroke_width((width * f64::from(OVERSAMPLE)).round() as u32);
            for dash in dashes(points, pattern) {
                let dash: Vec<(i32, i32)> = dash.into_iter().map(pixel).collect();
                area.draw(&PathElement::new(dash, style)).map_err(failed)?;
            }
        }
        Shape::Area {
            corners,
            paint,
            opacity,
        } => {
            let corners: Vec<(i32, i32)> = corners.iter().copied().map(pixel).collect();
            let style = colour(*paint).mix(*opacity);
            area.draw(&Polygon::new(corners, style)).map_err(failed)?;
        }
        Shape::Text {
            at,
            text,
            size,
            anchor,
            is_turned,
            opacity,
        } => {
            let size = size * f64::from(OVERSAMPLE) * LINE_HEIGHT;
            let (x, y) = pixel(*at);
            // The plotting crate has the base line half of the size below the top.
            let down = (size / 2.0).round() as i32;
            let (at, turn) = if *is_turned {
                ((x - down, y), FontTransform::Rotate270)
            } else {
                ((x, y - down), FontTransform::None)
            };
            let font = FontDesc::new(FontFamily::SansSerif, size, FontStyle::Normal);
            let side = match anchor {
                Anchor::Start => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::End => HPos::Right,
            };
            let ink = INK.mix(*opacity);
            let style = TextStyle::from(font.transform(turn));
            let style = style.color(&ink).pos(Pos::new(side, VPos::Top));
            area.draw_text(text, &style, at).map_err(failed)?;
        }
    }
    Ok(())
}

fn colour(paint: Paint) -> RGBColor {
    match paint {
        Paint::Ink => INK,
        Paint::Rgb(colour) => colour,
    }
}

/// The drawn pixel of a point.
fn pixel(point: [f64; 2]) -> (i32, i32) {
    let [x, y] = point.map(|place| (place * f64::from(OVERSAMPLE)).round() as i32);
    (x, y)
}
