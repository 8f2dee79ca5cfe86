//! One data row on its way to a record: cells put where the ledger's columns point.
//! Decides nothing about completeness; that is `complete`'s part.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::record::{ColumnStep, Content, Field, Item, Kind, Value, parse};

use crate::cell::{Reading, Words, plain, split_group};
use crate::grid::{GridRow, Seen};
use crate::heading::{Bound, Heading, Target, Unit};
use crate::row::{CellSlip, CellWarning};
use crate::text::{column_letters, fold, squeeze, tidy};

/// A row whose cells have been understood, or not.
#[derive(Default)]
pub(crate) struct Draft {
    /// What the ledger itself says; no defaults.
    pub(crate) given: Content,
    /// Items that columns on the same list build together, before they have ids.
    pub(crate) items: BTreeMap<(String, String), Vec<DraftItem>>,
    /// Cells that stand for something a single import cannot put into fields.
    pub(crate) leftovers: Vec<Leftover>,
    pub(crate) claimed_state: Option<String>,
    pub(crate) slips: Vec<CellSlip>,
    pub(crate) warnings: Vec<CellWarning>,
    /// Paths that columns of the sheet give, with the 0-based column.
    pub(crate) columns: BTreeMap<String, u32>,
    /// Lists that were begun because they must not be empty.
    pub(crate) begun: BTreeSet<String>,
}

/// One item before it has an id, with the cells it came from.
#[derive(Clone, Default)]
pub(crate) struct DraftItem {
    pub(crate) content: Content,
    pub(crate) from: Vec<Leftover>,
}

/// A cell whose words would be lost if they were not put among the remarks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leftover {
    pub(crate) column: u32,
    pub(crate) heading: String,
    pub(crate) text: String,
    /// Field that decides who may read the words; none for words of the clerk's own.
    pub(crate) path: Option<String>,
}

/// Characters of a cell that a slip quotes.
const QUOTED_CHARS_MAX: usize = 40;

/// Names in one cell are set apart by these.
const SEPARATORS: &[char] = &['、', ',', '，', ';', '；', '\n', '/'];

/// Reads one row. `number` is the row number as Excel shows it.
pub(crate) fn draft(
    reading: &Reading<'_>,
    heading: &Heading<'_>,
    row: &GridRow,
    number: u32,
) -> Draft {
    let mut draft = Draft::default();
    for (column, bound) in &heading.columns {
        let place = Place { number, column: *column, bound };
        draft.note_column(reading, heading, &place);
        if let Some(cell) = row.get(column)
            && (cell.seen == Seen::Wrong || !tidy(&plain(&cell.seen)).is_empty())
        {
            draft.cell(reading, heading, &place, &cell.seen);
        }
    }
    draft
}

/// Where a cell stands.
pub(crate) struct Place<'a> {
    number: u32,
    column: u32,
    bound: &'a Bound<'a>,
}

impl Draft {
    fn note_column(&mut self, reading: &Reading<'_>, heading: &Heading<'_>, place: &Place<'_>) {
        match &place.bound.target {
            Target::Extra(path) => {
                self.columns.insert(path.clone(), place.column);
            }
            Target::Column(column) => {
                let path = column.path.as_deref();
                if let Some(path) = path.and_then(|path| heading.ledger.resolve(reading.rt, path)) {
                    let lists = path.lists.iter().map(|(list, _)| format!("{list}."));
                    let full = lists.chain([path.leaf]).collect::<String>();
                    self.columns.entry(full).or_insert(place.column);
                }
            }
        }
    }

