//! Which of two lines with one neighbour stays. Both ends come to the same answer by themselves.

use crate::peer::PeerKey;

/// What both ends know of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// The end that called and therefore opened the session.
    pub(crate) opener: PeerKey,
    /// Whether no relay stands between the ends.
    pub(crate) direct: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    Held,
    Newcomer,
}

/// Decides between the line in use and one whose stream has just been negotiated.
///
/// `crossing` says that the held line is so young that the ends may have called each other at the
/// same moment.
pub(crate) fn choose(held: Line, newcomer: Line, crossing: bool) -> Stays {
    // An end calls only when it has no session. If it calls again, it has lost the first one and
    // knows so before we do.
    if held.opener == newcomer.opener || !crossing {
        return Stays::Newcomer;
    }
    let newcomer_wins = match (held.direct, newcomer.direct) {
        (true, false) => false,
        (false, true) => true,
        _ => newcomer.opener < held.opener,
    };
    if newcomer_wins { Stays::Newcomer } else { Stays::Held }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: PeerKey = PeerKey([1; 32]);
    const LARGE: PeerKey = PeerKey([2; 32]);

    fn line(opener: PeerKey, direct: bool) -> Line {
        Line { opener, direct }
    }

    #[test]
    fn crossing_calls_leave_the_same_line_in_whichever_order_they_arrive() {
        for small_direct in [false, true] {
            for large_direct in [false, true] {
                let (small, large) = (line(SMALL, small_direct), line(LARGE, large_direct));
                let first = choose(small, large, true) == Stays::Held;
                let second = choose(large, small, true) == Stays::Newcomer;
                assert_eq!(first, second, "{small_direct} {large_direct}");
                let expect_small = small_direct || !large_direct;
                assert_eq!(first, expect_small);
            }
        }
    }

    #[test]
    fn a_neighbour_that_calls_again_is_believed() {
        let held = line(LARGE, true);
        assert_eq!(choose(held, line(LARGE, true), true), Stays::Newcomer);
        assert_eq!(choose(line(SMALL, true), held, false), Stays::Newcomer);
    }
}
