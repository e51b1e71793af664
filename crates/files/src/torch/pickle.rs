//! A reader of the pickles that `torch.save` writes: it builds inert values and runs nothing.
//!
//! A pickle is a program for a stack machine. This one knows only the instructions that
//! `torch.save` emits for tensors in tuples, lists and dictionaries, and a "call" can only make a
//! [`Tensor`](super::value::Tensor) record or an empty dictionary.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    io::{ErrorKind, Read, Take},
    path::Path,
    rc::Rc,
};

use super::{
    content::Content,
    element::Element,
    value::{Containers, Global, Pickle, Storage, Value},
};
use crate::{
    FileError,
    input::{malformed, truncated},
};

/// Longest pickle read. Three tensors take about 300 bytes, the thousand of a large network 100,000.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// Reads one pickle and leaves `input` just behind it.
pub(super) fn load(input: impl Read, content: Content, path: &Path) -> Result<Pickle, FileError> {
    let mut machine = Machine {
        input: input.take(MAX_BYTES),
        content,
        path,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        containers: Containers::default(),
        storages: BTreeMap::new(),
    };
    let limit = content.max_instructions();
    for _ in 0..limit {
        if let Some(value) = machine.step()? {
            return Ok(Pickle {
                value,
                containers: machine.containers,
                storages: machine.storages,
            });
        }
    }
    Err(machine.other(format!("a pickle of more than {limit} instructions")))
}

struct Machine<'a, R> {
    input: Take<R>,
    content: Content,
    path: &'a Path,
    stack: Vec<Value>,
    /// Lengths of the stack where the open tuples, lists and dictionaries begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    containers: Containers,
    storages: BTreeMap<Rc<str>, Rc<Storage>>,
}

