//! The figures of a comparison, as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::ways::{Kind, Way};
use super::{Comparison, Row};
use crate::error::{Error, Result};
use crate::inspect::image::VIRIDIS;
use crate::speculative::Draft;
use crate::strategies::Strategy;

const SIZE: (u32, u32) = (640, 340);
const COLOURS: [RGBColor; 5] = [
    RGBColor(38, 110, 190),
    RGBColor(214, 96, 32),
    RGBColor(46, 140, 80),
    RGBColor(150, 70, 160),
    RGBColor(120, 120, 120),
];
/// Height of a codebook's row where frames are drawn, in pixels.
const CELL: i32 = 7;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawing = std::result::Result<(), Box<dyn std::error::Error>>;

/// A line of points with a name.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// A figure's heading and drawing.
pub struct Chart {
    pub title: &'static str,
    pub svg: String,
}

/// All figures that the comparison has the data for.
pub fn charts(comparison: &Comparison) -> Result<Vec<Chart>> {
    let mut charts = Vec::new();
    let mut chart = |title, svg: String| charts.push(Chart { title, svg });
    let quality = by_passes(comparison, |row| row.phoneme_error_rate.map(|rate| 100.0 * rate));
    if !quality.is_empty() {
        chart("Phonemes heard wrong against passes", draw(SIZE, |area| lines(area, &quality, "passes", "%"))?);
    }
    let cost = by_passes(comparison, |row| Some(row.total));
    if !cost.is_empty() {
        chart("Real-time factor against passes", draw(SIZE, |area| lines(area, &cost, "passes", "time ÷ speech"))?);
    }
    let taken = by_draft_length(comparison, |row| row.acceptance.map(|share| 100.0 * share));
    if !taken.is_empty() {
        chart("Guesses taken against length of the draft", draw(SIZE, |a| lines(a, &taken, "frames guessed", "%"))?);
        let speed = by_draft_length(comparison, |row| Some(row.coarse_speed.median));
        let name = "× plain";
        chart(
            "Speed of the coarse stage against length of the draft",
            draw(SIZE, |a| lines(a, &speed, "frames guessed", name))?,
        );
    }
    chart("How the tokens come to be", making(comparison)?);
    Ok(charts)
}

/// A figure of the strategies that have passes, a line each; the others are one point.
fn by_passes(comparison: &Comparison, value: impl Fn(&Row) -> Option<f64>) -> Vec<Line> {
    let line = |strategy: Strategy| -> &str {
        match strategy {
            Strategy::Masked => "masked",
            Strategy::Flow => "flow",
            Strategy::Cascade => "cascade",
            _ => "",
        }
    };
    let point = |way: &Way, row: &Row| Some((way.options.strategy.steps? as f64, value(row)?));
    grouped(comparison, Kind::Strategy, |way| line(way.options.strategy.strategy).into(), point)
}

/// A line a drafter.
fn by_draft_length(comparison: &Comparison, value: impl Fn(&Row) -> Option<f64>) -> Vec<Line> {
    let line = |way: &Way| match way.options.draft.draft {
        Draft::None => "",
        Draft::Heads => "heads",
        Draft::Small => "small",
        Draft::Retrieval => "retrieval",
        Draft::All => "all",
    };
    grouped(
        comparison,
        Kind::Drafter,
        |way| line(way).into(),
        |way, row| Some((way.options.draft.len as f64, value(row)?)),
    )
}

fn grouped(
    comparison: &Comparison,
    kind: Kind,
    name: impl Fn(&Way) -> String,
    point: impl Fn(&Way, &Row) -> Option<(f64, f64)>,
) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (way, readings) in comparison.ways.iter().zip(&comparison.readings).filter(|(way, _)| way.kind == kind) {
        let (name, Some(point)) = (name(way), point(way, &comparison.row(way, readings))) else { continue };
        match lines.iter_mut().find(|line| line.name == name) {
            _ if name.is_empty() => {}
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point] }),
        }
    }
    lines
}

fn draw(size: (u32, u32), paint: impl FnOnce(&Area) -> Drawing) -> Result<String> {
    let mut svg = String::new();
    let wrong = |e: Box<dyn std::error::Error>| Error::Option(format!("a figure cannot be drawn: {e}"));
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paint(&area).map_err(wrong)?;
        area.present().map_err(|e| wrong(e.into()))?;
    }
    Ok(svg)
}

fn lines(area: &Area, lines: &[Line], x_name: &str, y_name: &str) -> Drawing {
    area.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let widest = points().map(|p| p.0).fold(1.0, f64::max);
    let highest = points().map(|p| p.1).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d((0.8..widest * 1.1).log_scale().base(2.0), 0.0..highest * 1.1 + 1e-9)?;
    let mut ticks: Vec<f64> = points().map(|p| p.0).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(ticks.len())
        .x_label_formatter(&|x| format!("{x:.0}"))
        .x_desc(x_name)
        .y_desc(y_name)
        .draw()?;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let (colour, points) = (*colour, line.points.clone());
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.2)).draw()?;
    Ok(())
}

/// For some ways, the frames of the first sentence from left to right and a row a codebook; the darker, the earlier.
fn making(comparison: &Comparison) -> Result<String> {
    let shown = ["ar-nar", "ar", "heads-3", "all-3", "nar", "masked-8", "flow-8", "cascade-3"];
    let ways =
        || comparison.ways.iter().zip(&comparison.readings).filter(|(way, _)| shown.contains(&way.name.as_str()));
    let n_q = comparison.codec.n_q as i32;
    let height = ways().count() as u32 * (n_q as u32 * CELL as u32 + 14) + 10;
    draw((SIZE.0, height), |area| {
        area.fill(&WHITE)?;
        for (i, (way, readings)) in ways().enumerate() {
            let top = 8 + i as i32 * (n_q * CELL + 14);
            let passes: &[u64] = readings.first().map_or(&[], |reading| &reading.passes);
            area.draw(&Text::new(way.name.clone(), (8, top + n_q * CELL / 2 - 6), ("sans-serif", 13).into_font()))?;
            let last = passes.iter().max().copied().unwrap_or(1) as f64;
            let width = 540 / passes.len().max(1) as i32;
            for (t, &pass) in (0..).zip(passes) {
                for level in 0..n_q {
                    let time = match way.options.strategy.strategy {
                        Strategy::Ar => (pass as f64 - 1.0 + f64::from(level) / f64::from(n_q)) / last,
                        Strategy::Flow => 1.0, // all are clean at once, at the end
                        _ if level > 0 => 1.0, // the fine model comes after
                        _ => (pass as f64 - 1.0) / last * 0.9,
                    };
                    let (x, y) = (90 + t * width, top + level * CELL);
                    let corners = [(x, y), (x + width - 1, y + CELL - 1)];
                    area.draw(&Rectangle::new(corners, colour(time).filled()))?;
                }
            }
        }
        Ok(())
    })
}

/// Dark for 0, bright for 1.
fn colour(time: f64) -> RGBColor {
    let position = time.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let [r, g, b] = VIRIDIS[position.round() as usize];
    RGBColor(r, g, b)
}
