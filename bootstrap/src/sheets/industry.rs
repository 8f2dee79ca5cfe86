//! 产业项目台账 of a village. Money in 万元, as county project tables have it.

use super::Wrong;
use super::dice::Dice;
use super::page::{
    Day, Ink, Line, Page, impossible_day, inked_day, inked_number, inked_text, whole,
};
use super::people::Village;

/// Class as the ledger writes it, what is built, how farmers are linked.
const PROJECTS: &[(u32, (&str, &str, &str))] = &[
    (160, ("产业发展", "设施蔬菜大棚", "就业务工、土地流转")),
    (140, ("产业发展", "食用菌种植棚", "就业务工、收益分红")),
    (120, ("产业发展", "梨园水肥一体化", "带动生产")),
    (100, ("产业发展", "冷藏保鲜库", "帮助产销对接、资产入股")),
    (100, ("产业发展", "帮扶车间", "就业务工")),
    (150, ("乡村建设行动", "田间道路硬化", "就业务工")),
    (150, ("乡村建设行动", "小型灌溉机井", "带动生产")),
    (80, ("乡村治理和精神文明建设", "积分超市", "就业务工")),
];

const FUNDS: &[&str] = &["中央衔接（常态化帮扶）资金", "省级", "市级", "县级", "村集体自筹"];

pub(super) fn page(dice: &mut Dice, village: &Village, count: u32) -> Page {
    let rows = (0..count).map(|index| row(dice, village, index)).collect();
    Page {
        record_type: "IND",
        ledger_zh: "产业项目台账",
        file_name: format!("{}产业项目台账（{}年）.xlsx", village.name, village.year),
        title: format!("{}年{}产业项目台账", village.year, village.name),
        office: format!("填报单位：{}村民委员会                    单位：万元", village.name),
        headings: vec![
            "序号",
            "项目名称",
            "年度",
            "类型",
            "地点",
            "内容规模",
            "总投资\n（万元）",
            "资金来源",
            "批复文号",
            "实施单位",
            "开工",
            "完工",
            "形象进度",
            "已拨付",
            "验收",
            "受益户",
            "联农带农",
            "状态",
            "备注",
        ],
        rows,
    }
}

fn row(dice: &mut Dice, village: &Village, index: u32) -> Line {
    let (class, built, link) = *dice.weighted(PROJECTS);
    let budget = whole(dice.log_normal(480_000.0, 1.0), 9_000_000).max(20_000);
    let start = Day::of(village.year, dice.between(60, 200));
    let months = dice.between(3, 9);
    let is_done = dice.chance(500);
    let mut dirt = Vec::new();
    let mut refused = None;
    let name = format!("{}年{}{}项目{}", village.year, village.name, built, ordinal(index));
    let mut shown_name = inked_text(dice, &name, &mut dirt);
    let mut shown_start = inked_day(dice, start, &mut dirt);
    match dice.below(100) {
        0..3 => (shown_name, refused) = (Ink::Blank, Some(Wrong::MissingName)),
        3..6 => {
            (shown_start, refused) = (impossible_day(village.year), Some(Wrong::ImpossibleDate));
        }
        _ => {}
    }
    // 万元 with as many decimals as the amount in 元 needs.
    let in_wan = format!("{}.{:04}", budget / 10_000, budget % 10_000);
    let in_wan = in_wan.trim_end_matches('0').trim_end_matches('.').to_owned();
    let progress = if is_done { 100 } else { dice.between(1, 9) * 10 };
    let cells = vec![
        shown_name,
        Ink::Number(f64::from(village.year)),
        Ink::Text(class.to_owned()),
        Ink::Text(village.name.clone()),
        Ink::Text(format!("新建{built}{}处", dice.between(1, 20))),
        inked_number(dice, &in_wan, "万元", &mut dirt),
        Ink::Text((*dice.pick(FUNDS)).to_owned()),
        Ink::Text(format!("清河川农发〔{}〕{}号", village.year, dice.between(1, 60))),
        Ink::Text(format!("{}村民委员会", village.name)),
        shown_start,
        if is_done { inked_day(dice, start.plus(months * 30), &mut dirt) } else { Ink::Blank },
        Ink::Text(format!("{progress}%")),
        {
            let paid = budget * progress / 1_000_000;
            if paid == 0 { Ink::Blank } else { Ink::Text(format!("{paid}万元")) }
        },
        Ink::Text(if is_done { "合格" } else { "" }.to_owned()),
        {
            let households = dice.between(5, 120).to_string();
            inked_number(dice, &households, "户", &mut dirt)
        },
        Ink::Text(link.to_owned()),
        Ink::Text(if is_done { "已完工" } else { "实施中" }.to_owned()),
        Ink::Blank,
    ];
    Line { refused, dirt, ..Line::clean(cells) }
}

fn ordinal(index: u32) -> String {
    format!("（{}期）", index + 1)
}
