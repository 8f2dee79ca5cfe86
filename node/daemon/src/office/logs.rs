//! This node's own logs: where the next entry goes, how it gets onto the disk, and what this node
//! witnesses of others.

use std::collections::BTreeSet;

use xw_ledger::draft::{Author, Signed, Tail, open_log};
use xw_ledger::log::{Logs, Point};
use xw_ledger::standing::{LogStanding, Standing};
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::space::Space;

use super::Office;
use super::incarnation::Why;
use crate::clock;
use crate::trouble::{Answer, Trouble};

impl Office {
    /// The end of this node's log in a space; opens one where there is none that can go on.
    pub(super) fn tail(&mut self, space: Space) -> Answer<Tail> {
        let tails = self.tails(space)?;
        tails.into_iter().next_back().map_or_else(|| self.open_tail(space), Ok)
    }

    /// The same for what is only tried: a log that would have to be opened is opened in memory alone.
    pub(super) fn provisional_tail(&self, space: Space) -> Answer<Tail> {
        if let Some(tail) = self.tails(space)?.pop() {
            return Ok(tail);
        }
        let opened = self.signed_opening(space)?;
        let log = opened.entry.core().log;
        let mut logs = Logs::new();
        let placed = logs.place(self.store.roster(), &opened.entry).is_ok();
        Tail::of(&logs, log).filter(|_| placed).ok_or_else(no_log)
    }

    /// The ends of all logs in a space in which this node may go on; the longest last.
    pub(super) fn tails(&self, space: Space) -> Answer<Vec<Tail>> {
        self.refuse_if_cut()?;
        self.refuse_if_rolled_back()?;
        let own = self.own_key();
        let (roster, logs) = (self.store.roster(), self.store.logs());
        let open = |log: &LogId| {
            let standing = logs.assess(roster, log);
            matches!(standing, Some(LogStanding::Straight { rest: Standing::Local, .. }))
        };
        let mut usable: Vec<(u64, LogId)> = logs
            .iter()
            .filter(|(_, log)| log.node == own && log.space == space)
            .filter(|(id, _)| self.incarnation.writes_in(id) && open(id))
            .map(|(id, log)| (log.size(), *id))
            .collect();
        usable.sort_unstable();
        Ok(usable.iter().filter_map(|(_, log)| Tail::of(logs, *log)).collect())
    }

    /// Opens another log of this node in a space.
    pub(super) fn open_tail(&mut self, space: Space) -> Answer<Tail> {
        self.refuse_if_cut()?;
        self.refuse_if_rolled_back()?;
        let signed = self.signed_opening(space)?;
        let log = signed.entry.core().log;
        self.note_own_log(log)?;
        self.keep(vec![signed])?;
        Tail::of(self.store.logs(), log).ok_or_else(no_log)
    }

    fn signed_opening(&self, space: Space) -> Answer<Signed> {
        let before = self.last_entry(space);
        let author = Author { node: &self.node, person: None };
        let (roster, incarnation) = (self.store.roster(), clock::incarnation());
        Ok(open_log(roster, space, author, incarnation, clock::act(), before)?)
    }

    /// Refuses to write with a key that was cut: it would be saved here and count nowhere.
    fn refuse_if_cut(&self) -> Answer<()> {
        if self.store.roster().cut(&self.own_key()).is_none() {
            return Ok(());
        }
        Err(Trouble::new(
            "revoked",
            "本机的密钥已被撤销，在本机登记和办理的内容不会被任何机构采纳，已停止登记和办理（查看和导出不受影响）。请联系登记员为本机构的电脑重新发出邀请，再运行 xiangwang join 加入",
            "the key of this PC was cut, so what is entered here counts nowhere and nothing is written \
             (reading and exporting go on); ask the registrar to invite a PC of this office again, and \
             join with xiangwang join",
        ))
    }

