"""Asks second_reader.py and its other parts about every vector and compares the answers."""
import json, pathlib

from frame_reader import read_frame
from id_reader import judge_id
from roster_reader import judge_roster
from proof_reader import judge_consistency, judge_inclusion
from edition_reader import judge_chain, judge_edition
from second_reader import Refused, judge_cosignature, judge_entry, judge_log, read_note

def given(case):
    """Hex becomes bytes; texts that are texts stay."""
    texts = {"note", "of", "text"}
    def value(key, item):
        if isinstance(item, list):
            return [bytes.fromhex(one) for one in item]
        return item if key in texts or isinstance(item, int) else bytes.fromhex(item)
    found = {key: value(key, item) for key, item in case["given"].items()}
    length = found.pop("padded_to", 0)
    return {key: item.ljust(length, b"\0") if key in ("envelope", "frame") else item for key, item in found.items()}

def plain(item):
    if isinstance(item, list):
        return [plain(one) for one in item]
    return item.hex() if isinstance(item, bytes) else item

def main(folder):
    judges = {"entry": judge_entry, "log": judge_log, "checkpoint": read_note, "cosignature": judge_cosignature,
              "edition": judge_edition, "chain": judge_chain, "roster": judge_roster, "id": judge_id, "frame": read_frame,
              "inclusion": judge_inclusion, "consistency": judge_consistency}
    count, wrong = 0, 0
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        for case in json.loads(path.read_text("utf-8"))["cases"]:
            try:
                reading = judges[case["kind"]](**given(case))
                said = "valid", {key: plain(item) for key, item in reading.items()}
            except Refused as fault:
                said = str(fault), {}
            count += 1
            if said != (case["expect"], case.get("reading", {})):
                wrong += 1
                print(f"{path.name}: {case['name']}: {said} and not {case['expect']} {case.get('reading', '')}")
    print(f"{count} vectors, {wrong} judged otherwise" if wrong or not count else f"{count} vectors judged the same")
    return 1 if wrong or not count else 0
