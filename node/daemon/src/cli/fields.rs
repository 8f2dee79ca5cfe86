//! From `--set`, `--item` and JSON files to the nested JSON that requests carry. Judges no value.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path as FilePath;

use serde_json::{Map, Value as Json};
use xw_schemas::record::RecordType;

use super::labels::{Path, resolve};
use super::record::Fields;
use crate::trouble::{Answer, Trouble};

/// Largest JSON file of fields: a record holds at most 1 MiB.
const JSON_BYTES_MAX: u64 = 4 << 20;

/// Most items of a list that one command adds.
const ITEMS_MAX: usize = 200;

impl Fields {
    /// Whether nothing is given.
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.json_file.is_none()
    }

    /// The fields as nested JSON: the file first, then what was typed.
    pub(super) fn gathered(&self, rt: &RecordType) -> Answer<Json> {
        let mut root = match &self.json_file {
            Some(path) => read_json(path)?,
            None => Map::new(),
        };
        for set in &self.set {
            let (typed, value) = split(set)?;
            put(&mut root, &resolve(rt, typed)?.0, value)?;
        }
        Ok(Json::Object(root))
    }
}

/// Changes to members of existing items, by path.
pub(super) fn items(rt: &RecordType, given: &[String]) -> Answer<BTreeMap<String, Json>> {
    let one = |item: &String| {
        let (typed, value) = split(item)?;
        let path = resolve(rt, typed)?;
        if path.0.iter().all(|(_, id)| id.is_none()) {
            return Err(Trouble::new(
                "path",
                format!("“{typed}”没有指明是哪一项，应写成 清单[标识].字段=值"),
                format!("{typed} names no item; write list[id].path=value"),
            ));
        }
        Ok((path.text(), value))
    };
    given.iter().map(one).collect()
}

/// `path=value`; an empty value clears the field.
fn split(set: &str) -> Answer<(&str, Json)> {
    let at = set.find(['=', '＝']).filter(|at| *at > 0).ok_or_else(|| {
        Trouble::new(
            "usage",
            format!("“{set}”应写成 字段=值"),
            format!("{set} is not written as path=value"),
        )
    })?;
    let behind = &set[at..];
    let value = behind.strip_prefix(['=', '＝']).unwrap_or(behind);
    let json = if value.is_empty() { Json::Null } else { Json::String(value.to_owned()) };
    Ok((&set[..at], json))
}

/// Puts a value in its place, making groups and items on the way.
fn put(map: &mut Map<String, Json>, path: &[(String, Option<String>)], value: Json) -> Answer<()> {
    let Some(((name, item), rest)) = path.split_first() else { return Ok(()) };
    // A file may spell the whole path as one key; what is typed replaces it.
    let dotted = Path(path.to_vec()).text();
    if dotted != *name {
        map.remove(&dotted);
    }
    if let Some(item) = item {
        let number = item.parse::<usize>().ok().filter(|n| (1..=ITEMS_MAX).contains(n));
        let number = number.ok_or_else(|| {
            Trouble::new(
                "path",
                format!("“{dotted}”：新增的内容应按顺序编号，如 {name}[1]；修改已有的一项请用 --item"),
                format!("{dotted}: new items are numbered, as {name}[1]; use --item for one that is there"),
            )
        })?;
        let list = map.entry(name.clone()).or_insert_with(|| Json::Array(Vec::new()));
        if !list.is_array() {
            *list = Json::Array(Vec::new());
        }
        if let Json::Array(list) = list {
            while list.len() < number {
                list.push(Json::Object(Map::new()));
            }
            if let Some(Json::Object(inner)) = list.get_mut(number - 1) {
                return put(inner, rest, value);
            }
        }
        return Ok(());
    }
    if rest.is_empty() {
        map.insert(name.clone(), value);
        return Ok(());
    }
    let group = map.entry(name.clone()).or_insert_with(|| Json::Object(Map::new()));
    if !group.is_object() {
        *group = Json::Object(Map::new());
    }
    match group {
        Json::Object(inner) => put(inner, rest, value),
        _ => Ok(()),
    }
}

fn read_json(path: &FilePath) -> Answer<Map<String, Json>> {
    let text = if path == FilePath::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().take(JSON_BYTES_MAX).read_to_string(&mut text)?;
        text
    } else {
        if std::fs::metadata(path)?.len() > JSON_BYTES_MAX {
            return Err(Trouble::new("file", "JSON 文件过大", "the JSON file is too large"));
        }
        std::fs::read_to_string(path)?
    };
    let bad = |zh: String, en: String| Trouble::new("json", zh, en);
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Err(bad(
            "JSON 文件最外层应为 { … }".to_owned(),
            "the JSON file is no object".to_owned(),
        )),
        Err(error) => Err(bad(
            format!("JSON 文件第 {} 行第 {} 列有误", error.line(), error.column()),
            format!("the JSON file is not well formed: {error}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn service() -> RecordType {
        let found = xw_schemas::record::builtin().into_iter().find(|rt| rt.code == "SVC");
        found.expect("SVC is built in")
    }

    fn set(texts: &[&str]) -> Answer<Json> {
        let set = texts.iter().map(|text| (*text).to_owned()).collect();
        Fields { set, json_file: None }.gathered(&service())
    }

    #[test]
    fn what_is_typed_becomes_a_form() {
        let form = set(&[
            "事项名称=高龄津贴=申请",
            "申请人.姓名＝张三",
            "applicant.phone=",
            "材料清单[2].name=户口簿",
            "materials[1].name=身份证",
        ]);
        let wanted = json!({
            "matter_name": "高龄津贴=申请",
            "applicant": {"name": "张三", "phone": null},
            "materials": [{"name": "身份证"}, {"name": "户口簿"}],
        });
        assert_eq!(form.unwrap(), wanted);
    }

    #[test]
    fn what_cannot_be_placed_is_refused() {
        for text in ["事项名称", "=3", "材料清单[x].name=1", "材料清单[9999].name=1", "不存在=1"]
        {
            assert!(set(&[text]).is_err(), "{text}");
        }
        assert!(items(&service(), &["事项名称=1".to_owned()]).is_err());
        let one = items(&service(), &["材料清单[ab12].name=身份证".to_owned()]).unwrap();
        assert_eq!(one["materials[ab12].name"], json!("身份证"));
    }
}
