//! The story, chapter by chapter. Each chapter does something real, checks it, and says it with
//! the figures that it saw.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use xw_bootstrap::sheets::{Counts, village_ledgers};
use xw_bootstrap::synthetic::VILLAGES;

use super::Seen;
use super::county::County;
use crate::request::{EditRecord, ImportLedger, ListRecords, Request, ResolveRecord, Who};

/// The offices, in the order of the county.
const COUNTY: usize = 0;
const TOWNSHIP: usize = 1;
const VILLAGE: [usize; 3] = [2, 3, 4];

/// Rows of each ledger: a small village's year, quick enough for a demonstration.
const ROWS: Counts = Counts { svc: 60, pvm: 16, ind: 8, med: 12 };

/// The same ledgers at every run.
const SEED: u64 = 130_599;

/// The field that two offices change at once.
const FIELD: &str = "content_scale";

pub(super) struct Story {
    json: bool,
}

impl Story {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn say(&mut self, text: &str) {
        // A closed terminal does not stop the demonstration.
        let _ = if self.json {
            writeln!(std::io::stderr(), "{text}")
        } else {
            writeln!(std::io::stdout(), "{text}")
        };
    }

    pub(super) fn chapter(&mut self, title: &str) {
        self.say(&format!("\n── {title}"));
    }

    pub(super) fn json(&mut self, line: &str) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// Imports four ledgers into every village and holds the result against what was planted.
    pub(super) async fn import(&mut self, county: &County, seen: &mut Seen) -> anyhow::Result<()> {
        self.chapter("二、导入台账（.xlsx，带着基层台账常有的毛病）");
        for (at, (code, name)) in VILLAGE.into_iter().zip(VILLAGES) {
            let (mut new, mut refused, mut dirt) = (0, 0, 0);
            for ledger in village_ledgers(SEED, code, name, 2026, ROWS)? {
                let path = county.offices[at].folder.path().join(&ledger.file_name);
                std::fs::write(&path, &ledger.bytes)?;
                let request = ImportLedger {
                    file_name: ledger.file_name.clone(),
                    base64: STANDARD.encode(&ledger.bytes),
                    record_type: ledger.planted.record_type.clone(),
                    ..ImportLedger::default()
                };
                let answer = county.ask(at, Request::Import(request.clone())).await?;
                let tally = |name: &str| answer["tally"][name].as_u64().unwrap_or(u64::MAX);
                ensure!(
                    tally("new") + tally("unchanged") == ledger.planted.accepted() as u64
                        && tally("refused") == ledger.planted.refused() as u64,
                    "{}：导入结果 {} 与预期（接受 {}，拒绝 {}）不符：{}",
                    ledger.file_name,
                    answer["tally"],
                    ledger.planted.accepted(),
                    ledger.planted.refused(),
                    answer["table_zh"].as_str().unwrap_or_default()
                );
                new += tally("new");
                refused += tally("refused");
                dirt += ledger.planted.dirt().values().sum::<usize>();
                // The same file again changes nothing.
                let again = county.ask(at, Request::Import(request)).await?;
                ensure!(again["tally"]["new"] == 0, "{}：重复导入产生了新记录", ledger.file_name);
            }
            seen.records += new;
            seen.refused += refused;
            self.say(&format!(
                "{name}：四本台账导入 {new} 条记录；{refused} 行有错，逐行说明原因后退回，一条也没有半截入库；\
                 另有 {dirt} 处日期、全角数字、单位、勾选等写法被认出。再导入一遍，新增 0 条。"
            ));
        }
        Ok(())
    }

    /// Waits until township and county have everything and have said so.
    pub(super) async fn gather(&mut self, county: &County, seen: &mut Seen) -> anyhow::Result<()> {
        self.chapter("三、汇集");
        let records = seen.records;
        for at in [TOWNSHIP, COUNTY] {
            county
                .wait(at, "收齐全部记录", |status| {
                    status["records"].as_u64() == Some(records)
                })
                .await?;
        }
        for at in VILLAGE {
            county
                .wait(at, "县已见证全部记录", |status| {
                    status["only_here"] == 0 && status["township"] == 0 && status["county"] != 0
                })
                .await?;
        }
        self.say(&format!(
            "{records} 条记录到了镇和县。每个村的屏幕上：仅存本机 0 条，县已见证的是全部——\
             这是县节点签名后才说的话，不是“队列空了”。"
        ));
        Ok(())
    }