impl<R: Read> Machine<'_, R> {
    /// Runs one instruction; `STOP` gives the result. The names are those of Python's
    /// `pickletools`.
    fn step(&mut self) -> Result<Option<Value>, FileError> {
        let [instruction] = self.bytes()?;
        match instruction {
            0x80 => drop(self.bytes::<1>()?),          // PROTO
            0x95 => drop(self.bytes::<8>()?),          // FRAME: a hint for buffered readers
            b'.' => return self.pop().map(Some),       // STOP
            b'(' => self.marks.push(self.stack.len()), // MARK

            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'J' => {
                let value = i32::from_le_bytes(self.bytes()?); // BININT
                self.stack.push(Value::Int(value.into()));
            }
            b'G' => {
                self.bytes::<8>()?; // BINFLOAT
                self.stack.push(Value::Float);
            }
            b'K' => self.push_uint::<1>()?, // BININT1
            b'M' => self.push_uint::<2>()?, // BININT2
            0x8a => self.push_long()?,      // LONG1
            b'X' => self.push_text::<4>()?, // BINUNICODE
            0x8c => self.push_text::<1>()?, // SHORT_BINUNICODE

            b')' => self.push_tuple(Vec::new()), // EMPTY_TUPLE
            0x85..=0x87 => {
                let items = self.pop_last(usize::from(instruction - 0x84))?; // TUPLE1 to TUPLE3
                self.push_tuple(items);
            }
            b't' => {
                let items = self.pop_marked()?;
                self.push_tuple(items);
            }
            b']' => {
                let list = self.containers.empty_list(); // EMPTY_LIST
                self.stack.push(list);
            }
            b'a' => {
                let item = self.pop_last(1)?; // APPEND
                self.append(item)?;
            }
            b'e' => {
                let items = self.pop_marked()?; // APPENDS
                self.append(items)?;
            }
            b'}' => {
                let dict = self.containers.empty_dict(); // EMPTY_DICT
                self.stack.push(dict);
            }
            b's' => {
                let pair = self.pop_last(2)?; // SETITEM
                self.set_items(pair)?;
            }
            b'u' => {
                let pairs = self.pop_marked()?; // SETITEMS
                self.set_items(pairs)?;
            }
            b'b' => self.build()?, // BUILD

            b'q' => self.put::<1>()?, // BINPUT
            b'r' => self.put::<4>()?, // LONG_BINPUT
            0x94 => self.memoize(self.memo.len() as u32)?,
            b'h' => self.get::<1>()?, // BINGET
            b'j' => self.get::<4>()?, // LONG_BINGET

            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push_global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop_text()?, self.pop_text()?);
                self.push_global(&module, &name)?; // STACK_GLOBAL
            }
            b'Q' => self.push_storage()?, // BINPERSID
            b'R' => self.reduce()?,
            other => {
                return Err(self.other(format!(
                    "something else than tensors (pickle instruction {other:#04x})"
                )));
            }
        }
        Ok(None)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        let mut bytes = [0; N];
        match self.input.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(self.read_error(error)),
        }
    }

    fn read_error(&self, source: std::io::Error) -> FileError {
        if source.kind() != ErrorKind::UnexpectedEof {
            return FileError::Io {
                path: self.path.to_owned(),
                source,
            };
        }
        if self.input.limit() == 0 {
            return self.other(format!("a pickle of more than {MAX_BYTES} bytes"));
        }
        truncated(self.path, "a pickle")
    }

    /// An unsigned number of `N` bytes, at most four, little-endian.
    fn uint<const N: usize>(&mut self) -> Result<u32, FileError> {
        let bytes: [u8; N] = self.bytes()?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte)))
    }

    fn push_uint<const N: usize>(&mut self) -> Result<(), FileError> {
        let value = self.uint::<N>()?.into();
        self.stack.push(Value::Int(value));
        Ok(())
    }

    /// Little-endian two's complement of as many bytes as the first one says.
    fn push_long(&mut self) -> Result<(), FileError> {
        let [len] = self.bytes()?;
        let len = usize::from(len);
        if len > size_of::<i128>() {
            return Err(self.malformed(format!("its pickle has a number of {len} bytes")));
        }
        let mut bytes = [0; size_of::<i128>()];
        for byte in &mut bytes[..len] {
            [*byte] = self.bytes()?;
        }
        let negative = len > 0 && bytes[len - 1] >= 0x80;
        bytes[len..].fill(if negative { 0xff } else { 0 });
        self.stack.push(Value::Int(i128::from_le_bytes(bytes)));
        Ok(())
    }

    /// Text behind its length, a number of `N` bytes.
    fn push_text<const N: usize>(&mut self) -> Result<(), FileError> {
        let len = u64::from(self.uint::<N>()?);
        let mut bytes = Vec::new();
        // `take` and a growing vector: a false length costs no more memory than the file has bytes.
        let read = self.input.by_ref().take(len).read_to_end(&mut bytes);
        if let Err(error) = read {
            return Err(self.read_error(error));
        }
        if (bytes.len() as u64) < len {
            return Err(self.read_error(ErrorKind::UnexpectedEof.into()));
        }
        let text = self.text(bytes)?;
        self.stack.push(Value::Text(text.into()));
        Ok(())
    }

    /// Text up to the next newline.
    fn line(&mut self) -> Result<String, FileError> {
        let mut bytes = Vec::new();
        loop {
            match self.bytes()? {
                [b'\n'] => return self.text(bytes),
                [byte] => bytes.push(byte),
            }
        }
    }

    fn text(&self, bytes: Vec<u8>) -> Result<String, FileError> {
        String::from_utf8(bytes)
            .map_err(|_| self.malformed("its pickle has a text that is not UTF-8".to_owned()))
    }

    fn pop(&mut self) -> Result<Value, FileError> {
        self.stack.pop().ok_or_else(|| self.underflow())
    }

    fn pop_text(&mut self) -> Result<Rc<str>, FileError> {
        match self.pop()? {
            Value::Text(text) => Ok(text),
            _ => Err(self.malformed("its pickle has a class whose name is no text".to_owned())),
        }
    }

    fn pop_marked(&mut self) -> Result<Vec<Value>, FileError> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => Err(self.underflow()),
        }
    }

    fn pop_last(&mut self, len: usize) -> Result<Vec<Value>, FileError> {
        match self.stack.len().checked_sub(len) {
            Some(start) => Ok(self.stack.split_off(start)),
            None => Err(self.underflow()),
        }
    }

    fn push_tuple(&mut self, items: Vec<Value>) {
        let tuple = self.containers.tuple(items);
        self.stack.push(tuple);
    }

    fn append(&mut self, items: Vec<Value>) -> Result<(), FileError> {
        let last = self.stack.last();
        match last.and_then(|list| self.containers.list_mut(list)) {
            Some(list) => list.extend(items),
            None => return Err(self.malformed("its pickle appends to no list".to_owned())),
        }
        Ok(())
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<(), FileError> {
        let pairs = items
            .chunks_exact(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()));
        let last = self.stack.last();
        match last.and_then(|dict| self.containers.dict_mut(dict)) {
            Some(dict) => dict.extend(pairs),
            None => return Err(self.malformed("its pickle fills no dictionary".to_owned())),
        }
        Ok(())
    }

    /// Attributes of a dictionary, such as the versions of layers, which hold no values.
    fn build(&mut self) -> Result<(), FileError> {
        self.pop()?;
        match self.stack.last() {
            Some(Value::Dict(_)) => Ok(()),
            _ => Err(self.malformed("its pickle gives attributes to no dictionary".to_owned())),
        }
    }

    fn put<const N: usize>(&mut self) -> Result<(), FileError> {
        let index = self.uint::<N>()?;
        self.memoize(index)
    }

    fn memoize(&mut self, index: u32) -> Result<(), FileError> {
        let value = self.stack.last().cloned().ok_or_else(|| self.underflow())?;
        self.memo.insert(index, value);
        Ok(())
    }

    fn get<const N: usize>(&mut self) -> Result<(), FileError> {
        let index = self.uint::<N>()?;
        let value = self.memo.get(&index).cloned();
        self.stack.push(value.ok_or_else(|| self.underflow())?);
        Ok(())
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), FileError> {
        let global = match (module, name) {
            ("torch._utils", "_rebuild_tensor_v2") => Some(Global::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Global::RebuildParameter),
            ("collections", "OrderedDict") => Some(Global::OrderedDict),
            ("torch" | "torch.storage", class) => {
                Element::of_class(class).map(Global::StorageClass)
            }
            _ => None,
        };
        let Some(global) = global else {
            return Err(FileError::UnsafePickle {
                path: self.path.to_owned(),
                global: format!("{module}.{name}"),
                way_out: self.content.way_out(),
            });
        };
        self.stack.push(Value::Global(global));
        Ok(())
    }

    fn push_storage(&mut self) -> Result<(), FileError> {
        let id = self.pop()?;
        let Some(storage) = self.containers.storage(&id) else {
            return Err(
                self.malformed("its pickle describes a storage in an unknown way".to_owned())
            );
        };
        let storage = match self.storages.entry(storage.key.clone()) {
            Entry::Vacant(place) => Rc::clone(place.insert(storage.into())),
            Entry::Occupied(known) if known.get().is_like(&storage) => Rc::clone(known.get()),
            Entry::Occupied(known) => {
                let found = format!("its pickle describes storage {} in two ways", known.key());
                return Err(self.malformed(found));
            }
        };
        self.stack.push(Value::Storage(storage));
        Ok(())
    }

    /// The calls there are: `_rebuild_tensor_v2(..)`, `_rebuild_parameter(tensor, ..)` and
    /// `OrderedDict()`.
    fn reduce(&mut self) -> Result<(), FileError> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let arguments = match &arguments {
            Value::Tuple(_) => self.containers.items(&arguments),
            _ => None,
        };
        let value = match (&function, arguments) {
            (Value::Global(Global::RebuildTensor), Some(arguments)) => self
                .containers
                .tensor(arguments)
                .map(|tensor| Value::Tensor(tensor.into())),
            (Value::Global(Global::RebuildParameter), Some([tensor @ Value::Tensor(_), ..])) => {
                Some(tensor.clone())
            }
            (Value::Global(Global::OrderedDict), Some([])) => Some(self.containers.empty_dict()),
            _ => None,
        };
        let Some(value) = value else {
            return Err(
                self.malformed("its pickle describes a tensor in an unknown way".to_owned())
            );
        };
        self.stack.push(value);
        Ok(())
    }

    fn underflow(&self) -> FileError {
        self.malformed("its pickle uses a value that it never made".to_owned())
    }

    fn malformed(&self, found: String) -> FileError {
        malformed(self.path, found)
    }

    /// The error of a pickle of something else than it should hold.
    fn other(&self, found: String) -> FileError {
        self.content.refusal(found, self.path)
    }
}
