//! A record type as the same bytes everywhere, and its content address.
//! JSON with sorted names and no blanks: a stranger can rebuild it with any JSON library.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::lint::lint;
use super::model::{RecordType, SchemaHash};
use super::schema_error::{SchemaError, SchemaFlaw};

/// Keeps the hash of a record type from being taken for the hash of anything else.
const SCHEMA_DOMAIN: &[u8] = b"xw/schema/1\n";
/// Largest definition in bytes. The largest of ours has under 100 kB.
const SCHEMA_BYTES_MAX: usize = 1 << 20;

impl RecordType {
    /// The definition as canonical JSON.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let json = serde_json::to_value(self).expect("a record type has only text keys");
        let mut bytes = Vec::new();
        write(&json, &mut bytes);
        bytes
    }

    /// The content address of the definition.
    pub fn hash(&self) -> SchemaHash {
        let mut hasher = Sha256::new();
        hasher.update(SCHEMA_DOMAIN);
        hasher.update(self.canonical_bytes());
        SchemaHash(hasher.finalize().into())
    }

    /// Reads a definition that another office published; refuses what is not canonical or not sound.
    pub fn from_canonical(bytes: &[u8]) -> Result<RecordType, SchemaError> {
        let refuse = |flaw| SchemaError { file: String::new(), line: 0, flaw };
        if bytes.len() > SCHEMA_BYTES_MAX {
            return Err(refuse(SchemaFlaw::TooLarge { max: SCHEMA_BYTES_MAX }));
        }
        let rt: RecordType = serde_json::from_slice(bytes)
            .map_err(|e| refuse(SchemaFlaw::Syntax { message: e.to_string() }))?;
        // Before anything is built from it: only a sound definition is bounded in size and depth.
        if let Some((_, flaw)) = lint(&rt).into_iter().next() {
            return Err(refuse(flaw));
        }
        if rt.canonical_bytes() != bytes {
            return Err(refuse(SchemaFlaw::NotCanonical {}));
        }
        Ok(rt)
    }
}

/// Writes JSON with the names of every object sorted, whatever order the library keeps them in.
fn write(json: &Json, out: &mut Vec<u8>) {
    match json {
        Json::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort_unstable();
            out.push(b'{');
            for (number, name) in names.into_iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                write_text(name, out);
                out.push(b':');
                write(&map[name], out);
            }
            out.push(b'}');
        }
        Json::Array(items) => {
            out.push(b'[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Json::String(text) => write_text(text, out),
        Json::Null | Json::Bool(_) | Json::Number(_) => {
            out.extend_from_slice(json.to_string().as_bytes());
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(serde_json::to_string(text).expect("text is JSON").as_bytes());
}
