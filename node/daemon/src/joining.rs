//! A newcomer joins: fetches the roster, makes its own keys, puts them in the invitation's place, and
//! makes the node's folder. Asks nobody; passphrases are handed in.

mod line;

use std::net::SocketAddr;

use serde_json::{Value as Json, json};
use xw_bootstrap::bundle::{Bundle, Neighbour};
use xw_bootstrap::invitation::Invitation;
use xw_bootstrap::joining::{invitation as open_invitation, join};
use xw_custody::{Cost, KeyPurpose, Passphrase, SealedKey, sealing_key_of};
use xw_ledger::roster::{Chain, Invitation as Invited};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, Scope};
use xw_schemas::id::{PublicKey, hex};
use xw_schemas::record::RecordType;
use zeroize::Zeroizing;

use crate::clock;
use crate::folder::{Folder, Idle, NewNode, NewPerson, Settings};
use crate::office::Office;
use crate::request::AddOperator;
use crate::trouble::{Answer, Trouble};
use line::Line;

/// An invitation with the roster that makes it.
pub(crate) struct Newcomer {
    invitation: Invitation,
    chain: Chain,
    definitions: Vec<RecordType>,
    neighbours: Vec<Neighbour>,
}

/// Where a new node listens and whom it calls.
pub(crate) struct Place {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) api: SocketAddr,
    pub(crate) letter: char,
    pub(crate) idle: Idle,
    /// Neighbours beside those of the invitation.
    pub(crate) neighbours: Vec<Neighbour>,
    /// What a try of a passphrase costs.
    pub(crate) cost: Cost,
}

/// A person who joins an office that has its PC: what the office's node must be given.
pub(crate) struct NewOperator {
    pub(crate) name: String,
    pub(crate) operator: AddOperator,
}

/// Reads an invitation as typed, or out of a file's text.
pub(crate) fn read(text: &str) -> Answer<(Invitation, Option<Bundle>)> {
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return Ok((Invitation::read(text)?, None));
    }
    let bundle = Bundle::read(text)?;
    let invited = bundle.invitation.as_ref().ok_or_else(|| {
        Trouble::new("invitation", "文件中没有邀请", "the file holds no invitation")
    })?;
    Ok((Invitation::read(&invited.text)?, Some(bundle)))
}

impl Newcomer {
    /// By an invitation file, which carries the whole roster.
    pub(crate) fn of_file(invitation: Invitation, bundle: Bundle) -> Answer<Self> {
        let chain = bundle.chain()?;
        if !invitation.is_to(chain.roster().network()) {
            return Err(Trouble::new(
                "invitation",
                "文件中的名册与邀请码不是同一个县的网络",
                "the roster in the file is of another network than its invitation",
            ));
        }
        let neighbours = bundle.invitation.map(|invited| invited.neighbours).unwrap_or_default();
        Ok(Self { invitation, chain, definitions: bundle.definitions, neighbours })
    }

    /// By the network: calls the node that the invitation names.
    pub(crate) fn of_network(invitation: Invitation) -> Answer<Self> {
        let (node, addresses) = whom(&invitation)?;
        let key = invitation.seed.key();
        let fetched = wait_for(async {
            let mut line = Line::call(&key, invitation.network, node, addresses).await?;
            let fetched = line.fetch(&invitation).await;
            line.hang_up().await;
            fetched
        })?;
        let office = fetched.chain.roster().node_office(&node).map(|office| office.name.clone());
        let neighbours = vec![Neighbour {
            key: node,
            office: office.unwrap_or_default(),
            addresses: invitation.addresses.iter().map(ToString::to_string).collect(),
        }];
        let line::Fetched { chain, definitions } = fetched;
        Ok(Self { invitation, chain, definitions, neighbours })
    }

    /// Whom the invitation is for, while it can be used.
    pub(crate) fn invited(&self) -> Answer<&Invited> {
        let host = self.invitation.node.as_ref();
        Ok(open_invitation(&self.chain, &self.invitation.seed.key().public(), host)?)
    }

    /// The office's name and division, for the question about passphrases.
    pub(crate) fn office(&self) -> Answer<&xw_ledger::roster::Office> {
        let office = self.invited()?.office;
        self.chain
            .roster()
            .office(office)
            .ok_or_else(|| Trouble::missing("邀请所指的机构", "office that the invitation names"))
    }

