//! One honest node as the system sees it: a process with memory, a log and an API. Never looks into
//! its store.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xw_schemas::id::PublicKey;

use crate::program;

/// Only a broken node makes a test wait so long.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

/// How often something is looked at again.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(25);

/// One honest office.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
    /// Where neighbours reach it.
    pub(crate) address: SocketAddr,
    pub(crate) key: PublicKey,
    process: Mutex<Option<Child>>,
    api: Mutex<Option<(SocketAddr, String)>>,
}

/// Memory of a process in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident at this moment.
    pub(crate) resident: u64,
    /// The most since the peak was reset.
    pub(crate) peak: u64,
}

impl Node {
    pub(crate) fn new(
        name: &'static str,
        folder: PathBuf,
        address: SocketAddr,
        key: PublicKey,
    ) -> Self {
        Self { name, folder, address, key, process: Mutex::new(None), api: Mutex::new(None) }
    }

    /// Starts the process; it stops in order when its input ends.
    pub(crate) fn start(&self) {
        // A node that is started again goes on in its log: what it said before counts.
        let mut log = std::fs::OpenOptions::new();
        let log = log.create(true).append(true).open(self.log_path()).expect("a log file");
        let child = Command::new(program::path())
            .arg("--dir")
            .arg(&self.folder)
            .arg("run")
            .env("XIANGWANG_STOP_WITH_STDIN", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::from(log.try_clone().expect("a second handle")))
            .stderr(Stdio::from(log))
            .spawn()
            .expect("the program starts");
        *self.process.lock().expect("no panic while it is held") = Some(child);
    }

    /// Waits until the API answers.
    pub(crate) async fn up(&self) {
        let begun = Instant::now();
        loop {
            if let Some(api) = read_api(&self.folder) {
                *self.api.lock().expect("no panic while it is held") = Some(api);
                if self.ask(json!({"do": "status"})).await.is_ok() {
                    return;
                }
            }
            assert!(begun.elapsed() < GUARD, "{} does not start: {}", self.name, self.log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Where its API listens.
    pub(crate) fn api_address(&self) -> SocketAddr {
        self.api.lock().expect("no panic while it is held").as_ref().expect("it is up").0
    }

    /// Asks as a program of the same user does: the answer, or what the node says is wrong.
    pub(crate) async fn ask(&self, request: Json) -> Result<Json, String> {
        let api = self.api.lock().expect("no panic while it is held").clone();
        let (address, token) = api.ok_or("it is not up")?;
        let body = request.to_string();
        let head = format!(
            "POST /api/v1/call HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let talk = async {
            let mut line = TcpStream::connect(address).await?;
            line.write_all(head.as_bytes()).await?;
            line.write_all(body.as_bytes()).await?;
            let mut answer = Vec::new();
            line.read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = tokio::time::timeout(GUARD, talk).await.map_err(|_| "no answer in time")?;
        let answer = String::from_utf8(answer.map_err(|e| e.to_string())?);
        let answer = answer.map_err(|_| "not text")?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("not an HTTP answer")?;
        if head.starts_with("HTTP/1.1 200") {
            serde_json::from_str(body).map_err(|error| error.to_string())
        } else {
            Err(body.to_owned())
        }
    }

    /// The answer to a request that a sound node never refuses.
    pub(crate) async fn tell(&self, request: Json) -> Json {
        match self.ask(request).await {
            Ok(answer) => answer,
            Err(why) => panic!("{}: {why}", self.name),
        }
    }

    /// Waits until the answer to a request is as it should be.
    pub(crate) async fn wait_for(
        &self,
        what: &str,
        request: Json,
        holds: impl Fn(&Json) -> bool,
    ) -> Json {
        let begun = Instant::now();
        loop {
            let answer = self.ask(request.clone()).await;
            if let Some(answer) = answer.as_ref().ok().filter(|answer| holds(answer)) {
                return answer.clone();
            }
            assert!(begun.elapsed() < GUARD, "{} waits for {what}: {answer:?}", self.name);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Everything that it has written on its two outputs.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Why it ended sessions with a neighbour, as its log tells from a byte on, with how often. Nothing
    /// where it keeps no log.
    pub(crate) fn reasons(&self, peer: &PublicKey, from: usize) -> Option<BTreeMap<String, usize>> {
        let log = self.log();
        if !log.contains("session opened") {
            return None;
        }
        let peer = format!("peer={}", peer.short());
        let mut reasons = BTreeMap::new();
        for line in log.get(from..).unwrap_or_default().lines().filter(|l| l.contains(&peer)) {
            let said = ["fault=\"", "reason=\""].iter().find_map(|name| line.split_once(name));
            if let Some((reason, _)) = said.and_then(|(_, rest)| rest.split_once('"')) {
                *reasons.entry(reason.to_owned()).or_default() += 1;
            }
        }
        Some(reasons)
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("node.log")
    }

    /// Fails when the process has ended by itself or a thread of it has panicked.
    pub(crate) fn check_unharmed(&self) {
        let mut process = self.process.lock().expect("no panic while it is held");
        let log = self.log();
        if let Some(child) = process.as_mut() {
            let ended = child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "{} ended with {ended:?}: {log}", self.name);
        }
        assert!(!log.contains("panicked"), "{} panicked: {log}", self.name);
    }

    fn pid(&self) -> Option<u32> {
        self.process.lock().expect("no panic while it is held").as_ref().map(Child::id)
    }

    /// Its memory; nothing where the system does not tell.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Some(Memory { resident: field("VmRSS:")?, peak: field("VmHWM:")? })
    }

    /// From now on the peak counts anew.
    pub(crate) fn reset_peak(&self) {
        let Some(pid) = self.pid() else { return };
        let file = std::fs::OpenOptions::new().write(true).open(format!("/proc/{pid}/clear_refs"));
        // Where it cannot be reset, a peak of before counts as growth: the stricter reading.
        let _ = file.and_then(|mut file| file.write_all(b"5"));
    }

    /// Bytes of the store's files.
    pub(crate) fn store_bytes(&self) -> u64 {
        let files = std::fs::read_dir(&self.folder).expect("the node's folder");
        files
            .filter_map(Result::ok)
            .filter(|file| file.file_name().to_string_lossy().starts_with("store.db"))
            .filter_map(|file| file.metadata().ok())
            .map(|metadata| metadata.len())
            .sum()
    }

    /// Stops in order and waits for the end.
    pub(crate) fn stop(&self) {
        if let Some(mut child) = self.process.lock().expect("no panic while it is held").take() {
            drop(child.stdin.take());
            let ended = child.wait().expect("it is our child");
            assert!(ended.success(), "{} ended with {ended:?}: {}", self.name, self.log());
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Ok(mut process) = self.process.lock()
            && let Some(mut child) = process.take()
        {
            // The test has failed; the process is ours alone.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn read_api(folder: &Path) -> Option<(SocketAddr, String)> {
    let text = std::fs::read_to_string(folder.join("api.json")).ok()?;
    let api: Json = serde_json::from_str(&text).ok()?;
    Some((api["address"].as_str()?.parse().ok()?, api["token"].as_str()?.to_owned()))
}
