//! A county from its founding to a lost PC, by the commands that the README gives: who joins, who
//! leaves, what stands of their work. Every step is the real program.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::evidence::both_readers_find_sound;
use crate::nodes::process::Node;
use crate::program;

const COUNTY: &str = "130599000000";
const TOWNSHIP: &str = "130599201000";
const VILLAGE: &str = "130599201201";

const DIVISIONS: &str = "code,level,name,parent\n130599000000,county,清河川县,130500000000\n\
    130599201000,township,白杨镇,130599000000\n\
    130599201201,village,柳河村村民委员会,130599201000\n";

/// A service case as a clerk types it, but for its title.
const CASE: [&str; 9] = [
    "常办事项代码=高龄津贴/老年优待",
    "服务方式=窗口办理",
    "申请人类型=自然人",
    "申请人.姓名=张三",
    "申请人.联系电话=13800001111",
    "材料清单[1].名称=身份证",
    "材料清单[1].形式=复印件",
    "材料清单[1].份数=1",
    "材料清单[1].收取日期=2026.1.5",
];

#[test]
fn a_county_is_founded_joined_handed_over_and_a_lost_pc_replaced() {
    let world = World::founded("enrolment");
    // The county joins by the file that was made with the keys, and invites the township by a text.
    let mut county = world.node("县");
    world.join_by_file(&county, &world.invitation_of_county(), 0, &["张建国"]);
    county.start();
    unlock(&county, "张建国");
    let person = ["--person", "李文斌:TADM,TWIN"];
    let text = invite(&county, TOWNSHIP, Some("一号机"), &person, world.ports[0], None);
    let mut township = world.node("镇");
    world.join_by_text(&township, &text, 1, &["李文斌"]);
    // Whoever is not sure that it worked runs it again: nobody is asked anything, and it is told.
    let (code, again) = world.try_join(&township, &[&text], 1, &[]);
    assert_eq!((code, &again["by"]), (0, &Json::from("network")), "{again}");
    township.start();
    unlock(&township, "李文斌");
    // An invitation works once.
    let again = world.node("又一个镇");
    let (code, refused) = world.try_join(&again, &[&text], 5, &["李文斌"]);
    assert_eq!(code, 2, "{refused}");
    assert!(!again.folder.join("node.toml").exists());

    // The village has no line yet: two files are carried.
    let people = ["--person", "王秀兰:VCLK,VAGT,VGRD", "--person", "李志强:VSEC,VMED"];
    let out = world.dir.join("带去柳河村");
    invite(&township, VILLAGE, Some("一号机"), &people, world.ports[1], Some(&out));
    let mut village = world.node("村");
    let file = only_file(&out, "xwinvite");
    let answer = world.join_by_file(&village, &file, 2, &["王秀兰", "李志强"]);
    let taken = township.told(&["roster", "take", &answer.display().to_string()]);
    assert_eq!((&taken["new"], &taken["changed"]), (&1.into(), &true.into()), "{taken}");
    village.start();
    unlock(&village, "王秀兰");
    // The registrar is signed in, so the township confirms by itself: from then on nobody who has seen
    // the invitation takes the village off the roster again.
    confirmed(&village, VILLAGE);
    let first = register(&village, "王秀兰", "第一件");
    witnessed(&village);
    township.wait(&["list"], "the first case", |list| titles(list) == ["第一件"]);

    // The clerk leaves. The township takes the key back while the line is down, and what she signs
    // from then on is void, is kept, and is shown.
    village.stop();
    let cut = township.told(&["roster", "revoke", "--person", "王秀兰", "--office", VILLAGE]);
    assert_eq!(cut["done"], true, "{cut}");
    assert!(items(&cut, "kept").len() == 1, "{cut}");
    let late = register_offline(&village, "王秀兰", "离任以后");
    village.start();
    unlock(&village, "李志强");
    village.wait(&["list"], "the cut", |list| titles(list) == ["第一件"]);
    township.wait(&["status"], "the void entry", |status| status["refused"] == 1);
    assert_eq!(titles(&township.told(&["list"])), ["第一件"]);
    let void = township.told(&["roster", "void"]);
    let one = &items(&void, "void")[0];
    assert_eq!((&one["by"], &one["record"]), (&"王秀兰".into(), &late.as_str().into()), "{void}");
    let told = township.told(&["record", "history", &late]);
    assert!(items(&told, "entries").iter().all(|entry| entry["verdict"] == "refused"), "{told}");
    assert!(told.to_string().contains("吊销"), "{told}");
    let kept = township.told(&["record", "history", &first]);
    assert!(items(&kept, "entries").iter().all(|entry| entry["verdict"] == "admitted"), "{kept}");

    // The successor joins at the same PC, where the secretary is signed in.
    let text =
        invite(&township, VILLAGE, None, &["--person", "刘建国:VCLK,VAGT"], world.ports[1], None);
    village.wait(&["roster", "show"], "the invitation", |roster| {
        items(roster, "invitations").iter().any(|one| one["state"] == "open")
    });
    let (code, joined) = world.try_join(&village, &[&text], 2, &["刘建国"]);
    assert_eq!((code, &joined["people"][0]), (0, &Json::from("刘建国")), "{joined}");
    unlock(&village, "刘建国");
    let second = register(&village, "刘建国", "接任以后");
    witnessed(&village);
    let both = ["接任以后", "第一件"];
    township.wait(&["list"], "the successor's case", |list| titles(list) == sorted(&both));

    // The PC is gone, with every key on it. The township keeps all that it holds, and the new PC gets
    // the village's records back from there.
    drop(village);
    std::fs::remove_dir_all(world.dir.join("村")).expect("the PC is gone");
    for whom in [&["--node", VILLAGE][..], &["--person", "李志强"], &["--person", "刘建国"]] {
        let cut = township.told(&[&["roster", "revoke", "--office", VILLAGE], whom].concat());
        assert_eq!(cut["done"], true, "{cut}");
    }
    let people = ["--person", "刘建国:VCLK,VAGT", "--person", "李志强:VSEC,VMED"];
    let text = invite(&township, VILLAGE, Some("二号机"), &people, world.ports[1], None);
    let mut village = world.node("村二号机");
    let joined = [&text, "--letter", "B"];
    let (code, told) = world.try_join(&village, &joined, 3, &["刘建国", "李志强"]);
    assert_eq!(code, 0, "{told}");
    village.start();
    unlock(&village, "刘建国");
    village.wait(&["list"], "what the lost PC had", |list| titles(list) == sorted(&both));
    let third = register(&village, "刘建国", "新电脑");
    witnessed(&village);
    let all = ["接任以后", "新电脑", "第一件"];
    township.wait(&["list"], "the new PC's case", |list| titles(list) == sorted(&all));
    county.wait(&["list"], "the new PC's case", |list| {
        let holds =
            |record: &String| items(list, "rows").iter().any(|row| row["record"] == **record);
        [&first, &second, &third].into_iter().all(holds)
    });
    assert_eq!(county.told(&["verify"])["sound"], true);
    // Everybody has one roster, and it says what happened.
    let states: Vec<Json> = [&county, &township, &village]
        .iter()
        .map(|node| node.told(&["roster", "show"])["state"].clone())
        .collect();
    assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
    let roster = village.told(&["bootstrap", "inspect"]).to_string();
    assert!(roster.contains("须由根密钥确认"), "the county's own office: {roster}");
    for said in ["王秀兰", "已撤销", "另加县级已见证的部分", "二号机"] {
        assert!(roster.contains(said), "{said}: {roster}");
    }
    // An auditor finds the same out of a pack, where nobody was enrolled by root.
    let network = county.told(&["status"])["network"].as_str().expect("an id").to_owned();
    assert!(roster.contains(&network), "{roster}");
    let pack = world.dir.join("柳河村.xwproof.zip");
    let out = pack.display().to_string();
    township.told(&["audit", "export", "--division", VILLAGE, "--out", &out]);
    both_readers_find_sound(&pack, &network);
}