    /// Makes keys and folder of a new node. Everything lies on disk before anybody hears of it: keys
    /// that the county knows and nobody has would be the end of the invitation.
    pub(crate) fn settle(
        &self,
        folder: &Folder,
        place: Place,
        passphrases: Vec<Passphrase>,
    ) -> Answer<Settled> {
        let (invited, office) = (self.invited()?, self.office()?);
        if invited.node.is_none() {
            return Err(Trouble::new(
                "invitation",
                "这份邀请只邀请人员，不包括电脑：请在该机构已有的电脑上运行（--dir 指定其节点目录）",
                "the invitation is for people only: run this on the office's own PC (--dir)",
            ));
        }
        let node = fresh_key();
        let people = new_people(invited, passphrases)?;
        let keys: Vec<SecretKey> = people.iter().map(|person| person.key.clone()).collect();
        let seed = self.invitation.seed.key();
        let joining = join(&self.chain, invited, &seed, Some(&node), &keys, clock::now_ms())?;
        let mut chain = self.chain.clone();
        chain.add(joining.clone()).map_err(Trouble::of_roster)?;
        let Place { listen, api, letter, idle, neighbours, cost } = place;
        let settings = Settings {
            division: office.division,
            office: office.name.clone(),
            letter,
            listen,
            api,
            late_days: crate::folder::late_days(),
            witness: None,
            idle,
            neighbours: self.all_neighbours(office.division, neighbours),
        };
        let new = NewNode {
            settings: settings.clone(),
            editions: chain.editions().cloned().collect(),
            definitions: self.definitions.clone(),
            node: node.clone(),
            people,
            cost,
        };
        let protection = folder.init(&new)?;
        let protection = protection.json();
        Ok(Settled { settings, chain, joining, node, protection })
    }

    /// Those of the invitation, those that were typed, and the other offices above, whose addresses
    /// can be written into the settings later.
    fn all_neighbours(
        &self,
        division: xw_schemas::space::Division,
        typed: Vec<Neighbour>,
    ) -> Vec<Neighbour> {
        let mut neighbours = self.neighbours.clone();
        for one in typed {
            match neighbours.iter_mut().find(|held| held.key == one.key) {
                Some(held) => held.addresses.extend(one.addresses),
                None => neighbours.push(one),
            }
        }
        let roster = self.chain.roster();
        for key in roster.live_nodes() {
            let above = roster
                .node_office(&key)
                .filter(|office| office.division != division && office.division.covers(division));
            if let Some(office) = above
                && !neighbours.iter().any(|held| held.key == key)
            {
                let office = office.name.clone();
                neighbours.push(Neighbour { key, office, addresses: Vec::new() });
            }
        }
        neighbours
    }

    /// A neighbour by a part of its office's name or the beginning of its key.
    pub(crate) fn neighbour(&self, name: &str) -> Answer<Neighbour> {
        let roster = self.chain.roster();
        let nodes = roster.live_nodes();
        let fits = |key: &&PublicKey| {
            let office = roster.node_office(key);
            office.is_some_and(|office| office.name.contains(name))
                || key.to_string().starts_with(&name.to_ascii_lowercase())
        };
        let fitting: Vec<&PublicKey> = nodes.iter().filter(fits).collect();
        match fitting.as_slice() {
            [one] => {
                let office = roster.node_office(one).map(|office| office.name.clone());
                let (key, office) = (**one, office.unwrap_or_default());
                Ok(Neighbour { key, office, addresses: Vec::new() })
            }
            _ => Err(Trouble::new(
                "usage",
                format!("“{name}”不能确定是哪个邻居：名册中有 {} 个相符", fitting.len()),
                format!("{name} does not say which neighbour: {} fit", fitting.len()),
            )),
        }
    }

    /// Keys for people who join an office that has its PC already, each under a passphrase, and the
    /// joining edition.
    pub(crate) fn operators(
        &self,
        passphrases: Vec<Passphrase>,
        cost: Cost,
    ) -> Answer<(Vec<NewOperator>, Edition)> {
        let invited = self.invited()?;
        let people = new_people(invited, passphrases)?;
        let keys: Vec<SecretKey> = people.iter().map(|person| person.key.clone()).collect();
        let seed = self.invitation.seed.key();
        let joining = join(&self.chain, invited, &seed, None, &keys, clock::now_ms())?;
        let operators = people.iter().map(|person| {
            let seed = person.key.seed();
            let (purpose, dice) = (KeyPurpose::Person, &mut clock::fill);
            let sealed =
                SealedKey::seal(purpose, &person.name, &seed, &person.passphrase, cost, dice)?;
            let sealing = hex(&sealing_key_of(&seed).bytes());
            let operator = AddOperator { key: sealed.text(), sealing };
            Ok(NewOperator { name: person.name.clone(), operator })
        });
        Ok((operators.collect::<Answer<_>>()?, joining))
    }
}

