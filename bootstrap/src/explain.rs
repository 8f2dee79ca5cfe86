//! What a roster, an edition or a fact says, in plain sentences, Chinese beside English. Judges
//! nothing: what counts has been worked out in the ledger crate.

use std::collections::BTreeMap;

use serde::Serialize;
use xw_ledger::roster::Roster;
use xw_schemas::edition::{Edition, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::PublicKey;
use xw_schemas::record::RecordType;

mod data;
mod whole;

pub use data::whole_as_json;
pub use whole::whole;

/// Our own addition to `CL_ROLE`: who registers the townships and villages of a county.
const COUNTY_REGISTRAR: (&str, &str, &str) =
    ("CADM", "县系统管理员", "County system administrator");

/// One sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A heading and what stands under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The heading.
    pub title: Said,
    /// The sentences.
    pub lines: Vec<Said>,
}

/// A sentence of its two halves.
pub(crate) fn said(zh: impl Into<String>, en: impl Into<String>) -> Said {
    Said { zh: zh.into(), en: en.into() }
}

impl Part {
    pub(crate) fn new(zh: &str, en: &str) -> Self {
        Self { title: said(zh, en), lines: Vec::new() }
    }
}

/// What sentences need besides the roster: the names of roles and how a day is written.
#[derive(Debug)]
pub struct Words {
    roles: BTreeMap<String, (String, String)>,
    day: fn(u64) -> String,
}

impl Words {
    /// The words that these record types know. `day` writes milliseconds since 1970 as a day.
    #[must_use]
    pub fn of<'a>(
        definitions: impl IntoIterator<Item = &'a RecordType>,
        day: fn(u64) -> String,
    ) -> Self {
        let (code, zh, en) = COUNTY_REGISTRAR;
        let mut roles = BTreeMap::from([(code.to_owned(), (zh.to_owned(), en.to_owned()))]);
        for definition in definitions {
            for code in definition.lists.get("CL_ROLE").into_iter().flat_map(|list| &list.codes) {
                roles.insert(code.code.clone(), (code.zh.clone(), code.en.clone()));
            }
        }
        Self { roles, day }
    }

    /// Whether a role is one of `CL_ROLE`.
    #[must_use]
    pub fn knows(&self, code: &str) -> bool {
        self.roles.contains_key(code)
    }

    /// `村文书 VCLK`.
    #[must_use]
    pub fn role(&self, code: &str) -> Said {
        match self.roles.get(code) {
            Some((zh, en)) => said(format!("{zh}（{code}）"), format!("{en} ({code})")),
            None => said(code, code),
        }
    }

    fn roles(&self, codes: &[String]) -> Said {
        let list: Vec<Said> = codes.iter().map(|code| self.role(code)).collect();
        match list.is_empty() {
            true => said("无角色", "no role"),
            false => joined(&list),
        }
    }

    /// A day.
    #[must_use]
    pub fn day(&self, ms: u64) -> String {
        (self.day)(ms)
    }
}

pub(crate) fn joined(list: &[Said]) -> Said {
    let zh: Vec<&str> = list.iter().map(|said| said.zh.as_str()).collect();
    let en: Vec<&str> = list.iter().map(|said| said.en.as_str()).collect();
    said(zh.join("、"), en.join(", "))
}

/// An office by its name and code.
#[must_use]
pub fn office(roster: &Roster, id: OfficeId) -> Said {
    match roster.office(id) {
        Some(office) => {
            let text = format!("{}（{}）", office.name, office.division);
            said(text.clone(), text)
        }
        None => said(format!("未知机构 {}", id.0), format!("unknown office {}", id.0)),
    }
}

/// Whose a key is.
#[must_use]
pub fn holder(roster: &Roster, key: &PublicKey) -> Said {
    let short = key.short();
    if let Some(signer) = roster.signer(key) {
        let office = office(roster, signer.office);
        let (zh, en) = match signer.kind {
            SignerKind::Node => ("电脑", "PC"),
            SignerKind::Person => ("人员", "person"),
        };
        let name = &signer.name;
        return said(
            format!("{} {zh}“{name}”（密钥 {short}）", office.zh),
            format!("{en} {name} of {} (key {short})", office.en),
        );
    }
    if roster.roots().0.contains(key) {
        return said(format!("根密钥 {short}"), format!("root key {short}"));
    }
    if let Some(invitation) = roster.invitations_of(key).next() {
        let office = office(roster, invitation.office);
        return said(
            format!("给 {} 的邀请 {short}", office.zh),
            format!("the invitation {short} of {}", office.en),
        );
    }
    said(format!("名册外的密钥 {short}"), format!("key {short}, which is not on the roster"))
}

