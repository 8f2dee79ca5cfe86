//! Every finding's name, weight and sentences, in one table.

use super::report::Severity;

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingCode {
    /// The manifest's signature.
    ManifestSignature,
    /// The manifest's signer.
    MakerUnknown,
    /// A listed file is not there.
    FileMissing,
    /// A file differs from the manifest.
    FileDamaged,
    /// A file that the manifest does not list or that no pack has.
    FileUnknown,
    /// Another network than the reader named.
    OtherNetwork,
    /// The reader named no network.
    NetworkNotCompared,
    /// An edition cannot be read or taken up.
    EditionRefused,
    /// The editions make another roster than the manifest names.
    RosterDiffers,
    /// The roster is another than the reader or another office names.
    RosterOther,
    /// The roster is frozen.
    RosterFrozen,
    /// Rules unknown to this program.
    RulesUnknown,
    /// A definition cannot be read or has another hash.
    DefinitionDamaged,
    /// An entry cannot be read or a signature on it does not verify.
    EntryForged,
    /// An entry stands in another log's file, twice, or in a space that is not listed.
    EntryMisplaced,
    /// An entry has no place in its log.
    EntryUnplaced,
    /// A log is not as long as the manifest says, or not listed.
    LogShortened,
    /// Two entries in one slot.
    Fork,
    /// A log's author is revoked.
    AuthorRevoked,
    /// An extract of a log that can be judged whole only.
    ExtractOfBroken,
    /// A pack of a division or a period has a space that is not whole.
    SpaceNotWhole,
    /// What an extract cannot show.
    ExtractLimits,
    /// The opening of a log is not in the extract.
    OpeningMissing,
    /// A witness pinned a root that the log does not have.
    PinRoot,
    /// A witness pinned two prefixes that exclude each other.
    WitnessContradicts,
    /// A pinned entry is not in the log.
    PinnedMissing,
    /// An entry that another one names as seen or as its predecessor is not there.
    NamedMissing,
    /// A proof cannot be read or its signatures do not verify.
    ProofUnreadable,
    /// A proof does not lead to a witnessed root.
    ProofWrong,
    /// A proof is not there.
    ProofMissing,
    /// A body does not match its entry.
    BodyMismatch,
    /// A body is given that was to be removed.
    BodyErased,
    /// A group of records cannot be read.
    RecordsUnreadable,
    /// A record is told otherwise than its entries say.
    RecordDiffers,
    /// A record that belongs to the scope is not told.
    RecordMissing,
    /// A record is told that does not belong to the scope or stands twice.
    RecordUnasked,
    /// An entry on a record does not count.
    EntryRefused,
    /// An entry on a record waits for something.
    EntryWaiting,
    /// A claimed time cannot be right.
    TimeImpossible,
    /// The statement of completeness cannot be read, or its signature.
    StatementForged,
    /// The statement says otherwise than the entries.
    StatementDiffers,
    /// The statement cannot be worked out anew from an extract.
    StatementUnchecked,
    /// A statement brought is of a node that is not on the roster in the pack, or revoked there.
    StatementStranger,
    /// A statement brought has nothing in common with the pack.
    StatementElsewhere,
    /// Another office holds more of a log.
    HeadsBeyond,
    /// Another office holds a log that is not here.
    LogUnknown,
    /// Another office holds another entry at a number.
    HeadsDiffer,
    /// The summary page says otherwise than the records.
    SummaryDiffers,
    /// A body that was brought belongs to no entry.
    BodyUnknown,
    /// An entry that the reader asks for is not in the pack.
    EntryNotHere,
    /// A receipt does not belong to the pack.
    ReceiptWrong,
    /// A log ends before the checkpoint of a receipt.
    ReceiptBeyond,
    /// An extract does not have the checkpoint of a receipt.
    ReceiptUnchecked,
}

use FindingCode as F;
use Severity::{Error, Note, Warning};

