//! The real program, as a clerk and an auditor use it: found a county, make a node, register,
//! list, import, export, verify, tamper. Each command is a process of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value as Json;
use xw_bootstrap::invitation::Invitation;
use xw_bootstrap::sheets::{Counts, PlantedLedger, village_ledgers};
use xw_custody::{Passphrase, SealedKey};

const VILLAGE: &str = "130599201201";
const TOWNSHIP: &str = "130599201000";

/// What the keepers of the root keys type.
const ROOT_PASSPHRASES: [&str; 3] =
    ["east-gate-bamboo-17", "west-hill-copper-23", "north-well-silk-31"];

/// What everybody else types.
const PASSPHRASE_TYPED: &str = "willow-brook-7-mill\n";

const DIVISIONS: &str = "code,level,name,parent\n130500000000,city,邢台市,130000000000\n\
    130599000000,county,清河川县,130500000000\n130599201000,township,白杨镇,130599000000\n\
    130599201201,village,柳河村,130599201000\n130599201202,village,东杨庄村,130599201000\n";

/// What a service case needs at first, in a clerk's words.
const CASE: [&str; 10] = [
    "事项名称=高龄津贴申请",
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
fn a_county_is_founded_once_and_no_other_file_holds_a_secret() {
    let world = World::new("found");
    let founded = world.found();
    assert_eq!(code(&founded), 0, "{}", err(&founded));
    for said in ["根密钥", "保险柜", "使用之前等于钥匙", "公开文件，没有秘密", "4 个机构"]
    {
        assert!(out(&founded).contains(said), "{said}: {}", out(&founded));
    }
    let files = world.files("county");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let invitation = "邀请-130599000000-清河川县乡村治理工作办公室.xwinvite";
    assert_eq!(
        names,
        ["名册-1.xwroster", "根密钥-1.json", "根密钥-2.json", "根密钥-3.json", invitation]
    );
    #[cfg(unix)]
    for name in &names[1..4] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = world.path("county").join("根密钥").join(name);
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    // Every root key opens with its keeper's passphrase, and stands nowhere in any spelling.
    for (at, (_, bytes)) in files[1..4].iter().enumerate() {
        let sealed = SealedKey::read(std::str::from_utf8(bytes).unwrap()).unwrap();
        let passphrase = Passphrase::typed(ROOT_PASSPHRASES[at]).unwrap();
        let seed = sealed.open(&passphrase).unwrap();
        for (name, bytes) in &files {
            for spelt in spellings(&seed[..]) {
                assert!(find(bytes, &spelt).is_empty(), "a root key stands in {name}");
            }
            assert!(find(bytes, ROOT_PASSPHRASES[at].as_bytes()).is_empty(), "{name}");
        }
        for other in ROOT_PASSPHRASES.iter().filter(|other| **other != ROOT_PASSPHRASES[at]) {
            assert!(sealed.open(&Passphrase::typed(other).unwrap()).is_err());
        }
    }
    // The invitation's secret stands in its own file and nowhere else.
    let carried: Json = serde_json::from_slice(&files[4].1).unwrap();
    let text = carried["invitation"]["text"].as_str().unwrap();
    let secret = Invitation::read(text).unwrap().seed.key().seed();
    for (name, bytes) in &files[..4] {
        assert!(find(bytes, text.as_bytes()).is_empty(), "{name}");
        assert!(spellings(&secret[..]).iter().all(|s| find(bytes, s).is_empty()), "{name}");
    }
    let again = world.found();
    assert_eq!(code(&again), 1);
    assert!(err(&again).contains("不是空目录"), "{}", err(&again));
    assert_eq!(world.files("county"), files);
    let explained = world.run(&["bootstrap", "inspect", "county/名册-1.xwroster"]);
    for said in ["任意 2 把签名", "乡镇 1 个、村 2 个", "县系统管理员", "尚无人担任", "等待加入"]
    {
        assert!(out(&explained).contains(said), "{said}: {}", out(&explained));
    }
}

#[test]
fn what_cannot_be_founded_is_refused_before_a_passphrase_is_asked() {
    let world = World::new("unfounded");
    std::fs::write(world.path("divisions.csv"), DIVISIONS).unwrap();
    let found = |more: &[&str]| {
        let words = ["bootstrap", "found", "--divisions", "divisions.csv", "--out", "county"];
        world.run(&[&words[..], more].concat())
    };
    for (more, said) in [
        (&["--county", "130599"][..], "至少要有 1 人担任登记员（角色 CADM）"),
        (&["--county", "130599", "--person", "张建国"], "应写成 姓名:角色"),
        (&["--county", "130598", "--person", "张建国:CADM"], "没有县 130598000000"),
        (
            &["--county", "130599", "--person", "张建国:CADM", "--keys-of", "1"],
            "共 1 把根密钥，不能要求 2 把签名",
        ),
        (&["--county", "130599", "--person", "张建国:CADM"], "标准输入已结束"),
    ] {
        let refused = found(more);
        assert_ne!(code(&refused), 0);
        assert!(err(&refused).contains(said), "{said}: {}", err(&refused));
    }
    // Nobody chose a passphrase, so nothing was kept.
    assert_eq!(world.files("county"), []);
}

#[test]
fn what_cannot_be_read_is_told_from_what_is_refused() {
    let world = World::new("codes");
    let nowhere = world.run(&["status"]);
    assert_eq!((code(&nowhere), out(&nowhere)), (2, String::new()));
    assert!(err(&nowhere).contains("不是节点目录") && err(&nowhere).contains("xiangwang join"));
    let json = world.run(&["--json", "list"]);
    assert_eq!((code(&json), err(&json)), (2, String::new()));
    assert_eq!(parsed(&json)["error"]["code"], "no-node");
    assert_eq!(code(&world.run(&["verify", "nowhere.db"])), 2);
    assert_eq!(code(&world.run(&["record", "shwo"])), 2);
    std::fs::write(world.path("no.xwinvite"), "{}").unwrap();
    let made = world.run(&["join", "no.xwinvite"]);
    assert_eq!(code(&made), 2);
    assert!(err(&made).contains("不是名册文件"), "{}", err(&made));
    let typed = world.run(&["join", "6GKK8G-AEBDM7-B0MFKJ"]);
    assert_eq!(code(&typed), 1);
    assert!(err(&typed).contains("邀请码不完整"), "{}", err(&typed));
}

#[test]
fn record_type_files_are_checked_with_file_line_and_reason() {
    let world = World::new("types");
    let folder = world.path("records");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in xw_schemas::record::builtin_files() {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let sound = world.run(&["check-types", "records"]);
    assert_eq!(code(&sound), 0, "{}", err(&sound));
    assert!(out(&sound).contains("4 种记录类型，定义无误"));
    let file = folder.join("SVC.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let flawed = text.replacen("type = \"str(80)\"", "type = \"string\"", 1);
    let line = 1 + flawed.lines().position(|line| line.contains("\"string\"")).unwrap();
    std::fs::write(&file, flawed).unwrap();
    let found = world.run(&["check-types", "records"]);
    assert_eq!(code(&found), 1);
    let said = err(&found);
    assert!(said.contains(&format!("SVC.toml:{line}：不认识的字段类型“string”")), "{said}");
    assert_eq!(code(&world.run(&["check-types", "no-folder"])), 2);
}

#[test]
fn a_clerk_registers_changes_steps_and_finds_a_case() {
    let world = World::founded("clerk");
    let types = world.run(&["types"]);
    assert_eq!(code(&types), 0, "{}", err(&types));
    assert!(["SVC", "PVM", "IND", "MED", "人民调解"].iter().all(|t| out(&types).contains(t)));
    assert!(out(&world.run(&["types", "服务"])).contains("matter_name"));

    let mut bad = CASE.to_vec();
    bad[5] = "申请人.联系电话=123";
    let refused = world.new_case(&bad);
    assert_eq!(code(&refused), 1);
    assert!(
        err(&refused).contains("联系电话（applicant.phone）：请填11位手机号"),
        "{}",
        err(&refused)
    );
    assert_eq!(world.json(&["list"])["total"], 0);

    let made = world.new_case(&CASE);
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert!(out(&made).starts_with("已保存在本机"), "{}", out(&made));
    let listed = world.json(&["list", "--type", "服务", "--text", "高龄"]);
    assert_eq!(listed["total"], 1, "{listed}");
    let number = listed["rows"][0]["business_no"].as_str().unwrap().to_owned();
    assert!(number.starts_with("130599201201A-SVC-"), "{number}");

    let edited = world.run(&["record", "edit", &number, "--set", "申请人.姓名=李四"]);
    assert_eq!(code(&edited), 0, "{}", err(&edited));
    let shown = world.run(&["record", "show", &number]);
    for said in ["申请人.姓名", "李四", "身份证", "2026-01-05", "仅存本机"] {
        assert!(out(&shown).contains(said), "{said}\n{}", out(&shown));
    }
    let item = world.json(&["record", "show", &number]);
    let id = item["lists"][0]["items"][0]["id"].as_str().unwrap().to_owned();
    let set = format!("材料清单[{id}].份数=2");
    let edited = world.run(&["record", "edit", &number, "--item", &set]);
    assert_eq!(code(&edited), 0, "{}", err(&edited));
    let history = world.json(&["record", "history", &number]);
    assert_eq!(history["entries"].as_array().unwrap().len(), 3, "{history}");
    assert!(out(&world.run(&["record", "history", &number])).contains("有效"));
    let nowhere = world.run(&["record", "step", &number, "archived"]);
    assert_eq!(code(&nowhere), 1);
    assert!(err(&nowhere).contains("可办理"), "{}", err(&nowhere));

    let csv = world.run(&["list", "--csv", "--columns", "事项名称,applicant.phone"]);
    let text = out(&csv);
    assert!(
        text.starts_with('\u{feff}') && text.contains("事项名称,申请人.联系电话\r\n"),
        "{text}"
    );
    assert!(text.contains(&number) && text.contains("高龄津贴申请,13800001111\r\n"), "{text}");
    let none = world.run(&["list", "--where", "事项名称=没有", "--sort", "-updated"]);
    assert_eq!((code(&none), out(&none)), (0, "共 0 条\n".to_owned()));
    assert_eq!(code(&world.run(&["list", "--where", "没有的字段=1"])), 1);
    let english = world.run(&["--lang", "en", "record", "show", &number]);
    assert!(out(&english).contains("only here"), "{}", out(&english));
}

#[test]
fn a_ledger_goes_in_once_comes_out_and_a_changed_byte_is_found() {
    let world = World::founded("ledger");
    let planted = world.ledger();
    // A look at it first writes nothing, not even the beginning of a log.
    let entries = world.json(&["status"])["entries"].clone();
    let look = ["--json", "import", &planted.file_name, "--type", "SVC", "--preview"];
    let tally = parsed(&world.run(&look))["tally"].clone();
    assert_eq!(tally["new"], planted.planted.accepted(), "{tally}");
    assert_eq!(world.json(&["status"])["entries"], entries);
    let imported = world.run(&["--json", "import", &planted.file_name, "--type", "SVC"]);
    assert_eq!(code(&imported), i32::from(planted.planted.refused() > 0), "{}", out(&imported));
    let tally = &parsed(&imported)["tally"];
    assert_eq!(tally["new"], planted.planted.accepted(), "{tally}");
    assert_eq!(tally["refused"], planted.planted.refused(), "{tally}");
    let again = world.run(&["--json", "import", &planted.file_name, "--type", "SVC"]);
    let tally = &parsed(&again)["tally"];
    assert_eq!((&tally["new"], &tally["changed"]), (&0.into(), &0.into()), "{tally}");
    assert_eq!(tally["unchanged"], planted.planted.accepted(), "{tally}");
    assert_eq!(world.json(&["list"])["total"], planted.planted.accepted());

    let exported = world.run(&["export", "out.xlsx", "--type", "SVC"]);
    assert_eq!(code(&exported), 0, "{}", err(&exported));
    assert!(out(&exported).contains(&format!("已导出 {} 行", planted.planted.accepted())));
    let bytes = std::fs::read(world.path("out.xlsx")).unwrap();
    assert!(bytes.starts_with(b"PK"));
    assert_eq!(code(&world.run(&["export", "out.xlsx", "--type", "SVC"])), 1);
    assert_eq!(std::fs::read(world.path("out.xlsx")).unwrap(), bytes);
    // Our own ledger brought back is the same records, known by their numbers.
    let back = world.json(&["import", "out.xlsx", "--type", "SVC"]);
    assert_eq!(back["tally"]["new"], 0, "{}", back["table_zh"]);
    assert_eq!(back["tally"]["unchanged"], planted.planted.accepted(), "{}", back["table_zh"]);
    assert_eq!(world.json(&["list"])["total"], planted.planted.accepted());

    let digest = world.json(&["digest"])["total"].clone();
    let rebuilt = world.json(&["rebuild"]);
    assert_eq!((&rebuilt["same"], &rebuilt["after"]), (&Json::Bool(true), &digest));

    let verified = world.run(&["verify", "--progress"]);
    assert_eq!(code(&verified), 0, "{}{}", out(&verified), err(&verified));
    assert!(out(&verified).contains("全部无误") && err(&verified).contains("正在核验"));
    // An auditor's copy of the file alone is checked in the same way.
    let store = world.path("xiangwang").join("store.db");
    let copy = world.path("copy.db");
    let whole = std::fs::read(&store).unwrap();
    std::fs::write(&copy, &whole).unwrap();
    let entries = &world.json(&["verify"])["entries"];
    let sound = world.json(&["verify", "copy.db"]);
    assert_eq!((&sound["sound"], &sound["entries"]), (&true.into(), entries));
    // The file is encrypted page by page: one bit anywhere is told.
    for at in [whole.len() / 3, whole.len() / 2, whole.len() - 300] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&copy, &changed).unwrap();
        let caught = world.run(&["verify", "copy.db"]);
        assert!([1, 2].contains(&code(&caught)), "byte {at}: {}", out(&caught));
        let said = format!("{}{}", out(&caught), err(&caught));
        assert!(said.contains("查出") || said.contains("损坏") || said.contains("代码"), "{said}");
    }
    std::fs::write(&copy, &whole).unwrap();
    assert_eq!(code(&world.run(&["verify", "copy.db"])), 0);
}

