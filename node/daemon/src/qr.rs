//! A text as a QR code: in half blocks for a terminal, as SVG for paper. Draws; knows nothing of what
//! it draws.

use fast_qr::ECL;
use fast_qr::qr::{QRBuilder, QRCode};
use zeroize::Zeroizing;

use crate::trouble::{Answer, Trouble};

/// Empty modules around the code, as the standard asks.
const MARGIN: usize = 4;

/// Millimetres of a printed module: a code of 49 modules is read from paper at arm's length.
const MODULE_MM: usize = 1;

fn code(text: &str) -> Answer<QRCode> {
    // A quarter of it may be covered or creased.
    QRBuilder::new(text)
        .ecl(ECL::Q)
        .build()
        .map_err(|_| Trouble::new("qr", "内容太长，无法生成二维码", "too long for a QR code"))
}

/// Dark modules as spaces between light blocks, two rows a line: readable on a dark terminal, and by
/// most readers on a light one.
pub(crate) fn blocks(text: &str) -> Answer<String> {
    let code = code(text)?;
    let size = code.size + 2 * MARGIN;
    let light = |x: usize, y: usize| !dark(&code, x, y);
    let mut drawn = String::new();
    for y in (0..size).step_by(2) {
        for x in 0..size {
            drawn.push(match (light(x, y), y + 1 >= size || light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        drawn.push('\n');
    }
    Ok(drawn)
}

/// The code as an SVG file.
pub(crate) fn svg(text: &str) -> Answer<Zeroizing<String>> {
    let code = code(text)?;
    let size = code.size + 2 * MARGIN;
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| dark(&code, *x, y)) {
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    let mm = size * MODULE_MM;
    Ok(Zeroizing::new(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{mm}mm\" height=\"{mm}mm\" \
         viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/><path d=\"{path}\"/></svg>\n"
    )))
}

fn dark(code: &QRCode, x: usize, y: usize) -> bool {
    let inside = |at: usize| (MARGIN..MARGIN + code.size).contains(&at);
    inside(x) && inside(y) && code[y - MARGIN][x - MARGIN].value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_corners_and_its_margin() {
        let drawn = blocks("XIANGWANG").unwrap();
        let lines: Vec<&str> = drawn.lines().collect();
        // 21 modules and the margin on both sides, two rows a line.
        assert_eq!((lines.len(), lines[0].chars().count()), (15, 29));
        assert!(lines[0].chars().all(|c| c == '█'));
        assert!(lines[2].starts_with("████ ▄▄▄▄▄ █"), "{}", lines[2]);
        let svg = svg("XIANGWANG").unwrap();
        assert!(svg.contains("M4 4h1v1h-1z") && !svg.contains("M3 3h"));
    }
}
