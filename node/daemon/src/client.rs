//! Asks a node: over its API while it runs, else on its store, which is then opened here, with the
//! passphrase of whoever asks. Never both: what was sent to a running node is not done a second time.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;
use ureq::Agent;
use xw_custody::ask::{self, AskError, Source};
use zeroize::Zeroizing;

use crate::folder::{ApiFile, Folder};
use crate::office::{Office, locked};
use crate::request::{Request, Secret, Unlock};
use crate::serve;
use crate::trouble::{Answer, Trouble};

/// A running node of this PC takes a connection at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often the progress of a long job is asked for: smooth to the eye.
const POLL_EVERY: Duration = Duration::from_millis(250);

/// Largest answer: the largest ledger in base64, and a page of long records.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Hears how far a long job has come; may be told by another thread.
pub(crate) type Watch<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// One node, asked as often as a command needs.
pub(crate) struct Client {
    folder: Folder,
    asking: Option<Asking>,
    /// The store, once it had to be opened here.
    office: Option<Office>,
}

/// How the passphrase is asked for that opens a store which no node has open.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) source: Source,
    /// Whose; not needed where one person works alone.
    pub(crate) person: Option<String>,
}

/// What asking over the API came to.
enum Reached {
    Answered(Answer<Json>),
    /// Nobody of ours listens; nothing was done.
    Nobody,
}

/// Asks a node that must be running; never opens its store.
pub(crate) fn ask_running(folder: &Folder, request: &Request) -> Answer<Json> {
    let api = folder.api().filter(|api| api.address.ip().is_loopback());
    match api.map(|api| post(&api, request)) {
        Some(Reached::Answered(answer)) => answer,
        Some(Reached::Nobody) | None => Err(Trouble::new(
            "not-running",
            format!("{} 的节点没有运行", folder.path().display()),
            format!("the node of {} is not running", folder.path().display()),
        )),
    }
}

impl Client {
    /// For what needs nobody to be signed in; everything else is refused.
    pub(crate) fn of(folder: &Folder) -> Self {
        Self { folder: folder.clone(), asking: None, office: None }
    }

    /// Asks the person for a passphrase where one is needed.
    pub(crate) fn asking(folder: &Folder, asking: Asking) -> Self {
        Self { asking: Some(asking), ..Self::of(folder) }
    }

    /// Whether the answers so far came from a running node.
    pub(crate) fn is_remote(&self) -> bool {
        self.office.is_none()
    }

    /// Asks for what is quickly done.
    pub(crate) fn ask(&mut self, request: Request) -> Answer<Json> {
        self.ask_long(request, &mut |_, _| {})
    }

    /// Sees that somebody is signed in: at the running node, or here.
    pub(crate) fn let_in(&mut self) -> Answer<()> {
        let keys = self.ask(Request::Keys)?;
        if let (Some(office), Some(asking)) = (&mut self.office, self.asking.take()) {
            return asking.sign_in(office);
        }
        let operators = keys["operators"].as_array().map(Vec::as_slice).unwrap_or_default();
        match operators.iter().any(|one| one["signed_in"] == true) {
            true => Ok(()),
            false => Err(locked(None)),
        }
    }

    /// Asks a running node; nothing when there is none.
    pub(crate) fn ask_if_running(
        &self,
        request: &Request,
        watch: Watch<'_>,
    ) -> Option<Answer<Json>> {
        match over_api(&self.folder.api()?, request, watch) {
            Reached::Answered(answer) => Some(answer),
            Reached::Nobody => None,
        }
    }

    /// Asks for a long job and says how far it has come.
    pub(crate) fn ask_long(&mut self, request: Request, watch: Watch<'_>) -> Answer<Json> {
        if self.office.is_none() {
            let api = self.folder.api();
            if let Some(api) = &api
                && let Reached::Answered(answer) = over_api(api, &request, watch)
            {
                return answer;
            }
            let opened = Office::open(self.folder.clone());
            self.office = Some(opened.map_err(|trouble| with_silence(trouble, api.as_ref()))?);
        }
        let office = self.office.as_mut().expect("opened above");
        if let Some(asking) = self.asking.take_if(|asking| asking.is_for(&request)) {
            asking.sign_in(office)?;
        }
        serve::answer(office, request, &mut |done, total| watch(done, total))
    }
}

impl Asking {
    /// Whether this request needs somebody. A passphrase that was handed in is used in any case.
    fn is_for(&self, request: &Request) -> bool {
        let about_keys =
            matches!(request, Request::Unlock(_) | Request::Recover(_) | Request::Passphrase(_));
        request.needs_person() || (self.source == Source::StdinLine && !about_keys)
    }

