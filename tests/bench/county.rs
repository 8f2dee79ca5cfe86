//! The program under measurement: building it, founding a county for it, starting and stopping it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::nodes::folder::{self, Office};

/// Longest wait for a node to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Builds the release binary, so that what is measured is what is shipped.
pub(crate) fn build() -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "-p", "xiangwang"])
        .current_dir(top())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the program does not build");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), Into::into);
    target.join("release").join(if cfg!(windows) { "xiangwang.exe" } else { "xiangwang" })
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the project").to_owned()
}

/// A running node.
pub(crate) struct Node {
    process: Child,
    program: PathBuf,
    dir: PathBuf,
}

impl Node {
    pub(crate) fn start(program: &Path, dir: &Path) -> Self {
        let _ = std::fs::remove_file(dir.join("api.json"));
        let log = std::fs::File::create(dir.join("node.log")).expect("a log file");
        let process = Command::new(program)
            .arg("--dir")
            .arg(dir)
            .arg("run")
            .env("XIANGWANG_STOP_WITH_STDIN", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::from(log.try_clone().expect("a second handle")))
            .stderr(Stdio::from(log))
            .spawn()
            .expect("the program starts");
        let node = Self { process, program: program.to_owned(), dir: dir.to_owned() };
        wait("the node to come up", || dir.join("api.json").exists());
        node
    }

    /// Signs everybody of its office in, as they would.
    pub(crate) fn unlock(&self, office: &Office) {
        for (name, _) in &office.people {
            let mut child = Command::new(&self.program)
                .arg("--dir")
                .arg(&self.dir)
                .args(["unlock", "--person", name, "--passphrase-from-stdin"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .expect("the program runs");
            let mut stdin = child.stdin.take().expect("it is piped");
            writeln!(stdin, "{}", folder::passphrase(name)).expect("it reads a line");
            drop(stdin);
            assert!(child.wait().expect("it ends").success(), "{name} cannot sign in");
        }
    }

    /// Largest resident memory so far, in MB; 0 where the system does not say.
    pub(crate) fn peak_mb(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
            / 1_024
    }

    pub(crate) fn stop(mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Looks every millisecond until something holds.
pub(crate) fn wait(what: &str, holds: impl Fn() -> bool) -> Duration {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE * 10, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    started.elapsed()
}
