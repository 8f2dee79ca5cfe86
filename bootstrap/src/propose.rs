//! What the root keys are to decide, as a person writes it: a TOML file of facts becomes the next
//! root edition, without signatures. Names are looked up on the roster and never guessed.

use serde::Deserialize;
use xw_ledger::roster::{Chain, Invitation, Roster, Signer};
use xw_schemas::edition::{Edition, EditionCore, EditionFault, Fact, OfficeId, Scope};
use xw_schemas::id::{EditionId, EntryId, LogId, PublicKey};
use xw_schemas::record::{Level, RecordType};
use xw_schemas::space::Division;

use crate::found::Entropy;
use crate::invitation::Seed;

/// What stands in a file of facts. Every list may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Proposal {
    root: Option<RootForm>,
    office: Vec<OfficeForm>,
    place: Vec<PlaceForm>,
    registrar: Vec<RegistrarForm>,
    cut: Vec<CutForm>,
    invite: Vec<InviteForm>,
    withdraw: Vec<WithdrawForm>,
    schema: Vec<SchemaForm>,
    adjudicate: Vec<EntryForm>,
    adopt: Vec<EntryForm>,
    recover: Vec<RecoverForm>,
    /// Whoever joined by root's own invitations is confirmed.
    pub confirm: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RootForm {
    threshold: u64,
    keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficeForm {
    division: Division,
    name: String,
    place: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceForm {
    division: Division,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistrarForm {
    office: Division,
    role: String,
    #[serde(default = "one")]
    threshold: u64,
    /// The last edition of the term before that stands; `none` for nothing of it.
    closes: Option<String>,
}

fn one() -> u64 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CutForm {
    key: String,
    #[serde(default)]
    keep: Vec<EntryForm>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InviteForm {
    office: Division,
    node: Option<String>,
    #[serde(default)]
    people: Vec<PersonForm>,
}

/// A person to be invited.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonForm {
    /// Name on the roster.
    pub name: String,
    /// Roles of `CL_ROLE`.
    pub roles: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithdrawForm {
    invitation: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaForm {
    record_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryForm {
    log: LogId,
    number: u64,
    entry: EntryId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoverForm {
    rejected: Vec<EditionId>,
    /// The edition that is followed, where it is not the last before the rivals.
    follows: Option<EditionId>,
}

/// Why no edition can be proposed.
#[derive(Debug, thiserror::Error)]
pub enum ProposalSlip {
    /// Not TOML, or a word that means nothing here.
    #[error("the facts cannot be read: {0}")]
    Form(String),
    /// It says nothing.
    #[error("the file has no facts, and nobody waits to be confirmed")]
    Empty,
    /// A role that would not count at the office.
    #[error("{role} is no role of an office of the level of {at}")]
    Level {
        /// The role.
        role: String,
        /// The office's division.
        at: Division,
    },
    /// A key that nobody on the roster has, or several have.
    #[error("{0} does not name one key of the roster")]
    Key(String),
    /// No such office.
    #[error("the roster has no office at {0}")]
    NoOffice(Division),
    /// An office that there is.
    #[error("there is an office at {0} already")]
    Office(Division),
    /// A definition that is not at hand.
    #[error("no definition of {0} is at hand; name its folder with --schemas")]
    Schema(String),
    /// A later term must say what stands of the one before.
    #[error("the office at {0} has a term already: say closes = \"none\" or name its last edition")]
    Closes(Division),
    /// An edition that is not held.
    #[error("the roster holds no edition {0}")]
    Edition(String),
    /// The roster is frozen and the facts do not say which rivals are rejected.
    #[error("the roster is frozen: only an edition with [[recover]] can follow")]
    Frozen,
    /// Several rivals would be left.
    #[error("reject all rivals but one, or all of them: {0} would be left")]
    Rivals(usize),
    /// What it says cannot be signed.
    #[error("no edition can be made")]
    Fault(#[from] EditionFault),
}

impl ProposalSlip {
    /// For a Chinese reader.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Form(why) => format!("事项文件有误：{why}"),
            Self::Empty => "没有任何事项，也没有尚未确认的加入者".to_owned(),
            Self::Level { role, at } => format!("{role} 不是区划 {at} 这一级机构的角色"),
            Self::Key(text) => format!("“{text}”不能确定是名册中的哪把密钥"),
            Self::NoOffice(code) => format!("名册中没有区划 {code} 的机构"),
            Self::Office(code) => format!("区划 {code} 已有机构"),
            Self::Schema(code) => format!("没有记录类型 {code} 的定义，请用 --schemas 指明目录"),
            Self::Closes(code) => format!(
                "区划 {code} 的机构已有任期：请用 closes 写明此前任期的最后一版，或写 \"none\" 表示全部不算"
            ),
            Self::Edition(id) => format!("名册中没有版次 {id}"),
            Self::Frozen => "名册已冻结：只能提出带 [[recover]] 的版次".to_owned(),
            Self::Rivals(left) => {
                format!("互相矛盾的版次中还剩 {left} 份：rejected 应列出其余各份，或全部列出")
            }
            Self::Fault(fault) => format!("无法生成版次。详情：{fault}"),
        }
    }
}

/// The next root edition, without signatures, and the secrets of the invitations in it.
#[derive(Debug)]
pub struct Proposed {
    /// The draft.
    pub draft: Edition,
    /// The invitations, by office.
    pub invites: Vec<(Division, Seed)>,
}

impl Proposal {
    /// Reads a file of facts.
    pub fn read(text: &str) -> Result<Self, ProposalSlip> {
        let text = text.trim_start_matches('\u{feff}');
        toml::from_str(text).map_err(|error| ProposalSlip::Form(error.to_string()))
    }

    /// The draft that follows a roster.
    pub fn draft(
        &self,
        chain: &Chain,
        definitions: &[RecordType],
        now_ms: u64,
        entropy: Entropy<'_>,
    ) -> Result<Proposed, ProposalSlip> {
        let roster = chain.roster();
        let mut invites = Vec::new();
        let facts = self.facts(chain, definitions, &mut invites, entropy)?;
        if facts.is_empty() {
            return Err(ProposalSlip::Empty);
        }
        if roster.is_frozen() && self.recover.is_empty() {
            return Err(ProposalSlip::Frozen);
        }
        let follows = self.recover.iter().find_map(|form| form.follows);
        let (before, previous) = match follows {
            Some(id) => {
                let held = chain.edition(&id).filter(|e| e.core().scope == Scope::Root);
                let held = held.ok_or_else(|| ProposalSlip::Edition(id.to_string()))?;
                (held.core().number, id)
            }
            None if roster.is_frozen() => ground(chain, &self.recover)?,
            None => (roster.number(), roster.head()),
        };
        let core = EditionCore {
            network: Some(roster.network()),
            scope: Scope::Root,
            number: before + 1,
            previous,
            claimed_time_ms: now_ms,
            facts,
        };
        Ok(Proposed { draft: Edition::sign(&core, &[])?, invites })
    }

    fn facts(
        &self,
        chain: &Chain,
        definitions: &[RecordType],
        invites: &mut Vec<(Division, Seed)>,
        entropy: Entropy<'_>,
    ) -> Result<Vec<Fact>, ProposalSlip> {
        let roster = chain.roster();
        let mut facts = Vec::new();
        // A recovery comes first: what else stands in the edition is said on its ground.
        for form in &self.recover {
            let mut rejected = form.rejected.clone();
            rejected.sort();
            rejected.dedup();
            facts.push(Fact::Recover { rejected });
        }
        if let Some(form) = &self.root {
            let key = |text: &String| {
                PublicKey::from_hex(text.trim()).ok_or_else(|| ProposalSlip::Key(text.clone()))
            };
            let mut keys: Vec<PublicKey> = form.keys.iter().map(key).collect::<Result<_, _>>()?;
            keys.sort();
            facts.push(Fact::Root { threshold: form.threshold, keys });
        }
        for form in &self.place {
            facts.push(Fact::Place { division: form.division, name: form.name.clone() });
        }
        let last = roster.offices().map(|office| office.id.0).max().unwrap_or(0);
        for (number, form) in (last + 1..).zip(&self.office) {
            let division = form.division;
            if roster.offices().any(|office| office.division == division) {
                return Err(ProposalSlip::Office(division));
            }
            let place = form.place.iter().map(|name| Fact::Place { division, name: name.clone() });
            facts.extend(place);
            facts.push(Fact::Office {
                office: OfficeId(number),
                division,
                name: form.name.clone(),
            });
        }
        for form in &self.registrar {
            facts.push(registrar(chain, &facts, form)?);
        }
        for form in &self.cut {
            let mut kept: Vec<_> =
                form.keep.iter().map(|one| (one.log, one.number, one.entry)).collect();
            kept.sort();
            facts.push(Fact::Cut { key: key_on(roster, &form.key)?, kept });
        }
        for form in &self.withdraw {
            let key = key_on(roster, &form.invitation)?;
            facts.push(Fact::Cut { key, kept: Vec::new() });
        }
        for form in &self.invite {
            let office = office_at(roster, &facts, form.office)?;
            for role in form.people.iter().flat_map(|one| &one.roles) {
                check_level(role, form.office)?;
            }
            let seed = Seed::fresh(entropy);
            let people = form.people.iter().map(|one| (one.name.clone(), one.roles.clone()));
            let (key, node, people) = (seed.key(), form.node.clone(), people.collect());
            facts.push(Fact::invite(&key, Scope::Root, office, node, people));
            invites.push((form.office, seed));
        }
        if self.confirm {
            facts.extend(confirming(chain));
        }
        for form in &self.schema {
            let code = &form.record_type;
            let definition = definitions.iter().find(|definition| definition.code == *code);
            let definition = definition.ok_or_else(|| ProposalSlip::Schema(code.clone()))?;
            let definition = definition.hash();
            facts.push(Fact::Schema { record_type: code.clone(), definition });
        }
        facts.extend(self.adjudicate.iter().map(|form| {
            let EntryForm { log, number, entry } = *form;
            Fact::Adjudicate { log, number, entry }
        }));
        facts.extend(self.adopt.iter().map(|form| {
            let EntryForm { log, number, entry } = *form;
            Fact::Adopt { log, number, entry }
        }));
        Ok(facts)
    }
}

/// What a recovery follows: the end of the one branch that it does not reject, or, where it rejects
/// all, the last edition before them.
fn ground(chain: &Chain, forms: &[RecoverForm]) -> Result<(u64, EditionId), ProposalSlip> {
    let rejected: Vec<EditionId> =
        forms.iter().flat_map(|form| form.rejected.iter().copied()).collect();
    let (mut number, mut tip) = (chain.roster().number(), chain.roster().head());
    loop {
        let next: Vec<EditionId> = chain
            .editions()
            .filter(|held| held.core().scope == Scope::Root && held.core().previous == tip)
            .map(Edition::id)
            .filter(|id| !rejected.contains(id))
            .collect();
        match next.as_slice() {
            [] => return Ok((number, tip)),
            [one] => (number, tip) = (number + 1, *one),
            several => return Err(ProposalSlip::Rivals(several.len())),
        }
    }
}

fn registrar(chain: &Chain, new: &[Fact], form: &RegistrarForm) -> Result<Fact, ProposalSlip> {
    let roster = chain.roster();
    let office = office_at(roster, new, form.office)?;
    let before = roster.delegation(office).map_or(0, |(term, _)| term);
    let closes = match (before, form.closes.as_deref()) {
        (0, _) | (_, Some("none")) => None,
        (_, None) => return Err(ProposalSlip::Closes(form.office)),
        (_, Some(text)) => {
            let unknown = || ProposalSlip::Edition(text.to_owned());
            let id = EditionId::from_hex(text).ok_or_else(unknown)?;
            let held = chain.edition(&id).ok_or_else(unknown)?;
            Some((held.core().number, id))
        }
    };
    check_level(&form.role, form.office)?;
    let (term, threshold, role) = (before + 1, form.threshold, form.role.clone());
    Ok(Fact::Registrar { office, term, threshold, role, closes })
}

/// A role of another level would not count.
fn check_level(role: &str, at: Division) -> Result<(), ProposalSlip> {
    match Level::of_role(role) == Some(Level::from(at.tier())) {
        true => Ok(()),
        false => Err(ProposalSlip::Level { role: role.to_owned(), at }),
    }
}

/// The keys of whoever joined by root's invitations and is not confirmed, listed as they stand.
fn confirming(chain: &Chain) -> Vec<Fact> {
    let roster = chain.roster();
    let joined = unconfirmed(roster).filter(|held| held.by.is_none());
    let joined = joined.filter_map(|held| chain.edition(&held.replaced?));
    let keys = joined.flat_map(|edition| match edition.core().facts.as_slice() {
        [Fact::Replace { node, people, .. }] => node.iter().chain(people).copied().collect(),
        _ => Vec::new(),
    });
    keys.filter_map(|key| {
        let Signer { kind, office, name, roles, .. } = roster.signer(&key)?.clone();
        Some(Fact::Signer { key, kind, office, name, roles })
    })
    .collect()
}

/// Invitations whose newcomers a second use could still undo.
pub fn unconfirmed(roster: &Roster) -> impl Iterator<Item = &Invitation> {
    let used = roster.invitations().filter(|(_, held)| held.replaced.is_some());
    used.filter(|(_, held)| !held.confirmed).map(|(_, held)| held)
}

fn office_at(roster: &Roster, new: &[Fact], at: Division) -> Result<OfficeId, ProposalSlip> {
    let held = roster.offices().find(|office| office.division == at).map(|office| office.id);
    let fresh = new.iter().find_map(|fact| match fact {
        Fact::Office { office, division, .. } if *division == at => Some(*office),
        _ => None,
    });
    held.or(fresh).ok_or(ProposalSlip::NoOffice(at))
}

/// A key by its hex or the beginning of it, on the roster or invited by it.
pub fn key_on(roster: &Roster, text: &str) -> Result<PublicKey, ProposalSlip> {
    let text = text.trim().to_ascii_lowercase();
    if let Some(key) = PublicKey::from_hex(&text) {
        return Ok(key);
    }
    let signers = roster.signers().map(|(key, _)| key);
    let keys = signers.chain(roster.invitations().map(|(key, _)| key));
    let fitting: Vec<&PublicKey> =
        keys.filter(|key| text.len() >= 6 && key.to_string().starts_with(&text)).collect();
    match fitting.as_slice() {
        [one] => Ok(**one),
        _ => Err(ProposalSlip::Key(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::found;
    use crate::synthetic;
    use xw_schemas::cose::SecretKey;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32])
    }

    const FACTS: &str = r#"
[[office]]
division = "130599201204"
name = "新安村村民委员会"
place = "新安村"

[[registrar]]
office = "130599201000"
role = "TADM"
threshold = 2
closes = "none"

[[invite]]
office = "130599201204"
node = "一号机"
people = [{ name = "王秀兰", roles = ["VCLK"] }]
"#;

    #[test]
    fn facts_become_a_draft_that_two_of_three_holders_make_whole() {
        let roots: Vec<SecretKey> = (1..=3).map(key).collect();
        let founded =
            found(&synthetic::plan(), &roots, &[], 1_795_000_000_000, &mut |b| b.fill(9)).unwrap();
        let mut chain = Chain::founded(founded.edition).unwrap();
        let proposal = Proposal::read(FACTS).unwrap();
        let made = proposal.draft(&chain, &[], 1_795_000_000_001, &mut |b| b.fill(8)).unwrap();
        assert!(made.draft.signers().is_empty());
        let one = Edition::sign(made.draft.core(), &roots[1..2]).unwrap();
        assert!(chain.add(one.clone()).is_err());
        let two = Edition::sign(made.draft.core(), &roots[2..]).unwrap();
        chain.add(made.draft.join(&one).unwrap().join(&two).unwrap()).unwrap();
        let invited = made.invites[0].1.key().public();
        assert_eq!(chain.roster().open_invitation(&invited).unwrap().office, OfficeId(6));
        let (term, delegation) = chain.roster().delegation(OfficeId(2)).unwrap();
        assert_eq!((term, delegation.threshold), (2, 2));
    }

    #[test]
    fn a_recovery_follows_the_branch_that_it_leaves() {
        let roots: Vec<SecretKey> = (1..=3).map(key).collect();
        let founded =
            found(&synthetic::plan(), &roots, &[], 1_795_000_000_000, &mut |b| b.fill(9)).unwrap();
        let mut chain = Chain::founded(founded.edition).unwrap();
        let propose = |chain: &Chain, text: &str| {
            let proposal = Proposal::read(text)?;
            proposal.draft(chain, &[], 1_795_000_000_001, &mut |b| b.fill(8))
        };
        let place = |name: &str| format!("[[place]]\ndivision = '130599201000'\nname = '{name}'");
        let signed = |draft: &Edition| Edition::sign(draft.core(), &roots[..2]).unwrap();
        let [one, two, three] = ["甲镇", "乙镇", "丙镇"]
            .map(|name| signed(&propose(&chain, &place(name)).unwrap().draft));
        for rival in [&one, &two, &three] {
            chain.add(rival.clone()).unwrap();
        }
        assert!(matches!(propose(&chain, &place("丁镇")), Err(ProposalSlip::Frozen)));
        let reject = |ids: &[&Edition]| {
            let ids: Vec<String> = ids.iter().map(|id| format!("'{}'", id.id())).collect();
            format!("[[recover]]\nrejected = [{}]", ids.join(", "))
        };
        let left = propose(&chain, &reject(&[&one]));
        assert!(matches!(left, Err(ProposalSlip::Rivals(2))));
        for (rejected, named) in [(vec![&one, &two], "丙镇"), (vec![&one, &two, &three], "白杨镇")]
        {
            let mut chain = chain.clone();
            let made = propose(&chain, &reject(&rejected)).unwrap();
            chain.add(signed(&made.draft)).unwrap();
            assert!(!chain.roster().is_frozen());
            let town = synthetic::division(synthetic::TOWNSHIP);
            assert_eq!(chain.roster().place(town), Some(named));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        let founded =
            found(&synthetic::plan(), &[key(1), key(2)], &[], 1_795_000_000_000, &mut |b| {
                b.fill(9)
            });
        let chain = Chain::founded(founded.unwrap().edition).unwrap();
        let slip = |text: &str| {
            let proposal = Proposal::read(text)?;
            proposal.draft(&chain, &[], 1_795_000_000_001, &mut |b| b.fill(8)).map(|_| ())
        };
        assert!(matches!(slip("[[cuts]]\nkey = 'a'"), Err(ProposalSlip::Form(_))));
        assert!(matches!(slip(""), Err(ProposalSlip::Empty)));
        assert!(matches!(slip("[[cut]]\nkey = 'abcdef'"), Err(ProposalSlip::Key(_))));
        let term = "[[registrar]]\noffice = '130599201000'\nrole = 'TADM'";
        assert!(matches!(slip(term), Err(ProposalSlip::Closes(_))));
        let office = "[[office]]\ndivision = '130599201000'\nname = '白杨镇'";
        assert!(matches!(slip(office), Err(ProposalSlip::Office(_))));
    }
}
