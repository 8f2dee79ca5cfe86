//! From bytes to a [`Change`]. Nothing here trusts a length that it has not compared with what is
//! left, and the last step writes the change again and compares.

use sha2::{Digest, Sha256};
use xw_schemas::value::Value;

use super::column::{Deltas, Flags, Runs};
use super::leb::Reader;
use super::{
    Action, Actor, CHANGE_BYTES_MAX, COUNTER_MAX, Change, ChangeFault, ChangeHash, DEPS_MAX,
    KEY_BYTES_MAX, Key, OPS_MAX, OTHER_ACTORS_MAX, ObjId, Op, OpId, PREDS_MAX, TEXT_BYTES_MAX,
    TIME_S_MAX, encode, key_is_sound,
};

pub(super) fn decode(bytes: &[u8]) -> Result<Change, ChangeFault> {
    if bytes.len() > CHANGE_BYTES_MAX {
        return Err(ChangeFault::TooLong);
    }
    let mut reader = Reader::new(bytes);
    let hash = header(bytes, &mut reader)?;
    let body = reader.rest();

    let deps = deps(&mut reader)?;
    let mut actors = vec![actor(&mut reader)?];
    let seq = reader.unsigned()?;
    let start_op = reader.unsigned()?;
    if !(1..=COUNTER_MAX).contains(&seq) || !(1..=COUNTER_MAX).contains(&start_op) {
        return Err(ChangeFault::Counter);
    }
    let time_s = reader.signed()?;
    if !(0..=TIME_S_MAX).contains(&time_s) {
        return Err(ChangeFault::Time);
    }
    if reader.unsigned()? != 0 {
        return Err(ChangeFault::Message);
    }
    other_actors(&mut reader, &mut actors)?;

    let columns = Columns::read(&mut reader)?;
    if !reader.is_empty() {
        return Err(ChangeFault::ExtraBytes);
    }
    let mut rows = Rows::new(&columns, &actors)?;
    let ops = rows.ops()?;
    if start_op + ops.len() as u64 > COUNTER_MAX {
        return Err(ChangeFault::Counter);
    }

    let change = Change { hash, actor: actors[0], seq, start_op, time_s, deps, ops };
    if encode::body(&change) != body {
        return Err(ChangeFault::NotCanonical);
    }
    Ok(change)
}

/// Magic, checksum, chunk type and length; leaves the reader at the body.
fn header(bytes: &[u8], reader: &mut Reader<'_>) -> Result<ChangeHash, ChangeFault> {
    if reader.array()? != encode::MAGIC {
        return Err(ChangeFault::Magic);
    }
    let checksum: [u8; 4] = reader.array()?;
    if reader.byte()? != encode::CHUNK_TYPE_CHANGE {
        return Err(ChangeFault::ChunkType);
    }
    if reader.unsigned()? != reader.rest().len() as u64 {
        return Err(ChangeFault::Length);
    }
    let hash: [u8; 32] = Sha256::digest(&bytes[encode::HASHED_FROM..]).into();
    if hash[..4] != checksum {
        return Err(ChangeFault::Checksum);
    }
    Ok(ChangeHash(hash))
}

fn deps(reader: &mut Reader<'_>) -> Result<Vec<ChangeHash>, ChangeFault> {
    let count = reader.unsigned()?;
    if count > DEPS_MAX as u64 {
        return Err(ChangeFault::Deps);
    }
    let deps: Vec<ChangeHash> =
        (0..count).map(|_| reader.array().map(ChangeHash)).collect::<Result<_, _>>()?;
    if !deps.is_sorted_by(|a, b| a < b) {
        return Err(ChangeFault::Deps);
    }
    Ok(deps)
}

fn actor(reader: &mut Reader<'_>) -> Result<Actor, ChangeFault> {
    if reader.unsigned()? != size_of::<Actor>() as u64 {
        return Err(ChangeFault::ActorLength);
    }
    reader.array()
}