    fn cell(
        &mut self,
        reading: &Reading<'_>,
        heading: &Heading<'_>,
        place: &Place<'_>,
        seen: &Seen,
    ) {
        let column = match &place.bound.target {
            Target::Extra(path) => {
                if let Some(field) = reading.rt.field(path) {
                    self.scalar(reading, place, path, field, seen, place.bound.unit);
                }
                return;
            }
            Target::Column(column) => *column,
        };
        let path = column.path.as_deref();
        let resolved = path.and_then(|path| heading.ledger.resolve(reading.rt, path));
        match (column.special.as_deref(), resolved) {
            (Some("seq" | "township" | "yes_if_filled"), _) => {}
            (Some("state"), _) => self.state(reading, place, seen),
            (Some("village"), _) => self.village(reading, place, seen),
            (Some("year"), resolved) => {
                // The year follows from the date, where there is one in the row.
                let path = resolved.map(|path| path.leaf);
                self.leftover(place, seen, path);
            }
            (None | Some("wan"), Some(path)) => {
                let is_wan = column.special.as_deref() == Some("wan");
                let unit = match place.bound.unit {
                    Unit::Unsaid if is_wan => Unit::Wan,
                    unit => unit,
                };
                match path.lists.as_slice() {
                    [] if path.leaf == "state" => self.state(reading, place, seen),
                    [] => self.scalar(reading, place, &path.leaf, path.field, seen, unit),
                    [(list, step)] if !matches!(path.field.kind, Kind::List { .. }) => {
                        self.listed(
                            reading,
                            place,
                            (list, step),
                            &path.leaf,
                            path.field,
                            seen,
                            unit,
                        );
                    }
                    lists => {
                        let of = lists.first().map_or(path.leaf.clone(), |(list, _)| list.clone());
                        self.leftover(place, seen, Some(of));
                    }
                }
            }
            (_, resolved) => {
                let path = resolved.map(|path| match path.lists.first() {
                    Some((list, _)) => list.clone(),
                    None => path.leaf,
                });
                self.leftover(place, seen, path);
            }
        }
    }

    fn scalar(
        &mut self,
        reading: &Reading<'_>,
        place: &Place<'_>,
        path: &str,
        field: &Field,
        seen: &Seen,
        unit: Unit,
    ) {
        if let Kind::Division { .. } = field.kind
            && self.group_alone(place, seen)
        {
            return;
        }
        match reading.cell(field, seen, unit) {
            Ok(understood) => {
                if let Some(words) = understood.warning {
                    self.warn(place, words);
                }
                if !understood.value.is_blank() {
                    let path = own_number(path, &understood.value, reading);
                    self.given.values.insert(path, understood.value);
                }
            }
            Err(words) => self.slip(place, seen, words),
        }
    }

    /// 第3组 without a village name: the office's own village; the group is kept as a remark.
    fn group_alone(&mut self, place: &Place<'_>, seen: &Seen) -> bool {
        let text = squeeze(&plain(seen));
        let (village, group) = split_group(&text);
        if group.is_empty() {
            return false;
        }
        self.leftovers.push(Leftover {
            column: place.column,
            heading: place.bound.heading.clone(),
            text: group.to_owned(),
            path: None,
        });
        village.is_empty()
    }

    #[expect(clippy::too_many_arguments, reason = "what a column says is all needed together")]
    fn listed(
        &mut self,
        reading: &Reading<'_>,
        place: &Place<'_>,
        (list, step): (&str, &ColumnStep),
        leaf: &str,
        field: &Field,
        seen: &Seen,
        unit: Unit,
    ) {
        let whole = plain(seen);
        let several = matches!(step, ColumnStep::All | ColumnStep::Where { .. });
        let pieces: Vec<Seen> = match seen {
            Seen::Text(text) if several => {
                pieces(reading, field, text).into_iter().map(Seen::Text).collect()
            }
            seen => vec![seen.clone()],
        };
        let key = (list.to_owned(), format!("{step:?}"));
        for (index, piece) in pieces.iter().enumerate() {
            let value = match reading.cell(field, piece, unit) {
                Ok(understood) if understood.value.is_blank() => continue,
                Ok(understood) => understood.value,
                // The words of a list may be a story; what fits no field is kept as words.
                Err(words) if matches!(field.kind, Kind::Enum | Kind::EnumMany) && several => {
                    self.slip(place, seen, words);
                    return;
                }
                Err(_) if several => return self.leftover(place, seen, Some(list.to_owned())),
                Err(words) => {
                    self.slip(place, seen, words);
                    return;
                }
            };
            let items = self.items.entry(key.clone()).or_default();
            if items.len() <= index {
                items.resize_with(index + 1, DraftItem::default);
            }
            if let ColumnStep::Where { field, code } = step {
                items[index].content.values.insert(field.clone(), Value::Text(code.clone()));
            }
            items[index].content.values.insert(leaf.to_owned(), value);
            items[index].from.push(Leftover {
                column: place.column,
                heading: place.bound.heading.clone(),
                text: if pieces.len() == 1 { tidy(&whole) } else { tidy(&plain(piece)) },
                path: Some(list.to_owned()),
            });
        }
    }