/// A node whose folder is made.
pub(crate) struct Settled {
    pub(crate) settings: Settings,
    chain: Chain,
    pub(crate) joining: Edition,
    node: SecretKey,
    protection: Json,
}

impl Settled {
    /// A node that was made earlier and whose answer did not arrive.
    pub(crate) fn again(folder: &Folder, invitation: &Invitation) -> Answer<Self> {
        let office = Office::open(folder.clone())?;
        let scope = Scope::Joining { invite: invitation.seed.key().public() };
        let chain = office.store.chain().clone();
        let joining = chain.editions().find(|held| held.core().scope == scope).cloned();
        let joining = joining.ok_or_else(|| {
            Trouble::new(
                "exists",
                format!("{} 已经是一个节点目录，且不是用这份邀请建立的", folder.path().display()),
                format!("{} holds a node that another invitation made", folder.path().display()),
            )
        })?;
        let Office { settings, node, .. } = office;
        Ok(Self { settings, chain, joining, node, protection: Json::Null })
    }

    /// Whether the other side lets the new key in: then the answer has arrived.
    pub(crate) fn is_let_in(&self, invitation: &Invitation) -> Answer<()> {
        let (node, addresses) = whom(invitation)?;
        wait_for(async {
            let mut line = Line::call(&self.node, invitation.network, node, addresses).await?;
            let let_in = line.greeting().await.map(|_| ());
            line.hang_up().await;
            let_in
        })
    }

    /// Hands the answer in over the network, and is content when the other side lets the new key in.
    pub(crate) fn hand_in(&self, invitation: &Invitation) -> Answer<()> {
        let (node, addresses) = whom(invitation)?;
        let seed = invitation.seed.key();
        let handed = wait_for(async {
            let mut line = Line::call(&seed, invitation.network, node, addresses).await?;
            let handed = line.hand_in(&self.chain, &self.joining).await;
            line.hang_up().await;
            handed
        });
        // The new key alone tells: an answer may have arrived without our hearing of it.
        self.is_let_in(invitation).map_err(|trouble| handed.err().unwrap_or(trouble))
    }

    /// The answer as a file, to be carried to whoever invited.
    pub(crate) fn answer_file(&self) -> Zeroizing<String> {
        Bundle { editions: vec![self.joining.clone()], ..Bundle::default() }.text()
    }

    /// Answers `{folder, office, division, node, listen, api, neighbours, protection}`.
    pub(crate) fn told(&self, folder: &Folder) -> Json {
        let Settings { office, division, listen, api, neighbours, .. } = &self.settings;
        let neighbours: Vec<Json> = neighbours
            .iter()
            .map(|one| json!({"office": one.office, "key": one.key, "addresses": one.addresses}))
            .collect();
        json!({
            "folder": folder.path().display().to_string(), "office": office,
            "division": division, "node": self.node.public(), "listen": listen, "api": api,
            "neighbours": neighbours, "protection": self.protection,
        })
    }
}

fn new_people(invited: &Invited, passphrases: Vec<Passphrase>) -> Answer<Vec<NewPerson>> {
    if invited.people.len() != passphrases.len() {
        return Err(Trouble::new(
            "passphrase",
            format!("邀请了 {} 人，每人要有一个口令", invited.people.len()),
            format!("{} people are invited, and each needs a passphrase", invited.people.len()),
        ));
    }
    let people = invited.people.iter().zip(passphrases);
    Ok(people
        .map(|((name, _), passphrase)| NewPerson {
            name: name.clone(),
            key: fresh_key(),
            passphrase,
        })
        .collect())
}

/// A fresh key of this PC's own dice.
pub(crate) fn fresh_key() -> SecretKey {
    let mut seed = Zeroizing::new([0; 32]);
    clock::fill(&mut seed[..]);
    SecretKey::from_seed(&seed)
}

fn whom(invitation: &Invitation) -> Answer<(PublicKey, Vec<SocketAddr>)> {
    let node = invitation.node.filter(|_| !invitation.addresses.is_empty());
    node.map(|node| (node, invitation.addresses.clone())).ok_or_else(|| {
        Trouble::new(
            "invitation",
            "邀请码中没有可以连接的地址：请用 --address 写明邀请方节点的地址，或用邀请文件加入",
            "the invitation names no address: say one with --address, or join by the file",
        )
    })
}

/// Runs a conversation to its end.
fn wait_for<T>(conversation: impl Future<Output = Answer<T>>) -> Answer<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(conversation)
}
