//! One node as a clerk has it: the program, its folder, its words. Asks by the command line only.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// Only a broken node makes a test wait so long.
const GUARD: Duration = Duration::from_secs(120);

/// How often something is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The program on one folder.
pub(crate) struct Node {
    program: PathBuf,
    pub(crate) folder: PathBuf,
    process: Option<Child>,
}

impl Node {
    /// Nothing runs yet.
    pub(crate) fn at(program: PathBuf, folder: PathBuf) -> Self {
        Self { program, folder, process: None }
    }

    /// Where the program puts what it needs for a moment; searched with everything else.
    fn command(&self) -> Command {
        let temporary = self.folder.join("tmp");
        std::fs::create_dir_all(&temporary).expect("a folder");
        let mut command = Command::new(&self.program);
        command.arg("--dir").arg(&self.folder).env("TMPDIR", temporary);
        command
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(&mut self) {
        let _ = std::fs::remove_file(self.folder.join("api.json"));
        let mut log = std::fs::OpenOptions::new();
        let log = log.create(true).append(true).open(self.folder.join("node.log"));
        let log = log.expect("a log file");
        let child = self
            .command()
            .arg("run")
            .env("XIANGWANG_STOP_WITH_STDIN", "1")
            .env("RUST_LOG", "trace")
            .stdin(Stdio::piped())
            .stdout(Stdio::from(log.try_clone().expect("a second handle")))
            .stderr(Stdio::from(log))
            .spawn()
            .expect("the program starts");
        self.process = Some(child);
        let begun = Instant::now();
        while !self.folder.join("api.json").exists() {
            assert!(begun.elapsed() < GUARD, "it does not start: {}", self.log());
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Stops it in order.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        drop(process.stdin.take());
        assert!(process.wait().expect("it ends").success(), "{}", self.log());
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("it is ours");
        process.wait().expect("it ends");
    }

    /// Waits until it ends by itself; its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let mut process = self.process.take().expect("it runs");
        let begun = Instant::now();
        loop {
            if let Some(status) = process.try_wait().expect("it is ours") {
                return status.code();
            }
            assert!(begun.elapsed() < GUARD, "it does not end: {}", self.log());
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Ends it as a service manager does; its exit code, if it is given the time to have one.
    #[cfg(unix)]
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let process = self.process.as_ref().expect("it runs");
        let sent = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        self.ended()
    }

    /// The exit code and JSON of a command; nothing on its standard input.
    pub(crate) fn ask(&self, words: &[&str]) -> (i32, Json) {
        self.say(words, "")
    }

    /// The same, with a text on its standard input.
    pub(crate) fn say(&self, words: &[&str], text: &str) -> (i32, Json) {
        let mut child = self
            .command()
            .arg("--json")
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A command that reads nothing may be gone already.
        let _ = stdin.write_all(text.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = serde_json::from_slice(&output.stdout).unwrap_or(Json::String(said));
        (output.status.code().unwrap_or(-1), json)
    }

    /// The JSON of a command that must succeed.
    pub(crate) fn told(&self, words: &[&str]) -> Json {
        let (code, json) = self.ask(words);
        assert_eq!(code, 0, "{words:?}: {json}\n{}", self.log());
        json
    }

    /// Signs a person in at the running node.
    pub(crate) fn unlock(&self, name: &str, passphrase: &str) -> Json {
        let words = ["unlock", "--person", name, "--passphrase-from-stdin"];
        let (code, json) = self.say(&words, &format!("{passphrase}\n"));
        assert_eq!(code, 0, "{name}: {json}\n{}", self.log());
        json
    }

    /// Waits until a command's answer says so.
    pub(crate) fn wait(&self, words: &[&str], what: &str, holds: impl Fn(&Json) -> bool) -> Json {
        let begun = Instant::now();
        loop {
            let (code, json) = self.ask(words);
            if code == 0 && holds(&json) {
                return json;
            }
            assert!(begun.elapsed() < GUARD, "waiting for {what}: {json}\n{}", self.log());
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("node.log")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Every file of a folder with its bytes.
pub(crate) fn all_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            files.push((path, bytes));
        }
    }
    files
}
