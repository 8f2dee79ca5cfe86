//! The local HTTP API: loopback only, a token that only the node's owner can read, one call per
//! request. The web console to come stands on the same calls.

mod places;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json as Body, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tower::ServiceExt as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::request::Request;
use crate::run::{Job, Meter};
use crate::serve::Reply;
use crate::trouble::{Answer, Trouble};
use places::{Known, Places};

/// Largest request: the largest ledger (32 MiB) in base64.
const BODY_BYTES_MAX: usize = 48 << 20;

/// After the system could give no connection the next one is waited for so long: what it lacks, files
/// mostly, does not come back within microseconds.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Requests with the token at work at once: one person and a few programs of theirs.
const REQUESTS_MAX: usize = 32;

/// From the head of a request to the last byte of its body, on this PC: the largest ledger takes a
/// second on an old one.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A header that is not whole by then is not coming; axum's own server would wait for ever.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

struct Desk {
    token: Zeroizing<String>,
    address: SocketAddr,
    jobs: mpsc::Sender<Job>,
    meter: Arc<Meter>,
    /// One try of a passphrase takes 64 MiB.
    trials: Semaphore,
    places: Semaphore,
    /// One evidence pack or backup is made at a time: what the one is made from lies in memory, and
    /// the other is as fast as its stick.
    asides: Semaphore,
}

/// When a node stops, callers whose answers are on the way hear them; longer nothing waits for them.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The API at work.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Serving {
    /// Takes no more calls, and waits for the answers to those that are being made.
    pub(crate) async fn end(self) {
        // Accepting may have ended by itself.
        let _ = self.stop.send(());
        let _ = self.accepting.await;
    }
}

/// Begins to serve.
pub(crate) async fn serve(
    address: SocketAddr,
    token: Zeroizing<String>,
    jobs: mpsc::Sender<Job>,
    meter: Arc<Meter>,
) -> Answer<Serving> {
    if !address.ip().is_loopback() {
        return Err(Trouble::new(
            "run",
            format!("接口地址 {address} 不是本机地址，应为 127.0.0.1:端口，节点没有启动"),
            format!("the API address must be loopback: {address}"),
        ));
    }
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.map_err(|error| Trouble::no_port("本机接口", "api", address, &error))?;
    let address = listener.local_addr()?;
    let (trials, asides) = (Semaphore::new(1), Semaphore::new(1));
    let desk = Arc::new(Desk {
        token,
        address,
        jobs,
        meter,
        trials,
        asides,
        places: Semaphore::new(REQUESTS_MAX),
    });
    let router = Router::new()
        .route("/api/v1/call", post(call))
        .route("/api/v1/progress", get(progress))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), admit))
        .with_state(desk);
    let (stop, stopped) = oneshot::channel();
    let accepting = tokio::spawn(accept(listener, router, stopped));
    Ok(Serving { address, stop, accepting })
}

async fn accept(listener: TcpListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let (mut places, open) = (Places::default(), GracefulShutdown::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "an API connection could not be taken");
                tokio::select! {
                    () = tokio::time::sleep(ACCEPT_AGAIN) => continue,
                    _ = &mut stopped => break,
                }
            }
        };
        if !places.make_room() {
            continue;
        }
        let known = Known::default();
        // What shows the token is found by the request that shows it.
        let router = router.clone().layer(Extension(known.clone()));
        let watcher = open.watcher();
        let task = tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let router = router.clone();
                async move {
                    Ok::<_, Infallible>(
                        router.oneshot(request).await.unwrap_or_else(|never| match never {}),
                    )
                }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            let served = watcher.watch(connection).await;
            if let Err(error) = served {
                tracing::debug!(%error, "an API connection ended");
            }
        });
        places.take(known, task.abort_handle());
    }
    drop(listener);
    if tokio::time::timeout(LAST_WORDS, open.shutdown()).await.is_err() {
        tracing::warn!("calls were still at work when the node stopped");
    }
}

