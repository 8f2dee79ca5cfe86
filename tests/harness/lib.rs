//! A county in memory.
mod dice;
mod founding;
mod forms;
pub use dice::Dice;
pub use founding::*;
