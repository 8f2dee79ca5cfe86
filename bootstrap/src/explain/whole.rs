//! A whole roster in plain sentences: who may what, who was invited and came, what was cut and what
//! stands, what has no effect and why, and what to do when it is frozen.

use xw_ledger::roster::{Chain, Roster};
use xw_schemas::edition::{Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::PublicKey;
use xw_schemas::space::Tier;

use super::{Part, Said, Words, edition, fact, holder, invited, office, said, scope};

mod unconfirmed;

/// Names listed in one sentence before the rest is only counted.
const NAMES_LISTED_MAX: usize = 20;

/// Latest editions that are listed one by one.
const EDITIONS_LISTED_MAX: usize = 40;

/// Everything that a roster says.
#[must_use]
pub fn whole(chain: &Chain, words: &Words) -> Vec<Part> {
    let roster = chain.roster();
    let parts = [
        foundation(chain, words),
        frozen(chain),
        registrars(roster, words),
        staff(roster, words),
        absent(roster),
        invitations(roster, words),
        unconfirmed::newcomers(roster),
        unconfirmed::suspended(roster),
        cuts(roster),
        decisions(chain, words),
        passed_over(chain, words),
        editions(chain, words),
    ];
    parts.into_iter().filter(|part| !part.lines.is_empty()).collect()
}

fn foundation(chain: &Chain, words: &Words) -> Part {
    let roster = chain.roster();
    let mut part = Part::new("概况", "In short");
    let (network, day) = (roster.network(), chain.founding().core().claimed_time_ms);
    let day = words.day(day);
    part.lines.push(said(
        format!("网络标识 {network}，建于 {day}"),
        format!("network {network}, founded {day}"),
    ));
    let (keys, threshold) = roster.roots();
    let (n, spare) = (keys.len(), keys.len() as u64 - threshold.min(keys.len() as u64));
    part.lines.push(said(
        format!("根密钥 {n} 把，任意 {threshold} 把签名才能决定根本事项；最多可丢失 {spare} 把"),
        format!("{n} root keys, any {threshold} of which decide; {spare} may be lost"),
    ));
    let of_tier = |tier| roster.offices().filter(|o| o.division.tier() == tier).count();
    let (c, t, v) = (of_tier(Tier::County), of_tier(Tier::Township), of_tier(Tier::Village));
    let nodes = roster.live_nodes().len();
    let live = |(key, kind): (&PublicKey, SignerKind)| {
        kind == SignerKind::Person && roster.cut(key).is_none()
    };
    let people = roster.signers().filter(|(key, s)| live((key, s.kind))).count();
    part.lines.push(said(
        format!("机构：县 {c} 个、乡镇 {t} 个、村 {v} 个；在册电脑 {nodes} 台、人员 {people} 人"),
        format!("offices: {c} county, {t} townships, {v} villages; {nodes} PCs, {people} people"),
    ));
    let types: Vec<&str> = roster.schemas().map(|(code, _)| code.as_str()).collect();
    let (held, counted) = (chain.count(), roster.counted().len());
    part.lines.push(said(
        format!(
            "记录类型：{}；持有版次 {held} 个，其中生效 {counted} 个；根版次第 {} 版",
            types.join("、"),
            roster.number()
        ),
        format!(
            "record types: {}; {held} editions held, {counted} count; root edition {}",
            types.join(", "),
            roster.number()
        ),
    ));
    if !roster.rules_are_known() {
        let rules = roster.rules();
        part.lines.push(said(
            format!("⚠ 名册采用规则第 {rules} 版，本程序不认识，请升级"),
            format!(
                "⚠ the roster names rules {rules}, which this program does not know; upgrade it"
            ),
        ));
    }
    part
}

fn frozen(chain: &Chain) -> Part {
    let mut part = Part::new("⚠ 名册已冻结", "⚠ The roster is frozen");
    let roster = chain.roster();
    if !roster.is_frozen() {
        return part;
    }
    for (number, rivals) in chain.root_rivals() {
        let list: Vec<String> = rivals.iter().map(ToString::to_string).collect();
        let list = list.join("、");
        part.lines.push(said(
            format!("根版次第 {number} 版有互相矛盾的 {} 份：{list}", rivals.len()),
            format!("of root edition {number} there are {} rivals: {list}", rivals.len()),
        ));
    }
    let number = roster.number();
    part.lines.push(said(
        format!("各节点停在第 {number} 版，照常办理业务，名册不再变化"),
        format!("every node stays at edition {number}; work goes on, the roster does not change"),
    ));
    part.lines.push(said(
        "怎么办：根密钥持有人查清哪一份属实，用 bootstrap propose 写 [[recover]]，列出其余不采用的版次，凑足签名后分发",
        "what to do: the root holders find out which is right, and propose [[recover]] naming the others",
    ));
    part
}

fn registrars(roster: &Roster, words: &Words) -> Part {
    let mut part = Part::new("谁可以登记下级", "Who registers those below");
    for (id, _) in roster.delegations() {
        let Some((term, delegation)) = roster.delegation(*id) else { continue };
        let (office, role) = (office(roster, *id), words.role(&delegation.role));
        let holds = |(key, signer): &(&PublicKey, &xw_ledger::roster::Signer)| {
            signer.office == *id
                && signer.kind == SignerKind::Person
                && signer.roles.contains(&delegation.role)
                && roster.cut(key).is_none()
        };
        let holders: Vec<&str> =
            roster.signers().filter(holds).map(|(_, signer)| signer.name.as_str()).collect();
        let needed = delegation.threshold;
        let short = (holders.len() as u64) < needed;
        let (who_zh, who_en) = match (holders.is_empty(), short) {
            (true, _) => ("尚无人担任".to_owned(), "nobody yet".to_owned()),
            (false, true) => (
                format!("现有 {}，人数不足", holders.join("、")),
                format!("only {}", holders.join(", ")),
            ),
            (false, false) => (
                format!("现有 {}", holders.join("、")),
                format!("at present {}", holders.join(", ")),
            ),
        };
        part.lines.push(said(
            format!("{}：{}，须 {needed} 人签名，第 {term} 任期；{who_zh}", office.zh, role.zh),
            format!("{}: {needed} of {} sign, term {term}; {who_en}", office.en, role.en),
        ));
    }
    part
}

/// Every office that has somebody, with its PCs and people.
fn staff(roster: &Roster, words: &Words) -> Part {
    let mut part = Part::new("机构和人员", "Offices and their people");
    for one in roster.offices() {
        let of_office: Vec<_> =
            roster.signers().filter(|(_, signer)| signer.office == one.id).collect();
        if of_office.is_empty() {
            continue;
        }
        let list: Vec<Said> = of_office
            .into_iter()
            .map(|(key, signer)| {
                let cut = roster.cut(key).is_some();
                let (cut_zh, cut_en) = if cut { ("，已撤销", ", cut") } else { ("", "") };
                let (name, short) = (&signer.name, key.short());
                match signer.kind {
                    SignerKind::Node => said(
                        format!("电脑“{name}”（{short}{cut_zh}）"),
                        format!("PC {name} ({short}{cut_en})"),
                    ),
                    SignerKind::Person => {
                        let roles = words.roles(&signer.roles);
                        said(
                            format!("{name}——{}（{short}{cut_zh}）", roles.zh),
                            format!("{name} as {} ({short}{cut_en})", roles.en),
                        )
                    }
                }
            })
            .collect();
        let zh: Vec<&str> = list.iter().map(|said| said.zh.as_str()).collect();
        let en: Vec<&str> = list.iter().map(|said| said.en.as_str()).collect();
        let office = office(roster, one.id);
        part.lines.push(said(
            format!("{}：{}", office.zh, zh.join("；")),
            format!("{}: {}", office.en, en.join("; ")),
        ));
    }
    part
}

fn absent(roster: &Roster) -> Part {
    let mut part = Part::new("尚未加入", "Not joined yet");
    let has_node = |id: OfficeId| {
        roster.signers().any(|(key, signer)| {
            signer.office == id && signer.kind == SignerKind::Node && roster.cut(key).is_none()
        })
    };
    let missing: Vec<&str> =
        roster.offices().filter(|o| !has_node(o.id)).map(|o| o.name.as_str()).collect();
    if !missing.is_empty() {
        let n = missing.len();
        let listed = &missing[..n.min(NAMES_LISTED_MAX)];
        let (rest_zh, rest_en) = if n > listed.len() { (" 等", " and others") } else { ("", "") };
        part.lines.push(said(
            format!("{n} 个机构没有在用的电脑：{}{rest_zh}", listed.join("、")),
            format!("{n} offices have no PC in use: {}{rest_en}", listed.join(", ")),
        ));
    }
    part
}

fn invitations(roster: &Roster, words: &Words) -> Part {
    let mut part = Part::new("邀请", "Invitations");
    for (key, invitation) in roster.invitations() {
        let office = office(roster, invitation.office);
        let list = invited(words, invitation.node.as_deref(), &invitation.people);
        let (state_zh, state_en) = if invitation.replaced.is_some() && invitation.confirmed {
            ("已加入", "joined")
        } else if invitation.replaced.is_some() {
            ("已加入，尚未确认", "joined, not confirmed")
        } else if invitation.withdrawn {
            ("已撤回", "withdrawn")
        } else {
            ("等待加入", "open")
        };
        let short = key.short();
        part.lines.push(said(
            format!("{short} {state_zh}：{}：{}", office.zh, list.zh),
            format!("{short} {state_en}: {}: {}", office.en, list.en),
        ));
    }
    part
}

fn cuts(roster: &Roster) -> Part {
    let mut part = Part::new("撤销", "Cuts");
    let keys = roster.signers().map(|(key, _)| key);
    for key in keys {
        let Some(cut) = roster.cut(key) else { continue };
        let (who, logs) = (holder(roster, key), cut.kept.len());
        let entries: u64 = cut.kept.values().map(|(number, _)| number + 1).sum();
        let (beside_zh, beside_en) = match cut.exact {
            true => ("由根密钥决定，只有所列部分有效", "by the root keys: that and nothing else"),
            false => ("另加县级已见证的部分", "and what the county has witnessed besides"),
        };
        part.lines.push(said(
            format!("{}：保留 {logs} 个日志至指定条目（{entries} 条以内），{beside_zh}", who.zh),
            format!(
                "{}: {logs} logs stand up to the entry named ({entries} entries at most), {beside_en}",
                who.en
            ),
        ));
    }
    part
}

fn decisions(chain: &Chain, words: &Words) -> Part {
    let mut part = Part::new("根密钥的裁定", "Decisions of the root keys");
    let counted = chain.roster().counted().iter().filter_map(|id| chain.edition(id));
    for one in counted.flat_map(|held| &held.core().facts) {
        if matches!(one, Fact::Adjudicate { .. } | Fact::Adopt { .. } | Fact::Recover { .. }) {
            part.lines.push(fact(chain.roster(), words, one));
        }
    }
    part
}

fn passed_over(chain: &Chain, words: &Words) -> Part {
    let mut part = Part::new("持有但不生效", "Held and without effect");
    let roster = chain.roster();
    for (id, place, why) in roster.passed_over() {
        let Some(held) = chain.edition(id) else { continue };
        let by = scope(roster, held.core().scope);
        let (number, short) = (held.core().number, id.short());
        let what = place.and_then(|at| held.core().facts.get(at));
        let what = what.map(|one| fact(roster, words, one));
        let (what_zh, what_en) = match what {
            Some(what) => (format!("中“{}”", what.zh), format!(": {}", what.en)),
            None => (" 整版".to_owned(), ", the whole of it".to_owned()),
        };
        part.lines.push(said(
            format!("{} 第 {number} 版（{short}）{what_zh}不生效：{}", by.zh, why.zh()),
            format!("edition {number} ({short}) by {}{what_en}: {why}", by.en),
        ));
    }
    part
}

fn editions(chain: &Chain, words: &Words) -> Part {
    let mut part = Part::new("生效的版次", "Editions that count");
    let roster = chain.roster();
    let counted = roster.counted();
    let from = counted.len().saturating_sub(EDITIONS_LISTED_MAX);
    if from > 0 {
        part.lines.push(said(format!("（此前 {from} 个从略）"), format!("({from} before these)")));
    }
    for held in counted[from..].iter().filter_map(|id| chain.edition(id)) {
        let title = edition(roster, words, held).title;
        let (facts, signed) = (held.core().facts.len(), held.signers().len());
        let founding = matches!((held.core().scope, held.core().number), (Scope::Root, 1));
        let (zh, en) = if founding { ("，建县", ", the founding") } else { ("", "") };
        part.lines.push(said(
            format!("{}：{facts} 项，{signed} 个签名{zh}", title.zh),
            format!("{}: {facts} facts, {signed} signatures{en}", title.en),
        ));
    }
    part
}

#[cfg(test)]
mod tests {
    use xw_schemas::cose::SecretKey;
    use xw_schemas::edition::{Edition, EditionCore};

    use super::*;
    use crate::found::found;
    use crate::synthetic;

    fn text(chain: &Chain) -> String {
        let words = Words::of([], |_| "2026-11-23".to_owned());
        let said = whole(chain, &words);
        let lines = said.iter().flat_map(|part| [&part.title].into_iter().chain(&part.lines));
        lines.map(|line| format!("{}|{}\n", line.zh, line.en)).collect()
    }

    #[test]
    fn a_frozen_roster_says_so_and_what_to_do_until_root_has_decided() {
        let roots: Vec<SecretKey> = (1..=3).map(|n| SecretKey::from_seed(&[n; 32])).collect();
        let plan = synthetic::plan();
        let founded =
            found(&plan, &roots, &[], 1_795_000_000_000, &mut |bytes| bytes.fill(7)).unwrap();
        let mut chain = Chain::founded(founded.edition).unwrap();
        let division = plan.offices[1].division;
        let next = |chain: &Chain, facts: Vec<Fact>| {
            let core = EditionCore {
                network: Some(chain.roster().network()),
                scope: Scope::Root,
                number: chain.roster().number() + 1,
                previous: chain.roster().head(),
                claimed_time_ms: 1_795_000_000_000,
                facts,
            };
            Edition::sign(&core, &roots[..2]).unwrap()
        };
        let named = |name: &str| vec![Fact::Place { division, name: name.to_owned() }];
        let (one, two) = (next(&chain, named("白杨镇")), next(&chain, named("黑杨镇")));
        chain.add(one.clone()).unwrap();
        assert!(!text(&chain).contains("冻结"));
        chain.add(two.clone()).unwrap();
        let said = text(&chain);
        for part in ["名册已冻结", "互相矛盾的 2 份", "停在第 1 版", "[[recover]]"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(said.contains(&two.id().to_string()), "{said}");
        let mut core =
            next(&chain, vec![Fact::Recover { rejected: vec![two.id()] }]).core().clone();
        (core.number, core.previous) = (one.core().number + 1, one.id());
        chain.add(Edition::sign(&core, &roots[..2]).unwrap()).unwrap();
        let said = text(&chain);
        assert!(!said.contains("已冻结") && said.contains("解除冻结"), "{said}");
    }

    #[test]
    fn every_sentence_is_chinese_beside_english() {
        let roots = [SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32])];
        let plan = synthetic::plan();
        let founded =
            found(&plan, &roots, &[], 1_795_000_000_000, &mut |bytes| bytes.fill(7)).unwrap();
        let chain = Chain::founded(founded.edition).unwrap();
        let words = Words::of([], |_| "2026-11-23".to_owned());
        for part in whole(&chain, &words) {
            for line in part.lines.iter().chain([&part.title]) {
                let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert!(han(&line.zh), "{}", line.zh);
                assert!(line.en.chars().any(|c| c.is_ascii_alphabetic()), "{}", line.en);
            }
        }
    }
}
