//! Does what a command line asks for: asks the node, and has the answer shown.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use xw_workbook::FILE_BYTES_MAX;

use super::bootstrap::Bootstrap;
use super::filter::List;
use super::labels::resolve;
use super::ledger::{Export, Import};
use super::lookup::{column, read_definition, sort_key};
use super::record::{Edit, Erase, New, Record, Resolve, Step};
use super::roster::Roster;
use super::setup::{Demo, Verify};
use super::{
    Cli, Command, Global, backup, ceremony, exit, fields, found, inspect, join, offline, registrar,
};
use crate::client::Client;
use crate::folder::{Folder, write_whole};
use crate::render::{self, Bar, Form, Screen};
use crate::request::{
    EditRecord, EraseRecord, ExportLedger, ImportLedger, ListRecords, NewRecord, Request,
    ResolveRecord, StepRecord,
};
use crate::trouble::{Answer, Trouble, file_zh};

/// Rows asked for at once when all are wanted.
const ALL_ROWS_PAGE: usize = 1_000;

/// What a command came to.
pub(crate) struct Done {
    /// For programs; null where all has been said.
    pub(crate) answer: Json,
    /// For people.
    pub(crate) text: String,
    /// The exit code.
    pub(crate) exit: u8,
}

impl Done {
    pub(super) fn well(answer: Json, text: String) -> Self {
        Self { answer, text, exit: exit::DONE }
    }

    pub(super) fn found_if(found: bool, answer: Json, text: String) -> Self {
        let exit = if found { exit::FINDINGS } else { exit::DONE };
        Self { answer, text, exit }
    }
}

/// Does it.
pub(crate) fn perform(cli: &Cli, screen: Screen) -> Answer<Done> {
    let desk = &mut Desk {
        global: &cli.global,
        screen,
        client: Client::asking(&cli.global.folder(), cli.global.asking()),
    };
    match &cli.command {
        Command::Demo(demo) => desk.demo(demo),
        Command::Bootstrap(asked) => bootstrap(asked, &cli.global, screen),
        Command::Join(asked) => {
            let answer = join::join(&cli.global.folder(), asked, &cli.global)?;
            Ok(Done::well(answer.clone(), render::joined(&answer, screen)))
        }
        Command::Roster(asked) => desk.roster(asked),
        Command::Run => {
            let folder = cli.global.folder();
            // A folder without a node is told apart from a node that cannot run.
            folder.settings()?;
            crate::run::run(&folder)?;
            Ok(Done::well(Json::Null, String::new()))
        }
        Command::Unlock(asked) => desk.unlock(asked),
        Command::Lock(asked) => desk.lock(asked),
        Command::Passphrase(asked) => desk.passphrase(asked),
        Command::Keys(asked) => desk.keys(asked),
        Command::Record(record) => desk.record(record),
        Command::List(list) => desk.list(list),
        Command::Import(asked) => desk.import(asked),
        Command::Export(asked) => desk.export(asked),
        Command::Types(asked) => desk.types(asked.code.as_deref()),
        Command::Status => desk.status(),
        Command::Verify(asked) => desk.verify(asked),
        Command::Rebuild => desk.rebuild(),
        Command::Forks(asked) => desk.forks(asked),
        Command::Backup(asked) => desk.backup(asked),
        Command::Restore(asked) => {
            let answer = backup::restore(asked, cli.global.source())?;
            Ok(Done::well(answer.clone(), render::restored(&answer, screen)))
        }
        Command::Audit(asked) => desk.audit(asked),
        Command::Digest => {
            let answer = desk.client.ask(Request::Digest)?;
            Ok(Done::well(answer.clone(), render::digest(&answer, screen)))
        }
        Command::CheckTypes(asked) => {
            let answer = offline::check_types(&asked.folder)?;
            Ok(Done::well(answer.clone(), render::checked_types(&answer, screen)))
        }
    }
}

/// Founding and root decisions need no node.
fn bootstrap(asked: &Bootstrap, global: &Global, screen: Screen) -> Answer<Done> {
    let (answer, text) = match asked {
        Bootstrap::Found(asked) => {
            let answer = found::found_county(asked, global)?;
            (answer.clone(), render::founded(&answer, screen))
        }
        Bootstrap::Propose(asked) => {
            let answer = ceremony::propose(asked)?;
            (answer.clone(), render::proposed(&answer, screen))
        }
        Bootstrap::Sign(asked) => {
            let answer = ceremony::sign(asked, global, screen)?;
            (answer.clone(), render::signed(&answer, screen))
        }
        Bootstrap::Inspect(asked) => {
            let answer = inspect::inspect(asked, &global.folder())?;
            (answer.clone(), render::explained(&answer, screen))
        }
    };
    Ok(Done::well(answer, text))
}

