//! One request, one answer, on an office's own store: used by the command line alone and behind
//! the API alike.

use serde_json::{Value as Json, json};

use crate::office::{Office, Progress};
use crate::request::Request;
use crate::trouble::Answer;

/// Answers a request. Long jobs say how far they have come.
pub(crate) fn answer(
    office: &mut Office,
    request: Request,
    progress: Progress<'_>,
) -> Answer<Json> {
    // Rows follow the entries; behind a large arrival they follow batch by batch.
    if !matches!(request, Request::Verify | Request::Rebuild | Request::Progress) {
        office.settle_some()?;
    }
    match request {
        Request::Status => office.status(),
        Request::Types { code } => office.types(code.as_deref()),
        Request::New(new) => office.create(&new),
        Request::Edit(edit) => office.edit(&edit),
        Request::Step(step) => office.step(&step),
        Request::Show { record } => office.show(&record),
        Request::History { record } => office.history(&record),
        Request::Conflicts { record } => office.conflicts(record.as_deref()),
        Request::Resolve(resolve) => office.resolve(&resolve),
        Request::List(list) => office.list(&list),
        Request::Import(import) => office.import(&import, progress),
        Request::Export(export) => office.export(&export),
        Request::Digest => office.digest(),
        Request::Rebuild => office.rebuild(progress),
        Request::Verify => office.verify(progress),
        Request::Progress => Ok(json!({"done": 0, "total": 0})),
    }
}