    /// The last entry known of the log from which this node goes on in a space: of the own logs
    /// there the longest that this life does not write in, and on it the branch written here.
    fn last_entry(&self, space: Space) -> Option<EntryId> {
        let own = self.own_key();
        let logs = self.store.logs().iter();
        let before = logs.filter(|(_, log)| log.node == own && log.space == space);
        let (id, log) = before
            .filter(|(id, _)| !self.incarnation.writes_in(id))
            .max_by_key(|(id, log)| (log.size(), **id))?;
        let mut tips = log.tips();
        tips.sort_unstable();
        let mine = tips.iter().rev().find(|tip| !self.is_foreign(id, **tip));
        mine.or(tips.last()).map(|(_, entry)| *entry)
    }

    /// Puts own entries on disk, in one durable step.
    pub(super) fn keep(&mut self, signed: Vec<Signed>) -> Answer<()> {
        let places: Vec<(LogId, Point)> = signed
            .iter()
            .map(|s| (s.entry.core().log, (s.entry.core().sequence, s.entry.id())))
            .collect();
        let batch = signed.into_iter().map(|s| (s.entry, s.body)).collect();
        let received = self.store.receive(batch, clock::now_ms())?;
        if let Some(refused) = received.refused.first() {
            let zh = refused.reason.text(xw_schemas::record::Lang::Zh);
            let en = refused.reason.text(xw_schemas::record::Lang::En);
            return Err(Trouble::new("door", format!("条目未被接收：{zh}"), en));
        }
        self.fresh.extend(places);
        Ok(())
    }

    /// Signs and stores a witness entry; nothing when there is nothing new.
    pub(crate) fn witness(&mut self, space: Space, targets: &[LogId]) -> Answer<()> {
        if !self.may_witness() {
            return Ok(());
        }
        let tail = self.tail(space)?;
        let author = Author { node: &self.node, person: None };
        let (roster, logs) = (self.store.roster(), self.store.logs());
        let act = clock::act();
        let signed = xw_ledger::draft::write_witness(roster, logs, &tail, targets, author, act)?;
        signed.map_or(Ok(()), |signed| self.keep(vec![signed]))
    }

    /// Whether this node may put its office's word to what it holds: it remembers every word that it
    /// has given, and no other PC of the office gives any. A witness that lost its store is retired
    /// until its PC is enrolled anew.
    pub(crate) fn may_witness(&self) -> bool {
        let (why, _) = self.incarnation.began();
        why == Why::New && self.is_the_witness()
    }

    /// Whether this is an office above others whose PC may put its word to nothing any more.
    pub(super) fn witness_retired(&self) -> bool {
        let above = self.division().tier() != xw_schemas::space::Tier::Village;
        above && self.incarnation.began().0 != Why::New
    }

    /// Whether this PC is the one of its office that speaks by itself.
    pub(super) fn is_the_witness(&self) -> bool {
        if let Some(chosen) = self.settings.witness {
            return chosen;
        }
        let (roster, own) = (self.store.roster(), self.own_key());
        let office = roster.node_office(&own).map(|office| office.id);
        let live = roster.live_nodes();
        let of_office = |node: &&PublicKey| roster.node_office(node).map(|o| o.id) == office;
        self.settings.letter == 'A' || live.iter().filter(of_office).all(|node| *node == own)
    }

    /// Signs a checkpoint of own logs that grew.
    pub(crate) fn checkpoint(&mut self, logs: &BTreeSet<LogId>) -> Answer<()> {
        let network = self.store.roster().network();
        for id in logs {
            let Some(log) = self.store.logs().log(id) else { continue };
            let (size, root) = (log.size(), log.root());
            let checkpoint = Checkpoint { network, log: *id, size, root };
            self.store.set_checkpoint(&checkpoint.sign(&self.node))?;
        }
        Ok(())
    }
}

fn no_log() -> Trouble {
    Trouble::new("log", "无法在该共享空间建立日志", "cannot open a log in that space")
}
