//! 监测对象台账 of a village: one household a row, ID numbers with the mistakes clerks make.

use super::dice::Dice;
use super::page::{Day, Ink, Line, Page, inked_day, inked_number, inked_text, inked_tick, wide};
use super::people::{Village, Villager, check_digit};
use super::{Dirt, Wrong};

const CATEGORIES: &[(u32, &str)] =
    &[(300, "脱贫不稳定户"), (350, "边缘易致贫户"), (350, "突发严重困难户")];

/// Risks with the measures that answer them, so that the automatic checks find nothing odd.
const RISKS: &[(u32, (&str, &str))] = &[
    (430, ("因病", "健康帮扶、综合保障")),
    (180, ("因残", "综合保障")),
    (50, ("因学", "义务教育保障、其他教育帮扶")),
    (60, ("因意外事故", "综合保障、社会帮扶")),
    (30, ("因自然灾害", "生产生活条件改善")),
    (120, ("因务工就业不稳", "就业帮扶")),
    (130, ("缺劳动力", "公益岗位帮扶")),
];

/// Income line that separates categories 1 and 2 from 3; the last published one (K3).
const LINE_YUAN: f64 = 8_300.0;

/// Rows from which on a ledger surely contains each mistake once: the story needs to show them.
const ROWS_WITH_EVERY_MISTAKE: u32 = 12;

pub(super) fn page(dice: &mut Dice, village: &Village, count: u32) -> Page {
    let mut rows: Vec<Line> = Vec::new();
    let mut households: Vec<Villager> = Vec::new();
    for index in 0..count {
        let sure = count >= ROWS_WITH_EVERY_MISTAKE;
        let wrong = match index {
            3 if sure => Some(Wrong::IdTypo),
            6 if sure => Some(Wrong::IdNumeric),
            8 if sure => Some(Wrong::IdScientific),
            10 if sure => Some(Wrong::SameHousehold),
            // Domain section 17.4: 1.5 % of the ID numbers are mistyped.
            _ if dice.chance(15) => Some(Wrong::IdTypo),
            _ if dice.chance(10) && !households.is_empty() => Some(Wrong::SameHousehold),
            _ => None,
        };
        let head = match wrong {
            Some(Wrong::SameHousehold) if !households.is_empty() => dice.pick(&households).clone(),
            _ => stranger(dice, village, &households),
        };
        let line = row(dice, village, &head, wrong);
        if line.refused.is_none() {
            households.push(head);
        }
        rows.push(line);
    }
    Page {
        record_type: "PVM",
        ledger_zh: "监测对象台账",
        file_name: format!("{}监测对象台账.xlsx", village.name),
        title: format!("{}{}防止返贫致贫监测对象台账", village.township, village.name),
        office: format!("填报单位：{}          {}年", village.name, village.year),
        headings: vec![
            "序号",
            "乡镇",
            "村",
            "户主",
            "证件号码",
            "人口",
            "类别",
            "风险",
            "识别时间",
            "人均纯收入（元）",
            "三保障问题",
            "帮扶责任人",
            "措施",
            "最近走访",
            "是否消除",
            "消除时间",
            "消除方式",
            "备注",
        ],
        rows,
    }
}

/// Someone who heads no household of the ledger yet.
fn stranger(dice: &mut Dice, village: &Village, households: &[Villager]) -> Villager {
    loop {
        let one = village.anyone(dice);
        if households.iter().all(|known| known.id_no != one.id_no) {
            return one;
        }
    }
}

fn row(dice: &mut Dice, village: &Village, head: &Villager, wrong: Option<Wrong>) -> Line {
    let category = *dice.weighted(CATEGORIES);
    let (risk, measures) = *dice.weighted(RISKS);
    let identified = Day::of(village.year - 1, dice.below(500));
    let income = loop {
        let income = dice.log_normal(8_900.0, 0.28);
        if (income > LINE_YUAN) == (category == "突发严重困难户") {
            break income;
        }
    };
    let is_over = dice.chance(300);
    let over_on = identified.plus(dice.between(185, 240));
    let is_late = dice.chance(350);
    let mut dirt = Vec::new();
    let id_no = inked_id(dice, head, wrong, &mut dirt);
    let guarantee = if dice.chance(100) { "住房为C级，已列入改造计划" } else { "无" };
    let cells = vec![
        Ink::Text(village.township.clone()),
        inked_text(dice, &village.name, &mut dirt),
        inked_text(dice, &head.name, &mut dirt),
        id_no,
        {
            let size = dice.between(1, 5).to_string();
            inked_number(dice, &size, "人", &mut dirt)
        },
        Ink::Text(category.to_owned()),
        Ink::Text(risk.to_owned()),
        inked_day(dice, identified, &mut dirt),
        inked_number(dice, &format!("{income:.2}"), "元", &mut dirt),
        Ink::Text(guarantee.to_owned()),
        Ink::Text(village.cadre(dice)),
        Ink::Text(measures.to_owned()),
        {
            let visited = identified.plus(dice.between(20, 180));
            inked_day(dice, visited, &mut dirt)
        },
        inked_tick(dice, is_over, &mut dirt),
        if is_over { inked_day(dice, over_on, &mut dirt) } else { Ink::Blank },
        Ink::Text(if is_over { "帮扶消除" } else { "" }.to_owned()),
        if is_late { Ink::Text("补录".into()) } else { Ink::Blank },
    ];
    Line { refused: wrong, dirt, late: is_late, ..Line::clean(cells) }
}

fn inked_id(dice: &mut Dice, head: &Villager, wrong: Option<Wrong>, dirt: &mut Vec<Dirt>) -> Ink {
    match wrong {
        Some(Wrong::IdTypo) => Ink::Text(mistyped(dice, &head.id_no)),
        // A number ending in X cannot become one in Excel; its first 17 digits can.
        Some(Wrong::IdNumeric) => {
            head.id_no.trim_end_matches('X').parse().map_or(Ink::Blank, Ink::Number)
        }
        Some(Wrong::IdScientific) => Ink::Text("1.30599E+17".into()),
        _ => match dice.below(20) {
            0 => {
                dirt.push(Dirt::FullWidth);
                Ink::Text(wide(&head.id_no))
            }
            1 => {
                dirt.push(Dirt::StraySpace);
                Ink::Text(format!("'{}", head.id_no))
            }
            2 => {
                dirt.push(Dirt::StraySpace);
                Ink::Text(format!(
                    "{} {} {}",
                    &head.id_no[..6],
                    &head.id_no[6..14],
                    &head.id_no[14..]
                ))
            }
            3 => Ink::Text(head.id_no.to_lowercase()),
            _ => Ink::Text(head.id_no.clone()),
        },
    }
}

/// The number with one digit of its sequence changed and the check digit left as it was.
fn mistyped(dice: &mut Dice, id_no: &str) -> String {
    let place = dice.between(14, 16) as usize;
    let mut digits: Vec<char> = id_no.chars().collect();
    let old = digits[place].to_digit(10).unwrap_or(0);
    digits[place] = char::from_digit((old + dice.between(1, 9)) % 10, 10).unwrap_or('0');
    let mistyped: String = digits.into_iter().collect();
    // Weights and modulus are coprime, so one changed digit never keeps the check digit.
    debug_assert_ne!(mistyped.chars().last(), Some(check_digit(&mistyped[..17])));
    mistyped
}
