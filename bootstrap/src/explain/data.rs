//! A roster for programs: the same that the sentences say, as plain data, with the sentences beside.

use serde_json::{Value as Json, json};
use xw_ledger::roster::{Chain, Rank, Roster};
use xw_schemas::edition::SignerKind;
use xw_schemas::id::PublicKey;
use xw_schemas::space::Tier;

use super::{Words, whole};

/// Answers `{network, number, head, state, frozen, rules, roots, editions, offices, signers,
/// delegations, invitations, passed_over, parts}`.
#[must_use]
pub fn whole_as_json(chain: &Chain, words: &Words) -> Json {
    let roster = chain.roster();
    let (roots, threshold) = roster.roots();
    json!({
        "network": roster.network(), "number": roster.number(), "head": roster.head(),
        "state": roster.state(), "frozen": roster.is_frozen(), "rules": roster.rules(),
        "roots": {"threshold": threshold, "keys": roots},
        "editions": {"held": chain.count(), "counted": roster.counted()},
        "offices": offices(roster), "signers": signers(roster),
        "delegations": delegations(chain), "invitations": invitations(roster),
        "passed_over": passed_over(roster), "parts": whole(chain, words),
    })
}

fn offices(roster: &Roster) -> Vec<Json> {
    let office = |office: &xw_ledger::roster::Office| {
        json!({
            "office": office.id.0, "division": office.division, "name": office.name,
            "place": roster.place(office.division),
        })
    };
    roster.offices().map(office).collect()
}

fn signers(roster: &Roster) -> Vec<Json> {
    roster
        .signers()
        .map(|(key, signer)| {
            let kind = match signer.kind {
                SignerKind::Node => "node",
                SignerKind::Person => "person",
            };
            let division = roster.office(signer.office).map(|office| office.division);
            json!({
                "key": key, "kind": kind, "division": division, "name": signer.name,
                "roles": signer.roles, "by": rank(signer.rank), "cut": cut(roster, key),
            })
        })
        .collect()
}

fn cut(roster: &Roster, key: &PublicKey) -> Json {
    roster.cut(key).map_or(Json::Null, |cut| {
        let kept: Vec<Json> = cut
            .kept
            .iter()
            .map(|(log, (number, entry))| json!({"log": log, "number": number, "entry": entry}))
            .collect();
        json!({"exact": cut.exact, "kept": kept})
    })
}

fn rank(rank: Rank) -> &'static str {
    match rank {
        Rank::Root => "root",
        Rank::Registrar(Tier::County) => "county",
        Rank::Registrar(Tier::Township) => "township",
        Rank::Registrar(Tier::Village) => "village",
    }
}

fn delegations(chain: &Chain) -> Vec<Json> {
    let roster = chain.roster();
    let present = roster.delegations().filter_map(|(office, _)| {
        let (term, held) = roster.delegation(*office)?;
        let scope = xw_schemas::edition::Scope::Registrar { office: *office, term };
        let last = chain.tip(scope).map(|(number, id)| json!({"number": number, "id": id}));
        Some(json!({
            "division": roster.office(*office).map(|office| office.division),
            "term": term, "threshold": held.threshold, "role": held.role, "last": last,
        }))
    });
    present.collect()
}

fn invitations(roster: &Roster) -> Vec<Json> {
    roster
        .invitations()
        .map(|(key, invitation)| {
            let state = match (&invitation.replaced, invitation.withdrawn) {
                (Some(_), _) => "joined",
                (None, true) => "withdrawn",
                (None, false) => "open",
            };
            let people: Vec<Json> = invitation
                .people
                .iter()
                .map(|(name, roles)| json!({"name": name, "roles": roles}))
                .collect();
            json!({
                "key": key, "state": state, "confirmed": invitation.confirmed, "node": invitation.node, "people": people,
                "division": roster.office(invitation.office).map(|office| office.division),
            })
        })
        .collect()
}

fn passed_over(roster: &Roster) -> Vec<Json> {
    let passed = roster.passed_over();
    passed
        .map(|(edition, fact, why)| {
            json!({"edition": edition, "fact": fact, "zh": why.zh(), "en": why.to_string()})
        })
        .collect()
}
