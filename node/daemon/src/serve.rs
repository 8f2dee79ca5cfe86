//! One request, one answer, on an office's own store: used by the command line alone and behind
//! the API alike.

use serde_json::{Value as Json, json};

use crate::keys::Trial;
use crate::office::{Aside, Office, Progress};
use crate::request::Request;
use crate::trouble::Answer;

/// What a request came to at once.
pub(crate) enum Reply {
    /// All of it.
    Said(Json),
    /// A passphrase is to be tried first, by another thread than the store's; what comes of it goes
    /// to [`Office::finish_try`].
    Try(Box<Trial>),
    /// What it needs has been read; the rest is done by another thread than the store's.
    Aside(Aside),
}

/// Answers a request, where nobody else waits for the store. Long jobs say how far they have come.
pub(crate) fn answer(
    office: &mut Office,
    request: Request,
    progress: Progress<'_>,
) -> Answer<Json> {
    match begin(office, request, &mut *progress)? {
        Reply::Said(said) => Ok(said),
        Reply::Try(trial) => office.finish_try(trial.run()),
        Reply::Aside(work) => work(progress),
    }
}

/// Answers a request, or says which passphrase is to be tried for it.
pub(crate) fn begin(
    office: &mut Office,
    request: Request,
    progress: Progress<'_>,
) -> Answer<Reply> {
    if request.needs_person() {
        office.admit_person()?;
    }
    if request.needs_rules() {
        office.refuse_unknown_rules()?;
    }
    if request.opens_a_record() {
        office.admit_read()?;
    }
    // Rows follow the entries; behind a large arrival they follow batch by batch. On a disk that
    // takes no more they are older, which the status says; what cannot do with that settles itself.
    if !matches!(request, Request::Verify | Request::Rebuild | Request::Progress)
        && let Err(trouble) = office.settle_some()
    {
        tracing::error!(code = trouble.code, trouble = trouble.en, "cannot judge");
    }
    let said = match request {
        Request::Status => office.status(),
        Request::Types { code } => office.types(code.as_deref()),
        Request::New(new) => office.create(&new),
        Request::Edit(edit) => office.edit(&edit),
        Request::Step(step) => office.step(&step),
        Request::Show { record } => office.show(&record),
        Request::History { record } => office.history(&record),
        Request::Conflicts { record } => office.conflicts(record.as_deref()),
        Request::Resolve(resolve) => office.resolve(&resolve),
        Request::Erase(erase) => office.erase(&erase),
        Request::List(list) => office.list(&list),
        Request::Import(import) => office.import(&import, progress),
        Request::Export(export) => office.export(&export),
        Request::Digest => office.digest(),
        Request::Rebuild => office.rebuild(progress),
        Request::Verify => office.verify(progress),
        Request::Roster(roster) => office.roster(&roster),
        Request::Unlock(unlock) => return trial(office.try_sign_in(&unlock)),
        Request::Recover(recover) => return trial(office.try_recover(&recover)),
        Request::Lock { person } => office.sign_out(person.as_deref()),
        Request::Keys => office.key_status(),
        Request::Passphrase(change) => return trial(office.try_change(&change)),
        Request::AddOperator(add) => office.add_operator(&add),
        Request::RemoveOperator { person } => office.remove_operator(&person),
        Request::Forks { proof } => office.forks(proof),
        Request::ConfirmEntries { entries, who } => office.confirm_entries(&entries, &who),
        Request::RejectEntries { entries, who } => office.reject_entries(&entries, &who),
        Request::Resume => office.resume(),
        Request::Backup { to } => return office.backup(&to).map(Reply::Aside),
        Request::Audit(audit) => return office.audit(&audit).map(Reply::Aside),
        Request::Progress => Ok(json!({"done": 0, "total": 0})),
    };
    said.map(Reply::Said)
}

fn trial(trial: Answer<Trial>) -> Answer<Reply> {
    Ok(Reply::Try(Box::new(trial?)))
}
