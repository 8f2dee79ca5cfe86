//! What a careless shell might do. A county whose nodes have none of these habits keeps every
//! promise; with any one of them the simulator has to find the harm.

/// Bad habits of the nodes' shells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    /// Acknowledges before the commit.
    pub acknowledges_early: bool,
    /// Lets the variant that arrived first count, whatever the rules say of forks.
    pub judges_by_arrival: bool,
    /// Sends and keeps bodies without asking who may have them.
    pub forgets_body_rights: bool,
    /// Passes over what the own township has witnessed.
    pub ignores_township_pins: bool,
    /// Sends a witness statement out before it is on disk.
    pub witnesses_early: bool,
    /// Goes on in its old logs on a disk that was put back.
    pub ignores_restore_marker: bool,
    /// Says nothing again that a fork of its log has taken.
    pub never_republishes: bool,
    /// Takes a new connection for the old one and compares nothing.
    pub never_compares_again: bool,
    /// A village talks to nobody but its township while that answers.
    pub keeps_one_line: bool,
    /// Judges by the rules that it knows when the roster names newer ones.
    pub ignores_new_rules: bool,
    /// Gives its office's word on a disk that was put back.
    pub witnesses_after_restore: bool,
    /// Lets what a cut key wrote afterwards count.
    pub ignores_cuts: bool,
    /// Says again whatever bears its key and does not stand.
    pub republishes_all_of_its_key: bool,
}
