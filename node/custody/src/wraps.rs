//! The office's key wrapped for each of its operators: `office.json`, format `xiangwang-office-1`
//! (schemas/spec/key-files.md). Never holds the office's seed in the open, never asks a passphrase.
//!
//! Each wrap is sealed to a key that follows from the operator's own seed. So one passphrase, and one
//! run of argon2id, opens the person's key file and by it the office's key; a new operator is let in
//! by whoever has the office's key open, without both sitting at one keyboard; and a rotation wraps
//! the new key for everyone who stays.

mod file;

use hkdf::hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use xw_schemas::cose::SecretKey;
use xw_schemas::id::{PublicKey, hex};
use zeroize::Zeroizing;

use crate::Entropy;
use crate::form::{LABEL_CHARACTERS_MAX, is_label};
use crate::office::OfficeKey;
use crate::seal::{OpeningKey, SealingKey, Use};

pub use file::{OFFICE_FILE_BYTES_MAX, OfficeFileFault};

/// Most operators of one office, its recovery key included; a township has some thirty clerks.
pub const OPERATORS_MAX: usize = 64;

/// Most earlier keys kept: one a year for longer than records are kept.
pub(crate) const EARLIER_MAX: usize = 64;

/// Derives from a person's seed the key that opens that person's wrap.
const PERSON_OPENING_PURPOSE: &[u8] = b"xiangwang/person/key/opening/1";

/// First line of what the list's code authenticates.
const FORMAT: &str = "xiangwang-office-1";

/// The operators of an office and its key, wrapped for each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operators {
    office: SealingKey,
    operators: Vec<Operator>,
    earlier: Vec<Earlier>,
    code: [u8; 32],
}

/// One operator, or the recovery key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    person: PublicKey,
    sealing: SealingKey,
    label: String,
    wrapped: Vec<u8>,
}

/// A key that the office had before, under the one it has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Earlier {
    office: SealingKey,
    encrypted: Vec<u8>,
}

/// Why the office's key stays shut, or its list as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfficeRefusal {
    /// The person is not on the list.
    #[error("this person is no operator of the office on this PC")]
    NotAnOperator,
    /// The wrap opens for nobody, or holds another key.
    #[error(
        "the office's key was not wrapped for this person properly; another operator must add them again"
    )]
    WrapDamaged,
    /// Somebody without the office's key changed the list.
    #[error(
        "the list of operators was changed without the office's key; take the copy from the last backup"
    )]
    ListAltered,
    /// The key is open, but it is another office's.
    #[error("the opened key is another office's")]
    OtherOffice,
    /// A label is one line.
    #[error("a label is one line of at most {LABEL_CHARACTERS_MAX} characters")]
    Label,
    /// [`OPERATORS_MAX`].
    #[error("an office has at most {OPERATORS_MAX} operators")]
    TooMany,
    /// Nobody could open the office's key again.
    #[error("the last operator cannot be removed; add the successor first")]
    LastOperator,
}

impl OfficeRefusal {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::NotAnOperator => "此人不是本机构在本机上的经办人".into(),
            Self::WrapDamaged => "为此人封存的机构密钥无法使用，请由另一名经办人重新添加".into(),
            Self::ListAltered => "经办人名单未经机构密钥许可被改动，请换用最近备份中的文件".into(),
            Self::OtherOffice => "打开的是另一机构的密钥".into(),
            Self::Label => format!("标签只能是一行，最多{LABEL_CHARACTERS_MAX}个字"),
            Self::TooMany => format!("一个机构最多{OPERATORS_MAX}名经办人"),
            Self::LastOperator => "不能移除最后一名经办人，请先添加接任者".into(),
        }
    }
}

/// The key to which a person's wraps are sealed. Follows from the person's seed; public.
#[must_use]
pub fn sealing_key_of(person: &Zeroizing<[u8; 32]>) -> SealingKey {
    OpeningKey::derived(person, PERSON_OPENING_PURPOSE).public()
}

