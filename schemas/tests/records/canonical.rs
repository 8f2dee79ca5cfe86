//! A definition is the same bytes everywhere, and its address follows from them.

use xw_schemas::record::{RecordType, SchemaFlaw, builtin, builtin_files, compile};

#[test]
fn canonical_bytes_read_back_to_the_same_definition() {
    for rt in builtin() {
        let bytes = rt.canonical_bytes();
        let read = RecordType::from_canonical(&bytes).unwrap();
        assert_eq!(read, rt);
        assert_eq!(read.canonical_bytes(), bytes);
        assert_eq!(read.hash(), rt.hash());
    }
}

#[test]
fn the_order_of_files_and_the_use_of_a_type_do_not_move_its_address() {
    let mut files = builtin_files();
    files.reverse();
    let mut reversed = compile(&files).unwrap();
    reversed.reverse();
    for (one, other) in builtin().iter().zip(&reversed) {
        let before = one.hash();
        // Builds the look-ups, which are no part of the definition.
        assert!(one.field("title").is_some());
        assert_eq!(one.hash(), before);
        assert_eq!(one.hash(), other.hash());
    }
}

#[test]
fn a_changed_label_is_another_definition_and_only_of_the_types_that_use_it() {
    let mut files = builtin_files();
    for (_, text) in &mut files {
        *text = text.replace("一次性告知补正", "一次告知补正");
    }
    let before = builtin();
    let after = compile(&files).unwrap();
    let moved: Vec<&str> = before
        .iter()
        .zip(&after)
        .filter(|(one, other)| one.hash() != other.hash())
        .map(|(one, _)| one.code.as_str())
        .collect();
    assert_eq!(moved, ["SVC"]);
}

#[test]
fn an_address_is_the_hash_of_its_domain_and_the_bytes() {
    use sha2::{Digest, Sha256};
    let rt = &builtin()[0];
    let expected: [u8; 32] = Sha256::new()
        .chain_update(b"xw/schema/1\n")
        .chain_update(rt.canonical_bytes())
        .finalize()
        .into();
    assert_eq!(rt.hash().0, expected);
    assert_eq!(rt.hash().to_string().len(), 64);
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let bytes = builtin()[0].canonical_bytes();
    let mut spaced = bytes.clone();
    spaced.insert(1, b' ');
    let refused = RecordType::from_canonical(&spaced).unwrap_err();
    assert_eq!(refused.flaw, SchemaFlaw::NotCanonical {});
    for cut in [0, 1, 100, bytes.len() - 1] {
        assert!(RecordType::from_canonical(&bytes[..cut]).is_err());
    }
}

#[test]
fn a_definition_that_holds_itself_is_refused_and_not_followed() {
    let mut rt = builtin().remove(0);
    let person = rt.structs["Person"].fields[0].clone();
    let mut guardian = person;
    guardian.name = "guardian_person".into();
    guardian.kind = xw_schemas::record::Kind::Struct { name: "Person".into() };
    rt.structs.get_mut("Person").unwrap().fields.push(guardian);
    let refused = RecordType::from_canonical(&rt.canonical_bytes()).unwrap_err();
    assert_eq!(refused.flaw, SchemaFlaw::StructRecursion { name: "Person".into() });
}
