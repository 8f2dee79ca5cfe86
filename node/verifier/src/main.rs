//! `xw-verify PACK`: judges an evidence pack and says in Chinese and English what it found. Needs no
//! node, no network and no database, and changes nothing.

use std::fs::File;
use std::io::Write as _;
use std::process::ExitCode;

use xw_audit::judge::{Checking, Report, judge_pack};

mod arguments;
mod hands;

use arguments::{Arguments, HELP, Slip};

/// The pack is sound.
const SOUND: u8 = 0;
/// The pack was judged and something is wrong with it.
const FINDINGS: u8 = 1;
/// There was nothing to judge: a wrong call, or no pack.
const NOTHING: u8 = 2;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
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
            ExitCode::from(if report.sound { SOUND } else { FINDINGS })
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
    let failed = |path: &str, error: &std::io::Error| {
        Slip::of(format!("无法打开 {path}：{error}"), format!("cannot open {path}: {error}"))
    };
    let pack = File::open(&arguments.pack).map_err(|error| failed(&arguments.pack, &error))?;
    let mut bodies = Vec::new();
    for path in &arguments.bodies {
        bodies.push(arguments::read_body(path).map_err(|error| failed(path, &error))?);
    }
    let mut statements = Vec::new();
    for path in &arguments.statements {
        statements.push(arguments::read_statement(path).map_err(|error| failed(path, &error))?);
    }
    let checking = Checking {
        network: arguments.network,
        bodies,
        receipts: arguments.receipts.clone(),
        statements,
        entries: arguments.entries.clone(),
        spread: &hands::all,
    };
    match judge_pack(pack, &checking) {
        Ok(report) => Ok((report, arguments.json)),
        Err(unreadable) => Err(Slip::of(unreadable.zh(), unreadable.to_string())),
    }
}

fn say(text: &str) {
    // A reader who closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
