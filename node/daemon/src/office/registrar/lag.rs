//! A registrar whose PC was put back signs nothing before it knows again what it has signed: a second
//! edition of one number would stop the office's whole term. Decides nothing of what an edition says.

use serde_json::{Value as Json, json};
use xw_schemas::id::PublicKey;

use super::super::Office;
use crate::request::Who;
use crate::trouble::{Answer, Trouble};

impl Office {
    /// Whether this office has issued an edition in its present term.
    pub(in crate::office) fn has_registered(&self) -> bool {
        self.right().is_ok_and(|right| self.store.chain().tip(right.scope()).is_some())
    }

    /// Refuses while editions of this office may be out that are not held here.
    pub(super) fn refuse_while_lagging(&self) -> Answer<()> {
        if !self.may_lag() {
            return Ok(());
        }
        let (why, _) = self.incarnation.began();
        Err(Trouble::new(
            "lagging",
            format!(
                "暂不能登记：{}，此后还没有与{}核对过名册。本机可能缺少自己签发过的版次，现在再签会与之重号，使本机构的登记全部停摆。请启动节点（xiangwang run），连上后会自动核对，随即可办；连不上的，请带来名册文件并接收（xiangwang roster take）。确认别处都没有更新的名册后，可运行 xiangwang roster resume --no-newer-elsewhere",
                why.zh(),
                if self.has_office_above() { "上级" } else { "其他机构" },
            ),
            format!(
                "nothing can be registered yet: {}, and since then nobody {}was found to hold the same roster; an edition of this office may be out that is not held here, and a second one of its number would stop the whole term. Run the node (xiangwang run): it compares by itself. Where there is no line, take up a roster that was carried here (xiangwang roster take). Only when nobody holds a newer one: xiangwang roster resume --no-newer-elsewhere",
                why.en(),
                if self.has_office_above() { "above " } else { "" },
            ),
        ))
    }

    /// Takes notice of neighbours who were found to know no more than is held here. An office above
    /// hears of every edition before villages do; where there is none, anybody's word is taken.
    pub(crate) fn note_compared(&mut self, equal: &[PublicKey]) -> Answer<()> {
        if !self.may_lag() {
            return Ok(());
        }
        let above = self.has_office_above();
        match equal.iter().any(|peer| !above || self.is_above(peer)) {
            true => self.note_caught_up(),
            false => Ok(()),
        }
    }

    /// A registrar says that no newer roster is anywhere. Answers `{resumed}`.
    pub(in crate::office) fn resume_registering(&mut self, who: &Who) -> Answer<Json> {
        let right = self.right()?;
        self.registrar_key(&right, who)?;
        self.note_caught_up()?;
        tracing::warn!("a registrar says that nobody holds a newer roster");
        Ok(json!({"resumed": true}))
    }

    fn has_office_above(&self) -> bool {
        self.store.roster().live_nodes().iter().any(|node| self.is_above(node))
    }

    fn is_above(&self, node: &PublicKey) -> bool {
        let own = self.division();
        let office = self.store.roster().node_office(node);
        office.is_some_and(|office| office.division != own && office.division.covers(own))
    }
}
