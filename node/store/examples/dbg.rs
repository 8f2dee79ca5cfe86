fn main() {
    let c = rusqlite::Connection::open_in_memory().unwrap();
    c.execute_batch("CREATE TABLE v(doc BLOB); INSERT INTO v VALUES(jsonb('{\"a\":1,\"visits\":[{\"id\":\"1\",\"visitor\":\"x\"}]}')),(jsonb('{\"a\":1}'));").unwrap();
    for sql in [
      "SELECT count(*) FROM v WHERE EXISTS (SELECT 1 FROM json_each(v.doc,'$.visits') AS j WHERE j.value ->> '$.visitor' = 'x')",
      "SELECT count(*) FROM v WHERE EXISTS (SELECT 1 FROM json_each(v.doc,'$.visits') AS j WHERE (j.value ->> '$.visitor') = 'x')",
      "SELECT count(*) FROM v WHERE EXISTS (SELECT 1 FROM jsonb_each(v.doc,'$.visits') AS j WHERE (j.value ->> '$.visitor') = 'x')",
      "SELECT group_concat(typeof(j.value) || quote(j.value)) FROM v, jsonb_each(v.doc,'$.visits') AS j",
      "SELECT group_concat(typeof(j.value) || quote(j.value)) FROM v, json_each(v.doc,'$.visits') AS j",
      "SELECT count(*) FROM v WHERE instr(v.doc ->> '$.a', '1') > 0",
      "SELECT count(*) FROM v WHERE (v.doc ->> '$.a' IS NOT NULL AND v.doc ->> '$.a' <> '')",
      "SELECT count(*) FROM v WHERE instr(',' || v.doc ->> '$.a' || ',', ',1,') > 0",
    ] {
        let r: rusqlite::Result<rusqlite::types::Value> = c.query_row(sql, [], |r| r.get(0));
        println!("{sql}\n   {r:?}");
    }
}
