//! Joining by an invitation, as it is typed and done: asks each person for a passphrase, makes the
//! folder, hands the answer in or writes it for carrying.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};
use xw_bootstrap::bundle::{BUNDLE_BYTES_MAX, Bundle, Neighbour};
use xw_bootstrap::invitation::Invitation;
use xw_custody::{Passphrase, ask};
use xw_schemas::id::PublicKey;

use super::Global;
use super::found::safe;
use crate::client::Client;
use crate::folder::{Folder, Idle, write_whole};
use crate::joining::{Newcomer, Place, Settled, read};
use crate::keys;
use crate::request::{Request, RosterRequest};
use crate::trouble::{Answer, Trouble};

#[derive(Debug, Args)]
#[command(
    after_help = "例：\n  xiangwang join 2G5X7K-… --dir 柳河村\n  xiangwang join 邀请-130599201201.xwinvite --dir 柳河村\n邀请码不分大小写，空格和横线可有可无。用邀请文件加入的，把生成的“加入”文件带回给登记员，由他运行 xiangwang roster take || Example:\n  xiangwang join 2G5X7K-… --dir willow\n  xiangwang join invitation-130599201201.xwinvite --dir willow\nCase, spaces and hyphens of the text do not matter. After joining by file, carry the answer file back to the registrar, who runs xiangwang roster take"
)]
pub(crate) struct Join {
    #[arg(
        value_name = "邀请码或文件 || TEXT_OR_FILE",
        required = true,
        help = "登记员给的邀请码，或邀请文件 || The invitation's text, or its file"
    )]
    pub(crate) invitation: Vec<String>,
    #[arg(
        long,
        value_name = "地址:端口 || ADDR:PORT",
        help = "邀请方节点的地址，邀请码中没有或已变时填写 || Where the inviting node is reached, if the text does not say or it has moved"
    )]
    pub(crate) address: Vec<SocketAddr>,
    #[arg(
        long,
        value_name = "地址:端口 || ADDR:PORT",
        value_delimiter = ',',
        default_value = "0.0.0.0:7130",
        help = "邻居从哪里连到本机，默认 0.0.0.0:7130，可写多个 || Where neighbours reach this node; 0.0.0.0:7130 by default; may be repeated"
    )]
    pub(crate) listen: Vec<SocketAddr>,
    #[arg(
        long,
        value_name = "地址:端口 || ADDR:PORT",
        default_value = "127.0.0.1:7131",
        help = "本机程序接口，只能是本机地址，默认 127.0.0.1:7131 || Where programs of this PC reach it: loopback only; 127.0.0.1:7131 by default"
    )]
    pub(crate) api: SocketAddr,
    #[arg(
        long = "neighbour",
        value_name = "机构或密钥=地址:端口 || OFFICE_OR_KEY=ADDR:PORT",
        help = "另一个邻居的地址：机构名称的一部分或节点密钥的开头，等号后写地址，可写多个 || Another neighbour's address, by office name or the beginning of its node key; may be repeated"
    )]
    pub(crate) neighbours: Vec<String>,
    #[arg(
        long,
        value_name = "字母 || LETTER",
        default_value_t = 'A',
        help = "本机构的第几台电脑：A、B……用于业务编号，同一机构的电脑（包括已换掉的）不可重复 || Which PC of the office this is: A, B, …; part of business numbers, never used twice in one office"
    )]
    pub(crate) letter: char,
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "用邀请文件加入时，答复文件写到哪里 || Where the answer goes when joining by file"
    )]
    pub(crate) answer: Option<PathBuf>,
}