impl Operators {
    /// The list of a new office key with its first operator.
    pub fn founded(
        office: &OfficeKey,
        person: PublicKey,
        sealing: SealingKey,
        label: &str,
        entropy: Entropy<'_>,
    ) -> Result<Self, OfficeRefusal> {
        let operator = Operator::wrap(office, person, sealing, label, entropy)?;
        let mut list = Self {
            office: office.public(),
            operators: vec![operator],
            earlier: Vec::new(),
            code: [0; 32],
        };
        list.authenticate(office);
        Ok(list)
    }

    /// Opens the office's key by an operator's seed.
    pub fn open(&self, person: &Zeroizing<[u8; 32]>) -> Result<OfficeKey, OfficeRefusal> {
        let public = SecretKey::from_seed(person).public();
        let operator = self.operator(&public).ok_or(OfficeRefusal::NotAnOperator)?;
        let about = about(&self.office, &public);
        let seed = OpeningKey::derived(person, PERSON_OPENING_PURPOSE)
            .open(Use::Wrap, &about, &operator.wrapped)
            .map(Zeroizing::new)
            .and_then(|seed| seed_of(&seed))
            .ok_or(OfficeRefusal::WrapDamaged)?;
        let office = OfficeKey::from_seed(&seed);
        self.check(&office)?;
        Ok(office)
    }

    /// Lets another operator in, or the same one under a new label. The sealing key must come from
    /// the person: at this keyboard, or with the signed request to join.
    pub fn add(
        &mut self,
        office: &OfficeKey,
        person: PublicKey,
        sealing: SealingKey,
        label: &str,
        entropy: Entropy<'_>,
    ) -> Result<(), OfficeRefusal> {
        self.check(office)?;
        let others = self.operators.iter().filter(|operator| operator.person != person).count();
        if others >= OPERATORS_MAX {
            return Err(OfficeRefusal::TooMany);
        }
        let operator = Operator::wrap(office, person, sealing, label, entropy)?;
        self.operators.retain(|operator| operator.person != person);
        self.operators.push(operator);
        self.authenticate(office);
        Ok(())
    }

    /// Takes an operator off the list. It wraps nothing anew: who kept a copy of the file and the
    /// passphrase still opens this key. [`Operators::rotate`] shuts that copy out of what is sealed to
    /// the next one.
    pub fn remove(&mut self, office: &OfficeKey, person: &PublicKey) -> Result<(), OfficeRefusal> {
        self.check(office)?;
        self.operator(person).ok_or(OfficeRefusal::NotAnOperator)?;
        if self.operators.len() == 1 {
            return Err(OfficeRefusal::LastOperator);
        }
        self.operators.retain(|operator| operator.person != *person);
        self.authenticate(office);
        Ok(())
    }

    /// A new key for the office, wrapped for everyone on the list. The earlier ones lie encrypted
    /// under it, for what was sealed before. The first is always among them, for the contents are under
    /// it; of the others the oldest are given up past the [`EARLIER_MAX`]th.
    pub fn rotate(
        &self,
        office: &OfficeKey,
        entropy: Entropy<'_>,
    ) -> Result<(OfficeKey, Self), OfficeRefusal> {
        let mut keys = self.earlier(office)?;
        let next = OfficeKey::generate(entropy);
        let mut operators = Vec::with_capacity(self.operators.len());
        for Operator { person, sealing, label, wrapped: _ } in &self.operators {
            operators.push(Operator::wrap(&next, *person, *sealing, label, entropy)?);
        }
        keys.push(OfficeKey::from_seed(&office.seed()));
        if keys.len() > EARLIER_MAX {
            keys.remove(1);
        }
        let earlier = keys
            .iter()
            .map(|key| Earlier {
                office: key.public(),
                encrypted: next.encrypt(&key.seed()[..], entropy),
            })
            .collect();
        let mut list = Self { office: next.public(), operators, earlier, code: [0; 32] };
        list.authenticate(&next);
        Ok((next, list))
    }