/// One command at work.
pub(super) struct Desk<'a> {
    pub(super) global: &'a Global,
    pub(super) screen: Screen,
    pub(super) client: Client,
}

impl Desk<'_> {
    fn demo(&self, asked: &Demo) -> Answer<Done> {
        let options = crate::demo::Options {
            dir: self.global.dir.clone(),
            once: asked.once,
            json: self.global.json,
        };
        // The story is told as it happens, its JSON line included.
        let exit = crate::demo::run(&options)?;
        let exit = u8::try_from(exit).unwrap_or(exit::CANNOT);
        Ok(Done { answer: Json::Null, text: String::new(), exit })
    }

    fn roster(&mut self, asked: &Roster) -> Answer<Done> {
        let answer = registrar::perform(&mut self.client, asked, self.global.who())?;
        let text = match asked {
            Roster::Show => render::explained(&answer, self.screen),
            Roster::Void => render::void(&answer, self.screen),
            Roster::Invite(_) => render::invited(&answer, self.screen),
            Roster::Take(_) => render::taken(&answer, self.screen),
            Roster::Export(_) => render::exported_roster(&answer, self.screen),
            Roster::Resume(_) => render::registering_resumed(self.screen),
            Roster::Withdraw(_)
            | Roster::Revoke(_)
            | Roster::Roles(_)
            | Roster::Confirm(_)
            | Roster::Term(_)
            | Roster::Sign(_) => render::decided(&answer, self.screen),
        };
        let refused = answer["refused"].as_array().is_some_and(|list| !list.is_empty());
        Ok(Done::found_if(refused, answer, text))
    }

    fn record(&mut self, asked: &Record) -> Answer<Done> {
        match asked {
            Record::New(new) => self.new_record(new),
            Record::Edit(edit) => self.edit(edit),
            Record::Step(step) => self.step(step),
            Record::Resolve(resolve) => self.resolve(resolve),
            Record::Erase(erase) => self.erase(erase),
            Record::Show(one) => {
                let answer = self.client.ask(Request::Show { record: one.record.clone() })?;
                let form = self.form_of(&answer);
                Ok(Done::well(answer.clone(), render::record(&answer, form.as_ref(), self.screen)))
            }
            Record::History(one) => {
                let answer = self.client.ask(Request::History { record: one.record.clone() })?;
                Ok(Done::well(answer.clone(), render::history(&answer, self.screen)))
            }
            Record::Conflicts(asked) => {
                let answer =
                    self.client.ask(Request::Conflicts { record: asked.record.clone() })?;
                Ok(Done::well(answer.clone(), render::conflicts(&answer, self.screen)))
            }
        }
    }

    fn new_record(&mut self, asked: &New) -> Answer<Done> {
        let rt = self.definition(&asked.record_type)?;
        let request = Request::New(NewRecord {
            record_type: rt.code.clone(),
            fields: asked.fields.gathered(&rt)?,
            to: asked.to.clone(),
            division: asked.division.clone(),
            who: self.global.who(),
        });
        self.change(request)
    }

    fn edit(&mut self, asked: &Edit) -> Answer<Done> {
        let rt = self.definition_of(&asked.record)?;
        let request = Request::Edit(EditRecord {
            record: asked.record.clone(),
            fields: asked.fields.gathered(&rt)?,
            items: fields::items(&rt, &asked.items)?,
            who: self.global.who(),
        });
        self.change(request)
    }

    fn step(&mut self, asked: &Step) -> Answer<Done> {
        let given = if asked.fields.is_empty() {
            json!({})
        } else {
            let rt = self.definition_of(&asked.record)?;
            asked.fields.gathered(&rt)?
        };
        let request = Request::Step(StepRecord {
            record: asked.record.clone(),
            to: asked.to.clone(),
            reason: asked.reason.clone(),
            on_behalf_of: asked.on_behalf_of.clone(),
            fields: given,
            who: self.global.who(),
        });
        self.change(request)
    }

    fn resolve(&mut self, asked: &Resolve) -> Answer<Done> {
        let path = match asked.path.as_str() {
            "state" | "状态" => "state".to_owned(),
            path if path.is_ascii() => path.to_owned(),
            label => resolve(&self.definition_of(&asked.record)?, label)?.text(),
        };
        let request = Request::Resolve(ResolveRecord {
            record: asked.record.clone(),
            path,
            take: asked.take,
            reason: asked.reason.clone(),
            who: self.global.who(),
        });
        self.change(request)
    }

    fn erase(&mut self, asked: &Erase) -> Answer<Done> {
        let request = Request::Erase(EraseRecord {
            record: asked.record.clone(),
            ground: asked.ground,
            who: self.global.who(),
        });
        let answer = self.client.ask(request)?;
        let text = render::erasure(&answer, self.screen);
        Ok(Done::well(answer, text))
    }

    /// Saves something and says what is saved where.
    fn change(&mut self, request: Request) -> Answer<Done> {
        let answer = self.client.ask(request)?;
        let text = render::saved(&answer, self.client.is_remote(), self.screen);
        Ok(Done::well(answer, text))
    }

    fn list(&mut self, asked: &List) -> Answer<Done> {
        let mut request = asked.request();
        request.types = self.type_codes(&asked.filter.types)?;
        let definitions = self.definitions_for(&request.types, asked)?;
        let forms: Vec<Form> = definitions.iter().map(Form::of).collect();
        request.columns =
            asked.columns.iter().map(|name| column(&definitions, name)).collect::<Answer<_>>()?;
        request.sort =
            asked.sort.iter().map(|key| sort_key(&definitions, key)).collect::<Answer<_>>()?;
        let columns = request.columns.clone();
        let answer = if asked.wants_all() {
            self.all_rows(request)?
        } else {
            self.client.ask(Request::List(request))?
        };
        let text = if asked.csv {
            render::csv(&answer, &columns, &forms, self.screen)
        } else {
            render::list(&answer, &columns, &forms, asked.page, self.screen)
        };
        Ok(Done::well(answer, text))
    }

    /// Page after page. A record that moves between pages meanwhile is listed once.
    fn all_rows(&mut self, mut request: ListRecords) -> Answer<Json> {
        request.limit = Some(ALL_ROWS_PAGE);
        request.offset = 0;
        let mut whole = self.client.ask(Request::List(request.clone()))?;
        let mut rows = rows_of(&mut whole);
        let mut got = rows.len();
        let mut seen: std::collections::BTreeSet<String> = rows.iter().map(record_of).collect();
        while got == ALL_ROWS_PAGE {
            request.offset += ALL_ROWS_PAGE;
            let mut page = self.client.ask(Request::List(request.clone()))?;
            let more = rows_of(&mut page);
            got = more.len();
            rows.extend(more.into_iter().filter(|row| seen.insert(record_of(row))));
        }
        whole["total"] = json!(rows.len());
        whole["rows"] = Json::Array(rows);
        Ok(whole)
    }

    fn import(&mut self, asked: &Import) -> Answer<Done> {
        let bytes = read_ledger(&asked.file)?;
        let request = Request::Import(ImportLedger {
            file_name: asked.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            base64: STANDARD.encode(bytes),
            record_type: self.type_code(&asked.record_type)?,
            ledger: asked.ledger.clone(),
            preview: asked.preview,
            who: self.global.who(),
        });
        let mut bar = self.bar(crate::words::IMPORTING);
        let answer = self.client.ask_long(request, &mut |done, total| bar.show(done, total));
        bar.clear();
        let answer = answer?;
        let refused = answer["tally"]["refused"].as_u64().unwrap_or(0) > 0;
        Ok(Done::found_if(refused, answer.clone(), render::imported(&answer, self.screen)))
    }

    fn export(&mut self, asked: &Export) -> Answer<Done> {
        if asked.file.exists() && !asked.force {
            return Err(Trouble::new(
                "exists",
                format!("{} 已存在，未写入；要覆盖请加 --force", asked.file.display()),
                format!("{} is there already; add --force to overwrite it", asked.file.display()),
            ));
        }
        let request = Request::Export(ExportLedger {
            record_type: self.type_code(&asked.record_type)?,
            ledger: asked.ledger.clone(),
            list: asked.rows.request(),
            blank: asked.blank,
        });
        let mut answer = self.client.ask(request)?;
        let base64 = answer.as_object_mut().and_then(|answer| answer.remove("base64"));
        let bytes =
            base64.as_ref().and_then(Json::as_str).and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.ok_or_else(|| {
            Trouble::new("base64", "节点给出的台账无法读取", "the node's ledger cannot be read")
        })?;
        write_whole(&asked.file, &bytes, false)?;
        answer["file"] = json!(asked.file.display().to_string());
        Ok(Done::well(answer.clone(), render::exported(&answer, self.screen)))
    }

    fn types(&mut self, code: Option<&str>) -> Answer<Done> {
        let Some(code) = code else {
            let answer = self.client.ask(Request::Types { code: None })?;
            return Ok(Done::well(answer.clone(), render::types(&answer, self.screen)));
        };
        let code = self.type_code(code)?;
        let answer = self.client.ask(Request::Types { code: Some(code) })?;
        let rt = read_definition(&answer)?;
        Ok(Done::well(answer, render::definition(&rt, self.screen)))
    }

    fn status(&mut self) -> Answer<Done> {
        let mut answer = self.client.ask(Request::Status)?;
        answer["running"] = json!(self.client.is_remote());
        let form = self.roles();
        Ok(Done::well(answer.clone(), render::status(&answer, form.as_ref(), self.screen)))
    }

    fn verify(&mut self, asked: &Verify) -> Answer<Done> {
        let mut bar = self.bar(crate::words::VERIFYING);
        let mut watch = |done: u64, total: u64| bar.show(done, total);
        let answer = match &asked.path {
            None => verify_node(&self.global.folder(), self.global, &mut watch),
            Some(path) => verify_path(path, self.global, &mut watch),
        };
        bar.clear();
        let answer = answer.map_err(unreadable)?;
        let sound = answer["sound"].as_bool() == Some(true);
        Ok(Done::found_if(!sound, answer.clone(), render::verified(&answer, self.screen)))
    }

    fn rebuild(&mut self) -> Answer<Done> {
        let mut bar = self.bar(crate::words::REBUILDING);
        let answer =
            self.client.ask_long(Request::Rebuild, &mut |done, total| bar.show(done, total));
        bar.clear();
        let answer = answer?;
        let same = answer["same"].as_bool() == Some(true);
        Ok(Done::found_if(!same, answer.clone(), render::rebuilt(&answer, self.screen)))
    }

    pub(super) fn bar(&self, doing: crate::words::Word) -> Bar {
        Bar::new(doing.of(self.screen.lang), self.global.progress)
    }
}

