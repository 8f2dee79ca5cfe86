//! A newcomer's side of an invitation: the joining edition that puts the own keys in its place. Makes
//! no key and asks nobody; says beforehand whether the roster would take it.

use xw_ledger::roster::{Chain, Invitation, PassedOver, RosterRefusal};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, EditionFault, Fact, Scope};
use xw_schemas::id::{EditionId, PublicKey};

/// Why an invitation cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum JoinRefusal {
    /// No edition held makes it.
    #[error("the roster knows no such invitation")]
    Unknown,
    /// It was taken back.
    #[error("the invitation was withdrawn")]
    Withdrawn,
    /// Somebody has used it.
    #[error("the invitation was used already")]
    Used,
    /// Others have invited under its key, so they have seen its secret.
    #[error("several offices invite under the key of this invitation: somebody has seen it")]
    Several,
    /// The keys do not fit what was invited.
    #[error("the keys are not those that were invited")]
    Unfit,
    /// A key that cannot stand on a roster.
    #[error("no joining edition can be made")]
    Edition(#[from] EditionFault),
    /// The edition would not be taken up.
    #[error("the joining edition would not be taken up")]
    Roster(#[from] RosterRefusal),
    /// It would be taken up and have no effect.
    #[error("the joining edition would have no effect: {0}")]
    PassedOver(PassedOver),
}

impl JoinRefusal {
    /// For a Chinese reader.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Unknown => "名册中没有这份邀请，或尚未收到".to_owned(),
            Self::Withdrawn => "邀请已被撤回，请向登记员索取新的邀请".to_owned(),
            Self::Used => {
                "邀请已被使用。如果不是本机构所用，请立即告知登记员：邀请码可能已泄露".to_owned()
            }
            Self::Several => {
                "有几个机构以这份邀请的密钥发出邀请：邀请码可能已泄露，请向登记员索取新的邀请"
                    .to_owned()
            }
            Self::Unfit => "密钥与邀请的内容不符".to_owned(),
            Self::Edition(fault) => format!("无法生成加入版次。详情：{fault}"),
            Self::Roster(refusal) => format!("加入版次不会被接收：{}", refusal.zh()),
            Self::PassedOver(why) => format!("加入版次不会生效：{}", why.zh()),
        }
    }
}

/// The invitation of a key, while it can be used. Where several offices invite under the key, it is
/// the one of the office whose node takes the newcomer in.
pub fn invitation<'a>(
    chain: &'a Chain,
    invite: &PublicKey,
    taken_in_by: Option<&PublicKey>,
) -> Result<&'a Invitation, JoinRefusal> {
    let roster = chain.roster();
    let open: Vec<&Invitation> =
        roster.invitations_of(invite).filter(|held| held.is_open()).collect();
    let host = taken_in_by.and_then(|node| roster.node_office(node)).map(|office| office.id);
    let of_host: Vec<&Invitation> = open.iter().filter(|held| held.by == host).copied().collect();
    match (open.as_slice(), of_host.as_slice()) {
        ([one], _) | (_, [one]) => return Ok(one),
        ([], _) => {}
        (_, _) => return Err(JoinRefusal::Several),
    }
    let used = roster.invitations_of(invite).map(|held| held.replaced.is_some()).max();
    Err(match used {
        None => JoinRefusal::Unknown,
        Some(true) => JoinRefusal::Used,
        Some(false) => JoinRefusal::Withdrawn,
    })
}

/// Signs the joining edition with the invitation's key and every new one. `invited` is one of the
/// chain's invitations under that key.
pub fn join(
    chain: &Chain,
    invited: &Invitation,
    invite: &SecretKey,
    node: Option<&SecretKey>,
    people: &[SecretKey],
    now_ms: u64,
) -> Result<Edition, JoinRefusal> {
    if invited.node.is_some() != node.is_some() || invited.people.len() != people.len() {
        return Err(JoinRefusal::Unfit);
    }
    let core = EditionCore {
        network: Some(chain.roster().network()),
        scope: Scope::Joining { invite: invite.public() },
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: now_ms,
        facts: vec![Fact::Replace {
            by: invited.by,
            office: invited.office,
            node: node.map(SecretKey::public),
            people: people.iter().map(SecretKey::public).collect(),
        }],
    };
    let keys: Vec<SecretKey> = [invite].into_iter().chain(node).chain(people).cloned().collect();
    let edition = Edition::sign(&core, &keys)?;
    let roster = chain.preview(edition.clone())?;
    let id = edition.id();
    let passed = roster.passed_over().find(|(edition, ..)| *edition == id);
    passed.map_or(Ok(()), |(_, _, why)| Err(JoinRefusal::PassedOver(*why)))?;
    Ok(edition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::{Founded, found};
    use crate::synthetic;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32])
    }

    fn county() -> (Chain, Founded) {
        let roots: Vec<SecretKey> = (1..=3).map(key).collect();
        let made = found(&synthetic::plan(), &roots, &[], 1_795_000_000_000, &mut |b| b.fill(9));
        let founded = made.unwrap();
        (Chain::founded(founded.edition.clone()).unwrap(), founded)
    }

    #[test]
    fn an_invitation_is_used_once_and_only_as_it_says() {
        let (mut chain, founded) = county();
        let invite = founded.invites[0].0.key();
        let people = [key(11), key(12)];
        let invited = invitation(&chain, &invite.public(), None).unwrap().clone();
        let join = |node: Option<&SecretKey>| {
            join(&chain, &invited, &invite, node, &people, 1_795_000_000_000)
        };
        assert!(matches!(join(None), Err(JoinRefusal::Unfit)));
        let joined = join(Some(&key(10))).unwrap();
        assert!(chain.add(joined).unwrap());
        let node = chain.roster().node_office(&key(10).public()).unwrap();
        assert_eq!(node.division.to_string(), synthetic::COUNTY);
        let again = invitation(&chain, &invite.public(), None);
        assert!(matches!(again, Err(JoinRefusal::Used)));
        let stranger = invitation(&chain, &key(30).public(), None);
        assert!(matches!(stranger, Err(JoinRefusal::Unknown)));
    }
}
