//! Opens a pack: the manifest, its signature, and files on demand, each compared with its hash.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use super::report::{Counts, FindingCode, Noted, Report, RosterVerdict, Verdict};
use super::{Checking, Unreadable};
use crate::archive::Archive;
use crate::json;
use crate::pack::{FORM, FileName, Manifest, PackFile};
use crate::signed;

/// A pack under judgement.
pub(super) struct Opened<R> {
    archive: Archive<R>,
    /// The files that are listed under a name that a pack may have.
    listed: BTreeMap<FileName, PackFile>,
    /// Files that were compared with their hash.
    seen: BTreeSet<FileName>,
    pub(super) manifest: Manifest,
    pub(super) report: Report,
}

impl<R: Read + Seek> Opened<R> {
    pub(super) fn open(from: R, checking: &Checking<'_>) -> Result<Self, Unreadable> {
        let mut archive = Archive::open(from)?;
        let bytes = archive.read(&FileName::Manifest.to_string());
        let bytes = bytes.map_err(|_| Unreadable::Manifest)?;
        let manifest: Manifest = json::read(&bytes).ok_or(Unreadable::Manifest)?;
        if manifest.form != FORM {
            return Err(Unreadable::Manifest);
        }
        let report = Report {
            verdict: Verdict::Findings,
            network: manifest.network,
            network_known: checking.network.map(|known| known == manifest.network),
            roster: RosterVerdict {
                number: manifest.roster_number,
                state: manifest.roster,
                newest_ms: 0,
                known: checking.roster.map(|known| known == manifest.roster),
            },
            scope: manifest.scope.clone(),
            scope_zh: String::new(),
            spaces: manifest.spaces.clone(),
            bodies: manifest.bodies,
            by: manifest.by,
            by_office: None,
            made_ms: manifest.made_ms,
            counts: Counts::default(),
            completeness: None,
            findings: Vec::new(),
            more_findings: 0,
            found: BTreeMap::new(),
            proven: Vec::new(),
            opened: Vec::new(),
            statements: Vec::new(),
            entries: Vec::new(),
            receipts: Vec::new(),
        };
        let named = manifest.files.iter();
        let named = named.filter_map(|file| Some((FileName::parse(&file.name)?, file.clone())));
        let listed = named.collect();
        let mut opened = Self { archive, listed, seen: BTreeSet::new(), manifest, report };
        match opened.report.network_known {
            Some(true) => {}
            Some(false) => opened.add(FindingCode::OtherNetwork, opened.manifest.network, ""),
            None => opened.add(FindingCode::NetworkNotCompared, opened.manifest.network, ""),
        }
        opened.check_signature(&bytes);
        opened.check_names();
        Ok(opened)
    }

    pub(super) fn add(&mut self, code: FindingCode, place: impl ToString, detail: impl ToString) {
        self.report.add(code, place, detail);
    }

    fn check_signature(&mut self, manifest: &[u8]) {
        let signed = self.archive.read(&FileName::ManifestSigned.to_string());
        let by = self.manifest.by;
        let holds = signed.is_ok_and(|bytes| {
            signed::open(&bytes).is_ok_and(|(statement, key)| statement == manifest && key == by)
        });
        if !holds {
            self.add(FindingCode::ManifestSignature, FileName::ManifestSigned, "");
        }
    }

    /// Files that stand on one side only, and names that no pack has.
    fn check_names(&mut self) {
        let own = [FileName::Manifest.to_string(), FileName::ManifestSigned.to_string()];
        let held: BTreeSet<String> = self
            .archive
            .names()
            .filter(|name| !own.iter().any(|own| own == name))
            .map(str::to_owned)
            .collect();
        let listed: BTreeSet<String> =
            self.manifest.files.iter().map(|file| file.name.clone()).collect();
        if listed.len() != self.manifest.files.len() {
            self.add(
                FindingCode::FileUnknown,
                FileName::Manifest,
                "同名两次 / a name stands twice",
            );
        }
        for name in listed.difference(&held) {
            self.add(FindingCode::FileMissing, name, "");
        }
        for name in held.difference(&listed) {
            self.add(FindingCode::FileUnknown, name, "");
        }
        for name in listed.iter().filter(|name| FileName::parse(name).is_none()) {
            self.add(FindingCode::FileUnknown, name, "");
        }
    }

    /// The names of all listed files of a sort, in their order.
    pub(super) fn names(&self, wanted: impl Fn(&FileName) -> bool) -> Vec<FileName> {
        self.listed.keys().filter(|name| wanted(name)).copied().collect()
    }

    pub(super) fn has(&self, name: &FileName) -> bool {
        self.listed.contains_key(name)
    }

    /// A file whose bytes are those that the manifest lists.
    pub(super) fn file(&mut self, name: &FileName) -> Option<Vec<u8>> {
        let mut noted = Noted::default();
        let bytes = self.fetch(name, &mut noted);
        self.report.add_noted(noted);
        bytes
    }

    /// The same ahead of its turn: what is wrong with it is noted and not yet reported.
    pub(super) fn fetch(&mut self, name: &FileName, noted: &mut Noted) -> Option<Vec<u8>> {
        let listed = self.listed.get(name)?;
        let shown = name.to_string();
        // A missing file is a finding already.
        self.archive.length(&shown)?;
        let read = self.archive.read(&shown);
        let first = self.seen.insert(*name);
        match read {
            Ok(bytes) if PackFile::of(name, &bytes) == *listed => {
                self.report.counts.files += u64::from(first);
                Some(bytes)
            }
            Ok(_) => {
                noted.add(FindingCode::FileDamaged, shown, "");
                None
            }
            Err(fault) => {
                noted.add(FindingCode::FileDamaged, shown, format!("{} / {fault}", fault.zh()));
                None
            }
        }
    }

    /// Ends the hearing: files that nothing asked for are compared with their hashes too.
    pub(super) fn close(mut self) -> Report {
        for name in self.names(|name| {
            matches!(name, FileName::Inclusion(_) | FileName::Consistency(..) | FileName::Bodies(_))
        }) {
            if !self.seen.contains(&name) {
                self.file(&name);
            }
        }
        self.report.close()
    }
}