#[test]
fn the_root_keys_and_two_registrars_decide_together_and_nobody_alone() {
    let world = World::founded("ceremony");
    let mut county = world.node("县");
    world.join_by_file(&county, &world.invitation_of_county(), 0, &["张建国"]);
    county.start();
    unlock(&county, "张建国");
    // The roster goes to the holders of the root keys as a file, and their decision comes back.
    let roster = world.path("名册.xwroster");
    county.told(&["roster", "export", &roster]);
    let (facts, draft) = (world.path("事项.toml"), world.path("草案.xwedition"));
    let wanted = format!(
        "[[office]]\ndivision = \"130599201202\"\nname = \"东杨庄村村民委员会\"\nplace = \"东杨庄村\"\n\
         [[registrar]]\noffice = \"{TOWNSHIP}\"\nrole = \"TADM\"\nthreshold = 2\ncloses = \"none\"\n"
    );
    std::fs::write(&facts, wanted).expect("a file");
    assert!(county.told(&["bootstrap", "inspect"]).to_string().contains("尚未确认"));
    let words = ["bootstrap", "propose", "--roster", &roster, "--confirm", "--facts", &facts];
    assert_eq!(county.told(&[&words[..], &["--out", &draft]].concat())["lacking"], 2);
    let sign = |holder: usize, passphrase: &str| {
        let key = world.path(&format!("建县/根密钥/根密钥-{holder}.json"));
        let words = ["bootstrap", "sign", &draft, "--key", &key, "--passphrase-from-stdin"];
        county.say(&words, &format!("{passphrase}\n"))
    };
    let (code, wrong) = sign(2, "not-this-one-at-all");
    assert_eq!((code, &wrong["error"]["code"]), (1, &Json::from("passphrase")), "{wrong}");
    let (code, one) = sign(2, &root_passphrase(2));
    assert_eq!((code, &one["lacking"], &one["whole"]), (0, &1.into(), &false.into()), "{one}");
    let (code, early) = county.ask(&["roster", "take", &draft]);
    assert_eq!(code, 1, "{early}");
    let (code, twice) = sign(2, &root_passphrase(2));
    assert_eq!(code, 1, "{twice}");
    let (code, two) = sign(3, &root_passphrase(3));
    assert_eq!((code, &two["whole"]), (0, &true.into()), "{two}");
    assert_eq!(county.told(&["roster", "take", &draft])["new"], 1);
    assert!(!county.told(&["bootstrap", "inspect"]).to_string().contains("尚未确认"));

    // From then on the township's registrars act two together: one drafts, the other signs.
    let people = ["--person", "李文斌:TADM,TWIN", "--person", "赵玉梅:TADM"];
    let text = invite(&county, TOWNSHIP, Some("一号机"), &people, world.ports[0], None);
    let mut township = world.node("镇");
    world.join_by_text(&township, &text, 1, &["李文斌", "赵玉梅"]);
    township.start();
    unlock(&township, "李文斌");
    let out = world.dir.join("两人");
    let office = ["roster", "invite", "--office", "东杨庄村", "--node", "一号机"];
    let whom = ["--person", "孙志强:VCLK", "--out", &out.display().to_string()];
    let drafted = township.told(&[&office[..], &whom].concat());
    assert_eq!((&drafted["done"], &drafted["lacking"]), (&false.into(), &1.into()), "{drafted}");
    let draft = drafted["draft"].as_str().expect("a draft").to_owned();
    let (code, alone) =
        township.ask(&["roster", "sign", &draft, "--draft", &draft, "--as", "李文斌"]);
    assert!(code == 0 && alone["done"] == false, "one person counts once: {alone}");
    unlock(&township, "赵玉梅");
    let signed = township.told(&["roster", "sign", &draft, "--as", "赵玉梅"]);
    assert_eq!(signed["done"], true, "{signed}");

    // What lies outside of the own area, or is of another level, is refused before it is signed.
    for (words, said) in [
        (&["roster", "invite", "--office", COUNTY, "--person", "某人:CDEP"][..], "辖区"),
        (&["roster", "invite", "--office", VILLAGE, "--person", "某人:TWIN"], "不是这一级"),
        (&["roster", "invite", "--office", VILLAGE, "--person", "某人:VSCE"], "没有角色"),
        (&["roster", "revoke", "--person", "张建国"], "辖区"),
        (&["roster", "term", "--office", TOWNSHIP], "辖区"),
    ] {
        let (code, refused) = township.ask(words);
        assert_eq!(code, 1, "{words:?}: {refused}");
        assert!(refused["error"]["zh"].to_string().contains(said), "{words:?}: {refused}");
    }
    // An invitation that was taken back lets nobody in.
    let shown = township.told(&["roster", "show"]);
    let open = items(&shown, "invitations").iter().find(|one| one["state"] == "open");
    let key = open.expect("the village's")["key"].as_str().expect("a key")[..8].to_owned();
    county.wait(&["roster", "show"], "the invitation", |roster| {
        items(roster, "invitations").iter().any(|one| one["state"] == "open")
    });
    let (code, county_withdraws) = county.ask(&["roster", "withdraw", &key]);
    assert_eq!(code, 0, "{county_withdraws}");
    township.wait(&["roster", "show"], "the withdrawal", |roster| {
        items(roster, "invitations").iter().any(|one| one["state"] == "withdrawn")
    });
    let village = world.node("村");
    let (code, late) = world.try_join(
        &village,
        &[drafted["text"].as_str().expect("a text"), "--address", &world.ports[1].to_string()],
        2,
        &["孙志强"],
    );
    assert_eq!(code, 2, "{late}");
    // The county closes the township's term, and opens the next with one signature.
    let term = county.told(&["roster", "term", "--office", TOWNSHIP]);
    assert_eq!(term["done"], true, "{term}");
}