/// Code, weight, name, Chinese, English.
const TABLE: [(FindingCode, Severity, &str, &str, &str); 53] = [
    (
        F::ManifestSignature,
        Error,
        "manifest-signature",
        "清单的签名不成立，或与清单不符",
        "the manifest's signature does not verify or is of another manifest",
    ),
    (
        F::MakerUnknown,
        Warning,
        "maker-unknown",
        "制作证据包的节点不在名册上或已被吊销",
        "the node that made the pack is not on the roster or is revoked",
    ),
    (
        F::FileMissing,
        Error,
        "file-missing",
        "清单所列文件缺失",
        "a file that the manifest lists is missing",
    ),
    (
        F::FileDamaged,
        Error,
        "file-damaged",
        "文件与清单不符",
        "a file differs from what the manifest says",
    ),
    (
        F::FileUnknown,
        Error,
        "file-unknown",
        "包内有清单未列或不认识的文件",
        "a file is not listed or is none of a pack",
    ),
    (
        F::OtherNetwork,
        Error,
        "other-network",
        "不是所指县的证据包",
        "the pack is of another county than the one named",
    ),
    (
        F::NetworkNotCompared,
        Note,
        "network-not-compared",
        "未给出本县公布的网络标识，无法断定是哪个县",
        "no network was named to compare with: which county this is was not checked",
    ),
    (
        F::EditionRefused,
        Error,
        "edition-refused",
        "名册版次无法读取或不能接续",
        "a roster edition cannot be read or does not follow",
    ),
    (
        F::RosterDiffers,
        Error,
        "roster-differs",
        "包内名册版次得出的名册与清单所称不同",
        "the editions make another roster than the manifest names",
    ),
    (
        F::RosterOther,
        Warning,
        "roster-other",
        "名册与所给的或其他机构声明所依据的不同：包内名册可能已旧",
        "another roster than the one named or than another office's statement: the one in the pack may be old",
    ),
    (
        F::RosterFrozen,
        Warning,
        "roster-frozen",
        "名册有两个互相矛盾的版次，等待根密钥裁定",
        "two roster editions contradict each other and wait for root",
    ),
    (
        F::RulesUnknown,
        Error,
        "rules-unknown",
        "名册规定的规则版本本程序不认识，请升级",
        "the roster names rules that this program does not know",
    ),
    (
        F::DefinitionDamaged,
        Error,
        "definition-damaged",
        "记录类型定义无法读取或与其标识不符",
        "a definition cannot be read or has another hash",
    ),
    (
        F::EntryForged,
        Error,
        "entry-forged",
        "条目无法读取，或其签名不成立",
        "an entry cannot be read or a signature on it does not verify",
    ),
    (
        F::EntryMisplaced,
        Error,
        "entry-misplaced",
        "条目放在别的日志、重复，或属于未列出的空间",
        "an entry stands in another log's file, twice, or in a space that is not listed",
    ),
    (
        F::EntryUnplaced,
        Error,
        "entry-unplaced",
        "条目在其日志中没有位置",
        "an entry has no place in its log",
    ),
    (
        F::LogShortened,
        Error,
        "log-shortened",
        "日志的末尾或条目数与清单不符",
        "a log's ends or its number of entries differ from the manifest",
    ),
    (
        F::Fork,
        Warning,
        "fork",
        "日志分叉：同一号有两个不同条目，二者即为证据",
        "a log forks: two entries of one number, which are the proof",
    ),
    (
        F::AuthorRevoked,
        Note,
        "author-revoked",
        "日志作者的密钥已被吊销，只有名册保留的部分有效",
        "a log's author is revoked; what the roster keeps stands",
    ),
    (
        F::ExtractOfBroken,
        Error,
        "extract-of-broken",
        "日志作者被吊销、分叉或经根密钥裁定，只能整体判断，不能摘录",
        "a log with a fork, a revoked author or a decision of root can be judged whole only",
    ),
    (
        F::SpaceNotWhole,
        Error,
        "space-not-whole",
        "按区划或时段导出的证据包，其空间须是全部日志，此处却只有摘录",
        "a pack of a division or a period must have its spaces whole; here is an extract",
    ),
    (
        F::ExtractLimits,
        Note,
        "extract-limits",
        "摘录只证明列出的条目；不能证明记录没有其他条目（更正、删除、分叉）",
        "an extract proves the entries that it has; not that the record has no others: corrections, erasures, forks",
    ),
    (
        F::OpeningMissing,
        Error,
        "opening-missing",
        "摘录中缺少日志的开头条目",
        "the opening of a log is not in the extract",
    ),
    (
        F::PinRoot,
        Warning,
        "pin-root",
        "见证所签的根与日志不符",
        "a witness signed a root that the log does not have",
    ),
    (
        F::WitnessContradicts,
        Warning,
        "witness-contradicts",
        "同一见证人签了两个互相矛盾的前缀",
        "a witness signed two prefixes that exclude each other",
    ),
    (
        F::PinnedMissing,
        Warning,
        "pinned-missing",
        "见证所指的条目不在包内：已知有遗漏",
        "an entry that a witness pinned is not here: something is known to be missing",
    ),
    (
        F::NamedMissing,
        Warning,
        "named-missing",
        "条目自称写作前已见到、或其日志所接续的条目不在包内：倒填可能因此看不出来",
        "an entry that another says its author had seen, or that its log succeeds, is not here: backdating may be hidden",
    ),
    (
        F::ProofUnreadable,
        Error,
        "proof-unreadable",
        "证明无法读取，或其签名不成立",
        "a proof cannot be read or its signatures do not verify",
    ),
    (
        F::ProofWrong,
        Error,
        "proof-wrong",
        "证明不能通向见证人所签的根",
        "a proof does not lead to a root that a witness signed",
    ),
    (
        F::ProofMissing,
        Error,
        "proof-missing",
        "缺少应有的证明",
        "a proof that should be there is missing",
    ),
    (
        F::BodyMismatch,
        Error,
        "body-mismatch",
        "正文与条目的承诺不符，或不属于任何条目",
        "a body does not match its entry or belongs to none",
    ),
    (
        F::BodyErased,
        Warning,
        "body-erased",
        "内容已依法决定删除，正文却仍在包内",
        "a body is given although two persons had it removed",
    ),
    (
        F::RecordsUnreadable,
        Error,
        "records-unreadable",
        "记录文件无法读取",
        "a group of records cannot be read",
    ),
    (
        F::RecordDiffers,
        Error,
        "record-differs",
        "所述记录与条目重新判定的结果不同",
        "a record is told otherwise than its entries say",
    ),
    (
        F::RecordMissing,
        Error,
        "record-missing",
        "范围内的记录没有列出",
        "a record of the scope is not told",
    ),
    (
        F::RecordUnasked,
        Error,
        "record-unasked",
        "列出了范围以外或重复的记录",
        "a record is told that is not of the scope, or twice",
    ),
    (
        F::EntryRefused,
        Note,
        "entry-refused",
        "记录上有不予采纳的条目（保留并展示）",
        "an entry on a record does not count; it is kept and shown",
    ),
    (
        F::EntryWaiting,
        Note,
        "entry-waiting",
        "记录上有条目等待其依据",
        "an entry on a record waits for what it depends on",
    ),
    (
        F::TimeImpossible,
        Note,
        "time-impossible",
        "所称时间与见证时间矛盾",
        "a claimed time contradicts what witnesses say",
    ),
    (
        F::StatementForged,
        Error,
        "statement-forged",
        "完整性声明无法读取、签名不成立，或并非制作者所签",
        "the statement of completeness cannot be read, or is not the maker's",
    ),
    (
        F::StatementDiffers,
        Error,
        "statement-differs",
        "完整性声明与包内条目不符",
        "the statement of completeness says otherwise than the entries",
    ),
    (
        F::StatementUnchecked,
        Note,
        "statement-unchecked",
        "本包是摘录，完整性声明只能核对签名",
        "this is an extract; of the statement of completeness only the signature was checked",
    ),
    (
        F::StatementStranger,
        Warning,
        "statement-stranger",
        "所给声明签名成立，但其节点不在包内名册上，或已被吊销：名册可能已旧，或声明不足为凭",
        "the signature of a statement holds, but its node is not on the roster in the pack or is revoked there",
    ),
    (
        F::StatementElsewhere,
        Note,
        "statement-elsewhere",
        "所给声明与本包没有共同的日志，无从核对",
        "a statement that was brought has no log in common with the pack",
    ),
    (
        F::HeadsBeyond,
        Warning,
        "heads-beyond",
        "另一机构所持的日志比本包长",
        "another office holds more of a log than is here",
    ),
    (
        F::LogUnknown,
        Warning,
        "log-unknown",
        "另一机构持有本包没有的日志",
        "another office holds a log that is not here",
    ),
    (
        F::HeadsDiffer,
        Error,
        "heads-differ",
        "同一日志同一号，另一机构持有的是另一条目：向两方出示了不同的历史",
        "at one number of a log another office holds another entry: two histories were shown",
    ),
    (
        F::SummaryDiffers,
        Warning,
        "summary-differs",
        "摘要页与记录不符，请勿依赖该页",
        "the summary page says otherwise than the records; do not rely on it",
    ),
    (
        F::BodyUnknown,
        Error,
        "body-unknown",
        "所给正文不属于包内任何条目",
        "a body that was brought belongs to no entry of the pack",
    ),
    (
        F::EntryNotHere,
        Error,
        "entry-not-here",
        "本包没有所问的条目",
        "the entry asked for is not in this pack",
    ),
    (
        F::ReceiptWrong,
        Error,
        "receipt-wrong",
        "回执与本包不符",
        "a receipt does not belong to this pack",
    ),
    (
        F::ReceiptBeyond,
        Error,
        "receipt-beyond",
        "本包的日志比回执短：有条目缺失",
        "a log is shorter than a receipt says: entries are missing",
    ),
    (
        F::ReceiptUnchecked,
        Warning,
        "receipt-unchecked",
        "本包是摘录，没有回执所指检查点的证明，无法核对",
        "this extract has no proof for a receipt's checkpoint, so it cannot be compared",
    ),
];

impl FindingCode {
    fn row(self) -> &'static (FindingCode, Severity, &'static str, &'static str, &'static str) {
        let found = TABLE.iter().find(|row| row.0 == self);
        found.expect("a test finds every code in the table")
    }

    /// How much it weighs.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.row().1
    }

    /// Name, Chinese and English.
    #[must_use]
    pub fn sentence(self) -> (&'static str, &'static str, &'static str) {
        let row = self.row();
        (row.2, row.3, row.4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_one_row() {
        let codes: BTreeSet<FindingCode> = TABLE.iter().map(|row| row.0).collect();
        let names: BTreeSet<&str> = TABLE.iter().map(|row| row.2).collect();
        assert_eq!((codes.len(), names.len()), (TABLE.len(), TABLE.len()));
        assert_eq!(codes.first(), Some(&F::ManifestSignature));
        assert_eq!(codes.last(), Some(&F::ReceiptUnchecked));
        // The enum is numbered without holes, so that as many rows as codes are all of them.
        assert_eq!(F::ReceiptUnchecked as usize + 1, TABLE.len());
    }
}