/// Joins. Answers `{folder, office, division, node, listen, api, neighbours, protection, by, answer,
/// people}`.
pub(super) fn join(folder: &Folder, asked: &Join, global: &Global) -> Answer<Json> {
    if !asked.api.ip().is_loopback() {
        return Err(Trouble::new(
            "usage",
            format!("接口地址 {} 不是本机地址，应为 127.0.0.1:端口", asked.api),
            format!("the API address {} is no loopback address", asked.api),
        ));
    }
    if !asked.letter.is_ascii_uppercase() {
        return Err(Trouble::new(
            "usage",
            format!("“{}”不是电脑序号，应为一个大写字母", asked.letter),
            format!("{} is no letter of a PC: one capital letter", asked.letter),
        ));
    }
    let (mut invitation, bundle) = given(&asked.invitation)?;
    if !asked.address.is_empty() {
        invitation.addresses.clone_from(&asked.address);
    }
    if folder.is_taken() {
        return join_taken(folder, asked, global, &invitation, bundle);
    }
    let by_file = bundle.is_some();
    let newcomer = match bundle {
        Some(bundle) => Newcomer::of_file(invitation.clone(), bundle)?,
        None => Newcomer::of_network(invitation.clone())?,
    };
    let cost = keys::cost(newcomer.office()?.division, global.training)?;
    let passphrases = passphrases(&newcomer, global)?;
    let place = Place {
        listen: asked.listen.clone(),
        api: asked.api,
        letter: asked.letter,
        idle: Idle::default(),
        neighbours: neighbours(&newcomer, &asked.neighbours)?,
        cost,
    };
    let settled = newcomer.settle(folder, place, passphrases)?;
    finish(folder, asked, &invitation, &settled, Handing { by_file, again: false })
}

/// How the answer goes to whoever invited.
struct Handing {
    by_file: bool,
    /// The folder was made earlier: the answer may have arrived.
    again: bool,
}

/// Hands the answer in, or writes it beside the folder.
fn finish(
    folder: &Folder,
    asked: &Join,
    invitation: &Invitation,
    settled: &Settled,
    handing: Handing,
) -> Answer<Json> {
    let by_file = handing.by_file;
    let mut answer = settled.told(folder);
    answer["by"] = json!(if by_file { "file" } else { "network" });
    if by_file {
        let path = asked.answer.clone().unwrap_or_else(|| {
            let name = format!(
                "加入-{}-{}.xwjoin",
                settled.settings.division,
                safe(&settled.settings.office)
            );
            folder.path().with_file_name(name)
        });
        write_whole(&path, settled.answer_file().as_bytes(), false)?;
        answer["answer"] = json!(path.display().to_string());
        // The county's own office answers to nobody: it is the first, and others hear of it by it.
        answer["first"] = json!(invitation.node.is_none());
        return Ok(answer);
    }
    if handing.again && settled.is_let_in(invitation).is_ok() {
        return Ok(answer);
    }
    settled.hand_in(invitation).map_err(|mut trouble| {
        trouble.zh.push_str("。本机节点目录已经建好：稍后用同样的命令再运行一次，即可继续交回");
        trouble
            .en
            .push_str("; the folder is made: run the same command again to hand the answer in");
        trouble
    })?;
    Ok(answer)
}

