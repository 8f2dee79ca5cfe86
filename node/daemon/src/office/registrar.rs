//! What a registrar of this office does to the roster of the offices below: every act is one edition,
//! tried on the roster before it is signed. Decides nothing that the ledger crate decides.

use serde_json::{Value as Json, json};
use xw_bootstrap::bundle::{Bundle, Invited, Neighbour};
use xw_bootstrap::explain;
use xw_bootstrap::invitation::{Invitation, Seed, beginning};
use xw_bootstrap::propose::key_on;
use xw_ledger::roster::{Delegation, PassedOver};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{
    Edition, EditionCore, Fact, INVITED_PEOPLE_MAX, OfficeId, Scope, SignerKind,
};
use xw_schemas::id::{EditionId, PublicKey};
use xw_schemas::limits::TERM_EDITIONS_MAX;
use xw_schemas::record::Level;

use super::Office;
use crate::address::own_addresses;
use crate::clock;
use crate::request::{ChangeRoles, InviteOffice, OpenTerm, RevokeKey, Who};
use crate::trouble::{Answer, Trouble};

mod confirm;
mod kept;
mod lag;

/// The right under which this office's registrars sign.
struct Right {
    office: OfficeId,
    term: u64,
    threshold: u64,
    role: String,
}

impl Right {
    fn scope(&self) -> Scope {
        Scope::Registrar { office: self.office, term: self.term }
    }
}

impl Office {
    /// Answers `{done, lacking, said, edition, draft, text, file, key, office, division, addresses}`.
    pub(super) fn invite(&mut self, asked: &InviteOffice) -> Answer<Json> {
        let office = self.office_named(&asked.office)?;
        let people: Vec<(String, Vec<String>)> =
            asked.people.iter().map(|one| (one.name.clone(), one.roles.clone())).collect();
        self.check_people(office, &people)?;
        // A PC without a person could open nothing that comes to it.
        if people.is_empty() {
            return Err(Trouble::new(
                "invitation",
                "邀请中没有人员：请用 --person 写明至少一人（新电脑上的内容只有经办人能打开）",
                "the invitation names nobody: say at least one --person, who alone can open a PC",
            ));
        }
        let seed = Seed::fresh(&mut |bytes| clock::fill(bytes));
        let key = seed.key().public();
        let scope = self.right()?.scope();
        let fact = Fact::invite(&seed.key(), scope, office, asked.node.clone(), people);
        let mut answer = self.enact(vec![fact], &asked.who)?;
        let addresses = match asked.addresses.is_empty() {
            true => own_addresses(&self.settings.listen),
            false => asked.addresses.clone(),
        };
        let network = beginning(self.store.roster().network());
        let node = Some(self.own_key());
        let text = Invitation { seed, network, node, addresses: addresses.clone() }.text();
        let neighbours = self.neighbours_of(office, &addresses);
        let mut file = self.roster_file();
        file.invitation = Some(Invited { text: text.clone(), neighbours });
        let held = self.store.roster().office(office).cloned();
        answer["text"] = json!(*text);
        answer["file"] = json!(*file.text());
        answer["key"] = json!(key);
        answer["addresses"] = json!(addresses);
        answer["office"] = json!(held.as_ref().map(|office| office.name.clone()));
        answer["division"] = json!(held.map(|office| office.division));
        Ok(answer)
    }