#[test]
fn a_registrar_whose_pc_was_put_back_signs_no_second_edition_of_a_number() {
    let world = World::founded("lagging");
    let mut county = world.node("县");
    world.join_by_file(&county, &world.invitation_of_county(), 0, &["张建国"]);
    county.start();
    unlock(&county, "张建国");
    let person = ["--person", "李文斌:TADM,TWIN"];
    let text = invite(&county, TOWNSHIP, Some("一号机"), &person, world.ports[0], None);
    let mut township = world.node("镇");
    world.join_by_text(&township, &text, 1, &["李文斌"]);
    township.start();
    unlock(&township, "李文斌");
    let backup = world.path("备份");
    township.told(&["backup", &backup]);
    // The first edition of its term is out, and the PC dies.
    let whom = ["--person", "王秀兰:VCLK"];
    invite(&township, VILLAGE, Some("一号机"), &whom, world.ports[1], None);
    let open = |roster: &Json| {
        let all = items(roster, "invitations").iter();
        all.filter(|one| one["state"] == "open").count()
    };
    county.wait(&["roster", "show"], "the invitation", |roster| open(roster) == 1);
    township.kill();

    // What was put back does not know of that edition. Before it has heard of it, it signs none.
    let typed = format!("{}\n", passphrase("李文斌"));
    let put_back = |name: &str| {
        let folder = world.path(name);
        let words = ["restore", &backup, "--folder", &folder, "--passphrase-from-stdin"];
        let (code, told) = world.node("桌").say(&words, &typed);
        assert_eq!(code, 0, "{told}");
        world.node(name)
    };
    let again = ["roster", "invite", "--office", VILLAGE, "--node", "二号机"];
    let whom = ["--person", "王秀兰:VCLK", "--address", "127.0.0.1:9"];
    let again = [&again[..], &whom].concat();
    let alone = [&["--passphrase-from-stdin"], &again[..]].concat();
    let mut back = put_back("恢复");
    let (code, refused) = back.say(&alone, &typed);
    assert_eq!((code, &refused["error"]["code"]), (1, &"lagging".into()), "{refused}");
    // Asked for as soon as it runs, it is signed behind what the county still holds.
    back.start();
    unlock(&back, "李文斌");
    let made = back.told(&again);
    assert_eq!(made["done"], true, "{made}");
    let roster = county.wait(&["roster", "show"], "both", |roster| open(roster) == 2);
    assert!(!roster.to_string().contains("不生效"), "{roster}");

    // Where nobody can be asked, a registrar may say that nobody knows more.
    let lost = put_back("独处");
    let (code, told) = lost.say(&["--passphrase-from-stdin", "roster", "resume"], &typed);
    assert_eq!(code, 2, "{told}");
    let words = ["--passphrase-from-stdin", "roster", "resume", "--no-newer-elsewhere"];
    let (code, told) = lost.say(&words, &typed);
    assert_eq!((code, &told["resumed"]), (0, &true.into()), "{told}");
    let (code, made) = lost.say(&alone, &typed);
    assert_eq!((code, &made["done"]), (0, &true.into()), "{made}");
}

