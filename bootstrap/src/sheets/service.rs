//! 代办事项登记台账 of a village. Mixes after domain section 17.4.

use super::dice::Dice;
use super::page::{
    Day, Ink, Line, Page, impossible_day, inked_day, inked_number, inked_text, whole,
};
use super::people::{Village, Villager};
use super::{Dirt, Wrong};

/// Share in thousandths, matter, promised working days.
const MATTERS: &[(u32, (&str, u32))] = &[
    (180, ("养老待遇领取资格认证", 1)),
    (40, ("城乡居民基本养老保险参保登记", 5)),
    (180, ("城乡居民医保参保缴费", 1)),
    (60, ("门诊慢特病认定", 20)),
    (60, ("异地就医备案", 1)),
    (50, ("最低生活保障申请", 30)),
    (40, ("临时救助", 10)),
    (40, ("残疾人两项补贴", 20)),
    (30, ("高龄津贴/老年优待", 10)),
    (30, ("宅基地和村民建房申请", 20)),
    (120, ("耕地地力保护补贴申报", 10)),
    (40, ("户籍业务代办", 5)),
    (50, ("出具村级证明", 1)),
    (80, ("农机购置与应用补贴", 15)),
];

/// Ways of service as the clerk abbreviates them, with their share.
const MODES: &[(u32, &str)] = &[(450, "窗口办理"), (300, "帮办"), (180, "代办"), (70, "上门办")];

/// Ratings of domain section 17.4, of the cases that are rated at all.
const RATINGS: &[(u32, &str)] = &[(730, "非常满意"), (220, "满意"), (50, "基本满意")];

const PAPERS: &[&str] = &[
    "身份证复印件",
    "身份证复印件、户口本复印件",
    "身份证复印件、一卡通复印件",
    "申请表、身份证复印件、近期照片",
];

/// Later than this the case is still open at the end of the year's ledger.
const DONE_PER_MILLE: u32 = 880;

pub(super) fn page(dice: &mut Dice, village: &Village, count: u32) -> Page {
    let mut rows: Vec<Line> = Vec::new();
    let mut days: Vec<u32> = (0..count).map(|_| dice.below(300)).collect();
    days.sort_unstable();
    let mut before: Option<Villager> = None;
    for (index, ordinal) in days.into_iter().enumerate() {
        let known = before.clone().filter(|_| dice.chance(50));
        let is_known = known.is_some();
        let person = known.unwrap_or_else(|| village.anyone(dice));
        let mut line = row(dice, village, &person, index + 1, Day::of(village.year, ordinal));
        if is_known {
            line.dirt.push(Dirt::KnownPerson);
            // Two matters of one person on one day: the clerk merges the name cells.
            let above_is_plain =
                rows.last().is_some_and(|l| l.merged.is_none() && l.refused.is_none());
            if above_is_plain && !index.is_multiple_of(37) && line.refused.is_none() {
                line.merged = Some(NAME_COLUMN);
                line.dirt.push(Dirt::Merged);
                if let (Some(above), Some(name)) =
                    (rows.last_mut(), line.cells.get(usize::from(NAME_COLUMN) - 1))
                {
                    above.cells[usize::from(NAME_COLUMN) - 1] = name.clone();
                }
            }
        }
        before = (line.refused != Some(Wrong::MissingName)).then_some(person);
        rows.push(line);
    }
    Page {
        record_type: "SVC",
        ledger_zh: "代办事项登记台账",
        file_name: format!("{}代办事项登记台账（{}年）.xlsx", village.name, village.year),
        title: format!("{}年{}代办事项登记台账", village.year, village.name),
        office: format!("单位：{}村民委员会", village.name),
        headings: vec![
            "序号",
            "编号",
            "登记日期",
            "申 请 人",
            "联系电话",
            "村组",
            "事项名称",
            "服务方式",
            "代办人",
            "材料",
            "受理日期",
            "承诺时限\n（工作日）",
            "应办结",
            "承办单位",
            "结果",
            "送达日期",
            "评价",
            "备注",
        ],
        rows,
    }
}