#[test]
fn a_running_node_is_asked_over_its_api() {
    let world = World::founded("running");
    let node = Running::start(&world);
    let status = world.json(&["status"]);
    assert_eq!(status["running"], true);
    let made = world.new_case(&CASE);
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert!(out(&made).contains("正在发往上级"), "{}", out(&made));
    let refused = world.new_case(&CASE[..4]);
    assert_eq!(code(&refused), 1);
    assert!(err(&refused).contains("材料清单"), "{}", err(&refused));
    let planted = world.ledger();
    let imported =
        world.run(&["--json", "--progress", "import", &planted.file_name, "--type", "SVC"]);
    assert_eq!(parsed(&imported)["tally"]["new"], planted.planted.accepted());
    let verified = world.run(&["verify"]);
    assert_eq!(code(&verified), 0, "{}{}", out(&verified), err(&verified));
    let second = world.run(&["run"]);
    assert_eq!(code(&second), 2);
    assert!(err(&second).contains("正被另一个程序使用"), "{}", err(&second));
    // A file of someone else's, or an old one: the store is owned and nobody answers.
    let api = world.path("xiangwang").join("api.json");
    let text = std::fs::read_to_string(&api).unwrap();
    let mut json: Json = serde_json::from_str(&text).unwrap();
    json["token"] = "00".into();
    std::fs::write(&api, json.to_string()).unwrap();
    let silent = world.run(&["status"]);
    assert_eq!(code(&silent), 2);
    assert!(err(&silent).contains("没有应答"), "{}", err(&silent));
    std::fs::write(&api, text).unwrap();
    drop(node);
    // Killed without warning: what was said to be saved is there, asked of the file.
    let status = world.json(&["status"]);
    assert_eq!(status["running"], false);
    assert_eq!(status["records"], planted.planted.accepted() + 1);
    assert_eq!(code(&world.run(&["verify"])), 0);
}

