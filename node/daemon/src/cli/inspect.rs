//! Explains what a file, an invitation's text or a node's folder says of the roster. Changes nothing
//! and prints no secret.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use xw_bootstrap::bundle::Bundle;
use xw_bootstrap::explain::{self, Part, Said, Words};
use xw_bootstrap::invitation::Invitation;
use xw_bootstrap::joining;
use xw_ledger::roster::Chain;
use xw_schemas::id::hex;

use super::bootstrap::Inspect;
use super::ceremony::read_bundle;
use crate::client::Client;
use crate::clock;
use crate::folder::Folder;
use crate::request::{Request, RosterRequest};
use crate::trouble::Answer;

/// Answers `{parts}` and, for a whole roster, what [`explain::whole_as_json`] says.
pub(super) fn inspect(asked: &Inspect, own: &Folder) -> Answer<Json> {
    match (&asked.what, &asked.folder) {
        (None, None) => Client::of(own).ask(Request::Roster(RosterRequest::Show)),
        (None, Some(path)) => {
            Client::of(&Folder::at(path)).ask(Request::Roster(RosterRequest::Show))
        }
        (Some(what), _) if Path::new(what).is_dir() => {
            Client::of(&Folder::at(Path::new(what))).ask(Request::Roster(RosterRequest::Show))
        }
        (Some(what), _) if Path::new(what).is_file() => of_file(&PathBuf::from(what)),
        (Some(what), _) => Ok(json!({"parts": [of_invitation(&Invitation::read(what)?, None)]})),
    }
}

fn of_file(path: &PathBuf) -> Answer<Json> {
    let bundle = read_bundle(path)?;
    let words = Words::of(&bundle.definitions, clock::day);
    let Ok(chain) = bundle.chain() else {
        // Editions that need others: an answer, or what one office sends another.
        return Ok(json!({"parts": alone(&bundle, &words)}));
    };
    let mut answer = explain::whole_as_json(&chain, &words);
    let mut parts: Vec<Part> = Vec::new();
    if let Some(invited) = &bundle.invitation {
        parts.push(of_invitation(&Invitation::read(&invited.text)?, Some(&chain)));
    }
    if let Some(draft) = &bundle.draft {
        let mut part = explain::edition(chain.roster(), &words, draft);
        part.title.zh = format!("待签名的草案：{}", part.title.zh);
        part.title.en = format!("draft: {}", part.title.en);
        parts.push(part);
    }
    parts.extend(explain::whole(&chain, &words));
    answer["parts"] = json!(parts);
    Ok(answer)
}

/// Editions without the roster that they belong to: keys are named by their beginnings.
fn alone(bundle: &Bundle, words: &Words) -> Vec<Part> {
    let editions = bundle.editions.iter().chain(&bundle.draft);
    editions.map(|edition| explain::lone(words, edition)).collect()
}

fn of_invitation(invitation: &Invitation, chain: Option<&Chain>) -> Part {
    let key = invitation.seed.key().public();
    let short = key.short();
    let network = hex(&invitation.network);
    let mut lines = vec![Said {
        zh: format!("临时密钥 {short}，网络标识开头 {network}"),
        en: format!("temporary key {short}, network {network}…"),
    }];
    lines.push(match (&invitation.node, invitation.addresses.as_slice()) {
        (None, _) => Said {
            zh: "由根密钥发出，只能用邀请文件加入".to_owned(),
            en: "made by the root keys; joined by file only".to_owned(),
        },
        (Some(node), addresses) => {
            let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let (node, list) = (node.short(), list.join("、"));
            Said {
                zh: format!("接待节点 {node}，地址：{list}"),
                en: format!("taken in by node {node} at {list}"),
            }
        }
    });
    if let Some(chain) = chain {
        lines.push(match joining::invitation(chain, &key, invitation.node.as_ref()) {
            Err(refusal) => Said { zh: refusal.zh(), en: refusal.to_string() },
            Ok(open) => {
                let words = Words::of([], clock::day);
                let office = explain::office(chain.roster(), open.office);
                let list = explain::invited(&words, open.node.as_deref(), &open.people);
                Said {
                    zh: format!("邀请 {} 加入，等待使用：{}", office.zh, list.zh),
                    en: format!("{} is invited, not used yet: {}", office.en, list.en),
                }
            }
        });
    }
    lines.push(Said {
        zh: "邀请码在使用之前等于钥匙：当面交付，不要发到群里；用过即失效".to_owned(),
        en: "until it is used, an invitation is a key: hand it over in person; it works once"
            .to_owned(),
    });
    let title = Said { zh: "邀请".to_owned(), en: "Invitation".to_owned() };
    Part { title, lines }
}
