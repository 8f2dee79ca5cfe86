//! Tables for a terminal: Chinese characters count two columns, numbers stand at the right, long
//! texts are wrapped. Knows nothing of records.

use comfy_table::presets::{ASCII_FULL, ASCII_FULL_CONDENSED};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table as Grid};

use super::Screen;
use crate::words::Word;

/// A screen on which one column may keep its width: a business number and six more columns.
const ROOMY_COLUMNS: u16 = 100;

/// A table in the making.
pub(super) struct Table {
    grid: Grid,
    right: Vec<bool>,
    is_empty: bool,
}

/// How a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Table {
    pub(super) fn new(screen: Screen, heads: &[(Word, Side)]) -> Self {
        let named: Vec<(String, Side)> =
            heads.iter().map(|(word, side)| (word.of(screen.lang).to_owned(), *side)).collect();
        Self::named(screen, &named)
    }

    pub(super) fn named(screen: Screen, heads: &[(String, Side)]) -> Self {
        let mut grid = Grid::new();
        grid.load_style(ASCII_FULL_CONDENSED);
        grid.set_content_arrangement(ContentArrangement::Dynamic);
        grid.set_width(screen.width);
        let right: Vec<bool> = heads.iter().map(|(_, side)| *side == Side::Right).collect();
        grid.set_header(heads.iter().zip(&right).map(|((head, _), right)| cell(head, *right)));
        Self { grid, right, is_empty: true }
    }

    /// With a line between rows, for rows of several lines.
    pub(super) fn ruled(mut self) -> Self {
        self.grid.load_style(ASCII_FULL);
        self
    }

    /// With a column whose texts are not broken into lines, where the screen has room for it.
    pub(super) fn unbroken(mut self, column: usize) -> Self {
        let roomy = self.grid.width().is_none_or(|width| width >= ROOMY_COLUMNS);
        if let Some(column) = self.grid.column_mut(column).filter(|_| roomy) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        self
    }

    pub(super) fn row(&mut self, cells: &[String]) {
        let right = self.right.iter().copied().chain(std::iter::repeat(false));
        self.grid.add_row(cells.iter().zip(right).map(|(text, right)| cell(text, right)));
        self.is_empty = false;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The table with its last line ended; nothing for a table without rows.
    pub(super) fn text(&self) -> String {
        if self.is_empty {
            return String::new();
        }
        let lines: Vec<String> =
            self.grid.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
        format!("{}\n", lines.join("\n"))
    }
}

fn cell(text: &str, right: bool) -> Cell {
    let side = if right { CellAlignment::Right } else { CellAlignment::Left };
    Cell::new(text).set_alignment(side)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xw_schemas::record::Lang;

    /// Columns that a line takes: Chinese characters two, all others one.
    fn columns(line: &str) -> usize {
        line.chars().map(|c| if ('\u{2e80}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum()
    }

    #[test]
    fn chinese_and_latin_lines_are_equally_wide() {
        let screen = Screen { lang: Lang::Zh, width: 60 };
        let mut table =
            Table::named(screen, &[("事项名称".into(), Side::Left), ("数".into(), Side::Right)]);
        table.row(&["城乡居民基本医疗保险参保登记".into(), "5".into()]);
        table.row(&["abc".into(), "1,234".into()]);
        let text = table.text();
        let widths: Vec<usize> = text.lines().map(columns).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
        assert!(text.contains("    5 "), "{text}");
    }

    #[test]
    fn long_texts_are_wrapped_to_the_screen() {
        let screen = Screen { lang: Lang::Zh, width: 60 };
        let mut table =
            Table::named(screen, &[("说明".into(), Side::Left), ("编号".into(), Side::Left)]);
        table.row(&["一二三四五六七八九十".repeat(12), "1".into()]);
        let text = table.text();
        assert!(text.lines().all(|line| columns(line) <= 60), "{text}");
        assert_eq!(text.matches('九').count(), 12);
    }
}
