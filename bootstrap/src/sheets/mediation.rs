//! 矛盾纠纷登记台账 of a village. Mixes after domain section 17.4.

use super::dice::Dice;
use super::page::{
    Day, Ink, Line, Page, impossible_day, inked_day, inked_number, inked_text, money, whole,
};
use super::people::Village;
use super::{Dirt, Wrong};

/// Types with what such a quarrel is about.
const TYPES: &[(u32, (&str, &str))] = &[
    (280, ("邻里纠纷", "因滴水和过道堆放杂物发生争执")),
    (220, ("婚姻家庭纠纷", "因赡养老人的分担发生争执")),
    (110, ("房屋宅基地纠纷", "因翻建房屋的界线发生争执")),
    (100, ("山林土地纠纷", "因地边界桩移动发生争执")),
    (90, ("损害赔偿纠纷", "因牲畜踩坏麦苗发生争执")),
    (50, ("合同纠纷", "因农资欠款发生争执")),
    (40, ("道路交通事故纠纷", "因电动车剐蹭发生争执")),
    (30, ("生产经营纠纷", "因收割机作业费发生争执")),
    (20, ("征地拆迁纠纷", "因青苗补偿数额发生争执")),
    (20, ("拖欠农民工工资纠纷", "因工程款未结清发生争执")),
];

const SOURCES: &[(u32, &str)] =
    &[(620, "当事人申请"), (250, "人民调解委员会主动调解"), (130, "公安机关委托移送")];

pub(super) fn page(dice: &mut Dice, village: &Village, count: u32) -> Page {
    let mut days: Vec<u32> = (0..count).map(|_| dice.below(320)).collect();
    days.sort_unstable();
    let rows = (1..)
        .zip(days)
        .map(|(number, ordinal)| row(dice, village, number, Day::of(village.year, ordinal)))
        .collect();
    Page {
        record_type: "MED",
        ledger_zh: "矛盾纠纷登记台账",
        file_name: format!("{}矛盾纠纷登记台账（{}年）.xlsx", village.name, village.year),
        title: format!("{}人民调解委员会矛盾纠纷登记台账", village.name),
        office: format!("{}年度", village.year),
        headings: vec![
            "序号",
            "卷 号",
            "受理日期",
            "申请人",
            "被申请人",
            "纠纷类型",
            "简要情况",
            "来源",
            "调解员",
            "结果",
            "协议形式",
            "金额(元)",
            "履行",
            "回访",
            "司法确认",
            "结案日期",
            "备注",
        ],
        rows,
    }
}

fn row(dice: &mut Dice, village: &Village, number: u32, day: Day) -> Line {
    let (kind, about) = *dice.weighted(TYPES);
    let (one, other) = (village.anyone(dice), village.anyone(dice));
    let is_settled = dice.chance(965);
    let days = whole(dice.log_normal(4.0, 0.9), 60).max(1);
    let is_late = dice.chance(350);
    let mut dirt = Vec::new();
    let mut refused = None;
    let mut shown_kind = inked_text(dice, kind, &mut dirt);
    let mut accepted = inked_day(dice, day, &mut dirt);
    match dice.below(100) {
        0..2 => (shown_kind, refused) = (Ink::Text("扯皮".into()), Some(Wrong::UnknownLabel)),
        2..4 => (accepted, refused) = (impossible_day(village.year), Some(Wrong::ImpossibleDate)),
        _ => {}
    }
    let amount = if dice.chance(400) {
        let amount = money(dice.log_normal(4_500.0, 1.2));
        inked_number(dice, &amount, "元", &mut dirt)
    } else {
        Ink::Blank
    };
    let (result, form, performed) = if is_settled {
        let form = if dice.chance(550) { "口头协议（登记表）" } else { "书面协议书" };
        ("调解成功（达成协议）", form, "已全部履行")
    } else {
        ("调解不成", "", "")
    };
    let mut mediators = village.cadre(dice);
    if dice.chance(300) {
        let second = village.cadre(dice);
        if second != mediators {
            mediators = format!("{mediators}、{second}");
        }
    }
    let followed = is_settled && dice.chance(850);
    let cells = vec![
        Ink::Text(format!("（{}）{}人调字第{number}号", village.year, surname_of(&village.name))),
        accepted,
        inked_text(dice, &one.name, &mut dirt),
        inked_text(dice, &other.name, &mut dirt),
        shown_kind,
        Ink::Text(format!("双方{about}。")),
        inked_label(dice, &mut dirt),
        Ink::Text(mediators),
        Ink::Text(result.to_owned()),
        Ink::Text(form.to_owned()),
        amount,
        Ink::Text(performed.to_owned()),
        if followed { inked_day(dice, day.plus(days + 14), &mut dirt) } else { Ink::Blank },
        Ink::Text(if is_settled && dice.chance(25) { "裁定有效" } else { "" }.to_owned()),
        inked_day(dice, day.plus(days + 20), &mut dirt),
        if is_late { Ink::Text("补录".into()) } else { Ink::Blank },
    ];
    Line { refused, dirt, late: is_late, ..Line::clean(cells) }
}

fn inked_label(dice: &mut Dice, dirt: &mut Vec<Dirt>) -> Ink {
    let source = *dice.weighted(SOURCES);
    inked_text(dice, source, dirt)
}

/// The short name of the committee in the file number: the village without its ending.
fn surname_of(village_name: &str) -> &str {
    village_name.strip_suffix('村').unwrap_or(village_name)
}