/// A folder that there is: an answer that did not arrive, or more people for the office's own PC.
fn join_taken(
    folder: &Folder,
    asked: &Join,
    global: &Global,
    invitation: &Invitation,
    bundle: Option<Bundle>,
) -> Answer<Json> {
    let by_file = bundle.is_some();
    // Reading the roster needs nobody's passphrase.
    let mut client = Client::of(folder);
    if let Some(bundle) = &bundle {
        let roster = Bundle { invitation: None, ..bundle.clone() };
        let text = roster.text().to_string();
        client.ask(Request::Roster(RosterRequest::Take { text }))?;
    }
    let exported = client.ask(Request::Roster(RosterRequest::Export))?;
    let held = Bundle::read(exported["text"].as_str().unwrap_or_default())?;
    let newcomer = Newcomer::of_file(invitation.clone(), held)?;
    drop(client);
    if !newcomer.invited().is_ok_and(|invited| invited.node.is_none()) {
        let settled = Settled::again(folder, invitation)?;
        return finish(folder, asked, invitation, &settled, Handing { by_file, again: true });
    }
    let office = newcomer.office()?;
    let cost = keys::cost(office.division, global.training)?;
    let (name, division) = (office.name.clone(), office.division);
    if folder.settings()?.division != division {
        return Err(Trouble::new(
            "invitation",
            format!("这份邀请是给“{name}”的，不是本机的机构"),
            format!("the invitation is of {name}, not of this PC's office"),
        ));
    }
    let (operators, joining) = newcomer.operators(passphrases(&newcomer, global)?, cost)?;
    let mut client = Client::asking(folder, global.asking());
    let mut people = Vec::new();
    for one in operators {
        client.ask(Request::AddOperator(one.operator))?;
        people.push(one.name);
    }
    let text = Bundle { editions: vec![joining], ..Bundle::default() }.text().to_string();
    let taken = client.ask(Request::Roster(RosterRequest::Take { text: text.clone() }))?;
    let mut answer = json!({
        "folder": folder.path().display().to_string(), "office": name, "division": division,
        "people": people, "by": if by_file { "file" } else { "network" }, "taken": taken["new"],
    });
    if by_file {
        let file = format!("加入-{division}-{}.xwjoin", safe(&name));
        let path = asked.answer.clone().unwrap_or_else(|| folder.path().with_file_name(file));
        write_whole(&path, text.as_bytes(), false)?;
        answer["answer"] = json!(path.display().to_string());
    }
    Ok(answer)
}

/// The invitation, typed in one word or many, or a file.
fn given(words: &[String]) -> Answer<(Invitation, Option<Bundle>)> {
    if let [one] = words {
        let path = Path::new(one);
        if path.is_file() {
            if fs::metadata(path)?.len() > BUNDLE_BYTES_MAX {
                return Err(Trouble::new("roster-file", "文件过大", "the file is too large"));
            }
            return read(&fs::read_to_string(path)?);
        }
        let named = path.extension().is_some_and(|extension| extension.len() > 3);
        if named {
            return Err(Trouble::new(
                "file",
                format!("没有文件 {one}"),
                format!("there is no file {one}"),
            ));
        }
    }
    read(&words.join(" "))
}

/// Asks every invited person in turn.
fn passphrases(newcomer: &Newcomer, global: &Global) -> Answer<Vec<Passphrase>> {
    let office = newcomer.office()?.name.clone();
    let people = newcomer.invited()?.people.clone();
    let ask = |(name, _): &(String, Vec<String>)| {
        let prompt = format!("{office} {name}，请设定自己的口令 New passphrase of {name}: ");
        Ok(ask::new(global.source(), &prompt)?)
    };
    people.iter().map(ask).collect()
}

/// `office or key=address:port`.
fn neighbours(newcomer: &Newcomer, typed: &[String]) -> Answer<Vec<Neighbour>> {
    let read = |text: &String| {
        let parts = text.split_once('=').map(|(name, address)| (name.trim(), address.trim()));
        let (name, address) = parts.filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
            Trouble::new(
                "usage",
                format!("“{text}”应写成 机构=地址:端口"),
                format!("{text} is not written as office=address:port"),
            )
        })?;
        if address.parse::<SocketAddr>().is_err() {
            return Err(Trouble::new(
                "usage",
                format!("“{address}”不是地址，应写成 10.8.0.2:7130"),
                format!("{address} is no address; write 10.8.0.2:7130"),
            ));
        }
        // A neighbour that has not joined yet is known by its whole key.
        let mut neighbour = match PublicKey::from_hex(name) {
            Some(key) => Neighbour { key, office: String::new(), addresses: Vec::new() },
            None => newcomer.neighbour(name)?,
        };
        neighbour.addresses.push(address.to_owned());
        Ok(neighbour)
    };
    typed.iter().map(read).collect()
}
