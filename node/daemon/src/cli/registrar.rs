//! Does what is typed about the roster: asks the node, writes the files that are to be carried.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use xw_bootstrap::bundle::BUNDLE_BYTES_MAX;

use super::found::safe;
use super::people::{people, person};
use super::roster::{Draft, Invite, Resume, Revoke, Roster};
use crate::client::Client;
use crate::folder::{Folder, write_secret, write_whole};
use crate::qr;
use crate::request::{
    ChangeRoles, InviteOffice, Keep, OpenTerm, Request, RevokeKey, RosterRequest, Who,
};
use crate::trouble::{Answer, Trouble};

/// Largest list of what a cut keeps.
const KEEP_BYTES_MAX: u64 = 4 << 20;

/// The draft's name where none is given.
const DRAFT: &str = "草案.xwedition";

/// Does it; the answer is the node's, with the files written beside.
pub(super) fn perform(client: &mut Client, asked: &Roster, who: Who) -> Answer<Json> {
    let none = Draft::default();
    let (request, draft) = match asked {
        Roster::Show => (RosterRequest::Show, &none),
        Roster::Void => (RosterRequest::Void, &none),
        Roster::Invite(asked) => return invite(client, asked, who),
        Roster::Withdraw(asked) => {
            let invitation = asked.invitation.clone();
            (RosterRequest::Withdraw { invitation, who }, &none)
        }
        Roster::Revoke(asked) => (RosterRequest::Revoke(revoked(asked, who)?), &asked.draft),
        Roster::Roles(asked) => {
            let one = person(&asked.whom)?;
            let (person, office, roles) = (one.name, asked.office.clone(), one.roles);
            (RosterRequest::Roles(ChangeRoles { person, office, roles, who }), &asked.draft)
        }
        Roster::Term(asked) => {
            let term = OpenTerm {
                office: asked.office.clone(),
                role: asked.registrar_role.clone(),
                threshold: asked.threshold,
                last: asked.last.clone(),
                nothing: asked.nothing,
                who,
            };
            (RosterRequest::Term(term), &asked.draft)
        }
        Roster::Confirm(asked) => (RosterRequest::Confirm { who }, &asked.draft),
        Roster::Sign(asked) => {
            let text = read(&asked.file)?;
            (RosterRequest::Sign { text, who }, &asked.draft)
        }
        // Without the word the command line is refused before it comes here.
        Roster::Resume(Resume { no_newer_elsewhere: _ }) => (RosterRequest::Resume { who }, &none),
        Roster::Take(asked) => return take(client, &asked.files),
        Roster::Export(asked) => return export(client, &asked.file),
    };
    let mut answer = client.ask(Request::Roster(request))?;
    keep_draft(&mut answer, draft)?;
    Ok(answer)
}

fn invite(client: &mut Client, asked: &Invite, who: Who) -> Answer<Json> {
    let request = InviteOffice {
        office: asked.office.clone(),
        node: asked.node.clone(),
        people: people(&asked.persons, asked.people.as_deref())?,
        addresses: asked.address.clone(),
        who,
    };
    let mut answer = client.ask(Request::Roster(RosterRequest::Invite(request)))?;
    let text = answer["text"].as_str().unwrap_or_default().to_owned();
    let file = answer.as_object_mut().and_then(|answer| answer.remove("file"));
    let mut files = Vec::new();
    if let (Some(folder), Some(Json::String(file))) = (&asked.out, file) {
        // Until it is used an invitation is a key. A folder that somebody made stays as it is.
        if !folder.exists() {
            Folder::at(folder).make()?;
        }
        let office = answer["office"].as_str().unwrap_or_default();
        let code = answer["division"].as_str().unwrap_or_default();
        let short: String = answer["key"].as_str().unwrap_or_default().chars().take(8).collect();
        let name = safe(&format!("邀请-{code}-{office}-{short}"));
        let (carried, picture) =
            (folder.join(format!("{name}.xwinvite")), folder.join(format!("{name}.svg")));
        write_secret(&carried, &file)?;
        write_secret(&picture, &qr::svg(&text)?)?;
        files = vec![carried.display().to_string(), picture.display().to_string()];
    }
    answer["files"] = json!(files);
    answer["qr"] = json!(qr::blocks(&text)?);
    let draft = Draft { draft: asked.out.as_ref().map(|folder| folder.join(DRAFT)) };
    keep_draft(&mut answer, &draft)?;
    Ok(answer)
}

fn revoked(asked: &Revoke, who: Who) -> Answer<RevokeKey> {
    let keep = match &asked.keep {
        Some(path) => {
            if fs::metadata(path)?.len() > KEEP_BYTES_MAX {
                return Err(Trouble::new("file", "保留清单过大", "the list is too large"));
            }
            Keep::Listed(fs::read_to_string(path)?)
        }
        None if asked.keep_witnessed => Keep::Witnessed,
        None => Keep::Held,
    };
    let (person, node, office) = (asked.whom.clone(), asked.node.clone(), asked.office.clone());
    Ok(RevokeKey { person, node, office, keep, who })
}

fn take(client: &mut Client, files: &[PathBuf]) -> Answer<Json> {
    let mut whole = json!({"new": 0, "changed": false, "taken": [], "refused": []});
    for path in files {
        let text = read(path)?;
        let answer = client.ask(Request::Roster(RosterRequest::Take { text }))?;
        let new = whole["new"].as_u64().unwrap_or(0) + answer["new"].as_u64().unwrap_or(0);
        whole["new"] = json!(new);
        whole["changed"] = json!(whole["changed"] == true || answer["changed"] == true);
        whole["state"] = answer["state"].clone();
        for list in ["taken", "refused"] {
            if let (Some(all), Some(more)) = (whole[list].as_array_mut(), answer[list].as_array()) {
                all.extend(more.iter().cloned());
            }
        }
    }
    Ok(whole)
}

fn export(client: &mut Client, path: &Path) -> Answer<Json> {
    let answer = client.ask(Request::Roster(RosterRequest::Export))?;
    let text = answer["text"].as_str().unwrap_or_default();
    write_whole(path, text.as_bytes(), false)?;
    Ok(json!({"file": path.display().to_string(), "bytes": text.len()}))
}

/// Writes the draft, where more must sign.
fn keep_draft(answer: &mut Json, asked: &Draft) -> Answer<()> {
    let draft = answer.as_object_mut().and_then(|answer| answer.remove("draft"));
    if let Some(Json::String(text)) = draft {
        let path = asked.draft.clone().unwrap_or_else(|| PathBuf::from(DRAFT));
        write_whole(&path, text.as_bytes(), false)?;
        answer["draft"] = json!(path.display().to_string());
    }
    Ok(())
}

fn read(path: &Path) -> Answer<String> {
    if fs::metadata(path)?.len() > BUNDLE_BYTES_MAX {
        return Err(Trouble::new("roster-file", "文件过大", "the file is too large"));
    }
    Ok(fs::read_to_string(path)?)
}