fn other_actors(reader: &mut Reader<'_>, actors: &mut Vec<Actor>) -> Result<(), ChangeFault> {
    let count = reader.unsigned()?;
    if count > OTHER_ACTORS_MAX as u64 {
        return Err(ChangeFault::OtherActors);
    }
    for _ in 0..count {
        actors.push(actor(reader)?);
    }
    let others = &actors[1..];
    if !others.is_sorted_by(|a, b| a < b) || others.contains(&actors[0]) {
        return Err(ChangeFault::OtherActors);
    }
    Ok(())
}

/// Where each known column lies in the bytes.
struct Columns<'a> {
    data: [Option<&'a [u8]>; encode::COLUMNS.len()],
}

impl<'a> Columns<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ChangeFault> {
        let count = reader.unsigned()?;
        if count > encode::COLUMNS.len() as u64 {
            return Err(ChangeFault::Column);
        }
        let mut lengths = Vec::with_capacity(encode::COLUMNS.len());
        let mut next = 0;
        for _ in 0..count {
            let spec = reader.unsigned()?;
            let found = encode::COLUMNS[next..].iter().position(|known| u64::from(*known) == spec);
            let at = next + found.ok_or(ChangeFault::Column)?;
            lengths.push((at, reader.unsigned()?));
            next = at + 1;
        }
        let mut data = [None; encode::COLUMNS.len()];
        for (at, length) in lengths {
            data[at] = Some(reader.take(length)?);
        }
        Ok(Columns { data })
    }

    fn get(&self, spec: u8) -> Option<&'a [u8]> {
        let at = encode::COLUMNS.iter().position(|known| *known == spec)?;
        self.data[at]
    }
}

/// All columns side by side, one operation per step.
struct Rows<'a> {
    actors: &'a [Actor],
    /// One bit per actor, the author's first; 65 actors at most.
    used: u128,
    obj_actor: Runs<'a, u64>,
    obj_counter: Runs<'a, u64>,
    key_actor: Runs<'a, u64>,
    key_counter: Deltas<'a>,
    key_text: Runs<'a, &'a str>,
    insert: Flags<'a>,
    action: Runs<'a, u64>,
    value_meta: Runs<'a, u64>,
    value: Reader<'a>,
    pred_count: Runs<'a, u64>,
    pred_actor: Runs<'a, u64>,
    pred_counter: Deltas<'a>,
    preds: u64,
}

impl<'a> Rows<'a> {
    fn new(columns: &Columns<'a>, actors: &'a [Actor]) -> Result<Self, ChangeFault> {
        let numbers = |spec| Runs::new(columns.get(spec), |reader| reader.unsigned());
        Ok(Rows {
            actors,
            used: 1,
            obj_actor: numbers(encode::OBJ_ACTOR),
            obj_counter: numbers(encode::OBJ_COUNTER),
            key_actor: numbers(encode::KEY_ACTOR),
            key_counter: Deltas::new(columns.get(encode::KEY_COUNTER)),
            key_text: Runs::new(columns.get(encode::KEY_TEXT), |reader| {
                reader.text(KEY_BYTES_MAX, ChangeFault::Key)
            }),
            insert: Flags::new(columns.get(encode::INSERT).ok_or(ChangeFault::NoOps)?),
            action: numbers(encode::ACTION),
            value_meta: numbers(encode::VALUE_META),
            value: Reader::new(columns.get(encode::VALUE).unwrap_or_default()),
            pred_count: numbers(encode::PRED_COUNT),
            pred_actor: numbers(encode::PRED_ACTOR),
            pred_counter: Deltas::new(columns.get(encode::PRED_COUNTER)),
            preds: 0,
        })
    }

    fn ops(&mut self) -> Result<Vec<Op>, ChangeFault> {
        let mut ops = Vec::new();
        while !self.action.is_done() {
            if ops.len() == OPS_MAX {
                return Err(ChangeFault::TooManyOps);
            }
            ops.push(self.op()?);
        }
        if ops.is_empty() {
            return Err(ChangeFault::NoOps);
        }
        self.all_done()?;
        Ok(ops)
    }