    /// Two offices change one field of one record while a village is cut off.
    pub(super) async fn disagree(
        &mut self,
        county: &County,
        seen: &mut Seen,
    ) -> anyhow::Result<()> {
        self.chapter("四、断线、分歧、裁定");
        let village = VILLAGE[2];
        let name = VILLAGES[2].1;
        let list = ListRecords {
            types: vec!["IND".to_owned()],
            divisions: vec![VILLAGES[2].0.to_owned()],
            sort: vec!["business_no".to_owned()],
            limit: Some(1),
            ..ListRecords::default()
        };
        let found = county.ask(village, Request::List(list)).await?;
        let record = text(&found["rows"][0]["record"])?;
        let number = found["rows"][0]["business_no"].as_str().unwrap_or_default().to_owned();
        county.line.cut();
        county
            .wait(village, "断线", |status| {
                status["neighbours"]
                    .as_array()
                    .is_some_and(|all| all.iter().all(|neighbour| neighbour["connected"] == false))
            })
            .await?;
        self.say(&format!("{name}的线断了。村里照常办公。"));
        edit(county, village, &record, "新建大棚 12 座、蓄水池 1 座").await?;
        edit(county, TOWNSHIP, &record, "新建大棚 10 座、机井 1 眼").await?;
        let status = county.ask(village, Request::Status).await?;
        ensure!(status["only_here"] == 1, "断线时村里应有 1 条仅存本机的记录：{status}");
        self.say(&format!(
            "同一个项目 {number} 的“建设内容及规模”，村里改成 12 座，镇里同时改成 10 座。\
             村里屏幕：仅存本机 1 条。"
        ));
        county.line.heal();
        for at in [village, TOWNSHIP, COUNTY] {
            let ask = || Request::Conflicts { record: Some(record.clone()) };
            county
                .wait_for(at, "看到冲突", ask, |answer| {
                    answer["records"][0]["conflicts"].as_array().is_some_and(|all| all.len() == 1)
                })
                .await?;
        }
        seen.conflicts_seen += 1;
        let conflicts =
            county.ask(TOWNSHIP, Request::Conflicts { record: Some(record.clone()) }).await?;
        let values = conflicts["records"][0]["conflicts"][0]["values"].clone();
        let values = values.as_array().context("no values in the conflict")?;
        ensure!(values.len() == 2, "冲突应有两个取值：{conflicts}");
        self.say("线通了。村、镇、县看到同一处冲突，两个写法都在，谁也没有被覆盖：");
        for value in values {
            self.say(&format!(
                "    {}. {}（{} {}，{}）",
                value["n"],
                value["value"].as_str().unwrap_or_default(),
                value["office"].as_str().unwrap_or_default(),
                value["by"].as_str().unwrap_or_default(),
                value["at"].as_str().unwrap_or_default()
            ));
        }
        let take = values
            .iter()
            .position(|value| value["value"].as_str().is_some_and(|text| text.contains("12 座")))
            .context("the village's value is gone")?;
        let resolve = ResolveRecord {
            record: record.clone(),
            path: FIELD.to_owned(),
            take: take + 1,
            reason: String::new(),
            who: Who::default(),
        };
        county.ask(TOWNSHIP, Request::Resolve(resolve)).await?;
        for at in [village, TOWNSHIP, COUNTY] {
            let ask = || Request::Conflicts { record: Some(record.clone()) };
            county
                .wait_for(at, "冲突已裁定", ask, |answer| {
                    answer["records"][0]["conflicts"].as_array().is_some_and(Vec::is_empty)
                })
                .await?;
        }
        for at in [village, TOWNSHIP, COUNTY] {
            let left = county.ask(at, Request::Conflicts { record: None }).await?;
            seen.conflicts_left += left["records"].as_array().map_or(1, |all| all.len() as u64);
        }
        self.say("镇里核实后采用村里的写法，签名记为一条新的变更；三处的冲突数都回到 0，两次修改都留在历史里。");
        Ok(())
    }

