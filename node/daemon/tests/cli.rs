//! The real program, as a clerk and an auditor use it: found a county, make a node, register,
//! list, import, export, verify, tamper. Each command is a process of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value as Json;
use xw_bootstrap::sheets::{Counts, PlantedLedger, village_ledgers};

const VILLAGE: &str = "130599201201";

const DIVISIONS: &str = "code,level,name,parent\n130500000000,city,邢台市,130000000000\n\
    130599000000,county,清河川县,130500000000\n130599201000,township,白杨镇,130599000000\n\
    130599201201,village,柳河村,130599201000\n";

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
fn a_county_is_founded_once_and_its_keys_are_for_its_owner_alone() {
    let world = World::new("found");
    let founded = world.found();
    assert_eq!(code(&founded), 0, "{}", err(&founded));
    for said in ["根密钥", "保险柜", "谁拿到它，谁就能以该机构名义签名", "公开文件"]
    {
        assert!(out(&founded).contains(said), "{said}");
    }
    let mut names: Vec<String> = std::fs::read_dir(world.path("county"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "founding-edition.cbor",
            "kit-130599000000-清河川县乡村治理工作办公室.json",
            "kit-130599201000-白杨镇人民政府.json",
            "kit-130599201201-柳河村村民委员会.json",
            "root-1.key",
            "root-2.key",
            "root-3.key",
        ]
    );
    #[cfg(unix)]
    for name in names.iter().filter(|name| !name.ends_with(".cbor")) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(world.path("county").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    let before = std::fs::read(world.path("county").join("root-1.key")).unwrap();
    let again = world.found();
    assert_eq!(code(&again), 1);
    assert!(err(&again).contains("不是空目录"), "{}", err(&again));
    assert_eq!(std::fs::read(world.path("county").join("root-1.key")).unwrap(), before);
}

#[test]
fn what_cannot_be_read_is_told_from_what_is_refused() {
    let world = World::new("codes");
    let nowhere = world.run(&["status"]);
    assert_eq!((code(&nowhere), out(&nowhere)), (2, String::new()));
    assert!(err(&nowhere).contains("不是节点目录") && err(&nowhere).contains("xiangwang init"));
    let json = world.run(&["--json", "list"]);
    assert_eq!((code(&json), err(&json)), (2, String::new()));
    assert_eq!(parsed(&json)["error"]["code"], "no-node");
    assert_eq!(code(&world.run(&["verify", "nowhere.db"])), 2);
    assert_eq!(code(&world.run(&["record", "shwo"])), 2);
    let kit = world.path("no-kit.json");
    std::fs::write(&kit, "{}").unwrap();
    let made = world.run(&["init", "--kit", "no-kit.json"]);
    assert_eq!(code(&made), 2);
    assert!(err(&made).contains("开户包"), "{}", err(&made));
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
    let sound = world.json(&["verify", "copy.db"]);
    assert_eq!(
        (&sound["sound"], &sound["records"]),
        (&true.into(), &planted.planted.accepted().into())
    );

    // Signed bytes name the record type and so can be found; one bit of each of three is changed.
    let places: Vec<usize> = find(&whole, VILLAGE.as_bytes());
    assert!(places.len() > 10);
    for at in [places[0], places[places.len() / 2], places[places.len() - 1]] {
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

    /// With a county and the village's node.
    fn founded(name: &str) -> Self {
        let world = Self::new(name);
        let founded = world.found();
        assert_eq!(code(&founded), 0, "{}", err(&founded));
        let kit = world.path("county").join(format!("kit-{VILLAGE}-柳河村村民委员会.json"));
        let ports = ["--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"];
        let made = world.run(&[&["init", "--kit", kit.to_str().unwrap()][..], &ports].concat());
        assert_eq!(code(&made), 0, "{}", err(&made));
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn found(&self) -> Output {
        std::fs::write(self.path("divisions.csv"), DIVISIONS).unwrap();
        let county = ["--county", "130599000000", "--out", "county"];
        self.run(&[&["bootstrap", "found", "--divisions", "divisions.csv"][..], &county].concat())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        command(&self.0).args(arguments).output().unwrap()
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
    command.current_dir(folder).stdin(Stdio::null());
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
