//! Whose keys are open at this PC, and since when: nobody's at the start, a person's from the right
//! passphrase until they lock, go away, or the program ends. Never writes an open key anywhere.

mod files;
mod making;
mod trial;

use xw_custody::{Cost, Operators, SealingKey};
use xw_schemas::cose::SecretKey;
use xw_schemas::id::PublicKey;
use xw_schemas::space::Division;

use crate::clock;
use crate::folder::Idle;
use crate::trouble::{Answer, Trouble};

pub(crate) use files::{KeyFiles, PersonFile, recovery_key};
pub(crate) use making::{NewKeys, Protection, protect};
pub(crate) use trial::{Came, Trial, Tried, first_of};

/// The synthetic county: its passphrases stand in the documentation, and its keys are cheap.
const TRAINING_COUNTY: u64 = 130_599_000_000;

/// Milliseconds of a minute.
const MINUTE_MS: u64 = 60_000;

/// Milliseconds of an hour.
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// What a try of a passphrase costs. Cheap keys exist in the synthetic county alone, and only where
/// the command line says so.
pub(crate) fn cost(division: Division, training: bool) -> Answer<Cost> {
    match (training, is_training(division)) {
        (false, _) => Ok(Cost::STANDARD),
        (true, true) => Ok(Cost::FOR_TESTS),
        (true, false) => Err(Trouble::new(
            "usage",
            "--training 只用于演练县 130599，真实机构的密钥必须按标准强度保护",
            "--training is for the county 130599 of exercises only; real keys get full protection",
        )),
    }
}

/// Whether an office is of the synthetic county.
pub(crate) fn is_training(division: Division) -> bool {
    division.county().number() == TRAINING_COUNTY
}

/// A person who is signed in.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) key: SecretKey,
    /// By the wall clock, for the screen.
    pub(crate) since_ms: u64,
}

/// The operators of this PC and those among them who are signed in.
pub(crate) struct Keys {
    pub(crate) files: KeyFiles,
    operators: Operators,
    signed_in: Vec<Person>,
    idle: Idle,
    last_act: Moment,
    /// When records were opened one by one within the last hour.
    reads: Vec<u64>,
}

/// A moment by two clocks: the one stands still while the PC sleeps, the other can be set back.
#[derive(Clone, Copy)]
struct Moment {
    steady_ms: u64,
    wall_ms: u64,
}

impl Moment {
    fn now() -> Self {
        Self { steady_ms: clock::steady_ms(), wall_ms: clock::now_ms() }
    }

    /// The time since, by whichever clock says more.
    fn ago_ms(self, now: Self) -> u64 {
        let steady = now.steady_ms.saturating_sub(self.steady_ms);
        steady.max(now.wall_ms.saturating_sub(self.wall_ms))
    }
}

/// What the idle time asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// Everybody is signed out; the store stays open to the mesh.
    SignOut,
    /// The store is closed as well.
    Close,
}

impl Keys {
    pub(crate) fn open(files: KeyFiles, idle: Idle) -> Answer<Self> {
        let operators = files.operators()?;
        let last_act = Moment::now();
        Ok(Self { files, operators, signed_in: Vec::new(), idle, last_act, reads: Vec::new() })
    }

    /// The list of operators as it lies on the disk: somebody may have been let in.
    pub(crate) fn operators(&mut self) -> Answer<&Operators> {
        self.operators = self.files.operators()?;
        Ok(&self.operators)
    }

    /// To whom the PC seals what comes while nobody is signed in.
    pub(crate) fn sealing(&self) -> SealingKey {
        self.operators.contents_sealing()
    }

    /// The operators' keys and names.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (PublicKey, &str)> {
        self.operators.operators().iter().map(|one| (one.person(), one.label()))
    }

    /// Who is signed in, in the order in which they came.
    pub(crate) fn signed_in(&self) -> &[Person] {
        &self.signed_in
    }

    /// Lets a person in; whoever is in already is in since then.
    pub(crate) fn sign_in(&mut self, name: String, key: SecretKey) {
        let public = key.public();
        self.signed_in.retain(|person| person.key.public() != public);
        self.signed_in.push(Person { name, key, since_ms: clock::now_ms() });
        self.reads.clear();
        self.act();
    }

    /// Forgets the key of whom `who` names, or everybody's; the names of those who went.
    pub(crate) fn sign_out(&mut self, who: Option<&str>) -> Vec<String> {
        let goes = |person: &Person| who.is_none_or(|name| person.name == name);
        let (out, stay) = std::mem::take(&mut self.signed_in).into_iter().partition(goes);
        self.signed_in = stay;
        let out: Vec<Person> = out;
        out.into_iter().map(|person| person.name).collect()
    }

    /// A person did something.
    pub(crate) fn act(&mut self) {
        self.last_act = Moment::now();
    }

    /// A person opened one record. Too many within an hour, and everybody must sign in again: a
    /// thief at an open PC copies, a clerk works.
    pub(crate) fn read_one(&mut self) -> Result<(), ReadEnough> {
        let now_ms = clock::steady_ms();
        self.reads.retain(|at| now_ms.saturating_sub(*at) < HOUR_MS);
        self.reads.push(now_ms);
        let most = self.idle.reads_per_hour;
        if most == 0 || self.reads.len() as u64 <= most {
            return Ok(());
        }
        Err(ReadEnough { most })
    }

    /// As if so much time had passed since the last act.
    #[cfg(test)]
    fn age(&mut self, ms: u64) {
        self.last_act.wall_ms = self.last_act.wall_ms.saturating_sub(ms);
    }

    /// What the time since the last act asks for.
    pub(crate) fn due(&self) -> Due {
        let Idle { lock_minutes, open_minutes, .. } = self.idle;
        let idle_ms = self.last_act.ago_ms(Moment::now());
        let lock_ms = lock_minutes.saturating_mul(MINUTE_MS);
        let close_ms = lock_ms.saturating_add(open_minutes.saturating_mul(MINUTE_MS));
        match lock_minutes {
            0 => Due::Nothing,
            _ if idle_ms >= close_ms => Due::Close,
            _ if idle_ms >= lock_ms => Due::SignOut,
            _ => Due::Nothing,
        }
    }
}

/// More records were opened than an hour of honest work needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadEnough {
    pub(crate) most: u64,
}

#[cfg(test)]
pub(crate) mod tests;
