//! One process owns a database.

use xw_schemas::record::Lang;
use xw_store::{Reader, Store, StoreError};

use crate::world::{Folder, World};

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    let (world, folder) = (World::new(), Folder::new());
    let store = world.store_at(&folder.file());
    let refused = Store::open(&folder.file(), None).unwrap_err();
    assert!(matches!(refused, StoreError::Owned { .. }), "{refused:?}");
    assert!(refused.text(Lang::Zh).contains("另一个程序"));
    assert!(refused.text(Lang::En).contains("another program owns"));
    Reader::open(&folder.file()).unwrap();
    store.close().unwrap();
    Store::open(&folder.file(), None).unwrap();
}

#[test]
fn a_database_is_neither_made_over_another_nor_opened_where_none_is() {
    let (world, folder) = (World::new(), Folder::new());
    let missing = Store::open(&folder.file(), None).unwrap_err();
    assert!(matches!(missing, StoreError::Missing { .. }), "{missing:?}");
    drop(world.store_at(&folder.file()));
    let exists = Store::create(&folder.file(), world.founding.clone(), world.types(), None, None);
    assert!(matches!(exists.unwrap_err(), StoreError::Exists { .. }));
}

#[test]
fn a_file_of_another_program_is_refused() {
    let folder = Folder::new();
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute_batch("CREATE TABLE t(a); PRAGMA user_version = 1;").unwrap();
    drop(other);
    let refused = Store::open(&folder.file(), None).unwrap_err();
    assert!(matches!(refused, StoreError::Format { found: 0, .. }), "{refused:?}");
    let folder = Folder::new();
    std::fs::write(folder.file(), "并非数据库".repeat(500)).unwrap();
    assert!(Store::open(&folder.file(), None).unwrap_err().is_damage());
}
