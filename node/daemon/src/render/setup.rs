//! What a founded county and a new node consist of, and what each file is worth.

use serde_json::Value as Json;

use super::table::{Side, Table};
use super::{Screen, count, grouped, items, plain, text};
use crate::words;

/// Files of a founded county and how to keep them.
pub(crate) fn founded(answer: &Json, screen: Screen) -> String {
    let files = &answer["files"];
    let (folder, offices) = (text(answer, "folder"), grouped(count(answer, "offices")));
    let roots = names(&files["roots"], words::LIST_COMMA.of(screen.lang));
    let (edition, network) = (text(files, "edition"), text(answer, "network"));
    let (k, n) = (count(answer, "threshold"), count(answer, "roots"));
    let zh = format!(
        "已建县：{offices} 个机构，文件在 {folder}\n网络标识：{network}\n\n\
         {roots}\n  根密钥，共 {n} 把，任意 {k} 把同时使用才能修改名册的根本内容（如撤销、裁定、更换根密钥）。\n  \
         每把交给一个人，各存一个 U 盘和一份纸质备份，锁进不同的保险柜，不要留在电脑上。\n  \
         丢失超过 {spare} 把，名册就再也不能更改；{k} 把落入同一人之手，他就能冒充全县。\n\n\
         kit-区划代码-机构名称.json\n  开户包，每个机构一个，内有该机构电脑和经办人的密钥：谁拿到它，谁就能以该机构名义签名。\n  \
         当面交付或装入加密 U 盘；对方用 xiangwang init 建好节点后，两边都删除。\n\n\
         {edition}\n  建县名册，公开文件，没有秘密。它的标识就是网络标识，可以张贴，供各机构核对。\n\n\
         以上密钥文件只有当前用户可以读取。本程序不保留任何副本。\n",
        spare = n.saturating_sub(k),
    );
    let en = format!(
        "Founded: {offices} offices; the files are in {folder}\nNetwork: {network}\n\n\
         {roots}\n  The {n} root keys. Any {k} of them together change the foundations of the roster (cuts, decisions on forks, new root keys).\n  \
         Give each to one person, on a USB stick and on paper, in different safes; leave none on this PC.\n  \
         If more than {spare} are lost, the roster can never be changed; {k} in one hand are the whole county.\n\n\
         kit-<code>-<office>.json\n  One kit per office with the keys of its PC and its people: whoever holds it signs as that office.\n  \
         Hand it over in person or on an encrypted stick; delete it on both sides once xiangwang init has run.\n\n\
         {edition}\n  The founding roster: public, no secrets. Its id is the network's id; post it so that offices can compare.\n\n\
         Only the present user can read the key files. This program keeps no copy.\n",
        spare = n.saturating_sub(k),
    );
    screen.pick(&zh, &en).to_owned()
}

fn names(list: &Json, between: &str) -> String {
    let names = list.as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(Json::as_str).map(plain).collect::<Vec<_>>().join(between)
}

/// A new node and what to do next.
pub(crate) fn made_node(answer: &Json, screen: Screen) -> String {
    let (folder, office) = (text(answer, "folder"), text(answer, "office"));
    let (division, node) = (text(answer, "division"), text(answer, "node"));
    let listen = names(&answer["listen"], words::LIST_COMMA.of(screen.lang));
    let api = text(answer, "api");
    let zh = format!(
        "已建立节点：{office}（{division}），目录 {folder}\n节点密钥：{node}\n邻居连接地址：{listen}；本机接口：{api}\n"
    );
    let en = format!(
        "The node of {office} ({division}) is in {folder}\nnode key: {node}\nneighbours: {listen}; API: {api}\n"
    );
    let mut out = screen.pick(&zh, &en).to_owned();
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
    let zh = format!("下一步：xiangwang --dir {folder} run。请把开户包锁好或删除：里面有密钥\n");
    let en = format!(
        "Next: xiangwang --dir {folder} run. Lock the kit away or delete it: it holds the keys\n"
    );
    out.push_str(screen.pick(&zh, &en));
    out
}
