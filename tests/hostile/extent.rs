//! How much of everything: a minute's worth by default, and all of it where `XW_HOSTILE=full` asks
//! for the figures of the nightly run.

/// Whether everything is to be tried.
pub(crate) fn full() -> bool {
    std::env::var("XW_HOSTILE").is_ok_and(|extent| extent == "full")
}

/// The first number by default, the second when everything is to be tried.
pub(crate) fn chosen(usual: usize, all: usize) -> usize {
    if full() { all } else { usual }
}

/// Whether a group of attacks is to be tried: all, or those that `XW_HOSTILE_ONLY` names.
pub(crate) fn wanted(group: &str) -> bool {
    std::env::var("XW_HOSTILE_ONLY").map_or(true, |only| only.split(',').any(|one| one == group))
}
