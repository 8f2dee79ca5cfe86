//! What a founded county and a node that joined consist of, and what each file is worth.

use serde_json::Value as Json;

use super::table::{Side, Table};
use super::{Screen, count, grouped, items, plain, text};
use crate::words;

/// Files of a founded county and how to keep them.
pub(crate) fn founded(answer: &Json, screen: Screen) -> String {
    let files = &answer["files"];
    let (folder, network) = (text(answer, "folder"), text(answer, "network"));
    let (towns, villages) = (count(answer, "townships"), count(answer, "villages"));
    let offices = grouped(count(answer, "offices"));
    let roots = names(&files["roots"], words::LIST_COMMA.of(screen.lang));
    let (roster, invite) = (text(files, "roster"), text(files, "invitation"));
    let (k, n) = (count(answer, "threshold"), count(answer, "roots"));
    let (kib, facts) = (count(answer, "edition_bytes").div_ceil(1024), count(answer, "facts"));
    let spare = n.saturating_sub(k);
    let zh = format!(
        "已建县：{offices} 个机构（乡镇 {towns} 个、村 {villages} 个），首版名册 {facts} 项、{kib} KiB，文件在 {folder}\n网络标识：{network}\n\n\
         {roots}\n  根密钥，共 {n} 把，各有口令，任意 {k} 把同时使用才能决定根本事项（如裁定分叉、更换根密钥）。\n  \
         每把连同口令由不同的人保管，各存一个 U 盘，锁进不同的保险柜，不要留在电脑上。\n  \
         丢失或忘记口令超过 {spare} 把，根本事项就再也不能决定；{k} 把落入同一人之手，他就能冒充全县。\n\n\
         {roster}\n  首版名册，公开文件，没有秘密。网络标识可以张贴，供各机构核对。\n\n\
         {invite}\n  县级机构的邀请，用过即失效；使用之前等于钥匙，请当面交付，用后删除。\n\n\
         下一步：在县级机构的电脑上运行\n  xiangwang --dir 县 join {invite}\n\
         加入后由根密钥确认，此前看到过邀请的人再用它一次，县级机构就会从名册上掉下来：\n  \
         xiangwang --dir 县 roster export 名册.xwroster\n  \
         xiangwang bootstrap propose --roster 名册.xwroster --confirm --out 确认.xwdraft\n\n\
         本程序不保留任何口令和密钥的副本。\n"
    );
    let en = format!(
        "Founded: {offices} offices ({towns} townships, {villages} villages); the first roster has {facts} facts, {kib} KiB; the files are in {folder}\nNetwork: {network}\n\n\
         {roots}\n  The {n} root keys, each under a passphrase. Any {k} of them together decide what the registrars cannot (forks, new root keys).\n  \
         Each is kept by another person, on a USB stick in another safe; leave none on this PC.\n  \
         If more than {spare} are lost, nothing of the kind can be decided again; {k} in one hand are the whole county.\n\n\
         {roster}\n  The first roster: public, no secrets. Post the network's id so that offices can compare.\n\n\
         {invite}\n  The county office's invitation: it works once, and until then it is a key. Hand it over in person.\n\n\
         Next, on the county office's PC:\n  xiangwang --dir county join {invite}\n\
         Then the root keys confirm it; until that, a second use of the invitation would take the office off the roster:\n  \
         xiangwang --dir county roster export roster.xwroster\n  \
         xiangwang bootstrap propose --roster roster.xwroster --confirm --out confirm.xwdraft\n\n\
         This program keeps no copy of any passphrase or key.\n"
    );
    screen.pick(&zh, &en).to_owned()
}

fn names(list: &Json, between: &str) -> String {
    let names = list.as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(Json::as_str).map(plain).collect::<Vec<_>>().join(between)
}

/// A node, or more people at one, and what to do next.
pub(crate) fn joined(answer: &Json, screen: Screen) -> String {
    let mut out = match answer["people"].is_array() {
        true => more_people(answer, screen),
        false => new_node(answer, screen),
    };
    let file = text(answer, "answer");
    if !file.is_empty() && answer["first"] != true {
        let zh = format!(
            "请把 {file} 带回给登记员，由他运行 xiangwang roster take {file}；在此之前本机可以照常办理业务\n"
        );
        let en = format!(
            "Carry {file} back to the registrar, who runs xiangwang roster take {file}; meanwhile this PC can be worked on\n"
        );
        out.push_str(screen.pick(&zh, &en));
    }
    out
}

fn more_people(answer: &Json, screen: Screen) -> String {
    let (office, people) = (text(answer, "office"), names(&answer["people"], "、"));
    let zh = format!("{people} 已加入 {office}，可在本机用自己的口令登录\n");
    let en =
        format!("{people} joined {office} and can sign in at this PC with an own passphrase\n");
    screen.pick(&zh, &en).to_owned()
}

fn new_node(answer: &Json, screen: Screen) -> String {
    let (folder, office) = (text(answer, "folder"), text(answer, "office"));
    let (division, node) = (text(answer, "division"), text(answer, "node"));
    let listen = names(&answer["listen"], words::LIST_COMMA.of(screen.lang));
    let api = text(answer, "api");
    let zh = format!(
        "已加入：{office}（{division}），目录 {folder}\n节点密钥：{node}\n邻居连接地址：{listen}；本机接口：{api}\n"
    );
    let en = format!(
        "Joined: the node of {office} ({division}) is in {folder}\nnode key: {node}\nneighbours: {listen}; API: {api}\n"
    );
    let mut out = screen.pick(&zh, &en).to_owned();
    let protection = super::either(&answer["protection"], "zh", "en", screen);
    if !protection.is_empty() {
        out.push_str(&format!("{protection}\n"));
    }
    let heads =
        [(words::OFFICE, Side::Left), (words::ADDRESS, Side::Left), (words::KEY, Side::Left)];
    let mut table = Table::new(screen, &heads);
    let neighbours = items(answer, "neighbours");
    for one in neighbours {
        table.row(&[text(one, "office"), names(&one["addresses"], "\n"), text(one, "key")]);
    }
    if !table.is_empty() {
        out.push_str(&format!("{}\n{}", screen.pick("邻居：", "Neighbours:"), table.text()));
    }
    if neighbours.iter().any(|one| items(one, "addresses").is_empty()) {
        out.push_str(screen.pick(
            "没有地址的邻居不会主动连接；地址可写进节点目录的 node.toml\n",
            "neighbours without an address are not dialled; write addresses into node.toml\n",
        ));
    }
    let zh = format!("下一步：xiangwang --dir {folder} run。邀请已失效，可以删除\n");
    let en = format!("Next: xiangwang --dir {folder} run. The invitation is used up\n");
    out.push_str(screen.pick(&zh, &en));
    out
}