fn rows_of(answer: &mut Json) -> Vec<Json> {
    answer["rows"].as_array_mut().map(std::mem::take).unwrap_or_default()
}

fn record_of(row: &Json) -> String {
    row["record"].as_str().unwrap_or_default().to_owned()
}

fn read_ledger(path: &Path) -> Answer<Vec<u8>> {
    let length = fs::metadata(path)
        .map_err(|error| {
            let zh = format!("文件 {} 无法读取：{}", path.display(), file_zh(&error));
            Trouble::because("file", zh, &format!("cannot read {}", path.display()), error)
        })?
        .len();
    if length > FILE_BYTES_MAX as u64 {
        let mib = FILE_BYTES_MAX >> 20;
        return Err(Trouble::new(
            "file",
            format!("文件超过 {mib} MB，请分成几个文件"),
            format!("the file is larger than {mib} MiB; split it"),
        ));
    }
    Ok(fs::read(path)?)
}

/// Another node's folder, or a store's file.
fn verify_path(
    path: &Path,
    global: &Global,
    watch: &mut (dyn FnMut(u64, u64) + Send),
) -> Answer<Json> {
    let (folder, own) = (Folder::at(path), global.folder());
    if !path.is_dir() {
        return offline::verify_file(path, &own, &mut |done, total| watch(done, total));
    }
    // The settings make a folder a node; a store alone can be a copy for an auditor.
    let store = folder.store_path();
    if folder.settings().is_err() && store.exists() {
        return offline::verify_file(&store, &own, &mut |done, total| watch(done, total));
    }
    verify_node(&folder, global, watch)
}

/// A node: by itself while it runs. The files of one that does not are only read, whatever is found.
fn verify_node(
    folder: &Folder,
    global: &Global,
    watch: &mut (dyn FnMut(u64, u64) + Send),
) -> Answer<Json> {
    folder.settings()?;
    let running = Client::of(folder).ask_if_running(&Request::Verify, watch);
    running.unwrap_or_else(|| {
        offline::verify_node(folder, global, &mut |done, total| watch(done, total))
    })
}

/// Verifying refuses nothing: any trouble means that nothing could be read.
fn unreadable(trouble: Trouble) -> Trouble {
    if exit::of(&trouble) == exit::CANNOT {
        return trouble;
    }
    Trouble { code: "store".to_owned(), ..trouble }
}
