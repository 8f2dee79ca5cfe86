//! A process that receives, settles, locks and reopens is killed at moments that nobody chose.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use xw_store::Store;

use crate::world::{Folder, NOW_MS, World, content, keys, office, text};

/// Kills when nobody asks for more.
const KILLS: u64 = 50;
const KILLS_VARIABLE: &str = "XW_KILLS";

/// Kills that one store goes through before a fresh one is begun; with more, checking takes longer
/// than killing.
const KILLS_EACH: u64 = 25;

/// Set for the process that is killed: its folder and a number that it draws from.
const CHILD: &str = "XW_DURABILITY_KILLED";
const DRAW: &str = "XW_DURABILITY_DRAW";

#[test]
fn a_process_killed_at_any_moment_has_kept_what_it_acknowledged() {
    if let Some(folder) = std::env::var_os(CHILD) {
        work_until_killed(folder.as_ref(), std::env::var(DRAW).unwrap().parse().unwrap());
    }
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let mut dice = Dice(0x5eed_cafe);
    let mut folder = Folder::quick();
    let (mut held, mut acknowledged_in_all, mut unheard) = (0, 0, 0);
    for kill in 0..kills {
        if kill % KILLS_EACH == 0 {
            (folder, held) = (Folder::quick(), 0);
        }
        let acknowledged = kill_one(&folder, kill, &mut dice).max(held);
        acknowledged_in_all += acknowledged - held;
        let store = Store::open(&folder.file(), Some(keys(1)));
        let mut store = match store {
            Ok(store) => store,
            Err(error) if acknowledged > 0 => panic!("kill {kill}: {error:?}"),
            Err(_) => continue,
        };
        assert!(!store.opened().lost_something(), "kill {kill}: {:?}", store.opened());
        store.unlock(office(1)).unwrap();
        store.settle_all().unwrap();
        let digest = store.digest(None).unwrap();
        assert!(
            digest.entries >= acknowledged,
            "kill {kill}: {digest:?}, {acknowledged} acknowledged"
        );
        let report = store.verify(&mut |_, _| {}).unwrap();
        assert!(report.is_clean(), "kill {kill}: {report:?}");
        unheard += digest.entries - acknowledged;
        held = digest.entries;
        store.close().unwrap();
    }
    println!("{kills} kills, {acknowledged_in_all} entries acknowledged, {unheard} kept unheard");
    assert!(acknowledged_in_all >= kills, "the processes had time to work");
}

/// Runs a process and kills it; gives the most that it acknowledged.
fn kill_one(folder: &Folder, kill: u64, dice: &mut Dice) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::a_process_killed_at_any_moment_has_kept_what_it_acknowledged"])
        .args(["--nocapture", "--test-threads=1"])
        .env(CHILD, folder.file().parent().unwrap())
        .env(DRAW, (kill + 1).to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = 0;
    // Some are killed before they say anything.
    for _ in 0..dice.draw(12) {
        acknowledged = next_number(&mut lines).unwrap_or(acknowledged).max(acknowledged);
    }
    wait_busily(Duration::from_micros(dice.draw(4_000)));
    end(&mut child);
    // What was said before the end and not read yet was acknowledged all the same.
    while let Some(number) = next_number(&mut lines) {
        acknowledged = acknowledged.max(number);
    }
    acknowledged
}

/// The next acknowledgement; nothing at the end.
fn next_number(lines: &mut std::io::Lines<BufReader<ChildStdout>>) -> Option<u64> {
    loop {
        let line = lines.next()?.ok()?;
        if let Some((_, number)) = line.split_once("stored ") {
            // The last line may be cut short by the kill; then it was not said.
            if let Some(number) = number.strip_suffix('.') {
                return number.parse().ok();
            }
        }
    }
}

fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A random moment has to be met more closely than the system wakes a process.
fn wait_busily(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn work_until_killed(folder: &Path, draw: u64) -> ! {
    let mut world = World::new();
    // Claimed times are made of the draws and must stay within what an entry can say.
    world.dice = draw * 100_000;
    let file = folder.join("store.db");
    let mut dice = Dice(draw);
    let mut store = if file.exists() {
        Store::open(&file, Some(keys(1))).unwrap()
    } else {
        world.keyed_at(&file, 1)
    };
    let own = store.logs().iter().map(|(id, _)| *id).next();
    let log = own.unwrap_or_else(|| world.open(&mut store, |w| &w.east));
    let mut out = std::io::stdout();
    loop {
        let count = 1 + dice.draw(4);
        let one = |i| {
            let fields = [("applicant_name", text("王秀英"))];
            content(&format!("{draw}之{i}"), &fields)
        };
        let contents: Vec<_> = (0..count).map(one).collect();
        let batch = world.sign_all(&store, log, |w| &w.east, &contents);
        store.receive(batch, NOW_MS).unwrap();
        let entries = store.logs().log(&log).unwrap().size();
        writeln!(out, "stored {entries}.").unwrap();
        out.flush().unwrap();
        match dice.draw(10) {
            0..4 => drop(store.settle(2).unwrap()),
            4 => store.unlock(office(1)).unwrap(),
            5 => store.lock().unwrap(),
            6 => {
                store.close().unwrap();
                store = Store::open(&file, Some(keys(1))).unwrap();
            }
            _ => {}
        }
    }
}

/// Repeatable dice.
struct Dice(u64);

impl Dice {
    fn draw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
        (self.0 >> 33) % sides
    }
}
