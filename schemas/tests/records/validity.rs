//! Whether a record is valid in its state: the judgement that all nodes share.

use serde_json::{Value as Json, json};
use xw_schemas::record::{
    Content, Item, Problem, ProblemCode, RecordType, Value, ValueSlip, builtin, fill_computed,
    from_json, problems, to_json,
};

fn rt(code: &str) -> RecordType {
    builtin().into_iter().find(|rt| rt.code == code).unwrap()
}

fn header() -> Json {
    json!({
        "business_no": "130599200201A-SVC-2026-00037", "title": "低保申请代办", "division_code": "130599200201",
        "responsible_org": "柳林村综合服务站", "recorded_at": "2026-01-05 08:30", "time_source": "1",
        "recorder": "村代办员", "source_channel": "群众来访", "entry_mode": "现场录入", "paper_original": "否",
        "legal_basis": "02", "notice_given": "当面口头告知", "disclosure_class": "0",
    })
}

fn with(mut base: Json, more: Json) -> Json {
    let (Json::Object(base_map), Json::Object(more)) = (&mut base, more) else { panic!() };
    base_map.extend(more);
    base
}

fn svc() -> Json {
    with(
        header(),
        json!({
            "matter_name": "最低生活保障申请", "matter_code": "0301", "service_mode": "窗口办理",
            "applicant_kind": "自然人", "applicant": { "name": "张试", "phone": "10012345678" },
            "materials": [{ "name": "户口簿", "form": "复印件", "copies": 1, "received_on": "2026-01-05" }],
        }),
    )
}

fn judge(rt: &RecordType, json: Json, state: &str, left: &[&str]) -> Vec<Problem> {
    let content = from_json(rt, &json).unwrap_or_else(|slips| panic!("{slips:?}"));
    let left: Vec<String> = left.iter().map(|s| (*s).to_owned()).collect();
    problems(rt, &content, state, &left)
}

fn paths(found: &[Problem]) -> Vec<&str> {
    found.iter().map(|p| p.path.as_str()).collect()
}

#[test]
fn a_complete_registration_is_valid() {
    assert_eq!(judge(&rt("SVC"), svc(), "registered", &[]), []);
}

#[test]
fn every_missing_field_is_named_with_its_reason() {
    let found = judge(&rt("SVC"), json!({}), "registered", &[]);
    let expected = [
        "business_no",
        "title",
        "division_code",
        "responsible_org",
        "recorded_at",
        "time_source",
        "recorder",
        "source_channel",
        "entry_mode",
        "paper_original",
        "legal_basis",
        "disclosure_class",
        "matter_name",
        "matter_code",
        "service_mode",
        "applicant_kind",
        "materials",
    ];
    assert_eq!(paths(&found), expected);
    assert!(found.iter().all(|p| p.code == ProblemCode::Missing));
    assert_eq!(found[0].zh(), "“业务编号”未填写（必填）");
    assert_eq!(found[16].en(), "“Materials” is empty (required from the state Registered on)");
}

#[test]
fn what_a_state_asks_for_is_asked_for_ever_after_and_not_when_it_was_skipped() {
    let svc_type = rt("SVC");
    let at = |state: &str, left: &[&str]| {
        let found = judge(&svc_type, svc(), state, left);
        found.iter().any(|p| p.path == "missing_materials")
    };
    assert!(!at("registered", &[]));
    assert!(at("correction_needed", &["registered"]));
    assert!(at("registered", &["registered", "correction_needed"]));
    assert!(!at("withdrawn", &["registered"]));
}