    /// The keys that the office had before, oldest first.
    pub fn earlier(&self, office: &OfficeKey) -> Result<Vec<OfficeKey>, OfficeRefusal> {
        self.check(office)?;
        self.earlier
            .iter()
            .map(|earlier| {
                let seed = office.decrypt(&earlier.encrypted).map(Zeroizing::new);
                seed.and_then(|seed| seed_of(&seed))
                    .map(|seed| OfficeKey::from_seed(&seed))
                    .filter(|key| key.public() == earlier.office)
                    .ok_or(OfficeRefusal::ListAltered)
            })
            .collect()
    }

    /// The key of everything that is kept on this PC: the first that the office had. Rotating leaves
    /// it as it is, and with it every body and row.
    pub fn contents(&self, office: &OfficeKey) -> Result<OfficeKey, OfficeRefusal> {
        let first = self.earlier(office)?.into_iter().next();
        Ok(first.unwrap_or_else(|| OfficeKey::from_seed(&office.seed())))
    }

    /// The public half of [`Operators::contents`]: the machine seals to it without anyone.
    #[must_use]
    pub fn contents_sealing(&self) -> SealingKey {
        self.earlier.first().map_or(self.office, |first| first.office)
    }

    /// The public half of the office's key, to which backups are sealed.
    #[must_use]
    pub fn office(&self) -> SealingKey {
        self.office
    }

    /// Who is on the list.
    #[must_use]
    pub fn operators(&self) -> &[Operator] {
        &self.operators
    }

    fn operator(&self, person: &PublicKey) -> Option<&Operator> {
        self.operators.iter().find(|operator| operator.person == *person)
    }

    /// Whether the key is this list's and the list is as somebody with the key left it. Without it
    /// a stranger's line in the file would get the next key at the next rotation.
    fn check(&self, office: &OfficeKey) -> Result<(), OfficeRefusal> {
        if office.public() != self.office {
            return Err(OfficeRefusal::OtherOffice);
        }
        self.mac(office).verify_slice(&self.code).map_err(|_| OfficeRefusal::ListAltered)
    }

    fn authenticate(&mut self, office: &OfficeKey) {
        self.code = self.mac(office).finalize().into_bytes().into();
    }

    fn mac(&self, office: &OfficeKey) -> Hmac<Sha256> {
        Hmac::new_from_slice(&office.list_key()[..])
            .expect("HMAC takes keys of every length")
            .chain_update(self.lines())
    }

    /// All fields but the code in lines. No field holds a line break.
    fn lines(&self) -> String {
        let mut lines = format!("{FORMAT}\n{}\n", hex(&self.office.bytes()));
        for Operator { person, sealing, label, wrapped } in &self.operators {
            let (person, sealing) = (hex(&person.0), hex(&sealing.bytes()));
            lines += &format!("operator\n{person}\n{sealing}\n{label}\n{}\n", hex(wrapped));
        }
        for Earlier { office, encrypted } in &self.earlier {
            lines += &format!("earlier\n{}\n{}\n", hex(&office.bytes()), hex(encrypted));
        }
        lines
    }
}

impl Operator {
    /// The person's key on the roster.
    #[must_use]
    pub fn person(&self) -> PublicKey {
        self.person
    }

    /// What the office calls them.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    fn wrap(
        office: &OfficeKey,
        person: PublicKey,
        sealing: SealingKey,
        label: &str,
        entropy: Entropy<'_>,
    ) -> Result<Self, OfficeRefusal> {
        if !is_label(label) {
            return Err(OfficeRefusal::Label);
        }
        let about = about(&office.public(), &person);
        let wrapped = sealing.seal_for(Use::Wrap, &about, &office.seed()[..], entropy);
        Ok(Self { person, sealing, label: label.to_owned(), wrapped })
    }
}

/// What a wrap is bound to: whose key it holds, and for whom.
fn about(office: &SealingKey, person: &PublicKey) -> Vec<u8> {
    [office.bytes(), person.0].concat()
}

fn seed_of(bytes: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    bytes.try_into().ok().map(Zeroizing::new)
}
