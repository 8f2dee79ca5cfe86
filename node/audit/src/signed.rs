//! A statement that a node signs about what it holds: JSON of one spelling inside a COSE_Sign with
//! the node's key named. Says who signed; whether that node may speak is for the reader to judge.

use xw_schemas::cose::{self, CoseSignature, Purpose, SecretKey, SoundKey};
use xw_schemas::id::PublicKey;

use crate::archive::FILE_BYTES_MAX;

/// Largest statement, which stands in a pack with its envelope: a manifest of as many files as a pack
/// may have takes some 12 MiB, the completeness of a county with 2,000 logs about 2 MiB.
pub const STATEMENT_BYTES_MAX: usize = FILE_BYTES_MAX - ENVELOPE_BYTES;

/// What one signature and the frame around it take at most.
const ENVELOPE_BYTES: usize = 1 << 10;

/// Why a signed statement is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// Not the bytes of a signed statement.
    #[error("not the bytes of a signed statement")]
    Form,
    /// The signature does not verify under the key that it names.
    #[error("the signature of the statement does not verify")]
    Signature,
}

/// Signs a statement's bytes as a node.
#[must_use]
pub fn sign(statement: &[u8], node: &SecretKey) -> Vec<u8> {
    let signature = CoseSignature::make(node, Purpose::Statement, statement, true);
    cose::encode(statement, &[signature])
}

/// The statement's bytes and the node that signed them.
pub fn open(bytes: &[u8]) -> Result<(&[u8], PublicKey), StatementFault> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(StatementFault::Form);
    }
    let (payload, signatures) =
        cose::decode(bytes, STATEMENT_BYTES_MAX).map_err(|_| StatementFault::Form)?;
    let [signature] = signatures.as_slice() else { return Err(StatementFault::Form) };
    let node = signature.key.ok_or(StatementFault::Form)?;
    let key = SoundKey::of(&node).ok_or(StatementFault::Signature)?;
    let verifies = signature.verifies(&key, Purpose::Statement, payload);
    if verifies { Ok((payload, node)) } else { Err(StatementFault::Signature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_opens_for_what_was_signed_only() {
        let node = SecretKey::from_seed(&[1; 32]);
        let bytes = sign(b"{}", &node);
        assert!(bytes.len() < ENVELOPE_BYTES);
        assert_eq!(open(&bytes), Ok((&b"{}"[..], node.public())));
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 1;
            assert!(open(&bent).is_err(), "byte {at}");
        }
        let as_node = CoseSignature::make(&node, Purpose::Node, b"{}", true);
        assert_eq!(open(&cose::encode(b"{}", &[as_node])), Err(StatementFault::Signature));
    }
}
