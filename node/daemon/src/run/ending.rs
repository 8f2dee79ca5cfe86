//! How a run ends that was not asked to: the numbers and sentences for whoever starts the node. Says of
//! a fault where it lies, and nothing of what was being worked on.

use std::io::{self, Write as _};
use std::process;

use crate::office::DISK_FAILED_TEXT;

/// Exit code when the disk failed: the one for input and output in sysexits.h.
const DISK_FAILED: i32 = 74;

/// Exit code when the program met a fault of its own: the one for software in sysexits.h.
const SOFTWARE: i32 = 70;

/// What the person who starts the node reads after a fault of the program.
const SOFTWARE_TEXT: &str = "\
程序内部出错，节点已停止；已确认的内容都在磁盘上，没有确认的均未视为已保存。请重新启动节点；若再次出现，
请把窗口最后几行（出错位置）告诉县级管理员。
The program met a fault of its own and the node has stopped; what was confirmed is on disk, nothing else
counts as saved. Start it again; if it happens again, report the last lines shown, which say where.";

/// Why a node stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It was asked to.
    Asked,
    /// Its disk failed.
    Disk,
    /// The thread of the store met a fault of the program.
    Fault,
}

/// Leaves with the number and the sentence of an end that nobody asked for.
pub(super) fn leave(end: End) {
    let (code, text) = match end {
        End::Asked => return,
        End::Disk => (DISK_FAILED, DISK_FAILED_TEXT),
        End::Fault => (SOFTWARE, SOFTWARE_TEXT),
    };
    let _ = writeln!(io::stderr(), "{text}");
    process::exit(code);
}

/// From here on a panic says where it is, and never its text, which may quote what people wrote.
pub(crate) fn tell_only_where() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "?".to_owned(), ToString::to_string);
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("?");
        let _ = writeln!(io::stderr(), "程序内部出错 fault in the program: {place} ({thread})");
        let trace = std::backtrace::Backtrace::capture();
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            let _ = writeln!(io::stderr(), "{trace}");
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set for the process that ends.
    const CHILD: &str = "XIANGWANG_TEST_ENDING";

    #[test]
    fn a_fault_ends_the_program_with_its_place_and_without_its_text() {
        if std::env::var_os(CHILD).is_some() {
            tell_only_where();
            let person = "王秀英 130599199001011234";
            let store = std::thread::Builder::new().name("store".to_owned());
            let ended = store.spawn(move || assert!(person.is_empty(), "{person}")).unwrap().join();
            leave(if ended.is_err() { End::Fault } else { End::Asked });
            return;
        }
        let name =
            "run::ending::tests::a_fault_ends_the_program_with_its_place_and_without_its_text";
        let ended = process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .env("RUST_BACKTRACE", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(SOFTWARE), "{said}");
        assert!(said.contains("ending.rs:") && said.contains("(store)"), "{said}");
        assert!(said.contains(SOFTWARE_TEXT), "{said}");
        assert!(!said.contains("王秀英") && !said.contains("1305991990"), "{said}");
    }
}
