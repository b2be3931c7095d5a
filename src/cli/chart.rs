//! Lines over time in the terminal: dots of braille, two by four in a character. Knows no PromQL.

use std::collections::BTreeMap;

use super::query::Row;
use crate::clock::format_rfc3339;
use crate::model::Timestamp;

const WIDTH: usize = 72;
const HEIGHT: usize = 16;
/// Series that are told apart; more are drawn, but not named.
const MOST_NAMED: usize = 12;
/// The dots of a braille character, column by column from the top.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Draws what has numbers; histograms and texts are left out.
pub(super) fn draw(rows: &[Row]) -> String {
    let mut series: BTreeMap<&str, Vec<(i64, f64)>> = BTreeMap::new();
    for (name, t, value) in rows {
        if let Some(v) = value.parse::<f64>().ok().filter(|v| v.is_finite()) {
            series.entry(name).or_default().push((*t, v));
        }
    }
    let points = || series.values().flatten().copied();
    let (Some(start), Some(end)) = (points().map(|p| p.0).min(), points().map(|p| p.0).max()) else { return "(nothing to draw)".to_owned() };
    let (low, high) = points().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, v)| (low.min(v), high.max(v)));
    let mut cells = vec![vec![0_u32; WIDTH]; HEIGHT];
    let place = |t: i64, v: f64| {
        let x = if end > start { (t - start) as f64 / (end - start) as f64 } else { 0.0 };
        let y = if high > low { (high - v) / (high - low) } else { 0.5 };
        ((x * (WIDTH * 2 - 1) as f64).round() as usize, (y * (HEIGHT * 4 - 1) as f64).round() as usize)
    };
    for line in series.values() {
        for (i, (t, v)) in line.iter().enumerate() {
            let here = place(*t, *v);
            let before = if i > 0 { place(line[i - 1].0, line[i - 1].1) } else { here };
            connect(&mut cells, before, here);
        }
    }
    let mut out = String::new();
    for (i, row) in cells.iter().enumerate() {
        let label = match i {
            0 => short(high),
            _ if i == HEIGHT - 1 => short(low),
            _ => String::new(),
        };
        let dots: String = row.iter().filter_map(|dots| char::from_u32(0x2800 + dots)).collect();
        out.push_str(&format!("{label:>12} │{}\n", dots.trim_end_matches('\u{2800}')));
    }
    out.push_str(&format!("{:>12} └{}\n", "", "─".repeat(WIDTH)));
    out.push_str(&format!("{:>13} {}  to  {}", "", format_rfc3339(Timestamp(start)), format_rfc3339(Timestamp(end))));
    for (name, line) in series.iter().take(MOST_NAMED) {
        let last = line.last().map_or_else(String::new, |(_, v)| short(*v));
        out.push_str(&format!("\n{last:>12}  {}", if name.is_empty() { "value" } else { name }));
    }
    if series.len() > MOST_NAMED {
        out.push_str(&format!("\n{:>12}  and {} more series", "", series.len() - MOST_NAMED));
    }
    out
}

/// A straight line of dots.
fn connect(cells: &mut [Vec<u32>], (x0, y0): (usize, usize), (x1, y1): (usize, usize)) {
    let steps = x0.abs_diff(x1).max(y0.abs_diff(y1)).max(1);
    for i in 0..=steps {
        let along = |a: usize, b: usize| (a as f64 + (b as f64 - a as f64) * i as f64 / steps as f64).round() as usize;
        let (x, y) = (along(x0, x1), along(y0, y1));
        if let Some(cell) = cells.get_mut(y / 4).and_then(|row| row.get_mut(x / 2)) {
            *cell |= DOTS[x % 2][y % 4];
        }
    }
}

/// A number in four digits or so.
fn short(v: f64) -> String {
    match v.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e6).contains(&size) => {
            let text = format!("{v:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{v:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rising_line_goes_from_the_lower_left_to_the_upper_right() {
        let rows: Vec<Row> = (0..50).map(|i| ("up".to_owned(), i * 1000, (i * 2).to_string())).collect();
        let drawn = draw(&rows);
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines[0].trim_start().starts_with("98 │") && lines[HEIGHT - 1].trim_start().starts_with("0 │"), "{drawn}");
        assert!(lines[0].chars().count() > lines[HEIGHT - 1].chars().count(), "{drawn}");
        assert!(drawn.ends_with("98  up"), "{drawn}");
    }

    #[test]
    fn what_has_no_numbers_is_said() {
        assert_eq!(draw(&[]), "(nothing to draw)");
        assert_eq!(draw(&[("x".to_owned(), 0, "NaN".to_owned())]), "(nothing to draw)");
        assert!(draw(&[("x".to_owned(), 5, "1".to_owned())]).contains('x'));
    }
}
