//! One run of a tool of the operating system: a secret in by its standard input, bytes out by its
//! standard output. Never passes anything but fixed words as arguments.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{MachineSealError, SEALED_BYTES_MAX};

/// Longest a tool may take: an old TPM needs seconds, a cold PowerShell on an old PC some ten.
pub(super) const TOOL_WAIT: Duration = Duration::from_secs(60);

/// Most of a tool's complaint that is passed on.
const DETAIL_CHARACTERS_MAX: usize = 200;

/// Runs a tool to its end and returns what it wrote. Whatever it left behind when the wait is over is
/// killed.
pub(super) fn run(
    tool: &'static str,
    command: &mut Command,
    input: &[u8],
    wait: Duration,
) -> Result<Zeroizing<Vec<u8>>, MachineSealError> {
    let failed = |detail: String| MachineSealError::Tool { tool, detail };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed("no pipes".into()));
    };

    // The threads end with the pipes, and the pipes with the child.
    let (done, waiting) = sync_channel(1);
    let input = Zeroizing::new(input.to_vec());
    std::thread::spawn(move || {
        // A tool that refuses before it reads is known by its exit status.
        let _ = stdin.write_all(&input);
        drop(stdin);
        // Room at once, so that the text never moves and leaves a copy behind.
        let mut output = Zeroizing::new(Vec::with_capacity(2 * SEALED_BYTES_MAX + 1));
        let read = stdout.take(2 * SEALED_BYTES_MAX as u64).read_to_end(&mut output);
        let _ = done.send(read.map(|_| output));
    });
    let (told, listening) = sync_channel(1);
    std::thread::spawn(move || {
        let mut complaint = Vec::new();
        let _ = stderr.take(4 * DETAIL_CHARACTERS_MAX as u64).read_to_end(&mut complaint);
        let _ = told.send(complaint);
    });

    let Ok(output) = waiting.recv_timeout(wait) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(format!("no answer within {} s", wait.as_secs())));
    };
    let complaint = listening.recv_timeout(wait).unwrap_or_default();
    // Its pipes are closed, so it is about to end; one that does not is left to the system.
    let (ended, ending) = sync_channel(1);
    std::thread::spawn(move || {
        let _ = ended.send(child.wait());
    });
    let status = match ending.recv_timeout(wait) {
        Ok(status) => status.map_err(|error| failed(error.to_string()))?,
        Err(_) => return Err(failed("it closed its output and did not end".into())),
    };
    if !status.success() {
        return Err(failed(format!("{status}; {}", shown(&complaint))));
    }
    output.map_err(|error| failed(error.to_string()))
}

/// A complaint as one short line.
fn shown(complaint: &[u8]) -> String {
    String::from_utf8_lossy(complaint)
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(DETAIL_CHARACTERS_MAX)
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_tool_gets_its_input_and_gives_its_output() {
        let out = run("cat", &mut Command::new("cat"), b"\x00secret\xff", TOOL_WAIT).unwrap();
        assert_eq!(out[..], b"\x00secret\xff"[..]);
    }

    #[test]
    fn a_tool_that_fails_is_quoted_in_one_line() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'no such\ndevice' >&2; exit 3"]);
        let Err(MachineSealError::Tool { tool: "sh", detail }) =
            run("sh", &mut command, b"secret", TOOL_WAIT)
        else {
            panic!("it failed")
        };
        assert!(detail.contains("no such device") && !detail.contains('\n'), "{detail}");
        assert!(!detail.contains("secret"));
    }

    #[test]
    fn a_tool_that_does_not_exist_is_said() {
        let ran = run("none", &mut Command::new("/nonexistent/tool"), b"", TOOL_WAIT);
        assert!(matches!(ran, Err(MachineSealError::Tool { tool: "none", .. })));
    }

    #[test]
    fn a_tool_that_hangs_is_ended() {
        let mut command = Command::new("sh");
        command.args(["-c", "exec sleep 600"]);
        let ran = run("sh", &mut command, b"", Duration::from_millis(20));
        assert!(matches!(ran, Err(MachineSealError::Tool { .. })));
    }

    #[test]
    fn a_tool_that_pours_is_cut_off() {
        let mut command = Command::new("sh");
        command.args(["-c", "yes | head -c 10000000"]);
        match run("sh", &mut command, b"", TOOL_WAIT) {
            Ok(out) => assert!(out.len() <= 2 * SEALED_BYTES_MAX),
            Err(error) => assert!(matches!(error, MachineSealError::Tool { .. })),
        }
    }
}