/// The 0-based column of 申请人.
const NAME_COLUMN: u16 = 3;

fn row(dice: &mut Dice, village: &Village, person: &Villager, number: usize, day: Day) -> Line {
    let (matter, promised) = *dice.weighted(MATTERS);
    let mode = *dice.weighted(MODES);
    let is_late = dice.chance(350);
    let delay = if is_late { whole(dice.log_normal(2.0, 1.1), 60).max(1) } else { 0 };
    let is_done = dice.chance(DONE_PER_MILLE);
    let due = day.plus(promised * 7 / 5 + 2);
    let done = if dice.chance(960) { day.plus(promised) } else { due.plus(3) };
    let agent = if mode == "代办" { village.cadre(dice) } else { String::new() };
    let mut dirt = Vec::new();
    let mut refused = None;
    let mut name = inked_text(dice, &person.name, &mut dirt);
    let mut accepted = inked_day(dice, day, &mut dirt);
    let mut shown_mode = inked_text(dice, mode, &mut dirt);
    match dice.below(1000) {
        0..15 => {
            (name, refused) = (Ink::Blank, Some(Wrong::MissingName));
        }
        15..25 => {
            (accepted, refused) = (impossible_day(village.year), Some(Wrong::ImpossibleDate));
        }
        25..35 => {
            (shown_mode, refused) = (Ink::Text("托人带办".into()), Some(Wrong::UnknownLabel));
        }
        _ => {}
    }
    let promised_ink = inked_number(dice, &promised.to_string(), "个工作日", &mut dirt);
    let (result, delivered, rating) = if is_done {
        let rated = if dice.chance(350) { *dice.weighted(RATINGS) } else { "" };
        ("办结（同意/已办）", inked_day(dice, done, &mut dirt), rated)
    } else {
        ("", Ink::Blank, "")
    };
    let cells = vec![
        Ink::Text(format!("{}-{:03}", village.year, number)),
        inked_day(dice, day.plus(delay), &mut dirt),
        name,
        phone(dice, person, &mut dirt),
        Ink::Text(group(dice, village, person)),
        inked_text(dice, matter, &mut dirt),
        shown_mode,
        inked_text(dice, &agent, &mut dirt),
        Ink::Text((*dice.pick(PAPERS)).to_owned()),
        accepted,
        promised_ink,
        inked_day(dice, due, &mut dirt),
        Ink::Text(format!("{}便民服务中心", village.township)),
        inked_text(dice, result, &mut dirt),
        delivered,
        inked_text(dice, rating, &mut dirt),
        if is_late { Ink::Text("补录".into()) } else { Ink::Blank },
    ];
    Line { refused, dirt, late: is_late, ..Line::clean(cells) }
}

/// A phone as text, as a number, with blanks, or two of them with the old one behind.
pub(super) fn phone(dice: &mut Dice, person: &Villager, dirt: &mut Vec<Dirt>) -> Ink {
    let phone = &person.phone;
    match dice.below(100) {
        0..6 => {
            dirt.push(Dirt::SeveralPhones);
            let sign = *dice.pick(&["/", "、", " ", "，", "；", "\n"]);
            Ink::Text(format!("{phone}{sign}{}", person.old_phone))
        }
        6..16 => phone.parse().map_or(Ink::Blank, Ink::Number),
        16..19 => {
            dirt.push(Dirt::StraySpace);
            Ink::Text(format!("{} {} {}", &phone[..3], &phone[3..7], &phone[7..]))
        }
        19..21 => {
            dirt.push(Dirt::FullWidth);
            Ink::Text(super::page::wide(phone))
        }
        21..25 => Ink::Blank,
        _ => Ink::Text(phone.clone()),
    }
}

fn group(dice: &mut Dice, village: &Village, person: &Villager) -> String {
    match dice.below(4) {
        0 => village.name.clone(),
        1 => format!("第{}组", person.group),
        2 => format!("{}{}组", village.name, person.group),
        _ => village.code.clone(),
    }
}
