//! The processor time of a request as a chart: for each route a bar for each size of the file.

use std::fmt::Write;

use crate::Size;
use crate::support::median;

const LABELS: f64 = 190.0;
const WIDTH: f64 = 720.0;
const BAR: f64 = 11.0;
const GAP: f64 = 10.0;
const COLOURS: [&str; 4] = ["#4c8dae", "#8a6fb0", "#c2784d", "#5d9a5a"];

/// An SVG that can be read on a light and on a dark page.
pub fn draw(sizes: &[Size]) -> String {
    let cases = &sizes[0].cases;
    let values = sizes.iter().flat_map(|size| &size.cases);
    let longest = values.map(|case| median(&case.cpu_us)).fold(0.0, f64::max);
    let scale = (WIDTH - LABELS - 60.0) / longest;
    let row = BAR * sizes.len() as f64 + GAP;
    let height = row * cases.len() as f64 + 60.0;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12" fill="#808080">
<title>Processor time of a request</title>
<text x="0" y="16" font-weight="bold">Processor time of a request, µs</text>
"##
    );
    let mut x = LABELS;
    for (size, colour) in sizes.iter().zip(COLOURS) {
        let label = format!("{} sessions", size.sessions);
        let _ = writeln!(
            svg,
            r#"<rect x="{x}" y="26" width="10" height="10" fill="{colour}"/><text x="{:.0}" y="35">{label}</text>"#,
            x + 14.0
        );
        x += 30.0 + 7.0 * label.len() as f64;
    }
    for (at, case) in cases.iter().enumerate() {
        let top = 50.0 + row * at as f64;
        let middle = top + (row - GAP) / 2.0 + 4.0;
        let _ = writeln!(svg, r#"<text x="0" y="{middle:.0}">{}</text>"#, case.name);
        for (number, (size, colour)) in sizes.iter().zip(COLOURS).enumerate() {
            let value = median(&size.case(case.name).cpu_us);
            let (y, length) = (top + BAR * number as f64, value * scale);
            let _ = writeln!(
                svg,
                r#"<rect x="{LABELS}" y="{y:.0}" width="{length:.1}" height="{:.0}" fill="{colour}"/><text x="{:.0}" y="{:.0}" font-size="10">{value:.1}</text>"#,
                BAR - 1.0,
                LABELS + length + 4.0,
                y + BAR - 2.0
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
