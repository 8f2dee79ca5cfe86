//! Passphrases from a clerk's side: signing in and out, another passphrase, the recovery key, and a
//! node that is not running. Every command is a process of its own.

use serde_json::Value as Json;
use xw_schemas::record::builtin;

use crate::nodes::county;
use crate::nodes::folder::{self, Office, passphrase};
use crate::nodes::process::{Node, all_files};
use crate::program;

/// What the clerk takes after a while.
const NEW: &str = "Kx3-mill-brook-石桥";

/// What whoever keeps the recovery key chose.
const RECOVERY: &str = "county safe drawer seven";

#[test]
fn a_clerk_signs_in_and_out_and_takes_another_passphrase() {
    let dir = program::folder("custody");
    let (mut node, office) = village(&dir);
    let (clerk, other) = (&office.people[0].0, &office.people[1].0);

    // A node that is not running: the command asks by itself, and a wrong passphrase opens nothing.
    let as_clerk = ["--as", clerk, "--passphrase-from-stdin", "list"];
    let (code, said) = node.say(&as_clerk, "willow-brook-8\n");
    assert_eq!((code, code_of(&said)), (1, "passphrase"), "{said}");
    let (code, said) = node.say(&as_clerk, &line(&passphrase(clerk)));
    assert_eq!((code, &said["total"]), (0, &0.into()), "{said}");
    let (code, said) = node.say(&["--passphrase-from-stdin", "list"], &line(&passphrase(clerk)));
    assert_eq!((code, code_of(&said)), (1, "which-person"), "{said}");
    // What needs nobody asks for nothing.
    for words in [&["status"][..], &["digest"], &["verify"], &["keys", "status"], &["types"]] {
        node.told(words);
    }
    let verified = node.told(&["verify"]);
    assert_eq!((&verified["sound"], &verified["locked"]), (&true.into(), &true.into()));

    node.start();
    let unlock = ["unlock", "--person", clerk, "--passphrase-from-stdin"];
    let (code, said) = node.say(&unlock, "willow-brook-8\n");
    assert_eq!((code, code_of(&said)), (1, "passphrase"), "{said}");
    let unlocked = node.unlock(clerk, &passphrase(clerk));
    assert_eq!(unlocked["signed_in"][0]["name"], clerk.as_str(), "{unlocked}");
    assert_eq!(unlocked["wrong_tries_before"], 1, "somebody else may have tried");
    node.told(&["list"]);
    let (code, said) = node.ask(&["list", "--as", other]);
    assert_eq!(code, 0, "reading is not signing: {said}");
    let change = ["passphrase", "--person", clerk, "--passphrase-from-stdin"];
    let (code, said) = node.say(&change, &format!("{}\n12345678901234\n", passphrase(clerk)));
    assert_eq!((code, code_of(&said)), (1, "passphrase"), "{said}");
    let (code, said) = node.say(&change, &format!("{}\n{NEW}\n", passphrase(clerk)));
    assert_eq!(code, 0, "{said}");
    let out = node.told(&["lock"]);
    assert_eq!((&out["out"][0], &out["open"]), (&clerk.as_str().into(), &false.into()), "{out}");
    let (code, said) = node.say(&unlock, &line(&passphrase(clerk)));
    assert_eq!((code, code_of(&said)), (1, "passphrase"), "{said}");
    node.unlock(clerk, NEW);

    let keys = node.told(&["keys", "status"]);
    assert_eq!(keys["machine"]["lock"], "open");
    let listed = keys["operators"].as_array().expect("operators");
    let signed_in: Vec<&Json> = listed.iter().filter(|one| one["signed_in"] == true).collect();
    assert_eq!(signed_in.len(), 1, "{keys}");
    assert_eq!((listed.len(), &signed_in[0]["on_roster"]), (office.people.len(), &true.into()));

    // Neither passphrase stands anywhere, in no log either.
    node.stop();
    for (path, bytes) in all_files(&node.folder) {
        for secret in [passphrase(clerk).as_bytes(), NEW.as_bytes(), b"willow-brook-8"] {
            let stands = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!stands, "{}", path.display());
        }
    }
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn a_recovery_key_opens_what_forgotten_passphrases_closed() {
    let dir = program::folder("recovery");
    let (mut node, office) = village(&dir);
    let clerk = &office.people[0].0;
    let stick = dir.join("恢复密钥.json");
    let path = stick.display().to_string();
    let make = ["--training", "--passphrase-from-stdin", "keys", "recovery", &path];
    node.start();
    let (code, said) = node.say(&make, &line(RECOVERY));
    assert_eq!((code, code_of(&said)), (1, "locked"), "{said}");
    assert!(!stick.exists());
    node.unlock(clerk, &passphrase(clerk));
    let (code, said) = node.say(&make, &line(RECOVERY));
    assert_eq!(code, 0, "{said}");
    let backup = dir.join("备份").display().to_string();
    node.told(&["backup", &backup]);
    node.told(&["lock"]);

    let recover = ["--passphrase-from-stdin", "keys", "recover", &path];
    let (code, said) = node.say(&recover, "county safe drawer eight\n");
    assert_eq!((code, code_of(&said)), (1, "passphrase"), "{said}");
    let (code, said) = node.say(&recover, &line(RECOVERY));
    assert_eq!((code, &said["open"]), (0, &true.into()), "{said}");
    assert_eq!(node.told(&["list"])["total"], 0, "it reads");
    let (code, said) = node.ask(&["record", "new", "SVC", "--set", "事项名称=高龄津贴申请"]);
    assert_eq!((code, code_of(&said)), (1, "person"), "it signs nothing: {said}");
    // A person's key file is none, wherever it came from.
    let person = node.folder.join("keys").join("people").join("1.json").display().to_string();
    let stolen = ["--passphrase-from-stdin", "keys", "recover", &person];
    let (code, said) = node.say(&stolen, &line(&passphrase(clerk)));
    assert_eq!((code, code_of(&said)), (2, "key"), "{said}");
    node.stop();

    // The PC is gone as well: the same key makes a node of the backup, and opens it there.
    let back = Node::at(program::path(), dir.join("back"));
    let to = back.folder.display().to_string();
    let restore =
        ["restore", &backup, "--folder", &to, "--recovery", &path, "--passphrase-from-stdin"];
    let desk = Node::at(program::path(), dir.join("desk"));
    let (code, said) = desk.say(&restore, "county safe drawer eight\n");
    assert_eq!((code, code_of(&said)), (1, "passphrase"), "{said}");
    assert!(!back.folder.exists());
    let (code, said) = desk.say(&restore, &line(RECOVERY));
    assert_eq!(code, 0, "{said}");
    let mut back = back;
    back.start();
    let (code, said) = back.say(&recover, &line(RECOVERY));
    assert_eq!((code, &said["open"]), (0, &true.into()), "{said}");
    let _ = std::fs::remove_dir_all(dir);
}

fn village(dir: &std::path::Path) -> (Node, Office) {
    let county = county::found(&builtin());
    let (office, roster) = (&county.offices[2], [county.founding.clone()]);
    let (folder, listen) = (dir.join("village"), ([127, 0, 0, 1], 0).into());
    folder::write(&folder, office, &roster, builtin(), listen, &[]);
    (Node::at(program::path(), folder), office.clone())
}

fn line(text: &str) -> String {
    format!("{text}\n")
}

fn code_of(said: &Json) -> &str {
    said["error"]["code"].as_str().unwrap_or_default()
}