#[test]
fn conditions_decide_what_is_asked_for() {
    let svc_type = rt("SVC");
    let asked = |more: Json| {
        let found = judge(&svc_type, with(svc(), more), "registered", &[]);
        found.iter().map(|p| p.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(asked(json!({ "service_mode": "3" })), ["agent.name"]);
    assert_eq!(asked(json!({ "agent": { "name": "李试" } })), ["agent_relation", "authorisation"]);
    assert_eq!(
        asked(json!({ "agent": { "phone": "10012345678" } })),
        ["agent.name", "agent_relation", "authorisation"]
    );
    assert_eq!(asked(json!({ "paper_original": true })), ["paper_location"]);
    assert_eq!(asked(json!({ "applicant_kind": "2" })), ["applicant_org"]);
    assert_eq!(asked(json!({ "matter_code": "1301" })), ["requesting_authority", "legal_ground"]);
    assert_eq!(asked(json!({ "matter_code": "9999" })), ["matter_code_other"]);
    assert_eq!(
        asked(json!({ "applicant": { "name": "张试", "id_type": "990" } })),
        ["applicant.id_type_other"]
    );
    // Without a notice the record would hold personal information nobody was told of.
    assert_eq!(asked(json!({ "notice_given": null })), ["notice_given"]);
    let bare = json!({ "notice_given": null, "applicant": null, "materials": [], "applicant_kind": "2", "applicant_org": "合作社" });
    assert_eq!(asked(bare), ["materials"]);
}

#[test]
fn a_mediation_names_its_result_on_any_way_out() {
    let med = rt("MED");
    let asked = |state: &str, left: &[&str]| {
        judge(&med, header(), state, left).iter().any(|p| p.path == "result")
    };
    assert!(!asked("mediating", &["reported", "accepted"]));
    assert!(asked("failed", &["reported", "accepted", "mediating"]));
    assert!(asked("withdrawn", &["reported", "accepted", "mediating"]));
    assert!(asked("closed", &["reported", "accepted", "mediating", "withdrawn"]));
    let failed = judge(&med, header(), "failed", &["mediating"]);
    assert!(paths(&failed).contains(&"referral"));
    let closed = judge(&med, header(), "closed", &["mediating", "failed"]);
    assert!(!paths(&closed).contains(&"referral"));
}

#[test]
fn any_guarantee_that_fails_asks_for_a_note() {
    let pvm = rt("PVM");
    let asked = |more: Json| {
        judge(&pvm, with(header(), more), "clue", &[]).iter().any(|p| p.path == "guarantee_note")
    };
    assert!(!asked(json!({ "food_ok": true, "water_ok": true })));
    assert!(asked(json!({ "food_ok": true, "water_ok": false })));
}

#[test]
fn items_are_judged_where_they_stand() {
    let pvm = rt("PVM");
    let json = with(
        header(),
        json!({
            "household": { "head": { "name": "王试" } }, "clue_source": "1", "clue_at": "2026-01-05",
            "clue_text": "住院", "is_tuopin": true,
            "visits": [
                { "visit_at": "2026-01-06", "visitors": [{ "staff": "网格员" }], "met_person": { "name": "王试" }, "mode": "1",
                  "todo": [{ "text": "办慢病证", "who": "代办员" }] },
                { "id": "second", "mode": "2" },
            ],
        }),
    );
    let found = judge(&pvm, json, "clue", &[]);
    assert_eq!(
        paths(&found),
        [
            "visits[1].todo[1].due",
            "visits[second].visit_at",
            "visits[second].visitors",
            "visits[second].met_person.name"
        ]
    );
}

#[test]
fn what_does_not_belong_is_refused() {
    let svc_type = rt("SVC");
    let mut content = from_json(&svc_type, &svc()).unwrap();
    content.values.insert("colour".into(), Value::Text("red".into()));
    content.values.insert("materials".into(), Value::Text("x".into()));
    content.values.insert("fee".into(), Value::Text("12".into()));
    content.values.insert("rating".into(), Value::Text("9".into()));
    content.values.insert("matter_name".into(), Value::Text("户".repeat(81)));
    content.values.insert("applicant".into(), Value::Text("张试".into()));
    content.lists.insert("title".into(), vec![Item::default()]);
    content.lists.insert("_steps".into(), vec![Item::default()]);
    let found = problems(&svc_type, &content, "registered", &[]);
    let mut seen: Vec<(&str, ProblemCode)> =
        found.iter().map(|p| (p.path.as_str(), p.code)).collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            ("applicant", ProblemCode::Format),
            ("colour", ProblemCode::Unknown),
            ("fee", ProblemCode::Format),
            ("materials", ProblemCode::Format),
            ("matter_name", ProblemCode::TooLong),
            ("rating", ProblemCode::NotInList),
            // Ratings 4 and 5 ask for more; an unknown one does not.
            ("title", ProblemCode::Format),
        ]
    );
}

#[test]
fn a_state_that_does_not_exist_is_a_problem() {
    let found = judge(&rt("SVC"), svc(), "lost", &[]);
    assert_eq!(found[0].code, ProblemCode::State);
}

