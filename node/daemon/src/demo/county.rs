//! Five real processes with five real folders: founding, starting, asking, stopping.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value as Json;
use xw_bootstrap::bundle::{Bundle, Neighbour};
use xw_bootstrap::found::found;
use xw_bootstrap::invitation::{Invitation, beginning};
use xw_bootstrap::synthetic;
use xw_custody::Passphrase;
use xw_schemas::record::builtin;

use super::relay::Line;
use crate::client;
use crate::clock;
use crate::folder::{Folder, Idle};
use crate::joining::{self, Newcomer, Place, Settled, fresh_key};
use crate::keys;
use crate::request::{InviteOffice, InvitedPerson, Request, RosterRequest, Secret, Unlock};
use crate::run::STOP_WITH_STDIN;
use crate::trouble::{Answer, Trouble};

/// Root keys of the synthetic county. Nothing in the story needs them again, so none is kept.
const ROOT_KEYS: usize = 3;

/// The county's and the township's place in the list.
const COUNTY: usize = 0;
const TOWNSHIP: usize = 1;

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
    /// Where each office listens.
    ports: Vec<SocketAddr>,
    /// Everybody's, made up for this run.
    pub(super) passphrase: Passphrase,
}

/// The codes of the offices, in the order in which they join.
fn seats() -> impl Iterator<Item = &'static str> {
    let villages = synthetic::VILLAGES.into_iter().map(|(code, _)| code);
    [synthetic::COUNTY, synthetic::TOWNSHIP].into_iter().chain(villages)
}

impl County {
    /// Founds the county with its first office running; the others join by invitation.
    pub(super) async fn found(dir: &Path) -> anyhow::Result<Self> {
        let definitions = builtin();
        let plan = synthetic::plan();
        let roots: Vec<_> = (0..ROOT_KEYS).map(|_| fresh_key()).collect();
        let now_ms = clock::now_ms();
        let founded = found(&plan, &roots, &definitions, now_ms, &mut |b| clock::fill(b))?;
        let ports = free_ports(plan.offices.len())?;
        let line = Line::to(ports[TOWNSHIP]).await?;
        let passphrase = Passphrase::generated(&mut clock::fill);
        let dir = dir.to_owned();
        let mut county = Self { offices: Vec::new(), dir, line, ports, passphrase };
        let network = beginning(founded.edition.network());
        let (seed, _) = founded.invites[0].clone();
        let invitation = Invitation { seed, network, node: None, addresses: Vec::new() };
        let editions = vec![founded.edition];
        let bundle = Bundle { editions, definitions, ..Bundle::default() };
        let newcomer = Newcomer::of_file(invitation, bundle).map_err(told)?;
        county.settle(&newcomer, Vec::new())?;
        county.start_one(COUNTY)?;
        county.sign_in(COUNTY).await?;
        Ok(county)
    }

    /// Invites the next office from the one above it, as their registrar would, and lets it join over
    /// the network. Answers the invitation's text.
    pub(super) async fn join_next(&mut self) -> anyhow::Result<String> {
        let at = self.offices.len();
        let code = seats().nth(at).context("every office has joined")?;
        let inviter = if at == TOWNSHIP { COUNTY } else { TOWNSHIP };
        // The last village reaches the world by its one line only.
        let last = at + 1 == self.ports.len();
        let address = if last { self.line.address } else { self.ports[inviter] };
        let planned = synthetic::invite(synthetic::division(code));
        let person = |(name, roles)| InvitedPerson { name, roles };
        let request = InviteOffice {
            office: code.to_owned(),
            node: planned.node,
            people: planned.people.into_iter().map(person).collect(),
            addresses: vec![address],
            ..InviteOffice::default()
        };
        let made = self.ask(inviter, Request::Roster(RosterRequest::Invite(request))).await?;
        let text = made["text"].as_str().context("an invitation has a text")?.to_owned();
        let (invitation, _) = joining::read(&text).map_err(told)?;
        let called = invitation.clone();
        let newcomer = blocking(move || Newcomer::of_network(called)).await?;
        let mut neighbours = Vec::new();
        if at > TOWNSHIP && !last {
            let mut county = newcomer.neighbour(&self.offices[COUNTY].name).map_err(told)?;
            county.addresses.push(self.ports[COUNTY].to_string());
            neighbours.push(county);
        }
        let settled = self.settle(&newcomer, neighbours)?;
        blocking(move || settled.hand_in(&invitation)).await?;
        self.start_one(at)?;
        self.sign_in(at).await?;
        Ok(text)
    }

    /// Whether every office has joined.
    pub(super) fn is_whole(&self) -> bool {
        self.offices.len() == self.ports.len()
    }

    /// Makes the next office's folder.
    fn settle(
        &mut self,
        newcomer: &Newcomer,
        neighbours: Vec<Neighbour>,
    ) -> anyhow::Result<Settled> {
        let at = self.offices.len();
        let office = newcomer.office().map_err(told)?.clone();
        let people = newcomer.invited().map_err(told)?.people.len();
        let folder = Folder::at(&self.dir.join(format!("{at}-{}", office.division)));
        let place = Place {
            listen: vec![self.ports[at]],
            api: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            letter: 'A',
            idle: Idle::NEVER,
            neighbours,
            cost: keys::cost(office.division, true).map_err(told)?,
        };
        let again = || Passphrase::typed(self.passphrase.reveal());
        let passphrases = (0..people).map(|_| again()).collect::<Result<_, _>>()?;
        let settled = newcomer.settle(&folder, place, passphrases).map_err(told)?;
        let (name, division) = (office.name, office.division.to_string());
        self.offices.push(Office { name, division, folder, process: None });
        Ok(settled)
    }

    /// Waits until an office answers, and signs all of its people in.
    async fn sign_in(&self, at: usize) -> anyhow::Result<()> {
        self.wait(at, "起动", |status| status["office"].is_string()).await?;
        let keys = self.ask(at, Request::Keys).await?;
        for operator in keys["operators"].as_array().into_iter().flatten() {
            let person = operator["name"].as_str().map(str::to_owned);
            let passphrase = Secret::of(&self.passphrase);
            self.ask(at, Request::Unlock(Unlock { person, passphrase })).await?;
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
        self.sign_in(at).await
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

/// Does what waits for a network of its own, beside the runtime.
async fn blocking<T: Send + 'static>(
    doing: impl FnOnce() -> Answer<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(doing).await?.map_err(told)
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