    fn op(&mut self) -> Result<Op, ChangeFault> {
        let action = self.action.value()?;
        let obj = self.obj()?;
        let key = self.key()?;
        let insert = self.insert.row()?;
        let value = self.scalar()?;
        let action = match action {
            0 => Action::MakeMap,
            1 => Action::Put(value),
            2 => Action::MakeList,
            3 => Action::Delete,
            _ => return Err(ChangeFault::ActionType),
        };
        let pred = self.pred()?;
        Ok(Op { obj, key, insert, action, pred })
    }

    fn obj(&mut self) -> Result<ObjId, ChangeFault> {
        match (self.obj_actor.row()?, self.obj_counter.row()?) {
            (None, None) => Ok(ObjId::Root),
            (Some(actor), Some(counter)) => Ok(ObjId::Op(self.op_id(actor, counter)?)),
            _ => Err(ChangeFault::Object),
        }
    }

    fn key(&mut self) -> Result<Key, ChangeFault> {
        match (self.key_text.row()?, self.key_actor.row()?, self.key_counter.row()?) {
            (Some(text), None, None) if key_is_sound(text) => Ok(Key::Map(text.to_owned())),
            (None, None, Some(0)) => Ok(Key::Head),
            (None, Some(actor), Some(counter)) => Ok(Key::After(self.op_id(actor, counter)?)),
            _ => Err(ChangeFault::Key),
        }
    }

    fn scalar(&mut self) -> Result<Value, ChangeFault> {
        let meta = self.value_meta.value()?;
        let length = meta >> 4;
        match meta & 0x0f {
            encode::VALUE_NULL if length == 0 => Ok(Value::Null),
            encode::VALUE_FALSE if length == 0 => Ok(Value::Bool(false)),
            encode::VALUE_TRUE if length == 0 => Ok(Value::Bool(true)),
            encode::VALUE_INT => {
                let mut number = Reader::new(self.value.take(length)?);
                let value = number.signed()?;
                if number.is_empty() { Ok(Value::Int(value)) } else { Err(ChangeFault::Number) }
            }
            encode::VALUE_TEXT if length > TEXT_BYTES_MAX as u64 => Err(ChangeFault::TextTooLong),
            encode::VALUE_TEXT => {
                let text = std::str::from_utf8(self.value.take(length)?);
                text.map(|text| Value::Text(text.to_owned())).map_err(|_| ChangeFault::Utf8)
            }
            _ => Err(ChangeFault::ValueType),
        }
    }

    fn pred(&mut self) -> Result<Vec<OpId>, ChangeFault> {
        let count = self.pred_count.value()?;
        self.preds = self.preds.saturating_add(count);
        if self.preds > PREDS_MAX as u64 {
            return Err(ChangeFault::TooManyPreds);
        }
        let mut pred = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let actor = self.pred_actor.value()?;
            let counter = self.pred_counter.row()?.ok_or(ChangeFault::Rows)?;
            pred.push(self.op_id(actor, counter)?);
        }
        if !pred.is_sorted_by(|a, b| a < b) {
            return Err(ChangeFault::PredOrder);
        }
        Ok(pred)
    }

    fn op_id(&mut self, actor: u64, counter: u64) -> Result<OpId, ChangeFault> {
        if !(1..=COUNTER_MAX).contains(&counter) {
            return Err(ChangeFault::Counter);
        }
        let index = usize::try_from(actor).map_err(|_| ChangeFault::ActorIndex)?;
        let actor = *self.actors.get(index).ok_or(ChangeFault::ActorIndex)?;
        self.used |= 1 << index;
        Ok(OpId { counter, actor })
    }

    /// No column may be longer than there are operations, and every listed actor must occur.
    fn all_done(&self) -> Result<(), ChangeFault> {
        let numbers = [
            &self.obj_actor,
            &self.obj_counter,
            &self.key_actor,
            &self.value_meta,
            &self.pred_count,
            &self.pred_actor,
        ];
        let done = numbers.into_iter().all(Runs::is_done)
            && self.key_counter.is_done()
            && self.key_text.is_done()
            && self.insert.is_done()
            && self.value.is_empty()
            && self.pred_counter.is_done();
        if !done {
            return Err(ChangeFault::Rows);
        }
        if self.used.count_ones() as usize != self.actors.len() {
            return Err(ChangeFault::UnusedActor);
        }
        Ok(())
    }
}