    fn sign_in(self, office: &mut Office) -> Answer<()> {
        let names: Vec<&str> = office.operators().map(|(_, name)| name).collect();
        let passphrase = existing(self.source, self.person.as_deref(), &names)?;
        let unlock = Unlock { person: self.person, passphrase };
        let tried = office.try_sign_in(&unlock)?.run();
        office.finish_try(tried)?;
        // Records that came while nobody was here are judged before anything is shown. A disk that
        // takes nothing keeps nobody from looking at what is there.
        let settled = office.settle_all().and_then(|()| office.answer_erasures());
        if let Err(trouble) = settled.and_then(|()| office.settle_all()) {
            tracing::error!(code = trouble.code, trouble = trouble.en, "cannot judge");
        }
        Ok(())
    }
}

/// Asks for a person's passphrase. `names` are those who work at this PC.
pub(crate) fn existing(source: Source, person: Option<&str>, names: &[&str]) -> Answer<Secret> {
    let name = person.or(if let [only] = names { Some(*only) } else { None });
    let prompt = match name {
        Some(name) => format!("{name}的口令 Passphrase of {name}: "),
        None => "口令 Passphrase: ".to_owned(),
    };
    Ok(Secret::of(&ask::existing(source, &prompt).map_err(no_terminal)?))
}

/// Where no terminal is, a program asks: it is told how.
pub(crate) fn no_terminal(error: AskError) -> Trouble {
    let terminal = matches!(error, AskError::Terminal(_));
    let mut trouble = Trouble::from(error);
    if terminal {
        trouble.zh.push_str("。由程序运行时请加 --passphrase-from-stdin，从标准输入给出口令");
        trouble.en.push_str("; where no terminal is, say --passphrase-from-stdin");
    }
    trouble
}

/// Says beside a store that cannot be opened that the node's API is silent, too.
fn with_silence(mut trouble: Trouble, api: Option<&ApiFile>) -> Trouble {
    if let Some(api) = api.filter(|_| trouble.code == "store") {
        trouble
            .zh
            .push_str(&format!("（本机接口 {} 没有应答；如节点刚启动，请稍候再试）", api.address));
        trouble.en.push_str(&format!(
            " (its API at {} does not answer; if it has just started, try again in a moment)",
            api.address
        ));
    }
    trouble
}

fn over_api(api: &ApiFile, request: &Request, watch: Watch<'_>) -> Reached {
    // The token is for this PC alone, whatever the file says.
    if !api.address.ip().is_loopback() {
        return Reached::Nobody;
    }
    std::thread::scope(|scope| {
        let (finished, waiting) = mpsc::sync_channel::<()>(1);
        scope.spawn(move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = waiting.recv_timeout(POLL_EVERY) {
                if let Some((done, total)) = progress(api) {
                    watch(done, total);
                }
            }
        });
        let reached = post(api, request);
        drop(finished);
        reached
    })
}

/// No proxy, whatever the environment says: it would be told the token.
fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .build()
        .new_agent()
}

fn post(api: &ApiFile, request: &Request) -> Reached {
    // The request may hold a passphrase.
    let body = Zeroizing::new(serde_json::to_vec(request).expect("plain data becomes JSON"));
    let sent = agent()
        .post(format!("http://{}/api/v1/call", api.address))
        .header("Authorization", format!("Bearer {}", *api.token))
        .content_type("application/json")
        .send(&body[..]);
    let mut response = match sent {
        Ok(response) => response,
        Err(error) if never_connected(&error) => return Reached::Nobody,
        Err(error) => return Reached::Answered(Err(broken(&error))),
    };
    let done = response.status().as_u16() == 200;
    let json = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_json::<Json>();
    match json {
        Ok(json) if done => Reached::Answered(Ok(json)),
        Ok(json) => match Failed::deserialize(json) {
            // Another program has the port that the node had before.
            Ok(failed) if failed.error.code == "token" => Reached::Nobody,
            Ok(failed) => Reached::Answered(Err(failed.error)),
            Err(_) => Reached::Nobody,
        },
        Err(_) if !done => Reached::Nobody,
        Err(error) => Reached::Answered(Err(broken(&error))),
    }
}

#[derive(Deserialize)]
struct Failed {
    error: Trouble,
}

fn progress(api: &ApiFile) -> Option<(u64, u64)> {
    #[derive(Deserialize)]
    struct Come {
        done: u64,
        total: u64,
    }
    let mut response = agent()
        .get(format!("http://{}/api/v1/progress", api.address))
        .header("Authorization", format!("Bearer {}", *api.token))
        .call()
        .ok()?;
    let come: Come = response.body_mut().read_json().ok()?;
    (come.total > 0).then_some((come.done, come.total))
}

fn never_connected(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => true,
        ureq::Error::Timeout(ureq::Timeout::Connect) => true,
        ureq::Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable
        ),
        _ => false,
    }
}

/// The connection was there and broke: what was asked may be done or not.
fn broken(error: &ureq::Error) -> Trouble {
    Trouble::because(
        "api",
        "与正在运行的节点通信中断。刚才的操作可能已完成，请先查看再重试",
        "the running node did not finish its answer; look before you try again",
        error,
    )
}
