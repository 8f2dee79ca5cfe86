//! Invented villagers: names, ID numbers of the unassigned county 130599, phones nobody can call.

use super::dice::Dice;

/// Surnames with their share in thousandths (domain section 17.5); the rest share alike.
const SURNAMES: &[(u32, &str)] = &[
    (110, "张"),
    (100, "王"),
    (95, "李"),
    (70, "刘"),
    (50, "赵"),
    (35, "杨"),
    (30, "孙"),
    (30, "马"),
    (30, "郭"),
    (25, "高"),
    (25, "陈"),
    (20, "郝"),
    (15, "史"),
    (15, "韩"),
    (15, "贾"),
    (12, "霍"),
];

/// Characters of given names; common ones, joined at random.
const GIVEN: &[&str] = &[
    "秀", "英", "建", "国", "志", "强", "桂", "兰", "玉", "梅", "海", "军", "红", "霞", "永", "福",
    "春", "生", "金", "贵", "淑", "芬", "文", "杰", "丽", "敏", "小", "燕", "保", "平", "立", "新",
    "凤", "芝",
];

const DIRECTIONS: &[&str] = &["东", "西", "南", "北", "前", "后"];
const ENDINGS: &[&str] = &["庄", "屯", "营", "寨", "店", "堡"];

/// The people of one village that its ledgers name.
pub(super) struct Village {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) township: String,
    pub(super) year: u16,
    pub(super) people: Vec<Villager>,
    pub(super) cadres: Vec<String>,
}

/// One invented person.
#[derive(Clone)]
pub(super) struct Villager {
    pub(super) name: String,
    pub(super) id_no: String,
    pub(super) phone: String,
    pub(super) old_phone: String,
    pub(super) group: u32,
}

/// People per village in the ledgers: enough that few stand in two ledgers by chance.
const PEOPLE: usize = 600;

impl Village {
    pub(super) fn populated(dice: &mut Dice, code: &str, name: &str, year: u16) -> Self {
        let people = (0..PEOPLE).map(|_| villager(dice, year)).collect();
        let cadres = (0..6).map(|_| person_name(dice)).collect();
        let township = township_name(code);
        Self { code: code.to_owned(), name: name.to_owned(), township, year, people, cadres }
    }

    pub(super) fn anyone(&self, dice: &mut Dice) -> Villager {
        dice.pick(&self.people).clone()
    }

    pub(super) fn cadre(&self, dice: &mut Dice) -> String {
        dice.pick(&self.cadres).clone()
    }
}

/// Names for `count` villages of a township (direction, surname, ending), all different.
pub fn village_names(seed: u64, count: usize) -> Vec<String> {
    let mut dice = Dice::seeded(seed, "village names");
    let mut names: Vec<String> = Vec::new();
    let possible = DIRECTIONS.len() * SURNAMES.len() * ENDINGS.len();
    while names.len() < count.min(possible) {
        let name =
            format!("{}{}{}村", dice.pick(DIRECTIONS), dice.weighted(SURNAMES), dice.pick(ENDINGS));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The check digit of the first 17 digits of an ID number (GB 11643-1999).
pub fn check_digit(first17: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 =
        first17.chars().zip(WEIGHTS).map(|(c, weight)| c.to_digit(10).unwrap_or(0) * weight).sum();
    char::from(b"10X98765432"[(sum % 11) as usize])
}

fn villager(dice: &mut Dice, year: u16) -> Villager {
    // Domain section 15.2: a quarter to a third of those at home are 60 and older.
    let age = if dice.chance(300) { dice.between(60, 88) } else { dice.between(19, 59) };
    let first17 = format!(
        "130599{:04}{:02}{:02}{:03}",
        u32::from(year) - age,
        dice.between(1, 12),
        dice.between(1, 28),
        dice.between(1, 999)
    );
    Villager {
        name: person_name(dice),
        id_no: format!("{first17}{}", check_digit(&first17)),
        phone: phone(dice),
        old_phone: phone(dice),
        group: dice.between(1, 6),
    }
}

fn person_name(dice: &mut Dice) -> String {
    let surname = dice.weighted(SURNAMES);
    let second = if dice.chance(800) { *dice.pick(GIVEN) } else { "" };
    format!("{surname}{}{second}", dice.pick(GIVEN))
}

/// `100` and eight digits: a number that no network assigns (domain section 17.5).
fn phone(dice: &mut Dice) -> String {
    format!("100{:08}", dice.below(100_000_000))
}

fn township_name(code: &str) -> String {
    let number: u32 = code.get(6..9).and_then(|digits| digits.parse().ok()).unwrap_or(101);
    let surname = SURNAMES[number as usize % SURNAMES.len()].1;
    let kind = if (100..200).contains(&number) { "镇" } else { "乡" };
    format!("{surname}家庄{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_numbers_carry_the_right_check_digit() {
        // The worked example of the standard's annex.
        assert_eq!(check_digit("11010519491231002"), 'X');
        let mut dice = Dice::seeded(3, "check");
        for _ in 0..200 {
            let one = villager(&mut dice, 2026);
            assert!(one.id_no.starts_with("130599"));
            assert_eq!(one.id_no.chars().last(), Some(check_digit(&one.id_no[..17])));
            assert!(one.phone.starts_with("100") && one.phone.len() == 11);
        }
    }

    #[test]
    fn villages_of_one_township_have_different_names() {
        let names = village_names(5, 40);
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), 40);
    }
}
