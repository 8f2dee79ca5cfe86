//! The demonstration: a synthetic county of five real processes tells its own story, and checks
//! every sentence of it.

mod county;
mod relay;
mod story;

use std::path::PathBuf;

use serde::Serialize;

use county::County;
use story::Story;

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Where the folders are made; a temporary folder when not given.
    pub(crate) dir: Option<PathBuf>,
    /// Do not stay up.
    pub(crate) once: bool,
    /// End with one line of JSON; the story goes to the error stream.
    pub(crate) json: bool,
}

/// What was seen; every figure was checked.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Seen {
    pub(crate) nodes: usize,
    pub(crate) records: u64,
    pub(crate) entries: u64,
    pub(crate) refused: u64,
    pub(crate) conflicts_seen: u64,
    pub(crate) conflicts_left: u64,
    pub(crate) digests_equal: bool,
    pub(crate) entries_verified: u64,
    pub(crate) tamper_caught: bool,
    pub(crate) seconds: u64,
}

/// Runs the demonstration; the exit code is 0 only if everything held.
pub(crate) fn run(options: &Options) -> anyhow::Result<i32> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(show(options))
}

async fn show(options: &Options) -> anyhow::Result<i32> {
    let started = crate::clock::now_ms();
    let (dir, temporary) = match &options.dir {
        Some(dir) => (dir.clone(), false),
        None => {
            let name = format!("xiangwang-demo-{}-{started}", std::process::id());
            (std::env::temp_dir().join(name), true)
        }
    };
    std::fs::create_dir_all(&dir)?;
    let mut story = Story::new(options.json);
    let told = tell(&mut story, &dir, options.once).await;
    let mut seen = match told {
        Ok((seen, county)) => {
            if !options.once {
                stay(&mut story, &county).await?;
            }
            seen
        }
        Err(error) => {
            story.say(&format!("✗ 演示未完成：{error:#}"));
            return Ok(1);
        }
    };
    seen.seconds = crate::clock::now_ms().saturating_sub(started) / 1_000;
    if temporary {
        // Nothing in it is worth keeping; a file still open on Windows stays behind.
        let _ = std::fs::remove_dir_all(&dir);
    }
    let held = seen.holds();
    if options.json {
        story.json(&serde_json::to_string(&seen)?);
    }
    Ok(i32::from(!held))
}

impl Seen {
    fn holds(&self) -> bool {
        self.nodes == 5
            && self.records > 0
            && self.refused > 0
            && self.conflicts_seen > 0
            && self.conflicts_left == 0
            && self.digests_equal
            && self.entries_verified >= self.records
            && self.tamper_caught
    }
}

async fn tell(
    story: &mut Story,
    dir: &std::path::Path,
    once: bool,
) -> anyhow::Result<(Seen, County)> {
    let mut seen = Seen::default();
    story.say("乡网演示：虚构的清河川县（130599），五个真实进程，真实签名、真实网络、真实数据库。");
    let mut county = County::found(dir).await?;
    story.chapter("一、立县，凭邀请加入");
    story.say(&format!("建县：{} 持根密钥签发的邀请加入，自己生成密钥。", county.offices[0].name));
    while !county.is_whole() {
        let text = county.join_next().await?;
        if let Some(joined) = county.offices.last() {
            let beginning: String = text.chars().take(13).collect();
            story.say(&format!("{} 凭上级的邀请码 {beginning}… 经网络加入。", joined.name));
        }
    }
    seen.nodes = county.offices.len();
    story.say(&format!(
        "每个机构一个目录、一把自己的节点密钥，每位经办人一把有口令的个人密钥；全部在 {}。",
        county.dir.display()
    ));
    story.import(&county, &mut seen).await?;
    story.gather(&county, &mut seen).await?;
    story.disagree(&county, &mut seen).await?;
    story.ask_around(&county).await?;
    story.compare(&county, &mut seen).await?;
    story.verify(&county, &mut seen).await?;
    story.tamper(&mut county, &mut seen, once).await?;
    Ok((seen, county))
}

async fn stay(story: &mut Story, county: &County) -> anyhow::Result<()> {
    story.chapter("演示节点仍在运行，可另开终端试一试");
    story.commands(county);
    story
        .say(&format!("每位经办人的口令都是 {}（只在本次演示中使用）", county.passphrase.reveal()));
    tokio::signal::ctrl_c().await?;
    story.say("正在停止……");
    Ok(())
}