    /// Queries at the township.
    pub(super) async fn ask_around(&mut self, county: &County) -> anyhow::Result<()> {
        self.chapter("五、镇里查询");
        let svc = ListRecords {
            types: vec!["SVC".to_owned()],
            text: Some("医保".to_owned()),
            sort: vec!["-created".to_owned()],
            limit: Some(3),
            ..ListRecords::default()
        };
        let answer = county.ask(TOWNSHIP, Request::List(svc)).await?;
        let coverage = &answer["coverage"];
        ensure!(
            coverage["heard"] == 3 && coverage["of"] == 3,
            "镇里应当三个村都有消息：{coverage}"
        );
        self.say(&format!(
            "搜“医保”（两个字）：全镇 {} 条办件。范围：{}（{}）。",
            answer["total"],
            coverage["zh"].as_str().unwrap_or_default(),
            coverage["en"].as_str().unwrap_or_default()
        ));
        let sealed =
            ListRecords { types: vec!["MED".to_owned()], limit: Some(1), ..ListRecords::default() };
        let at_county = county.ask(COUNTY, Request::List(sealed)).await?;
        ensure!(
            at_county["rows"][0]["sealed"] == true && at_county["total"].as_u64() > Some(0),
            "县里不应看到调解内容：{}",
            at_county["rows"][0]
        );
        self.say(&format!(
            "县里对调解记录只有签名条目、没有内容（密封 {} 条），仍能验证谁在何时写了什么、一条不少。",
            at_county["total"]
        ));
        let other =
            ListRecords { divisions: vec![VILLAGES[1].0.to_owned()], ..ListRecords::default() };
        let peeked = county.ask(VILLAGE[0], Request::List(other)).await?;
        ensure!(peeked["total"] == 0, "村里看到了别村的记录：{peeked}");
        self.say(&format!(
            "{}查{}的记录：0 条。别村的记录从不到村里来。",
            VILLAGES[0].1, VILLAGES[1].1
        ));
        Ok(())
    }

