//! `xw-verify PACK`: judges an evidence pack and says in Chinese and English what it found. Needs no
//! node, no network and no database, and changes nothing.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use xw_audit::judge::{Checking, Report, Verdict, judge_pack};
use xw_audit::plain::plain;

mod arguments;
mod brought;
mod hands;

use arguments::{Arguments, HELP, Slip};

/// The pack is sound.
const SOUND: u8 = 0;
/// The pack was judged and something is wrong with it.
const FINDINGS: u8 = 1;
/// There was nothing to judge: a wrong call, or no pack.
const NOTHING: u8 = 2;
/// Nothing is wrong with the pack in itself; whose it is was not compared.
const CONSISTENT: u8 = 3;

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().skip(1).collect();
    if given.iter().any(|word| word == "--help" || word == "-h") {
        say(HELP);
        return ExitCode::from(SOUND);
    }
    match Arguments::read(&given).and_then(|arguments| check(&arguments)) {
        Ok((report, json)) => {
            let text = if json {
                String::from_utf8_lossy(&report.json()).into_owned() + "\n"
            } else {
                report.text()
            };
            say(&text);
            ExitCode::from(match report.verdict {
                Verdict::Sound => SOUND,
                Verdict::Findings => FINDINGS,
                Verdict::Consistent => CONSISTENT,
            })
        }
        Err(slip) => {
            let said = format!("{}\n{}\n", slip.zh, slip.en);
            // A reader who closed the pipe hears nothing either way.
            let _ = std::io::stderr().write_all(said.as_bytes());
            ExitCode::from(NOTHING)
        }
    }
}

fn check(arguments: &Arguments) -> Result<(Report, bool), Slip> {
    let pack = had(&arguments.pack, File::open(&arguments.pack))?;
    let mut checking = Checking {
        network: arguments.network,
        roster: arguments.roster,
        bodies: Vec::new(),
        receipts: Vec::new(),
        statements: Vec::new(),
        entries: arguments.entries.clone(),
        spread: &hands::all,
    };
    for path in &arguments.bodies {
        checking.bodies.push(had(path, brought::bodies(path))?);
    }
    for path in &arguments.statements {
        checking.statements.push(had(path, brought::statement(path))?);
    }
    for given in &arguments.receipts {
        checking.receipts.push(had(Path::new(given), brought::receipt(given))?);
    }
    match judge_pack(pack, &checking) {
        Ok(report) => Ok((report, arguments.json)),
        Err(unreadable) => Err(Slip::of(unreadable.zh(), unreadable.to_string())),
    }
}

fn had<T>(path: &Path, outcome: std::io::Result<T>) -> Result<T, Slip> {
    outcome.map_err(|error| {
        let (path, error) = (plain(&path.to_string_lossy()), plain(&error.to_string()));
        Slip::of(format!("无法打开 {path}：{error}"), format!("cannot open {path}: {error}"))
    })
}

fn say(text: &str) {
    // A reader who closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
