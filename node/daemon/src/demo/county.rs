//! Five real processes with five real folders: founding, starting, asking, stopping.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value as Json;
use xw_bootstrap::found::found;
use xw_bootstrap::kit::Kit;
use xw_bootstrap::synthetic;
use xw_schemas::record::builtin;

use super::relay::Line;
use crate::client;
use crate::clock;
use crate::folder::Folder;
use crate::request::Request;
use crate::run::STOP_WITH_STDIN;
use crate::trouble::Trouble;

/// Longest wait for anything in the demonstration; on an old PC the import takes a minute.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

/// How often something is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// One office of the demonstration.
pub(super) struct Office {
    pub(super) name: String,
    pub(super) division: String,
    pub(super) folder: Folder,
    process: Option<Child>,
}

/// The county, its township and its villages, in this order.
pub(super) struct County {
    pub(super) offices: Vec<Office>,
    pub(super) dir: PathBuf,
    /// The line of the last village.
    pub(super) line: Line,
}

impl County {
    /// Founds the county and makes a folder per office.
    pub(super) async fn found(dir: &Path) -> anyhow::Result<Self> {
        let definitions = builtin();
        let founded =
            found(&synthetic::plan(), &definitions, clock::now_ms(), &mut |b| clock::fill(b))?;
        let kits = Kit::all(&founded, &definitions);
        let ports = free_ports(kits.len())?;
        let line = Line::to(ports[1]).await?;
        let mut offices = Vec::new();
        for (at, mut kit) in kits.into_iter().enumerate() {
            let last = at + 1 == ports.len();
            let neighbours = kit.neighbours.len();
            for (nearness, neighbour) in kit.neighbours.iter_mut().enumerate() {
                // The nearest office above comes first: a village's township, then the county.
                let target = if neighbours == 2 && nearness == 0 { 1 } else { 0 };
                let address = match (last, target) {
                    (true, 1) => line.address,
                    // The last village reaches the world by its one line only.
                    (true, _) => continue,
                    _ => ports[target],
                };
                neighbour.addresses = vec![address.to_string()];
            }
            let folder = Folder::at(&dir.join(format!("{}-{}", at, kit.division)));
            let api = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            folder.init(&kit, vec![ports[at]], api).map_err(told)?;
            offices.push(Office {
                name: kit.office.clone(),
                division: kit.division.to_string(),
                folder,
                process: None,
            });
        }
        Ok(Self { offices, dir: dir.to_owned(), line })
    }

    /// Starts every office and waits until each answers.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        for at in 0..self.offices.len() {
            self.start_one(at)?;
        }
        for at in 0..self.offices.len() {
            self.wait(at, "起动", |status| status["office"].is_string()).await?;
        }
        Ok(())
    }

    fn start_one(&mut self, at: usize) -> anyhow::Result<()> {
        let office = &mut self.offices[at];
        let log = std::fs::File::create(office.folder.path().join("node.log"))?;
        let child = Command::new(std::env::current_exe()?)
            .args(["--dir", &office.folder.path().display().to_string(), "run"])
            .env(STOP_WITH_STDIN, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()
            .with_context(|| format!("cannot start {}", office.name))?;
        office.process = Some(child);
        Ok(())
    }

    /// Stops an office in order; what it holds then lies in its one file.
    pub(super) fn stop(&mut self, at: usize) -> anyhow::Result<()> {
        if let Some(mut process) = self.offices[at].process.take() {
            drop(process.stdin.take());
            process.wait()?;
        }
        Ok(())
    }

    /// Stops an office and starts it again.
    pub(super) async fn restart(&mut self, at: usize) -> anyhow::Result<()> {
        self.stop(at)?;
        self.start_one(at)?;
        self.wait(at, "重新起动", |status| status["office"].is_string()).await
    }

    /// Asks a running office, as its clerk would.
    pub(super) async fn ask(&self, at: usize, request: Request) -> anyhow::Result<Json> {
        self.try_ask(at, request).await.map_err(told)
    }

    async fn try_ask(&self, at: usize, request: Request) -> Result<Json, Trouble> {
        let folder = self.offices[at].folder.clone();
        let asked = tokio::task::spawn_blocking(move || client::ask_running(&folder, &request));
        asked
            .await
            .unwrap_or_else(|error| Err(Trouble::new("demo", error.to_string(), error.to_string())))
    }

    /// Waits until an office's status says so.
    pub(super) async fn wait(
        &self,
        at: usize,
        what: &str,
        holds: impl Fn(&Json) -> bool,
    ) -> anyhow::Result<()> {
        self.wait_for(at, what, || Request::Status, holds).await
    }

    /// Waits until the answer to a request says so.
    pub(super) async fn wait_for(
        &self,
        at: usize,
        what: &str,
        request: impl Fn() -> Request,
        holds: impl Fn(&Json) -> bool,
    ) -> anyhow::Result<()> {
        let mut last = Json::Null;
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Ok(answer) = self.try_ask(at, request()).await {
                    if holds(&answer) {
                        return;
                    }
                    last = answer;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        if waited.await.is_err() {
            bail!("{}：等待“{what}”超时，最后的回答是 {last}", self.offices[at].name);
        }
        Ok(())
    }
}

impl Drop for County {
    fn drop(&mut self) {
        for office in &mut self.offices {
            if let Some(mut process) = office.process.take() {
                drop(process.stdin.take());
                // A process that does not stop in order is killed; its store survives that.
                if !matches!(process.wait(), Ok(status) if status.success()) {
                    let _ = process.kill();
                }
            }
        }
    }
}

/// Ports that are free at this moment.
fn free_ports(count: usize) -> anyhow::Result<Vec<SocketAddr>> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<_, _>>()?;
    Ok(listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?)
}

/// A trouble as an error with its whole text.
pub(super) fn told(trouble: Trouble) -> anyhow::Error {
    anyhow::anyhow!(trouble.text(xw_schemas::record::Lang::Zh))
}