/// A folder of its own, removed in the end.
struct World(PathBuf);

impl World {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("xiangwang-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// With a county whose offices joined one after the other by carried files, down to the village.
    fn founded(name: &str) -> Self {
        let world = Self::new(name);
        let founded = world.found();
        assert_eq!(code(&founded), 0, "{}", err(&founded));
        let name = "邀请-130599000000-清河川县乡村治理工作办公室.xwinvite";
        world.join("县", &world.path("county").join(name));
        let township = world.invite("县", TOWNSHIP, "李文斌:TADM,TWIN");
        world.join("镇", &township);
        world.json_of("县", &["roster", "take", "加入-130599201000-白杨镇人民政府.xwjoin"]);
        let village = world.invite("镇", VILLAGE, "王秀兰:VCLK,VAGT,VGRD");
        world.join("xiangwang", &village);
        world
    }

    /// Joins by an invitation file.
    fn join(&self, folder: &str, invitation: &Path) {
        let ports = ["--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"];
        let joined = [&["join", invitation.to_str().unwrap()][..], &ports].concat();
        self.json_of(folder, &joined);
    }

    /// The invitation file that a registrar makes at a stopped node.
    fn invite(&self, folder: &str, office: &str, person: &str) -> PathBuf {
        let words = ["roster", "invite", "--office", office, "--node", "一号机"];
        let more = ["--person", person, "--out", "邀请"];
        let made = self.json_of(folder, &[&words[..], &more].concat());
        self.path(made["files"][0].as_str().unwrap())
    }

    /// The JSON of a command on one of several nodes, that must succeed.
    fn json_of(&self, folder: &str, arguments: &[&str]) -> Json {
        let output = self.run(&[&["--json", "--dir", folder], arguments].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}{}", out(&output), err(&output));
        parsed(&output)
    }

    /// Names and contents of all files in a folder and those below, by name.
    fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.path(folder)).into_iter().flatten() {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
            let name = name.into_string().unwrap();
            match path.is_dir() {
                true => files.extend(self.files(&format!("{folder}/{name}"))),
                false => files.push((name, std::fs::read(path).unwrap())),
            }
        }
        files.sort();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn found(&self) -> Output {
        std::fs::write(self.path("divisions.csv"), DIVISIONS).unwrap();
        let county = ["--county", "130599", "--out", "county", "--root-keys", "county/根密钥"];
        let person = ["--person", "张建国:CADM,CDEP"];
        let words = ["bootstrap", "found", "--divisions", "divisions.csv"];
        let passphrases = ROOT_PASSPHRASES.map(|passphrase| format!("{passphrase}\n")).concat();
        self.say(&[&words[..], &county, &person].concat(), &passphrases)
    }