/// Lets in who has the token, before a byte of the body is read, and reads the body in time.
async fn admit(
    State(desk): State<Arc<Desk>>,
    Extension(known): Extension<Known>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    if !desk.admits(request.headers()) {
        return stranger();
    }
    known.note();
    let Ok(_place) = desk.places.acquire().await else { return stranger() };
    let (head, body) = request.into_parts();
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => next.run(axum::extract::Request::from_parts(head, bytes.into())).await,
        Ok(Err(_)) | Err(_) => {
            let (zh, en) =
                ("请求过大或未在时限内发完", "the request is too large or came too slowly");
            failed(StatusCode::REQUEST_TIMEOUT, &Trouble::new("request", zh, en))
        }
    }
}

async fn call(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let request = match read(&headers, body) {
        Ok(request) => request,
        Err(trouble) => return failed(StatusCode::BAD_REQUEST, &trouble),
    };
    match desk.ask(request).await {
        Ok(json) => Body(json).into_response(),
        Err(trouble) => failed(status_of(&trouble), &trouble),
    }
}

/// Reads a request. Its bytes may hold a passphrase and are overwritten.
fn read(headers: &HeaderMap, body: Bytes) -> Result<Request, Trouble> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let request = match kind {
        // A page of a browser cannot say so without asking first.
        Some(kind) if kind.starts_with("application/json") => serde_json::from_slice(&body)
            // Where it is wrong, and not what stands there.
            .map_err(|error| format!("line {}, column {}", error.line(), error.column())),
        _ => Err("Content-Type: application/json".to_owned()),
    };
    if let Ok(mut bytes) = body.try_into_mut() {
        bytes.zeroize();
    }
    request.map_err(|said| {
        Trouble::new("request", format!("请求格式有误：{said}"), format!("bad request: {said}"))
    })
}

impl Desk {
    /// Asks the store's thread. A passphrase is tried elsewhere, one at a time, so that neither the
    /// mesh waits for it nor many tries take all memory.
    async fn ask(&self, request: Request) -> Answer<Json> {
        let reply = self.job(|reply| Job::Call { request: Box::new(request), reply }).await?;
        let trial = match reply {
            Reply::Said(json) => return Ok(json),
            Reply::Try(trial) => trial,
            Reply::Aside(work) => {
                let _place = self.asides.acquire().await.map_err(|_| stopping())?;
                let meter = Arc::clone(&self.meter);
                let work = move || work(&mut |done, total| tell(&meter, done, total));
                let done = tokio::task::spawn_blocking(work).await.map_err(|_| stopping());
                tell(&self.meter, 0, 0);
                return done?;
            }
        };
        let _place = self.trials.acquire().await.map_err(|_| stopping())?;
        let tried = tokio::task::spawn_blocking(move || trial.run()).await;
        let tried = Box::new(tried.map_err(|_| stopping())?);
        self.job(|reply| Job::Tried { tried, reply }).await
    }

    async fn job<T>(&self, job: impl FnOnce(oneshot::Sender<Answer<T>>) -> Job) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }
}

fn tell(meter: &Meter, done: u64, total: u64) {
    meter.done.store(done, Ordering::Relaxed);
    meter.total.store(total, Ordering::Relaxed);
}

fn stopping() -> Trouble {
    Trouble::new("stopping", "节点正在停止", "the node is stopping")
}

async fn progress(State(desk): State<Arc<Desk>>) -> Response {
    let (done, total) =
        (desk.meter.done.load(Ordering::Relaxed), desk.meter.total.load(Ordering::Relaxed));
    Body(json!({"done": done, "total": total})).into_response()
}

impl Desk {
    /// The token, and a Host header that names this very address: a page in a browser that was led
    /// here by a changed name has neither.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = self.address.to_string();
        let named = text(header::HOST).is_some_and(|given| given == host);
        let given = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let known = given.is_some_and(|given| same(given.as_bytes(), self.token.as_bytes()));
        named && known
    }
}

fn stranger() -> Response {
    failed(
        StatusCode::UNAUTHORIZED,
        &Trouble::new("token", "没有访问本机接口的权限", "no valid token for this API"),
    )
}

/// Compares in a time that does not depend on where the two differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

fn status_of(trouble: &Trouble) -> StatusCode {
    match trouble.code.as_str() {
        "not-found" => StatusCode::NOT_FOUND,
        "stopping" => StatusCode::SERVICE_UNAVAILABLE,
        "store" | "file" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn failed(status: StatusCode, trouble: &Trouble) -> Response {
    let error: Json = serde_json::to_value(trouble).unwrap_or_default();
    (status, Body(json!({"error": error}))).into_response()
}
