//! How a command ends, for scripts: three numbers and no more.

use crate::trouble::Trouble;

/// What was asked is done.
pub(crate) const DONE: u8 = 0;

/// Refused, invalid, or something was found that should not be so.
pub(crate) const FINDINGS: u8 = 1;

/// Nothing could be read: no node, no file, wrong usage.
pub(crate) const CANNOT: u8 = 2;

/// Troubles that lie outside of what was asked: files, the store, the node itself.
const OUTSIDE: [&str; 14] = [
    "api",
    "base64",
    "divisions",
    "file",
    "folder",
    "key",
    "net",
    "no-node",
    "roster-file",
    "run",
    "settings",
    "store",
    "unreachable",
    "usage",
];

/// The number of a trouble.
pub(crate) fn of(trouble: &Trouble) -> u8 {
    if OUTSIDE.contains(&trouble.code.as_str()) { CANNOT } else { FINDINGS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_clerk_can_mend_is_told_from_what_cannot_be_read() {
        assert_eq!(of(&Trouble::new("invalid", "", "")), FINDINGS);
        assert_eq!(of(&Trouble::new("no-right", "", "")), FINDINGS);
        assert_eq!(of(&Trouble::new("no-node", "", "")), CANNOT);
        assert!(OUTSIDE.is_sorted());
    }
}
