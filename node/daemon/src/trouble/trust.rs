//! What founding, joining and the roster refuse, told as a trouble.

use xw_bootstrap::bundle::BundleFault;
use xw_bootstrap::found::PlanSlip;
use xw_bootstrap::invitation::InvitationSlip;
use xw_bootstrap::joining::JoinRefusal;
use xw_bootstrap::propose::ProposalSlip;
use xw_custody::ask::AskError;
use xw_custody::{KeyFileFault, OpenRefusal};
use xw_ledger::roster::{PassedOver, RosterRefusal};
use xw_schemas::edition::EditionFault;

use super::{Trouble, with_causes};

impl Trouble {
    /// An edition that the roster does not take.
    pub(crate) fn of_roster(refusal: RosterRefusal) -> Self {
        Self::new("roster", format!("名册未变：{}", refusal.zh()), refusal.to_string())
    }

    /// An edition that would be taken and have no effect.
    pub(crate) fn of_passed_over(why: PassedOver) -> Self {
        Self::new(
            "passed-over",
            format!("未签发，因为不会生效：{}", why.zh()),
            format!("not issued, for it would have no effect: {why}"),
        )
    }
}

/// A kind of refusal that has its own Chinese.
macro_rules! told {
    ($($fault:ty => $code:literal),+ $(,)?) => {
        $(impl From<$fault> for Trouble {
            fn from(fault: $fault) -> Self {
                Self::new($code, fault.zh(), with_causes(&fault))
            }
        })+
    };
}

told! {
    BundleFault => "roster-file",
    PlanSlip => "plan",
    InvitationSlip => "invitation",
    JoinRefusal => "join",
    ProposalSlip => "proposal",
    AskError => "passphrase",
    KeyFileFault => "key",
    OpenRefusal => "passphrase",
}

impl From<EditionFault> for Trouble {
    fn from(fault: EditionFault) -> Self {
        let (zh, en) = ("无法生成或读取名册版次", "an edition cannot be made or read");
        Self::because("edition", zh, en, with_causes(&fault))
    }
}