    /// Runs a command; whoever is asked for a passphrase types their own.
    fn run(&self, arguments: &[&str]) -> Output {
        let founds = arguments.contains(&"found");
        self.say(arguments, if founds { "" } else { PASSPHRASE_TYPED })
    }

    fn say(&self, arguments: &[&str], typed: &str) -> Output {
        use std::io::Write as _;
        let mut command = command(&self.0);
        command.arg("--passphrase-from-stdin").args(arguments).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that asks for nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The JSON of a command that must succeed.
    fn json(&self, arguments: &[&str]) -> Json {
        let output = self.run(&[&["--json"], arguments].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", out(&output));
        parsed(&output)
    }

    fn new_case(&self, fields: &[&str]) -> Output {
        let sets = fields.iter().flat_map(|field| ["--set", field]);
        self.run(&["record", "new", "SVC"].into_iter().chain(sets).collect::<Vec<_>>())
    }

    /// A clerk's service ledger, written into the folder.
    fn ledger(&self) -> PlantedLedger {
        let counts = Counts { svc: 30, pvm: 0, ind: 0, med: 0 };
        let made = village_ledgers(11, VILLAGE, "柳河村", 2026, counts).unwrap();
        let ledger = made.into_iter().next().unwrap();
        std::fs::write(self.path(&ledger.file_name), &ledger.bytes).unwrap();
        ledger
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A node at work, killed in the end.
struct Running {
    child: Child,
    /// Kept open: what a node says must have somewhere to go.
    _said: BufReader<ChildStdout>,
}

impl Running {
    fn start(world: &World) -> Self {
        let mut child = command(&world.0).arg("run").stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_line(&mut said).unwrap();
        let node = Self { child, _said: reader };
        assert!(said.contains("节点已启动"), "{said}");
        let unlocked = world.run(&["unlock"]);
        assert_eq!(code(&unlocked), 0, "{}", err(&unlocked));
        node
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xiangwang"));
    command.current_dir(folder).arg("--training").stdin(Stdio::null());
    for variable in ["XIANGWANG_DIR", "XIANGWANG_LANG", "COLUMNS"] {
        command.env_remove(variable);
    }
    // Names in this house never pass through a proxy.
    command.env("http_proxy", "http://127.0.0.1:9");
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("the program ends by itself")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn parsed(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", out(output)))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    (0..bytes.len().saturating_sub(wanted.len()))
        .filter(|at| bytes[*at..].starts_with(wanted))
        .collect()
}

/// The ways in which bytes could stand in a file: as they are, in hex, and in base64 wherever they
/// begin in a larger whole.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let hex = xw_schemas::id::hex(secret);
    let mut spellings = vec![secret.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    for before in 0..3 {
        let padded = [&vec![0; before][..], secret].concat();
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode(&padded);
            // The first and last characters depend on what stands beside.
            spellings.push(text.as_bytes()[4..text.len() - 4].to_vec());
        }
    }
    spellings
}
