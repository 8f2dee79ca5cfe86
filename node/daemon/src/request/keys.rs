//! What can be asked about passphrases and keys. A passphrase goes to the running node in the body of
//! one request on loopback, is never printed, and is zeroised when dropped.

use serde::{Deserialize, Serialize};
use xw_custody::{Passphrase, PassphraseSlip};
use zeroize::Zeroizing;

use crate::trouble::{Answer, Trouble};

/// A passphrase on its way. Printing it shows nothing.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn of(passphrase: &Passphrase) -> Self {
        Self(Zeroizing::new(passphrase.reveal().to_owned()))
    }

    /// As it was typed to open something that exists.
    pub(crate) fn typed(&self) -> Answer<Passphrase> {
        Ok(Passphrase::typed(&self.0)?)
    }

    /// As a person chose it for a key; refused when it is too weak.
    pub(crate) fn chosen(&self) -> Answer<Passphrase> {
        Ok(Passphrase::chosen(&self.0)?)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl From<PassphraseSlip> for Trouble {
    fn from(slip: PassphraseSlip) -> Self {
        Self::new("passphrase", slip.zh(), slip.to_string())
    }
}

/// Signs a person in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unlock {
    /// Who; not needed where one person works alone.
    #[serde(default)]
    pub(crate) person: Option<String>,
    pub(crate) passphrase: Secret,
}

/// Opens what is kept here by a key that lies elsewhere, when nobody who works here can.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recover {
    /// The text of the key file.
    pub(crate) key: String,
    pub(crate) passphrase: Secret,
}

/// Another passphrase for a person's key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassphrase {
    #[serde(default)]
    pub(crate) person: Option<String>,
    pub(crate) passphrase: Secret,
    pub(crate) new: Secret,
}

/// Lets another person open the office's key. The person made the key with a passphrase of their own;
/// whoever asks is signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddOperator {
    /// The text of the person's key file.
    pub(crate) key: String,
    /// The key to which the office's is wrapped for this person, 32 bytes in hex.
    pub(crate) sealing: String,
}

#[cfg(test)]
mod tests {
    use crate::request::Request;

    #[test]
    fn a_request_that_carries_a_passphrase_does_not_print_it() {
        let body = r#"{"do":"unlock","person":"王芳","passphrase":"柳河东边第三棵老槐树"}"#;
        let request: Request = serde_json::from_str(body).unwrap();
        let printed = format!("{request:?}");
        assert!(printed.contains("王芳") && !printed.contains("老槐树"), "{printed}");
        let body = r#"{"do":"passphrase","passphrase":"first-one-here","new":"second-one-here"}"#;
        let request: Request = serde_json::from_str(body).unwrap();
        assert!(!format!("{request:?}").contains("one-here"));
    }
}
