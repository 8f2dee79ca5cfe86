use xw_schemas::record::{builtin_files, compile};
#[test]
fn the_embedded_files_are_clean() {
    if let Err(errors) = compile(&builtin_files()) {
        for e in &errors { eprintln!("{e}"); }
        panic!("{} errors", errors.len());
    }
}