    /// Compares digests: the same entries and the same roster give the same bytes.
    pub(super) async fn compare(&mut self, county: &County, seen: &mut Seen) -> anyhow::Result<()> {
        self.chapter("六、对账");
        let mut equal = true;
        for (at, (code, name)) in VILLAGE.into_iter().zip(VILLAGES) {
            let space = format!("{code}/office");
            let mut same = None;
            // Witness entries may still be on their way; the digests meet when they have arrived.
            let waited = tokio::time::timeout(super::county::PATIENCE, async {
                loop {
                    let mut digests = Vec::new();
                    for office in [at, TOWNSHIP, COUNTY] {
                        let answer = county.ask(office, Request::Digest).await?;
                        digests.push(of_space(&answer, &space)?);
                    }
                    let headers =
                        digests.iter().all(|digest| digest["headers"] == digests[0]["headers"]);
                    if headers && digests[0]["view"] == digests[1]["view"] {
                        same = Some(digests[0].clone());
                        return anyhow::Ok(());
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
            });
            match waited.await {
                Ok(result) => result?,
                Err(_) => equal = false,
            }
            let digest = same.with_context(|| format!("{name}：村、镇、县的摘要不一致"))?;
            self.say(&format!(
                "{name}：{} 条记录、{} 个条目。村与镇的视图逐字节相同，摘要 {}…；村、镇、县的条目摘要相同。",
                digest["records"], digest["entries"],
                digest["view"].as_str().and_then(|hex| hex.get(..16)).unwrap_or_default()
            ));
        }
        let township = county.ask(TOWNSHIP, Request::Status).await?;
        seen.entries = township["entries"].as_u64().context("no count of entries")?;
        seen.digests_equal = equal;
        Ok(())
    }

    /// Verifies every byte at the county.
    pub(super) async fn verify(&mut self, county: &County, seen: &mut Seen) -> anyhow::Result<()> {
        self.chapter("七、县里核验");
        let report = county.ask(COUNTY, Request::Verify).await?;
        ensure!(report["sound"] == true, "县库核验有问题：{}", report["findings"]);
        seen.entries_verified = report["entries"].as_u64().context("no count of entries")?;
        self.say(&format!(
            "县库逐条重验：{} 个条目的签名和编号、{} 个日志的哈希链和根、{} 条记录的判定与视图，没有发现问题。",
            report["entries"], report["logs"], report["records"]
        ));
        Ok(())
    }

    /// Changes one byte in the file of a village that was stopped, and lets it be found.
    pub(super) async fn tamper(
        &mut self,
        county: &mut County,
        seen: &mut Seen,
        once: bool,
    ) -> anyhow::Result<()> {
        self.chapter("八、篡改一个字节");
        let village = VILLAGE[0];
        let list =
            ListRecords { types: vec!["IND".to_owned()], limit: Some(1), ..ListRecords::default() };
        let found = county.ask(village, Request::List(list)).await?;
        let title = text(&found["rows"][0]["title"])?;
        county.stop(village)?;
        let folder = county.offices[village].folder.clone();
        ensure!(!lies_open(folder.path(), &title)?, "停下之后，目录里仍能读到“{title}”");
        let whole = std::fs::read(folder.store_path())?;
        // A copy, as an auditor has it: a node that finds its own file damaged sets it aside.
        let copy = folder.path().join("副本.db");
        std::fs::write(&copy, &whole)?;
        let sound = verify_file(folder.path(), &copy)?;
        ensure!(sound == 0, "篡改之前核验就不通过（退出码 {sound}）");
        let at = whole.len() / 2;
        let mut changed = whole;
        changed[at] ^= 1;
        std::fs::write(&copy, &changed)?;
        let caught = verify_file(folder.path(), &copy)?;
        seen.tamper_caught = caught == 1 || caught == 2;
        ensure!(seen.tamper_caught, "改了一个字节却没有被发现");
        std::fs::remove_file(&copy)?;
        self.say(&format!(
            "停下{}：目录里任何文件都读不到记录内容（如“{title}”），没有口令谁也打不开。\n\
             把它库文件的副本第 {} 字节改掉一位。xiangwang verify：改之前退出码 0，改之后退出码 {caught}，说出在哪一处。",
            VILLAGES[0].1, at
        ));
        if !once {
            county.restart(village).await?;
        }
        Ok(())
    }

    /// Commands to try.
    pub(super) fn commands(&mut self, county: &County) {
        let program = std::env::current_exe().unwrap_or_else(|_| "xiangwang".into());
        let program = program.display();
        let township = county.offices[TOWNSHIP].folder.path().display();
        let village = county.offices[VILLAGE[0]].folder.path().display();
        for (what, command) in [
            ("镇里的情况", format!("{program} --dir {township} status")),
            ("全镇项目", format!("{program} --dir {township} list --type IND --sort -updated")),
            ("搜两个字", format!("{program} --dir {township} list --text 医保")),
            ("有哪些记录类型", format!("{program} --dir {village} types SVC")),
            (
                "村里新登记一件",
                format!(
                    "{program} --dir {village} record new SVC --set matter_name=医保缴费 --set matter_code=城乡居民医保参保缴费 --set 服务方式=窗口办理 --set applicant_kind=1 --set applicant.name=张三 --set \"材料清单[1].名称=身份证\" --set materials[1].form=复印件 --set materials[1].copies=1 --set materials[1].received_on=2026.11.23"
                ),
            ),
            ("导出台账", format!("{program} --dir {township} export 办件.xlsx --type SVC")),
            ("核验", format!("{program} --dir {township} verify")),
        ] {
            self.say(&format!("  {what}：\n    {command}"));
        }
        for office in &county.offices {
            self.say(&format!(
                "  {}（{}）：{}",
                office.name,
                office.division,
                office.folder.path().display()
            ));
        }
        self.say("按 Ctrl-C 结束演示。");
    }
}

async fn edit(county: &County, at: usize, record: &str, value: &str) -> anyhow::Result<()> {
    let request = EditRecord {
        record: record.to_owned(),
        fields: json!({ FIELD: value }),
        ..EditRecord::default()
    };
    county.ask(at, Request::Edit(request)).await.map(|_| ())
}

fn text(value: &Json) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("an answer lacks a text: {value}"))
}

fn of_space(answer: &Json, space: &str) -> anyhow::Result<Json> {
    let spaces = answer["spaces"].as_array().context("no spaces in the digest")?;
    match spaces.iter().find(|entry| entry["space"] == space) {
        Some(found) => Ok(found.clone()),
        None => bail!("the digest has no space {space}"),
    }
}

fn verify_file(folder: &Path, file: &Path) -> anyhow::Result<i32> {
    let status = std::process::Command::new(std::env::current_exe()?)
        .args(["--dir", &folder.display().to_string(), "verify", &file.display().to_string()])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()?;
    status.code().context("the verification ended without an exit code")
}

/// Whether a text can be read in any file of a folder.
fn lies_open(folder: &Path, wanted: &str) -> anyhow::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            lies_open(&path, wanted)?
        } else {
            let bytes = std::fs::read(&path)?;
            bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