/// Who an invitation is for.
#[must_use]
pub fn invited(words: &Words, node: Option<&str>, people: &[(String, Vec<String>)]) -> Said {
    let mut list: Vec<Said> = node
        .map(|name| said(format!("电脑“{name}”"), format!("the PC {name}")))
        .into_iter()
        .collect();
    list.extend(people.iter().map(|(name, roles)| {
        let roles = words.roles(roles);
        said(format!("{name}——{}", roles.zh), format!("{name} as {}", roles.en))
    }));
    let zh: Vec<&str> = list.iter().map(|said| said.zh.as_str()).collect();
    let en: Vec<&str> = list.iter().map(|said| said.en.as_str()).collect();
    said(zh.join("；"), en.join("; "))
}

/// By whose authority an edition is made.
#[must_use]
pub fn scope(roster: &Roster, scope: Scope) -> Said {
    match scope {
        Scope::Root => said("根密钥", "the root keys"),
        Scope::Registrar { office: id, term } => {
            let office = office(roster, id);
            said(
                format!("{} 的登记员，第 {term} 任期", office.zh),
                format!("the registrars of {}, term {term}", office.en),
            )
        }
        Scope::Joining { invite } => {
            let holder = holder(roster, &invite);
            said(format!("凭{}加入", holder.zh), format!("a newcomer with {}", holder.en))
        }
    }
}

/// An edition: who made it, when, who signed, and every fact.
#[must_use]
pub fn edition(roster: &Roster, words: &Words, edition: &Edition) -> Part {
    let core = edition.core();
    let by = scope(roster, core.scope);
    let day = words.day(core.claimed_time_ms);
    let (number, id) = (core.number, edition.id().short());
    let mut part = Part {
        title: said(
            format!("{}，第 {number} 版（{id}，自称 {day}）", by.zh),
            format!("edition {number} by {} ({id}, says {day})", by.en),
        ),
        lines: core.facts.iter().map(|one| fact(roster, words, one)).collect(),
    };
    let signers: Vec<Said> = edition.signers().iter().map(|key| holder(roster, key)).collect();
    part.lines.push(match signers.is_empty() {
        true => said("尚无人签名", "nobody has signed it yet"),
        false => {
            let list = joined(&signers);
            said(format!("签名：{}", list.zh), format!("signed by {}", list.en))
        }
    });
    part
}

/// An edition without the roster that it belongs to: keys and offices are named by what it says
/// itself.
#[must_use]
pub fn lone(words: &Words, edition: &Edition) -> Part {
    let core = edition.core();
    let (number, id, day) = (core.number, edition.id().short(), words.day(core.claimed_time_ms));
    let by = match core.scope {
        Scope::Root => said("根密钥", "the root keys"),
        Scope::Registrar { office, term } => said(
            format!("机构 {} 的登记员，第 {term} 任期", office.0),
            format!("the registrars of office {}, term {term}", office.0),
        ),
        Scope::Joining { invite } => {
            let short = invite.short();
            said(format!("凭邀请 {short} 加入"), format!("a newcomer with invitation {short}"))
        }
    };
    let mut lines: Vec<Said> = Vec::new();
    for fact in &core.facts {
        let keys: Vec<String> = match fact {
            Fact::Replace { node, people, .. } => {
                node.iter().chain(people).map(PublicKey::short).collect()
            }
            _ => continue,
        };
        let (n, list) = (keys.len(), keys.join("、"));
        lines.push(said(format!("新密钥 {n} 把：{list}"), format!("{n} new keys: {list}")));
    }
    let (facts, signed) = (core.facts.len(), edition.signers().len());
    lines.push(said(
        format!("{facts} 项，{signed} 个签名；要看详情，请连同整个名册一起查看"),
        format!("{facts} facts, {signed} signatures; inspect it with the whole roster for more"),
    ));
    Part {
        title: said(
            format!("{}，第 {number} 版（{id}，自称 {day}）", by.zh),
            format!("edition {number} by {} ({id}, says {day})", by.en),
        ),
        lines,
    }
}