/// A founded county in a folder of its own.
struct World {
    dir: PathBuf,
    ports: Vec<SocketAddr>,
}

impl World {
    fn founded(name: &str) -> Self {
        let dir = program::folder(name);
        let listeners: Vec<TcpListener> = (0..6)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"))
            .collect();
        let ports = listeners.iter().map(|one| one.local_addr().expect("bound")).collect();
        let world = Self { dir, ports };
        std::fs::write(world.dir.join("区划.csv"), DIVISIONS).expect("a file");
        let (list, out) = (world.path("区划.csv"), world.path("建县"));
        let words = ["bootstrap", "found", "--divisions", &list, "--county", "130599"];
        let more = ["--person", "张建国:CADM,CDEP", "--out", &out, "--passphrases-from-stdin"];
        let typed: String = (1..=3).map(|n| format!("{}\n", root_passphrase(n))).collect();
        let nobody = Node::at(program::path(), world.dir.join("无"));
        let (code, told) = nobody.say(&[&["--training"], &words[..], &more].concat(), &typed);
        assert_eq!(code, 0, "{told}");
        world
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    fn node(&self, name: &str) -> Node {
        Node::at(program::path(), self.dir.join(name))
    }

    fn invitation_of_county(&self) -> PathBuf {
        only_file(&self.dir.join("建县"), "xwinvite")
    }

    /// Joins; each person types the passphrase of their name.
    fn try_join(
        &self,
        node: &Node,
        invitation: &[&str],
        port: usize,
        people: &[&str],
    ) -> (i32, Json) {
        let listen = self.ports[port].to_string();
        let words = ["--training", "--passphrases-from-stdin", "join"];
        let ports = ["--listen", &listen, "--api", "127.0.0.1:0"];
        let typed: String = people.iter().map(|name| format!("{}\n", passphrase(name))).collect();
        node.say(&[&words[..], invitation, &ports].concat(), &typed)
    }

    fn join_by_text(&self, node: &Node, text: &str, port: usize, people: &[&str]) {
        let (code, told) = self.try_join(node, &[text], port, people);
        assert_eq!((code, &told["by"]), (0, &Json::from("network")), "{told}");
    }

    /// The answer file that is to be carried back.
    fn join_by_file(&self, node: &Node, file: &Path, port: usize, people: &[&str]) -> PathBuf {
        let (code, told) = self.try_join(node, &[&file.display().to_string()], port, people);
        assert_eq!((code, &told["by"]), (0, &Json::from("file")), "{told}");
        told["answer"].as_str().expect("an answer file").into()
    }
}

fn invite(
    node: &Node,
    office: &str,
    pc: Option<&str>,
    people: &[&str],
    reached: SocketAddr,
    out: Option<&Path>,
) -> String {
    let (reached, out) = (reached.to_string(), out.map(|out| out.display().to_string()));
    let mut words = vec!["roster", "invite", "--office", office, "--address", &reached];
    words.extend(pc.iter().flat_map(|name| ["--node", name]));
    words.extend(out.iter().flat_map(|out| ["--out", out]));
    words.extend(people);
    let made = node.told(&words);
    assert_eq!(made["done"], true, "{made}");
    made["text"].as_str().expect("a text").to_owned()
}

fn unlock(node: &Node, name: &str) {
    node.unlock(name, &passphrase(name));
}

fn passphrase(name: &str) -> String {
    format!("willow-brook-7 {name}")
}

fn root_passphrase(holder: usize) -> String {
    format!("keeper-{holder} of three keys")
}

/// A new case at the running node; its record.
fn register(node: &Node, person: &str, title: &str) -> String {
    let (code, made) =
        node.ask(&case(person, title).iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, 0, "{made}");
    made["record"].as_str().expect("a record").to_owned()
}

/// The same at a node that does not run.
fn register_offline(node: &Node, person: &str, title: &str) -> String {
    let words = case(person, title);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.insert(0, "--passphrase-from-stdin");
    let (code, made) = node.say(&words, &format!("{}\n", passphrase(person)));
    assert_eq!(code, 0, "{made}");
    made["record"].as_str().expect("a record").to_owned()
}

fn case(person: &str, title: &str) -> Vec<String> {
    let mut words: Vec<String> =
        ["--as", person, "record", "new", "SVC"].iter().map(|word| (*word).to_owned()).collect();
    let title = format!("事项名称={title}");
    for field in [title.as_str()].into_iter().chain(CASE) {
        words.extend(["--set".to_owned(), field.to_owned()]);
    }
    words
}

/// Waits until a node hears that an office's newcomers are confirmed.
fn confirmed(node: &Node, division: &str) {
    let is_confirmed = |one: &Json| {
        one["state"] == "joined" && one["confirmed"] == true && one["division"] == division
    };
    node.wait(&["roster", "show"], "the confirmation", |roster| {
        items(roster, "invitations").iter().any(is_confirmed)
    });
}

/// Waits until the county has witnessed everything that this node has written.
fn witnessed(node: &Node) {
    node.wait(&["status"], "the county's witness", |status| {
        status["only_here"] == 0 && status["township"] == 0 && status["unsettled"] == 0
    });
}

fn titles(list: &Json) -> Vec<String> {
    let rows = items(list, "rows").iter();
    let mut titles: Vec<String> =
        rows.map(|row| row["title"].as_str().unwrap_or_default().to_owned()).collect();
    titles.sort();
    titles
}

fn sorted(titles: &[&str]) -> Vec<String> {
    let mut titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
    titles.sort();
    titles
}

fn items<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    json[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn only_file(folder: &Path, extension: &str) -> PathBuf {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut fitting = files
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|held| held == extension));
    let one = fitting.next().expect("a file of that kind");
    assert!(fitting.next().is_none(), "several files of that kind");
    one
}
