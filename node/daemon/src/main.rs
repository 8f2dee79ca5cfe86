//! The program `xiangwang`: reads the command line, does what it asks, says how it went.

mod clock;
mod folder;
mod keys;
mod request;
mod trouble;

mod address;
mod office;
mod serve;

mod api;
mod client;
mod joining;
mod mesh;
mod run;

mod cli;
mod demo;
mod qr;
mod render;
mod words;
#[cfg(test)]
mod world;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use cli::Asked;

fn main() -> ExitCode {
    run::tell_only_where();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let screen = render::Screen::of(cli::language(&arguments));
    match cli::read(&arguments, screen.lang) {
        Asked::Do(cli) => match cli::perform::perform(&cli, screen) {
            Ok(done) => {
                match (cli.global.json, done.answer.is_null()) {
                    (true, false) => say(&format!("{}\n", done.answer)),
                    (true, true) => {}
                    (false, _) => say(&done.text),
                }
                ExitCode::from(done.exit)
            }
            Err(trouble) => {
                complain(&trouble, cli.global.json, screen);
                ExitCode::from(cli::exit::of(&trouble))
            }
        },
        Asked::Help(text) => {
            say(&text);
            ExitCode::from(cli::exit::DONE)
        }
        Asked::Slip(trouble) => {
            complain(&trouble, cli::wants_json(&arguments), screen);
            ExitCode::from(cli::exit::CANNOT)
        }
    }
}

/// Writes an answer. Who reads only the first lines of it is no trouble of ours.
fn say(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

fn complain(trouble: &trouble::Trouble, json: bool, screen: render::Screen) {
    if json {
        say(&format!("{}\n", serde_json::json!({ "error": trouble })));
    } else {
        let _ = io::stderr().lock().write_all(render::trouble(trouble, screen).as_bytes());
    }
}
