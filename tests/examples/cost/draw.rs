//! Output of the results: a table, and a scatter plot written directly as SVG.

use crate::{Point, cost::tokens};

/// A line that gives microseconds by size, fitted to honest tokens with one appended block.
pub struct Line {
    at_zero: f64,
    per_byte: f64,
}

/// Mean number of microseconds that each further block adds to the line, for its signature and key. The honest
/// tokens are given as number of blocks, bytes and microseconds.
pub fn per_block(points: impl Iterator<Item = (usize, usize, f64)>, line: &Line) -> f64 {
    let each =
        points.map(|(blocks, bytes, micros)| (micros - line.at(bytes)) / (blocks - 1) as f64);
    let each: Vec<f64> = each.collect();
    each.iter().sum::<f64>() / each.len() as f64
}

impl Line {
    /// Fits a line by least squares.
    pub fn through<'a>(points: impl Iterator<Item = &'a Point>) -> Line {
        let points: Vec<(f64, f64)> = points
            .map(|point| (point.bytes as f64, point.micros))
            .collect();
        let count = points.len() as f64;
        let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| {
            (x + point.0 / count, y + point.1 / count)
        });
        let covariance: f64 = points
            .iter()
            .map(|point| (point.0 - x) * (point.1 - y))
            .sum();
        let variance: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
        let per_byte = covariance / variance;
        Line {
            at_zero: y - per_byte * x,
            per_byte,
        }
    }

    pub fn at(&self, bytes: usize) -> f64 {
        self.at_zero + self.per_byte * bytes as f64
    }
}

pub fn table(points: &[Point], line: &Line) -> String {
    let mut text = "| | bytes | µs | of an honest one | |\n|---|---|---|---|---|\n".to_owned();
    for point in points {
        text.push_str(&format!(
            "| {} | {} | {:.0} | {:.2} | `{}` |\n",
            point.family,
            point.bytes,
            point.micros,
            point.micros / line.at(point.bytes),
            point.outcome
        ));
    }
    text
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 390.0;
const BYTES: f64 = 8400.0;
const COLOURS: [&str; 10] = [
    "#1a7f37", "#7fbf7f", "#cf222e", "#bc4c00", "#8250df", "#0969da", "#bf3989", "#9a6700",
    "#1b7c83", "#57606a",
];

pub fn svg(points: &[Point], line: &Line) -> String {
    let most = points
        .iter()
        .map(|point| point.micros)
        .fold(2.0 * line.at(8192), f64::max)
        * 1.05;
    let x = |bytes: f64| LEFT + (RIGHT - LEFT) * bytes / BYTES;
    let y = |micros: f64| BOTTOM - (BOTTOM - TOP) * micros / most;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n<title>The time of an unseen decision by the size of the token</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    for bytes in (0..=8).map(|thousands| f64::from(thousands) * 1000.0) {
        let x = x(bytes);
        svg.push_str(&format!("<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\" stroke=\"#eaeef2\"/><text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{bytes}</text>\n", BOTTOM + 18.0));
    }
    let step = [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]
        .into_iter()
        .find(|step| most / step <= 9.0)
        .unwrap_or(5000.0);
    let mut micros = 0.0;
    while micros < most {
        let y = y(micros);
        svg.push_str(&format!("<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\" stroke=\"#eaeef2\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{micros}</text>\n", LEFT - 6.0, y + 4.0));
        micros += step;
    }
    svg.push_str(&format!("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">bytes of the token</text><text x=\"16\" y=\"{TOP}\" dy=\"-6\">µs</text>\n", (LEFT + RIGHT) / 2.0, BOTTOM + 38.0));
    for (times, dashes, label) in [(1.0, "none", "honest"), (2.0, "6 4", "twice honest")] {
        let at = |bytes: usize| y(times * line.at(bytes));
        svg.push_str(&format!("<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#1a7f37\" stroke-dasharray=\"{dashes}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#1a7f37\">{label}</text>\n", x(500.0), at(500), x(8192.0), at(8192), x(8192.0), at(8192) - 6.0));
    }
    let mut families: Vec<&str> = Vec::new();
    for point in points {
        if !families.contains(&point.family) {
            families.push(point.family);
        }
        let place = families
            .iter()
            .position(|family| *family == point.family)
            .unwrap_or(0);
        svg.push_str(&mark(
            point.family,
            place,
            x(point.bytes as f64),
            y(point.micros),
        ));
    }
    for (place, family) in families.iter().enumerate() {
        let y = TOP + 16.0 + 20.0 * place as f64;
        svg.push_str(&mark(family, place, RIGHT + 24.0, y - 4.0));
        svg.push_str(&format!(
            "<text x=\"{}\" y=\"{y}\">{family}</text>\n",
            RIGHT + 36.0
        ));
    }
    svg + "</svg>\n"
}

/// The plot's mark for a token: round if it is honest, square if it is hostile.
fn mark(family: &str, place: usize, x: f64, y: f64) -> String {
    let colour = COLOURS[place % COLOURS.len()];
    if [tokens::HONEST, tokens::HONEST_CHAIN].contains(&family) {
        return format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>\n");
    }
    format!(
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\" fill=\"{colour}\"/>\n",
        x - 3.5,
        y - 3.5
    )
}
