//! A county in memory: real entries, real signatures, the pure core of every node, one thread, one
//! seed. No socket, no clock, no dice but the seed's. Used by the simulations.

mod agreement;
mod checks;
mod county;
mod dice;
mod disks;
mod forms;
mod founding;
mod habits;
mod hostile;
mod lines;
mod memory;
mod ordeals;
mod plan;
mod shell;
mod two_words;
mod writing;

pub use agreement::*;
pub use checks::*;
pub use county::{County, Node, Promises};
pub use dice::Dice;
pub use forms::CODES;
pub use founding::{
    COUNTY, FOUNDED_MS, OfficeKeys, Registry, Seat, VILLAGES, definition_of, known_types,
};
pub use habits::Habits;
pub use hostile::Made;
pub use memory::{Commit, Kept, Memory, Taken};
pub use ordeals::{ABSENCE, ROLLBACKS, UPGRADE};
pub use plan::{Figures, Life, RANDOM};
pub use two_words::{COUNTY_FORK, LOST_WITNESS, SPLIT, SUPPRESSION};
