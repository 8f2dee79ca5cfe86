//! A definition that is wrong is refused with the file, the line and the reason.

use xw_schemas::record::{
    Lang, Required, SchemaError, SchemaFlaw as Flaw, builtin, builtin_files, compile, sentence,
};

#[test]
fn the_embedded_files_are_clean() {
    let errors: Vec<String> = match compile(&builtin_files()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(errors, Vec::<String>::new());
}

/// Replaces a text in one file and returns what is refused, with the line that should be named:
/// the one on which `at` then stands.
fn spoil(file: &str, from: &str, to: &str, at: &str) -> (Vec<SchemaError>, u32) {
    let mut files = builtin_files();
    let (_, text) = files.iter_mut().find(|(name, _)| name == file).expect("an embedded file");
    assert!(text.contains(from), "{file} does not hold {from}");
    *text = text.replacen(from, to, 1);
    let offset = text.find(at).unwrap_or_else(|| panic!("{file} does not hold {at}"));
    let line = text[..offset].matches('\n').count() as u32 + 1;
    (compile(&files).expect_err("the change breaks the definition"), line)
}

#[track_caller]
fn refused(file: &str, from: &str, to: &str, at: &str, flaw: impl Fn(&Flaw) -> bool) {
    let (errors, line) = spoil(file, from, to, at);
    let found = errors.iter().any(|e| e.file == file && e.line == line && flaw(&e.flaw));
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(found, "expected {file}:{line}, got {all:#?}");
    for error in &errors {
        assert!(!error.flaw.zh().is_empty() && !error.flaw.en().is_empty());
    }
}

macro_rules! refusals {
    ($($name:ident: $file:literal, $from:literal => $to:literal, at $at:literal, $flaw:pat $(if $guard:expr)?,)+) => {
        $(#[test]
        fn $name() {
            refused($file, $from, $to, $at, |flaw| matches!(flaw, $flaw $(if $guard)?));
        })+
    };
}

const FEE: &str = "fee = {";

refusals! {
    broken_toml_names_its_line: "SVC.toml", "fee = {" => "fee = = {", at "fee = =", Flaw::Syntax { .. },
    a_field_written_twice_is_refused: "SVC.toml", "rating_reason = {" => "rating = {", at "rating = { zh = \"评价说明\"", Flaw::Syntax { .. },
    a_section_that_does_not_exist_is_refused: "SVC.toml", "[states]" => "[stages]", at "[stages]", Flaw::UnknownKey { key, .. } if key == "stages",
    a_misspelt_key_is_refused: "SVC.toml", "type = \"money\", req" => "type = \"money\", requ", at "fee = {", Flaw::UnknownKey { key, .. } if key == "requ",
    a_missing_key_is_refused: "SVC.toml", "type = \"money\", req = \"?\"" => "type = \"money\"", at "fee = {", Flaw::MissingKey { key } if key == "req",
    a_field_without_a_class_is_refused: "SVC.toml", "pi = 1, vis = \"VTS\", unit = \"元\"" => "vis = \"VTS\", unit = \"元\"", at "fee = {", Flaw::MissingKey { key } if key == "pi",
    a_number_in_place_of_a_text_is_refused: "SVC.toml", "zh = \"收费金额\"" => "zh = 5", at "fee = {", Flaw::WrongSort { key, .. } if key == "zh",
    a_missing_label_is_refused: "SVC.toml", "zh = \"收费金额\", " => "", at "fee = {", Flaw::MissingLabel { name } if name == "fee",
    an_unknown_type_is_refused: "SVC.toml", "type = \"money\"" => "type = \"monny\"", at "fee = {", Flaw::UnknownType { found } if found == "monny",
    a_reference_to_nothing_is_refused: "SVC.toml", "type = \"ref(Org)\"" => "type = \"ref(Orq)\"", at "handling_org = {", Flaw::UnknownType { .. },
    a_choice_without_a_list_is_refused: "SVC.toml", ", list = \"CL_RATING5\"" => "", at "rating = {", Flaw::EnumWithoutList { .. },
    a_list_on_a_text_is_refused: "SVC.toml", "type = \"money\", req = \"?\"" => "type = \"money\", req = \"?\", list = \"CL_SEX\"", at "fee = {", Flaw::ListWithoutEnum { .. },
    a_list_that_does_not_exist_is_refused: "SVC.toml", "list = \"CL_SVC_MODE\"" => "list = \"CL_SVC_MODES\"", at "service_mode = {", Flaw::UnknownList { .. },
    a_list_defined_in_both_files_is_refused: "SVC.toml", "[lists.CL_SVC_MODE]" => "[lists.CL_SEX]", at "[lists.CL_SEX]", Flaw::Duplicate { name } if name == "CL_SEX",
    a_code_twice_is_refused: "SVC.toml", "[\"2\", \"承诺件\"" => "[\"1\", \"承诺件\"", at "[\"1\", \"承诺件\"", Flaw::Duplicate { name } if name == "CL_SVC_HANDLING 1",
    two_codes_with_one_label_are_refused: "SVC.toml", "[\"2\", \"承诺件\"" => "[\"2\", \"即办件\"", at "[\"2\", \"即办件\"", Flaw::Duplicate { .. },
    a_code_with_a_comma_is_refused: "SVC.toml", "[\"2\", \"承诺件\"" => "[\"2,3\", \"承诺件\"", at "[\"2,3\"", Flaw::BadName { .. },
    a_code_without_its_english_is_refused: "SVC.toml", "[\"2\", \"承诺件\", \"Promised term\"]" => "[\"2\", \"承诺件\"]", at "[\"2\", \"承诺件\"", Flaw::WrongSort { .. },
    a_step_to_nowhere_is_refused: "SVC.toml", "to = \"rejected\"" => "to = \"rejectd\"", at "from = \"registered\"\nto = \"rejectd\"", Flaw::UnknownState { name } if name == "rejectd",
    a_state_that_nothing_reaches_is_refused: "SVC.toml", "to = \"rejected\"" => "to = \"withdrawn\"", at "rejected = {", Flaw::Unreachable { state } if state == "rejected",
    a_step_written_twice_is_refused: "MED.toml", "from = \"reported\"\nto = \"refused\"" => "from = \"reported\"\nto = \"accepted\"", at "from = \"reported\"\nto = \"accepted\"\nzh = \"不予受理\"", Flaw::Duplicate { .. },
    a_terminal_state_that_goes_on_is_refused: "SVC.toml", "accepted = { zh = \"已受理\", en = \"Accepted\" }" => "accepted = { zh = \"已受理\", en = \"Accepted\", terminal = true }", at "accepted = { zh = \"已受理\"", Flaw::TerminalLeft { .. },
    a_dead_end_is_refused: "SVC.toml", "[states]" => "[states]\nlost = { zh = \"遗失\", en = \"Lost\" }", at "lost = {", Flaw::DeadEnd { .. },
    a_type_that_nobody_can_create_is_refused: "SVC.toml", "from = \"-\"\nto" => "from = \"registered\"\nto", at "[type]", Flaw::NoCreation { .. },
    an_unknown_role_is_refused: "SVC.toml", "who = [\"VAGT\", \"VCLK\", \"TWIN\"]" => "who = [\"VAGT\", \"VCLX\", \"TWIN\"]", at "from = \"-\"\nto", Flaw::UnknownRole { name } if name == "VCLX",
    an_editor_whose_level_gets_no_bodies_is_refused: "MED.toml", "edit_roles = [\"VMED\"" => "edit_roles = [\"CDEP\", \"VMED\"", at "edit_roles =", Flaw::EditorWithoutBody { .. },
    a_creator_who_may_not_edit_is_refused: "MED.toml", "\"VGRD\", \"TMED\", \"TJUS\"]" => "\"TMED\", \"TJUS\"]", at "edit_roles =", Flaw::CreatorCannotEdit { role } if role == "VGRD",
    an_audience_that_does_not_exist_is_refused: "SVC.toml", "audience = \"office\"" => "audience = \"everyone\"", at "audience =", Flaw::NotAllowed { .. },
    sensitive_and_public_is_refused: "PVM.toml", "pi = 3, vis = \"VTC\", unit = \"元/年\"" => "pi = 3, vis = \"VTCP\", unit = \"元/年\"", at "income_wage = {", Flaw::PublicSensitive { .. },
    a_public_group_with_a_sensitive_member_is_refused: "SVC.toml", "pi = 2, vis = \"VTS\" }\napplicant_org" => "pi = 3, vis = \"VTSP\" }\napplicant_org", at "applicant = {", Flaw::PublicSensitive { .. },
    a_class_that_does_not_exist_is_refused: "SVC.toml", "pi = 1, vis = \"VTS\", unit = \"元\"" => "pi = 4, vis = \"VTS\", unit = \"元\"", at "fee = {", Flaw::BadPi { .. },
    readers_that_do_not_exist_are_refused: "SVC.toml", "pi = 1, vis = \"VTS\", unit = \"元\"" => "pi = 1, vis = \"VTX\", unit = \"元\"", at "fee = {", Flaw::BadVis { .. },
    an_unknown_mark_is_refused: "PVM.toml", "mark = \"X\" }" => "mark = \"Q\" }", at "bank_last4 = {", Flaw::BadMark { .. },
    a_condition_on_a_field_elsewhere_is_refused: "SVC.toml", "req = { filled = \"agent\" }" => "req = { filled = \"agents\" }", at "agent_relation = {", Flaw::ConditionField { .. },
    a_condition_on_a_code_that_is_not_there_is_refused: "SVC.toml", "in = [\"4\", \"5\"]" => "in = [\"4\", \"6\"]", at "rating_reason = {", Flaw::ConditionCode { code, .. } if code == "6",
    a_condition_that_does_not_suit_is_refused: "SVC.toml", "req = { filled = \"agent\" }" => "req = { has = [\"result\", \"1\"] }", at "agent_relation = {", Flaw::ConditionKind { .. },
    a_condition_with_two_tests_is_refused: "SVC.toml", "req = { filled = \"agent\" }" => "req = { filled = \"agent\", left = \"accepted\" }", at "agent_relation = {", Flaw::ConditionShape { .. },
    a_condition_that_asks_nothing_is_refused: "SVC.toml", "req = { filled = \"agent\" }" => "req = { all = [] }", at "agent_relation = {", Flaw::ConditionShape { .. },
    a_condition_nested_too_deep_is_refused: "SVC.toml", "req = { filled = \"agent\" }" => "req = { not = { not = { not = { not = { filled = \"agent\" } } } } }", at "agent_relation = {", Flaw::ConditionDepth { .. },
    a_requirement_from_an_unknown_state_is_refused: "SVC.toml", "req = \"correction_needed\"" => "req = \"correctionneeded\"", at "missing_materials = {", Flaw::UnknownState { .. },
    a_structure_that_holds_itself_is_refused: "shared.toml", "type = \"str(60)\", req = \"?\", pi = 3" => "type = \"struct(Person)\", req = \"?\", pi = 3", at "[structs.Person]", Flaw::StructRecursion { .. },
    a_structure_that_does_not_exist_is_refused: "SVC.toml", "list<Material>" => "list<Materials>", at "materials = {", Flaw::UnknownStruct { .. },
    a_member_called_id_is_refused: "SVC.toml", "[structs.Material.fields]\nname = {" => "[structs.Material.fields]\nid = {", at "id = { zh = \"名称\"", Flaw::BadName { .. },
    a_name_in_capitals_is_refused: "SVC.toml", "fee = {" => "Fee = {", at "Fee = {", Flaw::BadName { .. },
    a_text_without_length_is_refused: "SVC.toml", "type = \"str(20)\"" => "type = \"str(0)\"", at "item_basic_code = {", Flaw::BadLimit { .. },
    a_floor_above_its_ceiling_is_refused: "PVM.toml", "max = 5, other" => "min = 6, max = 5, other", at "risk_types = {", Flaw::BadCount { .. },
    a_formula_over_nothing_is_refused: "PVM.toml", "plus = [\"net_income\"], over = \"population\"" => "plus = [\"net_incom\"], over = \"population\"", at "net_income_pc = {", Flaw::BadCompute { .. },
    a_formula_of_other_units_is_refused: "PVM.toml", "plus = [\"net_income\"], over = \"population\"" => "plus = [\"population\"], over = \"population\"", at "net_income_pc = {", Flaw::BadCompute { .. },
    a_column_that_leads_nowhere_is_refused: "SVC.toml", "path = \"applicant.phone\"" => "path = \"applicant.fone\"", at "path = \"applicant.fone\"", Flaw::ColumnPath { .. },
    a_column_of_an_unknown_sort_is_refused: "SVC.toml", "special = \"seq\"" => "special = \"sequence\"", at "special = \"sequence\"", Flaw::ColumnSpecial { .. },
    a_holiday_on_a_weekend_is_refused: "shared.toml", "\"2026-01-01\"" => "\"2026-01-03\"", at "[calendar]", Flaw::BadCalendarDay { .. },
}

#[test]
fn lists_in_lists_in_lists_are_refused_where_the_outermost_stands() {
    let mut files = builtin_files();
    let role = "type = \"enum\", req = \"?\", list = \"CL_ROLE\"";
    assert!(files[0].1.contains(role));
    files[0].1 = files[0].1.replacen(role, "type = \"list<Todo>\", req = \"?\"", 1);
    let errors = compile(&files).unwrap_err();
    let line =
        files[2].1.lines().position(|line| line.starts_with("visits = ")).unwrap() as u32 + 1;
    let found = errors.iter().any(|e| {
        (e.file.as_str(), e.line) == ("PVM.toml", line)
            && matches!(&e.flaw, Flaw::TooDeep { field, .. } if field == "visits")
    });
    assert!(found, "{errors:?}");
}

#[test]
fn a_folder_without_the_shared_file_is_refused() {
    let files: Vec<_> = builtin_files().into_iter().filter(|(n, _)| n != "shared.toml").collect();
    let errors = compile(&files).unwrap_err();
    assert!(matches!(errors[..], [SchemaError { flaw: Flaw::NoShared { .. }, .. }]));
}

#[test]
fn two_files_for_one_type_are_refused() {
    let mut files = builtin_files();
    let (_, text) = files[1].clone();
    files.push(("copy.toml".into(), text));
    let errors = compile(&files).unwrap_err();
    let found =
        errors.iter().any(|e| e.file == "copy.toml" && matches!(e.flaw, Flaw::Duplicate { .. }));
    assert!(found, "{errors:?}");
}

#[test]
fn all_flaws_are_reported_at_once_and_those_of_the_shared_file_once() {
    let mut files = builtin_files();
    files[0].1 = files[0].1.replacen("zh = \"标题（事由）\", ", "", 1);
    files[1].1 = files[1].1.replacen("type = \"money\"", "type = \"money\", list = \"CL_SEX\"", 1);
    let errors = compile(&files).unwrap_err();
    let names: Vec<(&str, bool)> = errors
        .iter()
        .map(|e| (e.file.as_str(), matches!(e.flaw, Flaw::MissingLabel { .. })))
        .collect();
    assert_eq!(names, [("shared.toml", true), ("SVC.toml", false)]);
}

#[test]
fn an_error_prints_file_line_and_both_languages() {
    let (errors, line) = spoil("SVC.toml", "type = \"money\"", "type = \"monny\"", FEE);
    let shown = errors[0].to_string();
    assert_eq!(
        shown,
        format!("SVC.toml:{line}: 不认识的字段类型“monny” (unknown field type “monny”)")
    );
}

#[test]
fn conditions_are_said_in_words() {
    let types = builtin();
    let say = |code: &str, field: &str, lang| {
        let rt = types.iter().find(|rt| rt.code == code).unwrap();
        match &rt.field(field).unwrap().required {
            Required::When(condition) => sentence(rt, condition, lang),
            _ => panic!("{field} has no condition"),
        }
    };
    assert_eq!(say("SVC", "rating_reason", Lang::Zh), "“好差评等级”为“不满意”或“非常不满意”");
    assert_eq!(
        say("SVC", "rating_reason", Lang::En),
        "“Rating” is Dissatisfied or Very dissatisfied"
    );
    assert_eq!(say("SVC", "agent_relation", Lang::Zh), "填写了“代办（经办）人”");
    assert_eq!(say("PVM", "disaster_kind", Lang::Zh), "“致贫返贫风险（最多5项）”含“因自然灾害”");
    assert_eq!(say("MED", "result", Lang::Zh), "已离开“调查调解中”状态");
    assert_eq!(say("MED", "paper_location", Lang::Zh), "“是否有纸质原件”为“是”");
    assert_eq!(
        say("MED", "notice_given", Lang::En),
        "the record holds personal information of class 2 or higher"
    );
}
