//! Founding a county: writes the root keys, the founding edition and one kit per office into a
//! fresh folder, for its owner's eyes only.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use xw_bootstrap::divisions::{of_county, plan};
use xw_bootstrap::found::{Founded, found};
use xw_bootstrap::kit::{KIT_BYTES_MAX, Kit, seed_text};
use xw_schemas::record::{RecordType, builtin};
use xw_schemas::space::Division;
use zeroize::Zeroizing;

use super::offline::compiled;
use super::setup::Found;
use crate::clock;
use crate::folder::{write_secret, write_whole};
use crate::trouble::{Answer, Trouble};

/// Largest file of divisions: a province has 55,000 lines of 70 bytes.
const DIVISIONS_BYTES_MAX: u64 = 32 << 20;

/// Answers `{network, folder, offices, threshold, roots, files}`.
pub(super) fn found_county(asked: &Found) -> Answer<Json> {
    // The six digits of a county, or all twelve.
    let code = if asked.county.len() == 6 {
        format!("{}000000", asked.county)
    } else {
        asked.county.clone()
    };
    let county = Division::parse(&code).filter(|code| code.county() == *code);
    let county = county.ok_or_else(|| {
        Trouble::new(
            "division",
            format!("“{}”不是县级区划代码，应为 6 位数字，或 12 位数字且后六位为 0", asked.county),
            format!(
                "{} is no county code: 6 digits, or 12 of which the last six are 0",
                asked.county
            ),
        )
    })?;
    let definitions = match &asked.schemas {
        Some(folder) => compiled(folder)?,
        None => builtin(),
    };
    let divisions = read_divisions(&asked.divisions, county)?;
    let plan = plan(&divisions);
    let founded =
        found(&plan, &definitions, clock::now_ms(), &mut clock::fill).map_err(|fault| {
            Trouble::new(
                "edition",
                format!("无法生成名册：{fault}"),
                format!("no roster can be made: {fault}"),
            )
        })?;
    fresh_folder(&asked.out)?;
    let files = write_all(&asked.out, &founded, &definitions)?;
    Ok(json!({
        "network": founded.edition.id(),
        "folder": asked.out.display().to_string(),
        "offices": founded.offices.len(),
        "threshold": plan.threshold,
        "roots": plan.roots,
        "files": files,
    }))
}

fn read_divisions(path: &Path, county: Division) -> Answer<Vec<(Division, String)>> {
    if fs::metadata(path)?.len() > DIVISIONS_BYTES_MAX {
        return Err(Trouble::new(
            "divisions",
            "区划文件过大",
            "the file of divisions is too large",
        ));
    }
    let text = fs::read_to_string(path)?;
    of_county(text.trim_start_matches('\u{feff}'), county)
        .map_err(|error| Trouble::new("divisions", error.zh(), error.to_string()))
}

/// Makes the folder, or takes an empty one: no key is ever written over.
fn fresh_folder(path: &Path) -> Answer<()> {
    if path.exists() && fs::read_dir(path)?.next().is_some() {
        return Err(Trouble::new(
            "exists",
            format!("{} 不是空目录，未写入任何内容", path.display()),
            format!("{} is not empty; nothing was written", path.display()),
        ));
    }
    fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn write_all(folder: &Path, founded: &Founded, definitions: &[RecordType]) -> Answer<Json> {
    let mut roots = Vec::new();
    for (number, key) in (1..).zip(&founded.roots) {
        let name = format!("root-{number}.key");
        write_secret(&folder.join(&name), &seed_text(key))?;
        roots.push(name);
    }
    let edition = "founding-edition.cbor";
    write_whole(&folder.join(edition), founded.edition.bytes(), false)?;
    let mut kits = Vec::new();
    for kit in Kit::all(founded, definitions) {
        let name = kit_name(&kit);
        let text: Zeroizing<String> = kit.text();
        if text.len() as u64 > KIT_BYTES_MAX {
            return Err(Trouble::new(
                "kit",
                "名册过大，开户包超出限度",
                "the roster makes kits too large",
            ));
        }
        write_secret(&folder.join(&name), &text)?;
        kits.push(name);
    }
    Ok(json!({"roots": roots, "edition": edition, "kits": kits}))
}

/// `kit-130599201201-柳河村村民委员会.json`; signs that some file system forbids become `_`.
fn kit_name(kit: &Kit) -> PathBuf {
    let safe = |c: char| {
        if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c }
    };
    let office: String = kit.office.chars().map(safe).collect();
    PathBuf::from(format!("kit-{}-{office}.json", kit.division))
}