/// One fact as a sentence.
#[must_use]
pub fn fact(roster: &Roster, words: &Words, fact: &Fact) -> Said {
    match fact {
        Fact::Root { threshold, keys } => {
            let short: Vec<String> = keys.iter().map(PublicKey::short).collect();
            let (list, n) = (short.join("、"), keys.len());
            said(
                format!("根密钥共 {n} 把，须 {threshold} 把签名：{list}"),
                format!("{n} root keys, of which {threshold} must sign: {list}"),
            )
        }
        Fact::Rules { version } => {
            said(format!("按规则第 {version} 版判定"), format!("rules of version {version}"))
        }
        Fact::Place { division, name } => {
            said(format!("区划 {division} 名为“{name}”"), format!("{division} is called {name}"))
        }
        Fact::Office { office, division, name } => said(
            format!("设立机构“{name}”，区划 {division}，编号 {}", office.0),
            format!("office {} is {name} at {division}", office.0),
        ),
        Fact::Signer { key, kind, office: id, name, roles } => {
            let (office, short) = (office(roster, *id), key.short());
            match kind {
                SignerKind::Node => said(
                    format!("登记 {} 的电脑“{name}”（密钥 {short}）", office.zh),
                    format!("the PC {name} of {} (key {short})", office.en),
                ),
                SignerKind::Person => {
                    let roles = words.roles(roles);
                    said(
                        format!("登记 {} 的 {name}，角色：{}（密钥 {short}）", office.zh, roles.zh),
                        format!("{name} of {} as {} (key {short})", office.en, roles.en),
                    )
                }
            }
        }
        Fact::Cut { key, kept } => {
            let (holder, logs) = (holder(roster, key), kept.len());
            let entries: u64 = kept.iter().map(|(_, number, _)| number + 1).sum();
            said(
                format!(
                    "撤销{}：保留所列 {logs} 个日志至指定条目（共 {entries} 条以内），其余全部作废",
                    holder.zh
                ),
                format!(
                    "{} is cut: {logs} logs stand up to the entry named ({entries} entries at most), all else is void",
                    holder.en
                ),
            )
        }
        Fact::Schema { record_type, definition } => {
            let short = &definition.to_hex()[..8];
            said(
                format!("采用记录类型 {record_type} 的定义 {short}"),
                format!("record type {record_type} by definition {short}"),
            )
        }
        Fact::Registrar { office: id, term, threshold, role, closes } => {
            let (office, role) = (office(roster, *id), words.role(role));
            let (closed_zh, closed_en) = closed(*term, *closes);
            said(
                format!(
                    "授权 {} 登记其下级：由{}签名，须 {threshold} 人，第 {term} 任期{closed_zh}",
                    office.zh, role.zh
                ),
                format!(
                    "{} registers those below it: {threshold} holders of {} sign, term {term}{closed_en}",
                    office.en, role.en
                ),
            )
        }
        Fact::Invite { key, office: id, node, people, proof: _ } => {
            let (office, short) = (office(roster, *id), key.short());
            let list = invited(words, node.as_deref(), people);
            said(
                format!("邀请 {} 加入：{}（临时密钥 {short}）", office.zh, list.zh),
                format!("{} is invited: {} (temporary key {short})", office.en, list.en),
            )
        }
        Fact::Replace { by, office: id, node, people } => {
            let keys: Vec<String> = node.iter().chain(people).map(|key| key.short()).collect();
            let (pc, n, list) = (usize::from(node.is_some()), people.len(), keys.join("、"));
            let to = office(roster, *id);
            let by = by.map_or_else(|| said("根密钥", "the root keys"), |by| office(roster, by));
            said(
                format!(
                    "以自己的密钥替换 {} 给 {} 的邀请：电脑 {pc} 台、人员 {n} 人（{list}）",
                    by.zh, to.zh
                ),
                format!(
                    "replaces the invitation of {} by {} with own keys: {pc} PC, {n} people ({list})",
                    to.en, by.en
                ),
            )
        }
        Fact::Adjudicate { log, number, entry } => said(
            format!(
                "裁定分叉：日志 {} 以第 {number} 条 {} 所在分支为准",
                log.short(),
                entry.short()
            ),
            format!(
                "of log {} the branch of entry {number} ({}) stands",
                log.short(),
                entry.short()
            ),
        ),
        Fact::Adopt { log, number, entry } => said(
            format!("采纳已作废的条目：日志 {} 第 {number} 条 {}", log.short(), entry.short()),
            format!("entry {number} ({}) of log {} counts after all", entry.short(), log.short()),
        ),
        Fact::Recover { rejected } => {
            let list: Vec<String> = rejected.iter().map(|id| id.short()).collect();
            let list = list.join("、");
            said(
                format!("解除冻结：互相矛盾的版次中不采用 {list}"),
                format!("lifts the freeze: of the rival editions these do not count: {list}"),
            )
        }
    }
}

fn closed(term: u64, closes: Option<(u64, xw_schemas::id::EditionId)>) -> (String, String) {
    match (term, closes) {
        (1, _) => (String::new(), String::new()),
        (_, None) => (
            "；此前任期所做的登记全部不算".to_owned(),
            "; nothing of the term before stands".to_owned(),
        ),
        (_, Some((number, id))) => (
            format!("；此前任期止于其第 {number} 版（{}）", id.short()),
            format!("; the term before ends with its edition {number} ({})", id.short()),
        ),
    }
}
