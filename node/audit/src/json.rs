//! JSON with one spelling: names sorted, no blanks, whole numbers. What is signed or hashed as JSON
//! is written and read here; the reader accepts what the writer writes and nothing else.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// The bytes of a value.
#[must_use]
pub fn write<T: Serialize>(value: &T) -> Vec<u8> {
    let json = serde_json::to_value(value).expect("our statements have text keys only");
    let mut bytes = Vec::new();
    put(&json, &mut bytes);
    bytes
}

/// Reads what [`write`] writes; `None` for any other bytes.
#[must_use]
pub fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    (write(&value) == bytes).then_some(value)
}

/// Writes a value with the names of every object sorted, whatever order the library keeps them in.
fn put(json: &Json, out: &mut Vec<u8>) {
    match json {
        Json::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort_unstable();
            separated(b'{', b'}', &names, out, |name, out| {
                text(name, out);
                out.push(b':');
                put(&map[name.as_str()], out);
            });
        }
        Json::Array(items) => separated(b'[', b']', items, out, put),
        Json::String(value) => text(value, out),
        Json::Null | Json::Bool(_) | Json::Number(_) => out.extend(json.to_string().as_bytes()),
    }
}

fn separated<T>(
    open: u8,
    close: u8,
    items: &[T],
    out: &mut Vec<u8>,
    mut each: impl FnMut(&T, &mut Vec<u8>),
) {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        each(item, out);
    }
    out.push(close);
}

fn text(value: &str, out: &mut Vec<u8>) {
    out.extend(serde_json::to_string(value).expect("text is JSON").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_spelling() {
        let bytes = write(&serde_json::json!({"b": [1, null], "a": {"文": "\"\n"}}));
        assert_eq!(String::from_utf8_lossy(&bytes), r#"{"a":{"文":"\"\n"},"b":[1,null]}"#);
        assert!(read::<Json>(&bytes).is_some());
        assert!(read::<Json>(br#"{"b":1,"a":2}"#).is_none());
        assert!(read::<Json>(br#"{"a": 2}"#).is_none());
        assert!(read::<Json>(br#"{"a":2,"a":2}"#).is_none());
    }
}