    fn state(&mut self, reading: &Reading<'_>, place: &Place<'_>, seen: &Seen) {
        let text = squeeze(&plain(seen));
        let found = reading
            .rt
            .states
            .iter()
            .find(|state| state.code == text || squeeze(&state.zh) == text || state.en == text);
        match found {
            Some(state) => self.claimed_state = Some(state.code.clone()),
            None => self.warn(
                place,
                Words::of("状态名称不在本类记录之列，未采用", "no such state; it was passed over"),
            ),
        }
    }

    fn village(&mut self, reading: &Reading<'_>, place: &Place<'_>, seen: &Seen) {
        let Some(field) = reading.rt.field("division_code") else {
            return;
        };
        self.scalar(reading, place, "division_code", field, seen, Unit::Unsaid);
    }

    fn leftover(&mut self, place: &Place<'_>, seen: &Seen, path: Option<String>) {
        let text = tidy(&plain(seen));
        let folded = fold(&text);
        if folded.is_empty() || folded.chars().all(|c| matches!(c, '-' | '/' | '\\')) {
            return;
        }
        let heading = place.bound.heading.clone();
        self.leftovers.push(Leftover { column: place.column, heading, text, path });
    }

    fn slip(&mut self, place: &Place<'_>, seen: &Seen, words: Words) {
        let value = plain(seen).chars().take(QUOTED_CHARS_MAX).collect();
        self.slips.push(CellSlip {
            cell: cell_name(place.column, place.number),
            column_zh: place.bound.heading.clone(),
            value,
            zh: words.zh,
            en: words.en,
        });
    }

    fn warn(&mut self, place: &Place<'_>, words: Words) {
        self.warnings.push(CellWarning {
            cell: cell_name(place.column, place.number),
            column_zh: place.bound.heading.clone(),
            zh: words.zh,
            en: words.en,
        });
    }

    /// The items with ids that are the same on every import of the same row.
    pub(crate) fn take_items(&mut self, id: impl Fn(&str, usize) -> String) -> ItemSources {
        let mut sources = ItemSources::new();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for ((list, _), items) in std::mem::take(&mut self.items) {
            for item in items.into_iter().filter(|item| !item.content.values.is_empty()) {
                // Two columns can show the same item, such as the only one as first and last.
                if !seen.insert((list.clone(), format!("{:?}", item.content.values))) {
                    continue;
                }
                let index = counts.entry(list.clone()).or_insert(0);
                let id = id(&list, *index);
                *index += 1;
                sources.insert((list.clone(), id.clone()), item.from);
                let items = self.given.lists.entry(list.clone()).or_default();
                items.push(Item { id, content: item.content });
            }
        }
        sources
    }
}

/// The cells that each item of a list came from, by list and id.
pub(crate) type ItemSources = BTreeMap<(String, String), Vec<Leftover>>;

/// `F12`.
pub(crate) fn cell_name(column: u32, number: u32) -> String {
    format!("{}{number}", column_letters(column))
}

/// A clerk's own number is no business number: that has a form of its own (domain section 1.6).
fn own_number(path: &str, value: &Value, reading: &Reading<'_>) -> String {
    let is_own = path == "business_no"
        && reading.rt.field("official_doc_no").is_some()
        && !value.as_text().is_some_and(|text| is_business_no(text, &reading.rt.code));
    if is_own { "official_doc_no".to_owned() } else { path.to_owned() }
}

/// `130599200201A-SVC-2026-00037`.
fn is_business_no(text: &str, record_type: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [office, code, year, number] = parts.as_slice() else {
        return false;
    };
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    office.is_ascii()
        && office.len() == 13
        && digits(&office[..12], 12)
        && office.as_bytes()[12].is_ascii_uppercase()
        && *code == record_type
        && digits(year, 4)
        && digits(number, 5)
}

/// The parts of a cell that names several; a label that itself holds a separator stays whole.
fn pieces(reading: &Reading<'_>, field: &Field, text: &str) -> Vec<String> {
    let is_whole =
        matches!(field.kind, Kind::Enum) && parse(reading.rt, field, &fold(text)).is_ok();
    if is_whole {
        return vec![text.to_owned()];
    }
    let parts = text.split(SEPARATORS).map(tidy).filter(|part| !part.is_empty());
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_business_number_is_known_by_its_form() {
        assert!(is_business_no("130599200201A-SVC-2026-00037", "SVC"));
        for other in ["2026-037", "130599200201A-MED-2026-00037", "130599200201-SVC-2026-00037", ""]
        {
            assert!(!is_business_no(other, "SVC"), "{other}");
        }
    }
}