    /// This node and the offices above the newcomer that it knows how to reach.
    fn neighbours_of(
        &self,
        office: OfficeId,
        addresses: &[std::net::SocketAddr],
    ) -> Vec<Neighbour> {
        let roster = self.store.roster();
        let own = Neighbour {
            key: self.own_key(),
            office: self.settings.office.clone(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
        };
        let division = roster.office(office).map(|office| office.division);
        let above = self.settings.neighbours.iter().filter(|neighbour| {
            let held = roster.node_office(&neighbour.key).map(|office| office.division);
            matches!((held, division), (Some(above), Some(below)) if above.covers(below))
        });
        [own].into_iter().chain(above.cloned()).collect()
    }

    /// Takes an invitation back that nobody has used.
    pub(super) fn withdraw(&mut self, invitation: &str, who: &Who) -> Answer<Json> {
        let key = key_on(self.store.roster(), invitation)?;
        if self.store.roster().open_invitation(&key).is_none() {
            return Err(Trouble::new(
                "invitation",
                "这份邀请已被使用或撤回。已加入的密钥请用 roster revoke 撤销",
                "that invitation is not open; keys that joined are cut with roster revoke",
            ));
        }
        self.enact(vec![Fact::Cut { key, kept: Vec::new() }], who)
    }

    /// Cuts a person's or a PC's key. Answers as [`Office::invite`], with `kept` beside.
    pub(super) fn revoke(&mut self, asked: &RevokeKey) -> Answer<Json> {
        let office = asked.office.as_deref().map(|office| self.office_named(office)).transpose()?;
        let key = match (&asked.person, &asked.node) {
            (Some(name), None) => self.signer_named(SignerKind::Person, name, office)?,
            (None, Some(name)) => self.node_named(name, office)?,
            _ => {
                return Err(Trouble::new(
                    "usage",
                    "请用 --person 或 --node 之一写明撤销谁",
                    "say whom to cut: one of --person and --node",
                ));
            }
        };
        let kept = self.kept(&key, &asked.keep)?;
        let listed: Vec<Json> = kept
            .iter()
            .map(|(log, number, entry)| json!({"log": log, "number": number, "entry": entry}))
            .collect();
        let mut answer = self.enact(vec![Fact::Cut { key, kept }], &asked.who)?;
        answer["key"] = json!(key);
        answer["kept"] = json!(listed);
        Ok(answer)
    }

    /// Gives a person more roles. Those that the person has stay: what was done in them stands.
    pub(super) fn change_roles(&mut self, asked: &ChangeRoles) -> Answer<Json> {
        let office = asked.office.as_deref().map(|office| self.office_named(office)).transpose()?;
        let key = self.signer_named(SignerKind::Person, &asked.person, office)?;
        let signer = self.store.roster().signer(&key).cloned();
        let signer = signer.ok_or_else(|| Trouble::missing("该人员", "such person"))?;
        self.check_people(signer.office, &[(signer.name.clone(), asked.roles.clone())])?;
        let fact = Fact::Signer {
            key,
            kind: SignerKind::Person,
            office: signer.office,
            name: signer.name,
            roles: asked.roles.clone(),
        };
        self.enact(vec![fact], &asked.who)
    }

    /// Closes the term of an office's registrars and opens the next.
    pub(super) fn open_term(&mut self, asked: &OpenTerm) -> Answer<Json> {
        let office = self.office_named(&asked.office)?;
        let held = self.store.roster().delegation(office);
        let (before, held) = held.map_or((0, None), |(term, held)| (term, Some(held.clone())));
        let role = asked.role.clone().or_else(|| held.as_ref().map(|held| held.role.clone()));
        let role = role.ok_or_else(|| {
            Trouble::new(
                "usage",
                "该机构还没有登记任期：请用 --registrar-role 写明登记员的角色",
                "the office has had no term: say the registrars' role with --registrar-role",
            )
        })?;
        let threshold = asked.threshold.or(held.map(|held| held.threshold)).unwrap_or(1);
        let tip = self.store.chain().tip(Scope::Registrar { office, term: before });
        let closes = match &asked.last {
            _ if asked.nothing || before == 0 => None,
            None => tip,
            Some(text) => {
                let held = EditionId::from_hex(text.trim())
                    .and_then(|id| self.store.chain().edition(&id))
                    .filter(|held| held.core().scope == Scope::Registrar { office, term: before });
                let held = held.ok_or_else(|| {
                    Trouble::missing("该任期的这一版次", "such edition of that term")
                })?;
                Some((held.core().number, held.id()))
            }
        };
        let term = before + 1;
        self.enact(vec![Fact::Registrar { office, term, threshold, role, closes }], &asked.who)
    }

    /// One more signature on a draft that another registrar of this office began.
    pub(super) fn sign_draft(&mut self, bundle: &Bundle, who: &Who) -> Answer<Json> {
        let draft = bundle.draft.as_ref().ok_or_else(|| {
            Trouble::new("draft", "文件中没有待签名的草案", "the file holds no draft")
        })?;
        let right = self.right()?;
        let (number, previous) = self.next_place(&right);
        let core = draft.core();
        if draft.network() != self.store.roster().network() || core.scope != right.scope() {
            return Err(Trouble::new(
                "draft",
                "草案不属于本机构现在的登记任期",
                "the draft is not of this office's present term",
            ));
        }
        if (core.number, core.previous) != (number, previous) {
            return Err(Trouble::new(
                "draft",
                "草案写好之后名册又有了新的版次，请重新起草",
                "the roster has grown since the draft was made; draft it again",
            ));
        }
        self.refuse_while_lagging()?;
        let key = self.registrar_key(&right, who)?;
        let signed = draft.join(&Edition::sign(core, &[key])?)?;
        self.issue(signed, &right)
    }

    /// Makes one edition of these facts and signs it.
    fn enact(&mut self, facts: Vec<Fact>, who: &Who) -> Answer<Json> {
        let right = self.right()?;
        self.refuse_while_lagging()?;
        if self.next_place(&right).0 > TERM_EDITIONS_MAX {
            return Err(Trouble::new(
                "term",
                format!(
                    "本任期的 {TERM_EDITIONS_MAX} 个版次已用完：请上级开启下一任期（县登记员用 roster term，县级机构由根密钥用 bootstrap propose）"
                ),
                format!(
                    "all {TERM_EDITIONS_MAX} editions of this term are used: a superior opens the next (roster term, or bootstrap propose for the county's office)"
                ),
            ));
        }
        let key = self.registrar_key(&right, who)?;
        self.check_below(&right, &facts)?;
        let core = self.next_edition(&right, facts);
        self.issue(Edition::sign(&core, &[key])?, &right)
    }

    /// The next edition of the term, to be signed.
    fn next_edition(&self, right: &Right, facts: Vec<Fact>) -> EditionCore {
        let (number, previous) = self.next_place(right);
        EditionCore {
            network: Some(self.store.roster().network()),
            scope: right.scope(),
            number,
            previous,
            claimed_time_ms: clock::now_ms(),
            facts,
        }
    }

    /// Takes an edition up when enough have signed it and it has its effect; hands out a draft when
    /// more must sign.
    fn issue(&mut self, edition: Edition, right: &Right) -> Answer<Json> {
        let signed = edition.signers().len() as u64;
        let lacking = right.threshold.saturating_sub(signed);
        let id = edition.id();
        if lacking > 0 {
            let chain = self.store.chain();
            let part = explain::edition(chain.roster(), &self.role_words(), &edition);
            let mut lines = vec![part.title];
            lines.extend(part.lines);
            let mut draft = self.roster_file();
            (draft.draft, draft.definitions) = (Some(edition), Vec::new());
            return Ok(json!({
                "done": false, "lacking": lacking, "edition": id, "said": lines,
                "draft": *draft.text(),
            }));
        }
        let after = self.store.chain().preview(edition.clone()).map_err(Trouble::of_roster)?;
        if let Some((_, _, why)) = after.passed_over().find(|(passed, ..)| *passed == id) {
            return Err(Trouble::of_passed_over(*why));
        }
        self.take_up(edition)?;
        Ok(json!({
            "done": true, "lacking": 0, "edition": id, "said": self.say_edition(&id),
            "draft": Json::Null, "state": self.store.roster().state(),
        }))
    }

    /// Whether every fact concerns an office strictly below. The preview says the same once enough
    /// have signed; a first signer of several is told at once.
    fn check_below(&self, right: &Right, facts: &[Fact]) -> Answer<()> {
        let roster = self.store.roster();
        let of_key = |key: &PublicKey| {
            let signer = roster.signer(key).map(|signer| signer.office);
            signer.or_else(|| roster.invitations_of(key).next().map(|held| held.office))
        };
        let division = |office| roster.office(office).map(|office| office.division);
        for fact in facts {
            let office = match fact {
                Fact::Invite { office, .. }
                | Fact::Signer { office, .. }
                | Fact::Registrar { office, .. } => Some(*office),
                Fact::Cut { key, .. } => of_key(key),
                _ => None,
            };
            let below = matches!(
                (division(right.office), office.and_then(division)),
                (Some(own), Some(other)) if own != other && own.covers(other)
            );
            if !below {
                return Err(Trouble::of_passed_over(PassedOver::OutsidePrefix));
            }
        }
        Ok(())
    }

    /// The right of this office in its present term.
    fn right(&self) -> Answer<Right> {
        let roster = self.store.roster();
        let office = roster.node_office(&self.own_key()).map(|office| office.id);
        let delegation = office.and_then(|office| Some((office, roster.delegation(office)?)));
        let Some((office, (term, held))) = delegation else {
            return Err(Trouble::new(
                "no-right",
                "本机构没有登记下级的授权",
                "this office has no right to register others",
            ));
        };
        Ok(Right { office, term, threshold: held.threshold, role: held.role.clone() })
    }

    /// Number and predecessor of the next edition of the term.
    fn next_place(&self, right: &Right) -> (u64, EditionId) {
        match self.store.chain().tip(right.scope()) {
            Some((number, id)) => (number + 1, id),
            None => (1, EditionId([0; 32])),
        }
    }

    /// The key of a registrar who works at this PC.
    fn registrar_key(&self, right: &Right, who: &Who) -> Answer<SecretKey> {
        let roster = self.store.roster();
        let actors = self.actors(who)?;
        let registrar = actors.into_iter().find(|(key, signer)| {
            signer.office == right.office
                && signer.roles.contains(&right.role)
                && roster.cut(&key.public()).is_none()
        });
        registrar.map(|(key, _)| key.clone()).ok_or_else(|| {
            let role = self.role_words().role(&right.role);
            Trouble::new(
                "no-right",
                format!("登记下级须由{}签名，本机没有这样的经办人", role.zh),
                format!("registering takes a holder of {}; nobody at this PC is one", role.en),
            )
        })
    }

    /// Names are given, roles exist and are of the office's level.
    fn check_people(&self, office: OfficeId, people: &[(String, Vec<String>)]) -> Answer<()> {
        if people.len() > INVITED_PEOPLE_MAX {
            return Err(Trouble::new(
                "invitation",
                format!("一份邀请最多 {INVITED_PEOPLE_MAX} 人，请分成几份"),
                format!("one invitation takes at most {INVITED_PEOPLE_MAX} people"),
            ));
        }
        let words = self.role_words();
        let division = self.store.roster().office(office).map(|office| office.division);
        let level = division.map(|division| Level::from(division.tier()));
        for (name, roles) in people {
            if name.trim().is_empty() || roles.is_empty() {
                return Err(Trouble::new(
                    "invitation",
                    "每个人都要有姓名和至少一个角色",
                    "every person needs a name and a role",
                ));
            }
            for role in roles {
                let registrar = |(_, terms): (_, &std::collections::BTreeMap<u64, Delegation>)| {
                    terms.values().any(|held| held.role == *role)
                };
                let registers = self.store.roster().delegations().any(registrar);
                if !registers && !words.knows(role) {
                    return Err(Trouble::new(
                        "role",
                        format!("没有角色“{role}”"),
                        format!("there is no role {role}"),
                    ));
                }
                if Level::of_role(role) != level {
                    let said = words.role(role);
                    return Err(Trouble::new(
                        "role",
                        format!("{}不是这一级机构的角色", said.zh),
                        format!("{} is no role of an office of that level", said.en),
                    ));
                }
            }
        }
        Ok(())
    }

    /// An office by its code, or by a part of its name that names one only.
    fn office_named(&self, text: &str) -> Answer<OfficeId> {
        let text = text.trim();
        let fits: Vec<_> = self
            .store
            .roster()
            .offices()
            .filter(|o| o.division.to_string() == text || o.name == text)
            .collect();
        let part: Vec<_> =
            self.store.roster().offices().filter(|o| o.name.contains(text)).collect();
        match (fits.as_slice(), part.as_slice()) {
            ([one], _) | ([], [one]) if !text.is_empty() => Ok(one.id),
            ([], []) => Err(Trouble::missing(
                &format!("机构“{text}”"),
                &format!("office {text} on the roster"),
            )),
            _ => Err(Trouble::new(
                "office",
                format!("“{text}”不能确定是哪个机构，请写 12 位区划代码"),
                format!("{text} names several offices; give the 12-digit code"),
            )),
        }
    }

    /// A live key by its holder's name or its own beginning.
    fn signer_named(
        &self,
        kind: SignerKind,
        name: &str,
        office: Option<OfficeId>,
    ) -> Answer<PublicKey> {
        let roster = self.store.roster();
        let fits: Vec<PublicKey> = roster
            .signers()
            .filter(|(key, signer)| {
                let named = signer.name == name
                    || (name.len() >= 6 && key.to_string().starts_with(&name.to_ascii_lowercase()));
                signer.kind == kind
                    && named
                    && office.is_none_or(|office| signer.office == office)
                    && roster.cut(key).is_none()
            })
            .map(|(key, _)| *key)
            .collect();
        match fits.as_slice() {
            [one] => Ok(*one),
            [] => Err(Trouble::missing(
                &format!("“{name}”，或其密钥已经撤销"),
                &format!("{name}, or the key is cut already"),
            )),
            _ => Err(Trouble::new(
                "person",
                format!("名册中有 {} 个“{name}”，请用 --office 写明机构，或写密钥开头", fits.len()),
                format!("{} on the roster are called {name}; say --office, or the key", fits.len()),
            )),
        }
    }

    /// A PC by its office, where that has one only, or by its key.
    fn node_named(&self, text: &str, office: Option<OfficeId>) -> Answer<PublicKey> {
        if let Ok(key) = self.signer_named(SignerKind::Node, text, office) {
            return Ok(key);
        }
        let office = match office {
            Some(office) => office,
            None => self.office_named(text)?,
        };
        let roster = self.store.roster();
        let nodes: Vec<PublicKey> = roster
            .signers()
            .filter(|(key, signer)| {
                signer.kind == SignerKind::Node
                    && signer.office == office
                    && roster.cut(key).is_none()
            })
            .map(|(key, _)| *key)
            .collect();
        match nodes.as_slice() {
            [one] => Ok(*one),
            [] => Err(Trouble::missing("该机构在用的电脑", "PC of that office in use")),
            _ => Err(Trouble::new(
                "node",
                "该机构有几台电脑，请写电脑名称或密钥开头",
                "the office has several PCs; name one by its name or key",
            )),
        }
    }
}