#[test]
fn lists_have_floors_ceilings_and_distinct_items() {
    let pvm = rt("PVM");
    let staff = |n: usize| (0..n).map(|i| json!({ "staff": format!("{i}") })).collect::<Vec<_>>();
    let count = |n: usize| {
        let content = from_json(&pvm, &json!({ "verify_members": staff(n) }));
        content.map(|c| {
            let found = problems(&pvm, &c, "clue", &[]);
            found.iter().any(|p| p.path == "verify_members" && p.code == ProblemCode::Count)
        })
    };
    assert_eq!(count(1), Ok(true));
    assert_eq!(count(2), Ok(false));
    assert_eq!(count(200), Ok(false));
    assert_eq!(
        count(201),
        Err(vec![("verify_members".into(), ValueSlip::TooManyItems { max: 200 })])
    );
    let mut content = Content::default();
    content
        .lists
        .insert("verify_members".into(), vec![Item { id: "a".into(), ..Item::default() }; 201]);
    assert!(problems(&pvm, &content, "clue", &[]).iter().any(|p| p.code == ProblemCode::Count));
    content
        .lists
        .insert("verify_members".into(), vec![Item { id: "a".into(), ..Item::default() }; 2]);
    assert!(problems(&pvm, &content, "clue", &[]).iter().any(|p| p.code == ProblemCode::ItemId));
}

#[test]
fn income_and_due_dates_are_worked_out() {
    let pvm = rt("PVM");
    let json = json!({
        "income_wage": "12000", "income_business": "3000.50", "income_property": "0", "income_transfer": "1800",
        "expense_business": "800", "population": "3人", "self_paid": "2000",
    });
    let mut content = from_json(&pvm, &json).unwrap();
    fill_computed(&pvm, &mut content);
    assert_eq!(content.values["net_income"], Value::Int(1_600_050));
    assert_eq!(content.values["net_income_pc"], Value::Int(533_350));
    // Claims are optional and count as nothing: (16000.50 - 2000) / 3 = 4666.8333, rounded to the 分.
    assert_eq!(content.values["ref_income_pc"], Value::Int(466_683));

    let svc_type = rt("SVC");
    let mut content =
        from_json(&svc_type, &json!({ "accepted_at": "2026-02-12 09:00", "promised_days": 3 }))
            .unwrap();
    fill_computed(&svc_type, &mut content);
    // Friday 13th, the worked Saturday 14th, then Spring Festival until Monday 23rd: Tuesday 24th.
    assert_eq!(content.values["due_date"], Value::Text("2026-02-24".into()));
}

#[test]
fn a_computed_field_that_differs_is_a_warning_and_is_left_alone() {
    let svc_type = rt("SVC");
    let json = with(
        svc(),
        json!({ "accepted_at": "2026-01-05", "promised_days": 1, "due_date": "2026-01-09" }),
    );
    let mut content = from_json(&svc_type, &json).unwrap();
    fill_computed(&svc_type, &mut content);
    assert_eq!(content.values["due_date"], Value::Text("2026-01-09".into()));
    let found = problems(&svc_type, &content, "registered", &[]);
    assert_eq!(paths(&found), ["due_date"]);
    assert!(found[0].is_warning());
    assert_eq!(found[0].zh(), "“应办结日期”填写为2026-01-09，按公式应为2026-01-06");
}

#[test]
fn json_is_read_nested_or_dotted_and_written_nested() {
    let svc_type = rt("SVC");
    let nested =
        from_json(&svc_type, &json!({ "applicant": { "name": "张试", "id_type": "身份证明" } }));
    assert!(
        matches!(&nested.unwrap_err()[..], [(path, ValueSlip::NotInList { .. })] if path == "applicant.id_type")
    );
    let dotted =
        from_json(&svc_type, &json!({ "applicant.name": "张试", "fee": "12.5", "trips": 2 }))
            .unwrap();
    assert_eq!(
        to_json(&dotted),
        json!({ "applicant": { "name": "张试" }, "fee": 1250, "trips": 2 })
    );
    let slips = from_json(
        &svc_type,
        &json!({ "nope": 1, "materials": "户口簿", "applicant": "张试", "fee": true }),
    )
    .unwrap_err();
    let seen: Vec<(&str, &ValueSlip)> = slips.iter().map(|(p, s)| (p.as_str(), s)).collect();
    assert_eq!(seen.len(), 4);
    assert!(seen.contains(&("nope", &ValueSlip::UnknownField)));
    assert!(seen.contains(&("materials", &ValueSlip::WrongShape)));
    assert!(seen.contains(&("fee", &ValueSlip::WrongSort)));
    let twice =
        from_json(&svc_type, &json!({ "applicant.name": "张试", "applicant": { "name": "李试" } }));
    assert_eq!(twice.unwrap_err(), [("applicant.name".into(), ValueSlip::Twice)]);
}

#[test]
fn contents_do_not_reach_a_log() {
    let content = from_json(&rt("SVC"), &svc()).unwrap();
    assert!(!format!("{content:?}").contains("张试"));
}
